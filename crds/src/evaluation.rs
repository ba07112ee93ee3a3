//! `spec.evaluation`: what is measured on held-out tasks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limit;

/// What is measured on held-out tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Evaluation {
    /// Measured every so many steps of reinforcement learning; 0 measures only before and after it.
    #[schemars(transform = limit::EVALUATION_STEPS.rule())]
    pub every_steps: i32,
    /// Tasks of a measurement on the way.
    #[schemars(transform = limit::TASKS.rule())]
    pub tasks: i32,
    /// Tasks of the comparison before and after reinforcement learning and with the scripted shoppers.
    #[schemars(transform = limit::TASKS.rule())]
    pub final_tasks: i32,
}

impl Default for Evaluation {
    fn default() -> Self {
        Self { every_steps: 20, tasks: 200, final_tasks: 1000 }
    }
}
