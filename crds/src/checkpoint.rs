//! `spec.checkpoint`: when checkpoints are written and, on a cluster, where they are stored.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;

use crate::overlay::{self, QUANTITY_REMEDY};
use crate::{limit, union};

/// When checkpoints are written and where they are stored. An interrupted job continues from its newest checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Checkpoint {
    /// Steps of reinforcement learning between two checkpoints.
    #[schemars(transform = limit::CHECKPOINT_STEPS.rule())]
    pub every_steps: i32,
    /// Number of newest checkpoints to keep.
    #[schemars(transform = limit::CHECKPOINT_KEEP.rule())]
    pub keep: i32,
    /// On a cluster: the volume of the run folder, which holds checkpoints and the report.
    pub store: Store,
}

impl Default for Checkpoint {
    fn default() -> Self {
        Self { every_steps: 10, keep: 3, store: Store::default() }
    }
}

/// The volume of the run folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = union::STORE.rule())]
pub struct Store {
    /// A PersistentVolumeClaim to create for the job, named JOB-store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "VolumeClaim")]
    pub volume_claim: Option<VolumeClaim>,
    /// An existing PersistentVolumeClaim. Several jobs may share it: each writes to a folder named after its UID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ExistingClaim")]
    pub existing_claim: Option<ExistingClaim>,
}

impl Default for Store {
    fn default() -> Self {
        Self { volume_claim: Some(VolumeClaim::default()), existing_claim: None }
    }
}

/// A PersistentVolumeClaim to create for the job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeClaim {
    /// Requested size. The quickstart uses about 60 MB.
    #[serde(deserialize_with = "read_size")]
    #[schemars(transform = size)]
    pub size: Quantity,
    /// Name of an existing StorageClass. Default: the cluster's default class.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", transform = overlay::object_name)]
    pub storage_class_name: Option<String>,
    /// Keep the claim, with the trained weights, when the job is deleted.
    pub retain: bool,
}

impl Default for VolumeClaim {
    fn default() -> Self {
        Self { size: Quantity("1Gi".to_owned()), storage_class_name: None, retain: true }
    }
}

/// An existing PersistentVolumeClaim.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(transform = named)]
pub struct ExistingClaim {
    /// Name of the claim in the job's namespace. The operator never deletes it.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(transform = overlay::object_name)]
    pub name: String,
}

/// Remedy for a claim without a name.
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
