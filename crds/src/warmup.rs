//! `spec.training.warmup`: supervised training before reinforcement learning.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{limit, union};

/// Supervised training before reinforcement learning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = union::WARMUP.rule())]
pub struct Warmup {
    /// Supervised fine-tuning on demonstrations by an imperfect scripted expert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Sft")]
    pub sft: Option<Sft>,
}

impl Default for Warmup {
    fn default() -> Self {
        Self { sft: Some(Sft::default()) }
    }
}

/// Supervised fine-tuning: Muon for matrices, AdamW for the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Sft {
    /// Largest number of tokens to train on.
    #[schemars(transform = limit::WARMUP_TOKENS.rule())]
    pub max_tokens: i64,
    /// Demonstrations per optimiser step.
    #[schemars(transform = limit::WARMUP_BATCH.rule())]
    pub batch: i32,
    /// AdamW learning rate of embeddings and norms.
    #[schemars(transform = limit::LEARNING_RATE.rule())]
    pub learning_rate: f64,
    /// Muon learning rate of matrices.
    #[schemars(transform = limit::LEARNING_RATE.rule())]
    pub matrix_learning_rate: f64,
    /// Weight of the observation tokens in the loss. The agent's own tokens have weight 1.
    #[schemars(transform = limit::WEIGHT.rule())]
    pub observation_weight: f64,
    /// Probability that a demonstration lacks a good habit of the expert. Drawn for each of the eight habits.
    #[schemars(transform = limit::PROBABILITY.rule())]
    pub hastiness: f64,
    /// Ends the warm-up early, once both success rates are reached.
    pub stop: Stop,
}

impl Default for Sft {
    fn default() -> Self {
        Self {
            max_tokens: 2_400_000,
            batch: 16,
            learning_rate: 2e-3,
            matrix_learning_rate: 0.02,
            observation_weight: 0.3,
            hastiness: 0.25,
            stop: Stop::default(),
        }
    }
}

/// Success rates on training tasks that end the warm-up early.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Stop {
    /// Trained tokens between two measurements.
    #[schemars(transform = limit::STOP_TOKENS.rule())]
    pub every_tokens: i64,
    /// Training tasks per measurement.
    #[schemars(transform = limit::TASKS.rule())]
    pub tasks: i32,
    /// Success rate to reach with the most probable actions.
    #[schemars(transform = limit::PROBABILITY.rule())]
    pub greedy_success: f64,
    /// Success rate to reach with sampled actions. Reinforcement learning needs sampled episodes that succeed.
    #[schemars(transform = limit::PROBABILITY.rule())]
    pub sampled_success: f64,
}

impl Default for Stop {
    fn default() -> Self {
        Self { every_tokens: 400_000, tasks: 200, greedy_success: 0.45, sampled_success: 0.12 }
    }
}
