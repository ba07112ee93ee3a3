//! Rows of the files in a run folder. The trainer writes them. The report, the curve and `shoprl trajectories` read them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ScenarioName;

/// File names in a run folder.
pub mod file {
    /// The manifest, with every default filled in.
    pub const MANIFEST: &str = "manifest.yaml";
    /// [`crate::RunConfig`].
    pub const RUN_CONFIG: &str = "run.json";
    /// [`super::Metric`] rows.
    pub const METRICS: &str = "metrics.jsonl";
    /// [`super::Evaluation`] rows.
    pub const EVALUATIONS: &str = "evaluations.jsonl";
    /// Folder of [`super::Episode`] rows.
    pub const TRAJECTORIES: &str = "trajectories";
    /// The report in Markdown.
    pub const REPORT: &str = "report.md";
    /// The report in JSON.
    pub const REPORT_JSON: &str = "report.json";
    /// Picture of success and reward over the run.
    pub const CURVE: &str = "curve.png";
    /// [`super::Budget`].
    pub const BUDGET: &str = "budget.json";
}

/// One line of metrics.jsonl. Rates are 0 to 1, seconds are wall time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "phase")]
pub enum Metric {
    /// Means over the supervised steps since the previous row.
    Warmup(WarmupMetric),
    /// One step of reinforcement learning.
    Training(TrainingMetric),
}

/// The supervised steps since the previous row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WarmupMetric {
    /// Optimiser steps so far.
    pub step: u64,
    /// Trained tokens so far.
    pub tokens: u64,
    /// Mean negative log-likelihood in nats per unit of token weight (1 for actions, `observationWeight` for observations).
    pub loss: f64,
    /// Mean gradient norm before clipping.
    pub gradient_norm: f64,
    /// AdamW learning rate of the last step.
    pub learning_rate: f64,
    /// Duration of these steps in seconds.
    pub seconds: f64,
    /// The measurement after these steps, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<Validation>,
}

/// The success rates that may stop the warm-up, on training tasks without demonstrations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Validation {
    /// Success rate of greedy decoding.
    pub greedy_success: f64,
    /// Success rate of sampling at temperature 1.
    pub sampled_success: f64,
}

/// One step of reinforcement learning. Unless stated otherwise, means are over all episodes of the step, with those of
/// filtered groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrainingMetric {
    /// Number of the step, from 1.
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
    /// Mean entropy of sampled tokens in nats.
    pub entropy: f64,
    /// Mean k3 estimate of KL(behaviour || trained) in nats per action token.
    pub kl: f64,
    /// Share of action tokens whose ratio was clipped.
    pub clip_share: f64,
    /// Gradient norm before clipping.
    pub gradient_norm: f64,
    /// Groups that were filtered because all their rewards were equal.
    pub filtered_groups: u64,
    /// Tokens of the accepted groups' episodes; 0 if every group was filtered.
    pub trained_tokens: u64,
    /// Tokens that the policy sampled.
    pub sampled_tokens: u64,
    /// Share of policy tokens whose credit has the sign of their sample's advantage; 1 if credit is off.
    pub credit_kept: f64,
    /// Statistics of message-wise credit.
    #[serde(default)]
    pub credit: CreditMetric,
    /// Seconds of waiting for scored groups.
    pub rollout_seconds: f64,
    /// Seconds of gradients and optimiser.
    pub train_seconds: f64,
}

/// Statistics of message-wise credit in one step (docs/concepts/credit.md).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreditMetric {
    /// How well the verdicts separate good samples from bad ones, as an AUC: 0.5 not at all, 1 perfectly. Absent unless
    /// there are samples of both kinds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auc: Option<f64>,
    /// Sum of |credit| over all tokens, relative to sample-wise credit.
    pub mass_ratio: f64,
    /// Statistics of each kind of message that occurs, for example `search`.
    pub kinds: BTreeMap<String, KindCredit>,
}

/// One kind of message in one step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KindCredit {
    /// Trust of the gate in the verdicts, 0 to 1, from the steps before this one.
    pub trust: f64,
    /// Correlation of the verdicts with the reward within groups, from which the trust derives. Absent until both vary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation: Option<f64>,
    /// Share of all |credit|.
    pub share: f64,
}

/// The player that was evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Subject {
    /// Random valid actions.
    Random,
    /// Searches, opens the first result, chooses its options and buys.
    SearchFirst,
    /// The scripted expert.
    Expert,
    /// The imperfect demonstrator.
    Demonstrator,
    /// The policy after warm-up.
    Warmup,
    /// The policy during training.
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

/// One line of evaluations.jsonl: one subject on held-out tasks. All subjects play the same tasks in the same order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evaluation {
    /// The player.
    pub subject: Subject,
    /// The decoding.
    pub decoding: Decoding,
    /// Reinforcement learning steps taken before.
    pub step: u64,
    /// Wall time in seconds.
    pub seconds: f64,
    /// Results in task order.
    pub episodes: Vec<EpisodeResult>,
}

/// The eight metrics of ShopSimulator (arXiv 2601.18225), each 0 to 1.
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
    /// Metrics of the episode.
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
    /// Why it ended: bought, declined, turnLimit or contextLimit.
    pub end: String,
    /// Metrics of the episode.
    pub metrics: Metrics,
    /// Reward of the episode.
    pub reward: f64,
    /// Advantage relative to its group; absent outside training.
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
    /// Texts of the tokens, for policy messages.
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

/// Cost of one phase.
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
