//! Rows of the files in a run folder. The trainer writes them; the report, the pictures and
//! `shoprl trajectories` read them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ScenarioName;

/// File names in a run folder.
pub mod file {
    /// The manifest with every default filled in.
    pub const MANIFEST: &str = "manifest.yaml";
    /// [`crate::RunConfig`].
    pub const RUN_CONFIG: &str = "run.json";
    /// [`super::Metric`] rows.
    pub const METRICS: &str = "metrics.jsonl";
    /// [`super::Evaluation`] rows.
    pub const EVALUATIONS: &str = "evaluations.jsonl";
    /// Folder of [`super::Episode`] rows.
    pub const TRAJECTORIES: &str = "trajectories";
    /// For people.
    pub const REPORT: &str = "report.md";
    /// For programs.
    pub const REPORT_JSON: &str = "report.json";
    /// Success and reward over the run.
    pub const CURVE: &str = "curve.png";
    /// [`super::Budget`].
    pub const BUDGET: &str = "budget.json";
}

/// One line of metrics.jsonl: an optimiser step. Rates are in [0, 1], seconds are wall time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "phase")]
pub enum Metric {
    /// Mean over a window of supervised steps.
    Warmup(WarmupMetric),
    /// One step of reinforcement learning.
    Training(TrainingMetric),
}

/// Supervised steps since the previous row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WarmupMetric {
    /// Optimiser steps so far.
    pub step: u64,
    /// Trained tokens so far.
    pub tokens: u64,
    /// Mean negative log-likelihood, nats per unit of token weight (actions weigh 1, observations their share).
    pub loss: f64,
    /// Gradient norm before clipping, mean.
    pub gradient_norm: f64,
    /// AdamW learning rate now.
    pub learning_rate: f64,
    /// Seconds spent on these steps.
    pub seconds: f64,
    /// Taken at the end of these steps, where it was due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<Validation>,
}

/// The measures that may end the warm-up, on training tasks that are not demonstrated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Validation {
    /// Greedy success.
    pub greedy_success: f64,
    /// Success sampled at temperature 1.
    pub sampled_success: f64,
}

/// One step of reinforcement learning. Means are over all episodes that were played, those of filtered groups included,
/// where nothing else is said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrainingMetric {
    /// Step, from 1.
    pub step: u64,
    /// Mean reward of the accepted groups' episodes.
    pub reward: f64,
    /// Share of successful episodes.
    pub success: f64,
    /// Share of episodes that ended by buying or declining.
    pub finish: f64,
    /// Mean turns per episode.
    pub turns: f64,
    /// Mean tokens per episode.
    pub episode_tokens: f64,
    /// Mean entropy of sampled tokens, nats.
    pub entropy: f64,
    /// Mean k3 estimate of KL(behaviour || trained), nats per action token.
    pub kl: f64,
    /// Share of action tokens whose ratio was clipped.
    pub clip_share: f64,
    /// Gradient norm before clipping.
    pub gradient_norm: f64,
    /// Groups filtered because their rewards had no variance.
    pub filtered_groups: u64,
    /// Trained tokens in this step: all of the accepted groups' episodes; 0 when every group was filtered.
    pub trained_tokens: u64,
    /// Tokens that the policy sampled in this step.
    pub sampled_tokens: u64,
    /// Share of policy tokens whose credit has the sign of their sample's advantage, 1 when credit is off.
    pub credit_kept: f64,
    /// What message-wise credit did.
    #[serde(default)]
    pub credit: CreditMetric,
    /// Seconds waiting for scored groups.
    pub rollout_seconds: f64,
    /// Seconds of gradient and optimiser.
    pub train_seconds: f64,
}

/// What message-wise credit did in one step (docs/concepts/credit.md).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreditMetric {
    /// How well the label a message ends with tells good samples from bad ones: 0.5 not at all, 1 perfectly. Absent
    /// without samples of both kinds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auc: Option<f64>,
    /// Sum of |credit| over tokens, relative to every token getting its sample's advantage.
    pub mass_ratio: f64,
    /// By kind of message that occurs, for example `search`.
    pub kinds: BTreeMap<String, KindCredit>,
}

/// One kind of message in one step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KindCredit {
    /// How far the gate trusts its labels, from the steps before this one: 0 to 1.
    pub trust: f64,
    /// Correlation, within groups, of its labels with the reward, which trust is made of; absent before both varied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation: Option<f64>,
    /// Its part of all |credit|.
    pub share: f64,
}

/// Who was evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Subject {
    /// Random valid actions.
    Random,
    /// Search, first result, its options, buy.
    SearchFirst,
    /// The scripted expert.
    Expert,
    /// The imperfect demonstrator.
    Demonstrator,
    /// The policy after warm-up.
    Warmup,
    /// The policy on the way.
    Progress,
    /// The policy at the end.
    Trained,
}

/// How actions were chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Decoding {
    /// A script decides.
    Scripted,
    /// The most probable token.
    Greedy,
    /// Sampled at temperature 1.
    Sampled,
}

/// One line of evaluations.jsonl: one subject on held-out tasks. Task i of every subject is the same task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evaluation {
    /// Who.
    pub subject: Subject,
    /// How.
    pub decoding: Decoding,
    /// Reinforcement-learning steps taken by then.
    pub step: u64,
    /// Wall seconds of the measurement.
    pub seconds: f64,
    /// Results in task order.
    pub episodes: Vec<EpisodeResult>,
}

/// The eight metrics of ShopSimulator, each in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// R_succ.
    pub success: f64,
    /// R_strict.
    pub strict: f64,
    /// R_loose.
    pub loose: f64,
    /// R_finish.
    pub finish: f64,
    /// R_category.
    pub category: f64,
    /// R_attribute.
    pub attribute: f64,
    /// R_option.
    pub option: f64,
    /// R_price.
    pub price: f64,
}

/// Result of one held-out task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EpisodeResult {
    /// Scenario of the task.
    pub scenario: ScenarioName,
    /// Seed of the task.
    pub seed: u64,
    /// Its metrics.
    #[serde(flatten)]
    pub metrics: Metrics,
    /// Actions taken.
    pub turns: u32,
    /// Tokens of the episode.
    pub tokens: u32,
}

/// One line of trajectories/*.jsonl: an episode as a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Episode {
    /// Batch, for example `step-000012`.
    pub batch: String,
    /// Group within the job.
    pub group: u64,
    /// Member of the group.
    pub member: u32,
    /// Scenario of the task.
    pub scenario: ScenarioName,
    /// Seed of the task.
    pub task_seed: u64,
    /// Whether the task is held out.
    pub held_out: bool,
    /// SHA-256 of the sample as the ledger has it; absent outside training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The conversation.
    pub messages: Vec<EpisodeMessage>,
    /// How it ended: bought, declined, turnLimit, contextLimit.
    pub end: String,
    /// Its metrics.
    pub metrics: Metrics,
    /// Its reward.
    pub reward: f64,
    /// Its group-relative advantage; absent outside training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advantage: Option<f64>,
}

/// One message of an episode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EpisodeMessage {
    /// Written by the policy (or a script in its place), else by the environment.
    pub policy: bool,
    /// Text.
    pub text: String,
    /// Its tokens as strings, for policy messages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<String>,
    /// Kind of action, for policy messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The scorer's verdict, for policy messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<f64>,
}

/// budget.json: what the run cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// In the order in which the phases began.
    pub phases: Vec<PhaseBudget>,
}

/// What one phase cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PhaseBudget {
    /// warmup, validation, rollout, training, evaluation.
    pub name: String,
    /// Wall seconds.
    pub seconds: f64,
    /// Tokens trained (warmup, training) or played (validation, rollout, evaluation).
    pub tokens: u64,
}
