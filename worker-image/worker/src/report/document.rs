//! The content of report.json.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shoprl_contract::run_folder::{Decoding, Metrics, PhaseBudget, Subject};
use shoprl_contract::{RunConfig, ScenarioName};
use shoprl_rl::statistics::Interval;

/// Version of report.json; adding a field does not change it.
pub const REPORT_VERSION: u32 = 1;

/// report.json. Rates are in [0, 1], intervals cover 95 %.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// Name of the job.
    pub job: String,
    /// The effect of reinforcement learning, in sentences.
    pub headline: Vec<String>,
    /// What this run lacks; empty if it is complete.
    pub missing: Vec<String>,
    /// Completed steps of reinforcement learning.
    pub steps: u64,
    /// Steps in which every group was filtered, so nothing was learned.
    pub idle_steps: u64,
    /// Held-out results: baselines first, then the policy before and after.
    pub results: Vec<SubjectResult>,
    /// Paired differences between after and before, on the same tasks.
    pub differences: Vec<Difference>,
    /// Held-out results of the policy from warm-up on, by decoding and step.
    pub progress: Vec<Progress>,
    /// Time and tokens by activity.
    pub budget: Vec<PhaseBudget>,
    /// The whole configuration.
    pub config: RunConfig,
}

/// One subject on the held-out tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubjectResult {
    /// The player.
    pub subject: Subject,
    /// Decoding of the actions.
    pub decoding: Decoding,
    /// Steps of reinforcement learning completed by then.
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
    /// Number of tasks.
    pub tasks: u64,
    /// Share of successful tasks, with Wilson's interval.
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
    /// Decoding of the actions.
    pub decoding: Decoding,
    /// Number of compared tasks.
    pub tasks: u64,
    /// All tasks.
    pub pooled: Interval,
    /// By scenario, for scenarios with at least two tasks.
    pub scenarios: BTreeMap<ScenarioName, Interval>,
}

/// A measurement of the policy during the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Decoding of the actions.
    pub decoding: Decoding,
    /// Steps of reinforcement learning completed by then.
    pub step: u64,
    /// Share of successful tasks, with Wilson's interval.
    pub success: Interval,
}

impl Report {
    /// The result of a subject.
    pub fn result(&self, subject: Subject, decoding: Decoding) -> Option<&SubjectResult> {
        self.results.iter().find(|result| (result.subject, result.decoding) == (subject, decoding))
    }

    /// The paired difference for a decoding.
    pub fn difference(&self, decoding: Decoding) -> Option<&Difference> {
        self.differences.iter().find(|difference| difference.decoding == decoding)
    }
}
