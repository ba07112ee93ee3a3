//! What a run amounts to, in numbers: report.json.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shoprl_contract::{
    RunConfig, ScenarioName,
    run_folder::{Decoding, Evaluation, Metrics, PhaseBudget, Subject},
};
use shoprl_rl::statistics::Interval;

use super::{headline, measurement, run::Run};

/// Version of report.json; a field that is added does not raise it.
pub const REPORT_VERSION: u32 = 1;

/// report.json. Rates are in [0, 1], intervals cover 95 %.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// Name of the job.
    pub job: String,
    /// What reinforcement learning did, in sentences.
    pub headline: Vec<String>,
    /// What a finished run would have and this one has not; empty when it is complete.
    pub missing: Vec<String>,
    /// Steps of reinforcement learning taken.
    pub steps: u64,
    /// Of which every group was filtered, so that nothing was learned.
    pub idle_steps: u64,
    /// Held-out results: scripts first, then the policy as it learned.
    pub results: Vec<SubjectResult>,
    /// What reinforcement learning changed, on the same tasks.
    pub differences: Vec<Difference>,
    /// Held-out results of the policy from warm-up on, by decoding and step.
    pub progress: Vec<Progress>,
    /// What the run cost by phase.
    pub budget: Vec<PhaseBudget>,
    /// The whole configuration.
    pub config: RunConfig,
}

/// One subject on the held-out tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubjectResult {
    /// Who.
    pub subject: Subject,
    /// How actions were chosen.
    pub decoding: Decoding,
    /// Steps of reinforcement learning taken by then.
    pub step: u64,
    /// All tasks.
    pub pooled: Measurement,
    /// By scenario.
    pub scenarios: BTreeMap<ScenarioName, Measurement>,
}

/// Means over tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Measurement {
    /// Tasks measured on.
    pub tasks: u64,
    /// Share of tasks that succeeded, with Wilson's interval.
    pub success: Interval,
    /// Means of the eight metrics.
    pub metrics: Metrics,
    /// Mean actions per episode.
    pub turns: f64,
    /// Mean tokens per episode.
    pub tokens: f64,
}

/// Success after reinforcement learning minus success after warm-up, task by task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// How actions were chosen.
    pub decoding: Decoding,
    /// Tasks compared.
    pub tasks: u64,
    /// All tasks.
    pub pooled: Interval,
    /// By scenario, where there are two tasks or more.
    pub scenarios: BTreeMap<ScenarioName, Interval>,
}

/// A measurement of the policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// How actions were chosen.
    pub decoding: Decoding,
    /// Steps of reinforcement learning taken by then.
    pub step: u64,
    /// Share of tasks that succeeded, with Wilson's interval.
    pub success: Interval,
}

/// The subjects of the final comparison, in the order of the tables.
const COMPARISON: [(Subject, Decoding); 8] = [
    (Subject::Random, Decoding::Scripted),
    (Subject::SearchFirst, Decoding::Scripted),
    (Subject::Demonstrator, Decoding::Scripted),
    (Subject::Expert, Decoding::Scripted),
    (Subject::Warmup, Decoding::Greedy),
    (Subject::Warmup, Decoding::Sampled),
    (Subject::Trained, Decoding::Greedy),
    (Subject::Trained, Decoding::Sampled),
];

impl Report {
    /// Sums up a run.
    pub(super) fn of(run: &Run) -> Self {
        let results: Vec<SubjectResult> = COMPARISON
            .iter()
            .filter_map(|&(subject, decoding)| result(run.evaluation(subject, decoding)?))
            .collect();
        let differences: Vec<Difference> = [Decoding::Greedy, Decoding::Sampled]
            .into_iter()
            .filter_map(|decoding| {
                let before = run.evaluation(Subject::Warmup, decoding)?;
                let after = run.evaluation(Subject::Trained, decoding)?;
                measurement::difference(decoding, before, after)
            })
            .collect();
        let policy = [Decoding::Greedy, Decoding::Sampled].map(|decoding| run.policy(decoding));
        let progress = policy.into_iter().flatten().filter_map(|evaluation| {
            let success = measurement::measure(&evaluation.episodes)?.success;
            Some(Progress { decoding: evaluation.decoding, step: evaluation.step, success })
        });
        let mut report = Self {
            version: REPORT_VERSION,
            job: run.config.job.clone(),
            headline: Vec::new(),
            missing: missing(run, &results, &differences),
            steps: run.last_step(),
            idle_steps: run.training.iter().filter(|row| row.trained_tokens == 0).count() as u64,
            results,
            differences,
            progress: progress.collect(),
            budget: run.budget.clone(),
            config: run.config.clone(),
        };
        report.headline = headline::sentences(&report);
        report
    }

    /// The result of a subject.
    pub fn result(&self, subject: Subject, decoding: Decoding) -> Option<&SubjectResult> {
        self.results.iter().find(|result| (result.subject, result.decoding) == (subject, decoding))
    }

    /// What reinforcement learning changed.
    pub fn difference(&self, decoding: Decoding) -> Option<&Difference> {
        self.differences.iter().find(|difference| difference.decoding == decoding)
    }
}

fn result(evaluation: &Evaluation) -> Option<SubjectResult> {
    Some(SubjectResult {
        subject: evaluation.subject,
        decoding: evaluation.decoding,
        step: evaluation.step,
        pooled: measurement::measure(&evaluation.episodes)?,
        scenarios: measurement::by_scenario(&evaluation.episodes),
    })
}

/// What a finished run would have, said as a person would ask for it.
fn missing(run: &Run, results: &[SubjectResult], differences: &[Difference]) -> Vec<String> {
    let mut missing = Vec::new();
    if run.warmup.is_empty() {
        missing.push("The warm-up has not begun.".to_owned());
    }
    let (steps, planned) = (run.last_step(), u64::from(run.config.training.steps));
    if steps < planned {
        missing.push(format!("Reinforcement learning took {steps} of {planned} steps."));
    }
    let measured = |pair: &(Subject, Decoding)| {
        results.iter().any(|result| (result.subject, result.decoding) == *pair)
    };
    let unmeasured: Vec<String> = COMPARISON
        .iter()
        .filter(|pair| !measured(pair))
        .map(|&(subject, decoding)| headline::name(subject, decoding))
        .collect();
    if !unmeasured.is_empty() {
        missing.push(format!("Not measured on held-out tasks: {}.", unmeasured.join("; ")));
    }
    for decoding in [Decoding::Greedy, Decoding::Sampled] {
        let both = [Subject::Warmup, Subject::Trained].iter().all(|&s| measured(&(s, decoding)));
        if both && !differences.iter().any(|difference| difference.decoding == decoding) {
            missing.push(format!(
                "No paired difference ({}): after warm-up and after reinforcement learning were not \
                 measured on the same tasks, or on one alone.",
                headline::decoding(decoding)
            ));
        }
    }
    if run.budget.is_empty() {
        missing.push("The run has not written what its phases cost (budget.json).".to_owned());
    }
    missing
}
