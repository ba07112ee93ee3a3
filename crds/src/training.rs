//! `spec.training`: how the policy is trained.

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::{Credit, Warmup, limit, union};

/// How the policy is trained: a warm-up, then `steps` steps of reinforcement learning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(transform = episodes_per_step)]
pub struct Training {
    /// Supervised training before reinforcement learning.
    pub warmup: Warmup,
    /// The reinforcement-learning algorithm.
    pub algorithm: Algorithm,
    /// How an episode's advantage is split over the agent's messages.
    pub credit: Credit,
    /// Reward of an episode: success x R_succ + strict x R_strict + loose x R_loose.
    pub reward: Reward,
    /// Steps of reinforcement learning. 0 ends the job after the warm-up.
    #[schemars(transform = limit::STEPS.rule())]
    pub steps: i32,
    /// Tasks per step, each played groupSize times. Groups whose episodes all have the same reward are replaced.
    #[schemars(transform = limit::TASKS_PER_STEP.rule())]
    pub tasks_per_step: i32,
    /// AdamW learning rate of reinforcement learning.
    #[schemars(transform = limit::LEARNING_RATE.rule())]
    pub learning_rate: f64,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            warmup: Warmup::default(),
            algorithm: Algorithm::default(),
            credit: Credit::default(),
            reward: Reward::default(),
            steps: 100,
            tasks_per_step: 16,
            learning_rate: 5e-4,
        }
    }
}

fn episodes_per_step(schema: &mut Schema) {
    let rule = format!(
        "!has(self.algorithm.grpo) || self.tasksPerStep * self.algorithm.grpo.groupSize <= {}",
        limit::EPISODES_PER_STEP
    );
    limit::add_rule(schema, &rule, limit::EPISODES_REMEDY);
}

/// The reinforcement-learning algorithm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = union::ALGORITHM.rule())]
pub struct Algorithm {
    /// Group-relative policy optimisation (GRPO): the advantage of an episode is relative to the other episodes of its task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Grpo")]
    pub grpo: Option<Grpo>,
}

impl Default for Algorithm {
    fn default() -> Self {
        Self { grpo: Some(Grpo::default()) }
    }
}

/// GRPO (arXiv 2402.03300) with DAPO's asymmetric clip and token normalisation (arXiv 2503.14476).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Grpo {
    /// Episodes per task.
    #[schemars(transform = limit::GROUP_SIZE.rule())]
    pub group_size: i32,
    /// Importance ratios below 1 - clipLow are clipped.
    #[schemars(transform = limit::CLIP_LOW.rule())]
    pub clip_low: f64,
    /// Importance ratios above 1 + clipHigh are clipped.
    #[schemars(transform = limit::CLIP_HIGH.rule())]
    pub clip_high: f64,
    /// Weight of the KL divergence from the policy after the warm-up. 0 disables the term.
    #[schemars(transform = limit::KL_COEFFICIENT.rule())]
    pub kl_coefficient: f64,
}

impl Default for Grpo {
    fn default() -> Self {
        Self { group_size: 8, clip_low: 0.2, clip_high: 0.28, kl_coefficient: 0.0 }
    }
}

/// Weights of ShopSimulator's outcome measures (arXiv 2601.18225) in an episode's reward.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(transform = some_weight)]
pub struct Reward {
    /// Weight of R_succ: 1 if category, attributes, options and price all match the request, else 0.
    #[schemars(transform = limit::WEIGHT.rule())]
    pub success: f64,
    /// Weight of R_strict: the product of the partial scores for category, attributes, options and price.
    #[schemars(transform = limit::WEIGHT.rule())]
    pub strict: f64,
    /// Weight of R_loose: the share of the requirements that are met, times the partial score for category.
    #[schemars(transform = limit::WEIGHT.rule())]
    pub loose: f64,
}

/// Success only: a weight on R_loose rewards trying product after product until one fits in part, and greedy success
/// fell on one seed in three (docs/benchmarks/learning.md).
impl Default for Reward {
    fn default() -> Self {
        Self { success: 1.0, strict: 0.0, loose: 0.0 }
    }
}

fn some_weight(schema: &mut Schema) {
    limit::add_rule(
        schema,
        "self.success > 0.0 || self.strict > 0.0 || self.loose > 0.0",
        limit::REWARD_REMEDY,
    );
}
