//! [`RunConfig`]: the configuration of a worker. `shoprl-plan` derives it from a validated spec. Workers read it as JSON from a
//! ConfigMap or from the run folder; they do not depend on Kubernetes.

use serde::{Deserialize, Serialize};

/// Version of this format. A worker refuses other versions.
pub const RUN_CONFIG_VERSION: u32 = 1;

/// The configuration of one job, with every default filled in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunConfig {
    /// [`RUN_CONFIG_VERSION`].
    pub version: u32,
    /// Name of the job.
    pub job: String,
    /// Unique id of the job. Under `shoprl run` it derives from the manifest digest.
    pub job_uid: String,
    /// SHA-256, in hex, of the fields that determine the weights. Another digest is another job.
    pub manifest_digest: String,
    /// Every random number derives from it.
    pub seed: u64,
    /// The shop and its tasks.
    pub environment: EnvironmentConfig,
    /// The policy's model.
    pub policy: PolicyConfig,
    /// Warm-up and reinforcement learning.
    pub training: TrainingConfig,
    /// Evaluation on held-out tasks.
    pub evaluation: EvaluationConfig,
    /// When checkpoints are written.
    pub checkpoint: CheckpointConfig,
    /// Number of workers of each role.
    pub roles: RolesConfig,
}

/// The shop and its tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvironmentConfig {
    /// Catalog preset: `mini`.
    pub catalog: String,
    /// Seed of the catalog. Preset and seed determine the catalog.
    pub catalog_seed: u64,
    /// Scenarios of training and evaluation tasks, used in turn; at least one.
    pub scenarios: Vec<ScenarioName>,
    /// Maximum number of turns of a single-turn episode.
    pub max_turns_single: u32,
    /// Maximum number of turns of a multi-turn episode.
    pub max_turns_multi: u32,
}

/// The four scenarios of ShopSimulator (arXiv 2601.18225).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ScenarioName {
    /// The instruction states everything.
    SingleTurn,
    /// The persona implies a part of the instruction.
    SingleTurnPersona,
    /// The agent must ask the shopper for a part of the instruction.
    MultiTurn,
    /// Multi turn with a persona.
    MultiTurnPersona,
}

/// The policy's model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyConfig {
    /// Preset of the model, which is trained from scratch: `nano`.
    pub preset: String,
    /// Maximum length of an action in tokens, with its end token.
    pub max_action_tokens: u32,
    /// Maximum length of an episode in tokens.
    pub context: u32,
}

/// How the policy learns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrainingConfig {
    /// Supervised warm-up on demonstrations.
    pub warmup: WarmupConfig,
    /// Group relative policy optimisation.
    pub grpo: GrpoConfig,
    /// Message-wise credit.
    pub credit: CreditConfig,
    /// Weights of the reward.
    pub reward: RewardConfig,
    /// Steps of reinforcement learning.
    pub steps: u32,
    /// Accepted groups in one step.
    pub tasks_per_step: u32,
    /// AdamW learning rate of reinforcement learning.
    pub learning_rate: f64,
}

/// Supervised warm-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WarmupConfig {
    /// Maximum number of trained tokens.
    pub max_tokens: u64,
    /// Demonstrations in one optimiser step.
    pub batch: u32,
    /// AdamW learning rate of embeddings and norms.
    pub learning_rate: f64,
    /// Muon learning rate of matrices.
    pub matrix_learning_rate: f64,
    /// Weight of observation tokens in the loss. Action tokens have weight 1.
    pub observation_weight: f64,
    /// Probability that the demonstrator omits a habit in an episode, for each habit.
    pub hastiness: f64,
    /// When to stop before `max_tokens`.
    pub stop: WarmupStop,
}

/// The warm-up stops early when both success rates are reached, measured on training tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WarmupStop {
    /// Trained tokens between two measurements.
    pub every_tokens: u64,
    /// Tasks of a measurement.
    pub tasks: u32,
    /// Success rate of greedy decoding to reach, 0 to 1.
    pub greedy_success: f64,
    /// Success rate of sampling to reach, 0 to 1.
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
    /// Weight of the KL divergence from the policy after the warm-up; 0 turns it off.
    pub kl_coefficient: f64,
}

/// Message-wise credit (docs/concepts/credit.md).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreditConfig {
    /// How the advantage of an episode is split over its messages.
    pub mode: CreditMode,
    /// Source of the verdicts.
    pub scorer: ScorerName,
}

/// How the advantage of an episode is split over its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CreditMode {
    /// Sample-wise: every token gets the advantage of its episode.
    Off,
    /// The mask of the published method (docs/concepts/credit.md).
    Mask,
    /// The mask, with the weight of the hidden tokens moved to the kept ones.
    Conserved,
    /// Conserved, and gated for each kind of message by how well its verdicts predict the reward.
    Gated,
    /// Conservative dense reward.
    Dense,
}

/// Source of the verdicts on messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ScorerName {
    /// The rules of the shop: whether a message made progress towards the goal.
    Rules,
    /// Seeded noise, a control for ablations.
    Random,
    /// The rules with the opposite sign, the worst case for ablations.
    Inverted,
}

/// Weights of the reward: success * R_succ + strict * R_strict + loose * R_loose.
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

/// Evaluation on held-out tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EvaluationConfig {
    /// Steps between two evaluations; 0: only at the end.
    pub every_steps: u32,
    /// Tasks of an evaluation during training.
    pub tasks: u32,
    /// Tasks of the final evaluation.
    pub final_tasks: u32,
}

/// When checkpoints are written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckpointConfig {
    /// Steps between two checkpoints.
    pub every_steps: u32,
    /// Number of newest checkpoints to keep.
    pub keep: u32,
}

/// Number of workers of each role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RolesConfig {
    /// Serves shop sessions.
    pub simulator: RoleConfig,
    /// Plays episodes.
    pub rollout: RoleConfig,
    /// Scores trajectories.
    pub reward: RoleConfig,
    /// Updates the policy.
    pub trainer: RoleConfig,
}

/// Size of one role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleConfig {
    /// Number of workers.
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
    /// Updates the policy. Rank 0 is the only controller.
    Trainer,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 4] = [Self::Simulator, Self::Rollout, Self::Reward, Self::Trainer];

    /// Name on the command line, in labels and in logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Simulator => "simulator",
            Self::Rollout => "rollout",
            Self::Reward => "reward",
            Self::Trainer => "trainer",
        }
    }
}
