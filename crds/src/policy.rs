//! `spec.policy`: the agent's language model.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::union;

/// The agent's language model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Policy {
    /// The model to train.
    pub model: Model,
}

/// The model to train.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = union::MODEL.rule())]
pub struct Model {
    /// A decoder with Qwen3 geometry, trained from scratch. nano: about one million parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ModelPreset")]
    pub preset: Option<ModelPreset>,
}

impl Default for Model {
    fn default() -> Self {
        Self { preset: Some(ModelPreset::Nano) }
    }
}

/// Size of a model that is trained from scratch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ModelPreset {
    /// About one million parameters.
    #[default]
    Nano,
}
