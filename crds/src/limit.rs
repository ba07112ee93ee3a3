//! The range of every number in a manifest. The CRD's rules and `shoprl-plan` share these constants.
//!
//! The ranges are CEL rules, not `minimum` / `maximum`: only a rule has a message with a remedy.

use std::fmt::{Debug, Display};

use schemars::Schema;
use serde_json::{Value, json};

/// An inclusive range, with advice for values outside of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit<T> {
    /// Smallest value.
    pub minimum: T,
    /// Largest value.
    pub maximum: T,
    /// Why, and what to write instead.
    pub advice: &'static str,
}

impl<T: PartialOrd + Copy + Display> Limit<T> {
    const fn new(minimum: T, maximum: T, advice: &'static str) -> Self {
        Self { minimum, maximum, advice }
    }

    /// Whether `value` is in the range. NaN is not.
    pub fn admits(&self, value: T) -> bool {
        self.minimum <= value && value <= self.maximum
    }

    /// Message for a value outside of the range.
    pub fn remedy(&self) -> String {
        format!("must be from {} to {}: {}", self.minimum, self.maximum, self.advice)
    }
}

impl<T: PartialOrd + Copy + Display + Debug> Limit<T> {
    /// The range as a CEL rule. `{:?}` writes 1.0 and 2 as CEL's double and int literals.
    pub(crate) fn rule(self) -> impl FnMut(&mut Schema) {
        move |schema| {
            let rule = format!("self >= {:?} && self <= {:?}", self.minimum, self.maximum);
            add_rule(schema, &rule, &self.remedy());
        }
    }
}

/// Appends one CEL rule with its message to a schema.
pub(crate) fn add_rule(schema: &mut Schema, rule: &str, message: &str) {
    let entry = json!({ "rule": rule, "message": message });
    let rules =
        schema.ensure_object().entry("x-kubernetes-validations").or_insert_with(|| json!([]));
    if let Value::Array(rules) = rules {
        rules.push(entry);
    }
}

/// `spec.seed`, `spec.environment.catalog.seed`.
pub const SEED: Limit<i64> =
    Limit::new(0, i64::MAX, "a seed is a whole number that is not negative");
/// `spec.environment.maxTurns.*`.
pub const TURNS: Limit<i32> =
    Limit::new(1, 40, "an episode needs at least one turn and must fit into the model's context");
/// `spec.training.warmup.sft.maxTokens`.
pub const WARMUP_TOKENS: Limit<i64> = Limit::new(
    1,
    1_000_000_000_000,
    "the warm-up trains on at least one batch; 2400000 tokens suit the preset nano",
);
/// `spec.training.warmup.sft.batch`.
pub const WARMUP_BATCH: Limit<i32> =
    Limit::new(1, 1024, "demonstrations per optimiser step; 16 suits the preset nano");
/// Every learning rate.
pub const LEARNING_RATE: Limit<f64> =
    Limit::new(1e-8, 1.0, "a learning rate is positive and small; start from the default");
/// Weights of observation tokens and of the terms of the reward.
pub const WEIGHT: Limit<f64> = Limit::new(0.0, 1.0, "a weight is a fraction; 0 disables the term");
/// Probabilities and success rates.
pub const PROBABILITY: Limit<f64> =
    Limit::new(0.0, 1.0, "a rate is a fraction; write 0.4 for 40 %");
/// `spec.training.warmup.sft.stop.everyTokens`.
pub const STOP_TOKENS: Limit<i64> = Limit::new(
    1,
    1_000_000_000_000,
    "trained tokens between two measurements; a value above maxTokens disables them",
);
/// Tasks per measurement or evaluation.
pub const TASKS: Limit<i32> = Limit::new(
    1,
    100_000,
    "a measurement needs at least one task; 200 tasks are precise to about 7 percentage points",
);
/// `spec.training.algorithm.grpo.groupSize`.
pub const GROUP_SIZE: Limit<i32> = Limit::new(
    2,
    64,
    "GRPO compares the episodes of a task with each other, so it needs at least two; 8 is usual",
);
/// `spec.training.algorithm.grpo.clipLow`.
pub const CLIP_LOW: Limit<f64> = Limit::new(
    0.001,
    0.999,
    "the ratio is clipped at 1 - clipLow, which must stay above 0; 0.2 is usual",
);
/// `spec.training.algorithm.grpo.clipHigh`.
pub const CLIP_HIGH: Limit<f64> =
    Limit::new(0.001, 10.0, "the ratio is clipped at 1 + clipHigh; 0.28 is usual");
/// `spec.training.algorithm.grpo.klCoefficient`.
pub const KL_COEFFICIENT: Limit<f64> =
    Limit::new(0.0, 10.0, "0 disables the KL term; 0.001 to 0.1 is usual");
/// `spec.training.steps`.
pub const STEPS: Limit<i32> =
    Limit::new(0, 100_000, "steps of reinforcement learning; 0 ends the job after the warm-up");
/// `spec.training.tasksPerStep`.
pub const TASKS_PER_STEP: Limit<i32> =
    Limit::new(1, 1024, "a step needs at least one task; 16 suits the preset nano");
/// `spec.evaluation.everySteps`.
pub const EVALUATION_STEPS: Limit<i32> =
    Limit::new(0, 100_000, "0 evaluates only before and after reinforcement learning");
/// `spec.checkpoint.everySteps`.
pub const CHECKPOINT_STEPS: Limit<i32> = Limit::new(
    1,
    100_000,
    "without checkpoints a job would start over after every failure; 10 is a good start",
);
/// `spec.checkpoint.keep`.
pub const CHECKPOINT_KEEP: Limit<i32> =
    Limit::new(1, 1000, "a job continues from its newest checkpoint");
/// `spec.roles.*.replicas`.
pub const REPLICAS: Limit<i32> = Limit::new(0, 256, "with 0 the job waits until workers are added");

/// `spec.ttlSecondsAfterFinished`.
pub const TTL: Limit<i32> = Limit::new(
    0,
    i32::MAX,
    "seconds after the job ends; 0 deletes it immediately, omit the field to keep it",
);

/// Largest number of episodes per step: `tasksPerStep` x `groupSize`.
pub const EPISODES_PER_STEP: i64 = 8192;
/// Remedy when a step has more.
pub const EPISODES_REMEDY: &str =
    "tasksPerStep x groupSize must be at most 8192 episodes: lower one of them";
/// Remedy when `spec.environment.scenarios` is empty.
pub const SCENARIOS_REMEDY: &str =
    "name at least one scenario: singleTurn, singleTurnPersona, multiTurn or multiTurnPersona";
/// Remedy when all weights of `spec.training.reward` are 0.
pub const REWARD_REMEDY: &str =
    "one of success, strict and loose must be above 0: otherwise all episodes have the same reward";
