//! `spec.roles`: how many workers there are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limit;

/// How many workers play, score and serve. Their number never changes the weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Roles {
    /// Serve the shop.
    pub simulator: SimulatorRole,
    /// Play episodes with the policy.
    pub rollout: RolloutRole,
    /// Replay and score episodes.
    pub reward: RewardRole,
}

/// Serve the shop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SimulatorRole {
    /// Workers; 0 holds the job until there are some.
    #[schemars(transform = limit::REPLICAS.rule())]
    pub replicas: i32,
}

impl Default for SimulatorRole {
    fn default() -> Self {
        Self { replicas: 1 }
    }
}

/// Play episodes with the policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RolloutRole {
    /// Workers; 0 holds the job until there are some.
    #[schemars(transform = limit::REPLICAS.rule())]
    pub replicas: i32,
}

impl Default for RolloutRole {
    fn default() -> Self {
        Self { replicas: 2 }
    }
}

/// Replay and score episodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RewardRole {
    /// Workers; 0 holds the job until there are some.
    #[schemars(transform = limit::REPLICAS.rule())]
    pub replicas: i32,
}

impl Default for RewardRole {
    fn default() -> Self {
        Self { replicas: 1 }
    }
}
