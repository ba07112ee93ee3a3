//! `spec.training.warmup`: what comes before reinforcement learning.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{limit, union};

/// What comes before reinforcement learning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = union::WARMUP.rule())]
pub struct Warmup {
    /// Supervised fine-tuning on demonstrations by an imperfect scripted shopper.
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
    /// The warm-up ends after this many trained tokens at the latest.
    #[schemars(transform = limit::WARMUP_TOKENS.rule())]
    pub max_tokens: i64,
    /// Demonstrations in one optimiser step.
    #[schemars(transform = limit::WARMUP_BATCH.rule())]
    pub batch: i32,
    /// AdamW learning rate of embeddings and norms.
    #[schemars(transform = limit::LEARNING_RATE.rule())]
    pub learning_rate: f64,
    /// Muon learning rate of matrices.
    #[schemars(transform = limit::LEARNING_RATE.rule())]
    pub matrix_learning_rate: f64,
    /// Weight of the shop's tokens in the loss; the agent's own tokens weigh 1.
    #[schemars(transform = limit::WEIGHT.rule())]
    pub observation_weight: f64,
    /// Probability with which the demonstrator drops each of its good habits for an episode.
    #[schemars(transform = limit::PROBABILITY.rule())]
    pub hastiness: f64,
    /// The warm-up ends earlier once both measures are reached.
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

/// Measures on training tasks that end the warm-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Stop {
    /// Measured after each of so many trained tokens.
    #[schemars(transform = limit::STOP_TOKENS.rule())]
    pub every_tokens: i64,
    /// Tasks measured on.
    #[schemars(transform = limit::TASKS.rule())]
    pub tasks: i32,
    /// Success rate of the most probable actions that must be reached.
    #[schemars(transform = limit::PROBABILITY.rule())]
    pub greedy_success: f64,
    /// Success rate of sampled actions that must be reached: without any, there is nothing to reinforce.
    #[schemars(transform = limit::PROBABILITY.rule())]
    pub sampled_success: f64,
}

impl Default for Stop {
    fn default() -> Self {
        Self { every_tokens: 400_000, tasks: 200, greedy_success: 0.45, sampled_success: 0.12 }
    }
}
