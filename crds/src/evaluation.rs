//! `spec.evaluation`: evaluation on held-out tasks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limit;

/// Evaluation on held-out tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Evaluation {
    /// Steps of reinforcement learning between two evaluations. 0 evaluates only before and after reinforcement learning.
    #[schemars(transform = limit::EVALUATION_STEPS.rule())]
    pub every_steps: i32,
    /// Tasks per evaluation during reinforcement learning.
    #[schemars(transform = limit::TASKS.rule())]
    pub tasks: i32,
    /// Tasks per evaluation before and after reinforcement learning, and of the baselines.
    #[schemars(transform = limit::TASKS.rule())]
    pub final_tasks: i32,
}

impl Default for Evaluation {
    fn default() -> Self {
        Self { every_steps: 20, tasks: 200, final_tasks: 1000 }
    }
}
