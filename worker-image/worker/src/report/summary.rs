//! From the rows of a run to its [`Report`].

use shoprl_contract::run_folder::{Decoding, Evaluation, Subject};

use super::document::{Difference, Progress, REPORT_VERSION, Report, SubjectResult};
use super::run::Run;
use super::{headline, measurement};

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

/// The results of a run.
pub(super) fn summarize(run: &Run) -> Report {
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
    let mut report = Report {
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

fn result(evaluation: &Evaluation) -> Option<SubjectResult> {
    Some(SubjectResult {
        subject: evaluation.subject,
        decoding: evaluation.decoding,
        step: evaluation.step,
        pooled: measurement::measure(&evaluation.episodes)?,
        scenarios: measurement::by_scenario(&evaluation.episodes),
    })
}

/// What the run lacks, as sentences.
fn missing(run: &Run, results: &[SubjectResult], differences: &[Difference]) -> Vec<String> {
    let mut missing = Vec::new();
    if run.warmup.is_empty() {
        missing.push("The warm-up has not started.".to_owned());
    }
    let (steps, planned) = (run.last_step(), u64::from(run.config.training.steps));
    if steps < planned {
        missing.push(format!("Reinforcement learning completed {steps} of {planned} steps."));
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
                "No paired difference ({}): the measurements after warm-up and after reinforcement learning \
                 do not cover the same two or more tasks.",
                headline::decoding(decoding)
            ));
        }
    }
    if run.budget.is_empty() {
        missing.push("Time and tokens by phase are not written yet (budget.json).".to_owned());
    }
    missing
}
