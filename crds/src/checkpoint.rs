//! `spec.checkpoint`: when state is kept, and on a cluster where.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;

use crate::overlay::{self, QUANTITY_REMEDY};
use crate::{limit, union};

/// When state is kept, and where. A job that was interrupted continues from its newest checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Checkpoint {
    /// A checkpoint every so many steps of reinforcement learning.
    #[schemars(transform = limit::CHECKPOINT_STEPS.rule())]
    pub every_steps: i32,
    /// So many of the newest checkpoints are kept.
    #[schemars(transform = limit::CHECKPOINT_KEEP.rule())]
    pub keep: i32,
    /// On a cluster: the volume for the run folder, with checkpoints and report.
    pub store: Store,
}

impl Default for Checkpoint {
    fn default() -> Self {
        Self { every_steps: 10, keep: 3, store: Store::default() }
    }
}

/// Where the run folder lies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = union::STORE.rule())]
pub struct Store {
    /// A claim that is made for the job, called JOB-store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "VolumeClaim")]
    pub volume_claim: Option<VolumeClaim>,
    /// A claim that is there. Several jobs may use one: each has a folder of its own, named by its unique id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ExistingClaim")]
    pub existing_claim: Option<ExistingClaim>,
}

impl Default for Store {
    fn default() -> Self {
        Self { volume_claim: Some(VolumeClaim::default()), existing_claim: None }
    }
}

/// A claim that is made for the job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeClaim {
    /// How much is claimed; a quickstart leaves some 60 MB.
    #[serde(deserialize_with = "read_size")]
    #[schemars(transform = size)]
    pub size: Quantity,
    /// A StorageClass that exists; without one, the cluster's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", transform = overlay::object_name)]
    pub storage_class_name: Option<String>,
    /// Whether the claim stays when the job is deleted: what was learned outlives the job.
    pub retain: bool,
}

impl Default for VolumeClaim {
    fn default() -> Self {
        Self { size: Quantity("1Gi".to_owned()), storage_class_name: None, retain: true }
    }
}

/// A claim that is there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(transform = named)]
pub struct ExistingClaim {
    /// Its name, in the job's namespace. It is never deleted.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(transform = overlay::object_name)]
    pub name: String,
}

/// Advice about a claim without a name.
pub const CLAIM_REMEDY: &str =
    "write the name of a PersistentVolumeClaim in the job's namespace, for example name: results";

fn named(schema: &mut Schema) {
    limit::add_rule(schema, "has(self.name) && size(self.name) > 0", CLAIM_REMEDY);
}

fn size(schema: &mut Schema) {
    schema.insert("maxLength".into(), json!(32));
    let rule = "isQuantity(string(self)) && !string(self).startsWith('-')";
    limit::add_rule(schema, rule, QUANTITY_REMEDY);
}

fn read_size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Quantity, D::Error> {
    overlay::WholeOrText::deserialize(deserializer).map(|size| size.0)
}
