//! [`RunConfig`]: everything a worker is told. `shoprl-plan` lowers a validated spec to it; the
//! ConfigMap or the run folder carries it as JSON. Workers do not know that Kubernetes exists.

use serde::{Deserialize, Serialize};

/// Version of this format; a worker refuses another one.
pub const RUN_CONFIG_VERSION: u32 = 1;

/// The whole configuration of one job, resolved: nothing is left to a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunConfig {
    /// [`RUN_CONFIG_VERSION`].
    pub version: u32,
    /// Name of the job.
    pub job: String,
    /// Unique id of the job; locally derived from the manifest digest.
    pub job_uid: String,
    /// SHA-256 (hex) of the parts of the spec that decide the weights; another digest is another job.
    pub manifest_digest: String,
    /// Every random draw derives from it.
    pub seed: u64,
    /// The shop and its tasks.
    pub environment: EnvironmentConfig,
    /// The policy's model.
    pub policy: PolicyConfig,
    /// How it learns.
    pub training: TrainingConfig,
    /// What is measured on held-out tasks.
    pub evaluation: EvaluationConfig,
    /// When state is kept.
    pub checkpoint: CheckpointConfig,
    /// How many workers there are.
    pub roles: RolesConfig,
}

/// The shop and its tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvironmentConfig {
    /// Catalog preset: `mini`.
    pub catalog: String,
    /// Seed of the catalog; the catalog is a function of (preset, seed).
    pub catalog_seed: u64,
    /// Scenarios to train and evaluate on, in cycle; at least one.
    pub scenarios: Vec<ScenarioName>,
    /// Turns after which a single-turn episode ends.
    pub max_turns_single: u32,
    /// Turns after which a multi-turn episode ends.
    pub max_turns_multi: u32,
}

/// The four scenarios of ShopSimulator (arXiv 2601.18225, section 1.5 of our notes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ScenarioName {
    /// Everything is stated at once.
    SingleTurn,
    /// A persona implies part of it.
    SingleTurnPersona,
    /// The shopper answers what is asked.
    MultiTurn,
    /// Both.
    MultiTurnPersona,
}

/// The policy's model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyConfig {
    /// Model preset trained from scratch: `nano`.
    pub preset: String,
    /// Longest action in tokens, its end included.
    pub max_action_tokens: u32,
    /// Longest episode in tokens.
    pub context: u32,
}

/// How the policy learns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrainingConfig {
    /// Supervised warm-up on demonstrations.
    pub warmup: WarmupConfig,
    /// Group-relative policy optimisation.
    pub grpo: GrpoConfig,
    /// Message-wise credit.
    pub credit: CreditConfig,
    /// Weights of the outcome in the reward.
    pub reward: RewardConfig,
    /// Optimiser steps of reinforcement learning.
    pub steps: u32,
    /// Accepted groups that one step consumes.
    pub tasks_per_step: u32,
    /// AdamW learning rate of reinforcement learning.
    pub learning_rate: f64,
}

/// Supervised warm-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WarmupConfig {
    /// The warm-up ends after this many trained tokens at the latest.
    pub max_tokens: u64,
    /// Demonstrations in one optimiser step.
    pub batch: u32,
    /// AdamW learning rate of embeddings and norms.
    pub learning_rate: f64,
    /// Muon learning rate of matrices.
    pub matrix_learning_rate: f64,
    /// Weight of observation tokens in the loss; action tokens weigh 1.
    pub observation_weight: f64,
    /// Probability with which each habit of the demonstrator is dropped.
    pub hastiness: f64,
    /// Stop early once both measures are reached.
    pub stop: WarmupStop,
}

/// Measures that end the warm-up, taken on training tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WarmupStop {
    /// Measured after each of so many trained tokens.
    pub every_tokens: u64,
    /// Tasks measured on.
    pub tasks: u32,
    /// Greedy success that must be reached, 0 to 1.
    pub greedy_success: f64,
    /// Sampled success that must be reached, 0 to 1.
    pub sampled_success: f64,
}

/// GRPO (arXiv 2402.03300) with DAPO's asymmetric clip, token normalisation and group filter (arXiv 2503.14476).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GrpoConfig {
    /// Episodes per task.
    pub group_size: u32,
    /// Lower clip distance of the importance ratio.
    pub clip_low: f64,
    /// Upper clip distance of the importance ratio.
    pub clip_high: f64,
    /// Weight of the KL to the policy after warm-up; 0 switches it off.
    pub kl_coefficient: f64,
}

/// Message-wise credit (docs/concepts/credit.md).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreditConfig {
    /// How one score per episode becomes supervision of messages.
    pub mode: CreditMode,
    /// Who scores the messages.
    pub scorer: ScorerName,
}

/// How one score per episode becomes supervision of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CreditMode {
    /// Sample-wise: every token of an episode has its advantage.
    Off,
    /// The paper's mask.
    Mask,
    /// The mask with conserved mass.
    Conserved,
    /// Conserved, gated per kind of message by how well labels predict the outcome.
    Gated,
    /// Conservative dense reward.
    Dense,
}

/// Who scores the messages of an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ScorerName {
    /// The shop's rules: did the message bring the basket closer.
    Rules,
    /// Seeded noise: the control for ablations.
    Random,
    /// The rules with the opposite sign: the worst case for ablations.
    Inverted,
}

/// Reward = success * R_succ + strict * R_strict + loose * R_loose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RewardConfig {
    /// Weight of R_succ.
    pub success: f64,
    /// Weight of R_strict.
    pub strict: f64,
    /// Weight of R_loose.
    pub loose: f64,
}

/// What is measured on held-out tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EvaluationConfig {
    /// Measured every so many steps of reinforcement learning; 0: only at the end.
    pub every_steps: u32,
    /// Held-out tasks of a measurement on the way.
    pub tasks: u32,
    /// Held-out tasks of the final comparison.
    pub final_tasks: u32,
}

/// When state is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckpointConfig {
    /// A checkpoint every so many steps of reinforcement learning.
    pub every_steps: u32,
    /// Newest checkpoints kept.
    pub keep: u32,
}

/// How many workers each role has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RolesConfig {
    /// Shops that sessions are leased from.
    pub simulator: RoleConfig,
    /// Players of episodes.
    pub rollout: RoleConfig,
    /// Scorers of trajectories.
    pub reward: RoleConfig,
    /// The learner.
    pub trainer: RoleConfig,
}

/// One role's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleConfig {
    /// Workers.
    pub replicas: u32,
}

/// The four roles of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Serves shop sessions.
    Simulator,
    /// Plays episodes.
    Rollout,
    /// Replays and scores trajectories.
    Reward,
    /// Learns; rank 0 is the single controller.
    Trainer,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 4] = [Self::Simulator, Self::Rollout, Self::Reward, Self::Trainer];

    /// Name as on the command line and in logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Simulator => "simulator",
            Self::Rollout => "rollout",
            Self::Reward => "reward",
            Self::Trainer => "trainer",
        }
    }
}
