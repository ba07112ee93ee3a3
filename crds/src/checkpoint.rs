//! `spec.checkpoint`: when state is kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limit;

/// When state is kept. A job that was interrupted continues from its newest checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Checkpoint {
    /// A checkpoint every so many steps of reinforcement learning.
    #[schemars(transform = limit::CHECKPOINT_STEPS.rule())]
    pub every_steps: i32,
    /// So many of the newest checkpoints are kept.
    #[schemars(transform = limit::CHECKPOINT_KEEP.rule())]
    pub keep: i32,
}

impl Default for Checkpoint {
    fn default() -> Self {
        Self { every_steps: 10, keep: 3 }
    }
}
