//! The kind `ShopRLJob`.

use k8s_openapi::api::core::v1::LocalObjectReference;
use kube_core::CustomResourceExt;
use kube_derive::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Checkpoint, Environment, Evaluation, Policy, Roles, ShopRLJobStatus, Training, image, limit,
    overlay, transition,
};

/// API group of all kinds.
pub const GROUP: &str = "shoprl.dev";
/// Its version.
pub const VERSION: &str = "v1alpha1";
/// The kind of a training job.
pub const KIND: &str = "ShopRLJob";
/// Longest job name: names of its pods add the role, the index and the incarnation, and must stay below 63.
pub const NAME_LENGTH: usize = 40;
/// Advice when the name is longer.
pub const NAME_LENGTH_REMEDY: &str = "metadata.name may have 40 characters: choose a shorter one";
/// Advice when the name is no DNS label (RFC 1035).
pub const NAME_REMEDY: &str = "metadata.name must be small letters, digits and dashes, and start with a letter: pods and services are named after it";

/// What the job shall do. Every field has a default that works; `spec: {}` is the quickstart.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    crates(kube_core = "::kube_core"),
    group = "shoprl.dev",
    version = "v1alpha1",
    kind = "ShopRLJob",
    namespaced,
    shortname = "srj",
    category = "shoprl",
    status = "ShopRLJobStatus",
    scale(
        spec_replicas_path = ".spec.roles.rollout.replicas",
        status_replicas_path = ".status.rollouts",
        label_selector_path = ".status.selector"
    ),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Step", type_ = "string", json_path = ".status.progress.steps"),
    printcolumn(name = "Success", type_ = "string", json_path = ".status.progress.success"),
    printcolumn(name = "Attempt", type_ = "integer", json_path = ".status.attempt"),
    printcolumn(name = "Restarts", type_ = "integer", json_path = ".status.restarts"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    derive = "PartialEq",
    doc = "Trains a language-model agent to shop: a supervised warm-up on demonstrations, then reinforcement learning in a simulated store.",
    validation = Rule::new("size(self.metadata.name) <= 40").message(NAME_LENGTH_REMEDY),
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')")
        .message(NAME_REMEDY)
)]
#[serde(rename_all = "camelCase", default)]
#[schemars(transform = transition::rules)]
pub struct ShopRLJobSpec {
    /// Every random draw derives from it. The same manifest ends in the same weights, byte for byte.
    #[schemars(transform = limit::SEED.rule())]
    pub seed: i64,
    /// On a cluster: no pods, state kept; false again continues from the checkpoint. `shoprl run` refuses a suspended job.
    pub suspend: bool,
    /// On a cluster: so many seconds after its end the job is deleted, with everything but a retained claim; default: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i32", transform = limit::TTL.rule())]
    pub ttl_seconds_after_finished: Option<i32>,
    /// On a cluster: image of the workers, by digest (registry/shoprl@sha256:...); default: the operator's. Fixed when the job is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", transform = image::rule)]
    pub image: Option<String>,
    /// On a cluster: Secrets of the job's namespace that the image is pulled with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = overlay::pull_secrets)]
    pub image_pull_secrets: Vec<LocalObjectReference>,
    /// The shop, its products and its customers.
    pub environment: Environment,
    /// The agent's language model.
    pub policy: Policy,
    /// How the agent learns.
    pub training: Training,
    /// What is measured on held-out tasks: product families and instruction templates absent from training.
    pub evaluation: Evaluation,
    /// When state is kept.
    pub checkpoint: Checkpoint,
    /// How many workers play, score and serve, and what is added to the pods of each role.
    pub roles: Roles,
}

impl Default for ShopRLJobSpec {
    fn default() -> Self {
        Self {
            seed: 7,
            suspend: false,
            ttl_seconds_after_finished: None,
            image: None,
            image_pull_secrets: Vec::new(),
            environment: Environment::default(),
            policy: Policy::default(),
            training: Training::default(),
            evaluation: Evaluation::default(),
            checkpoint: Checkpoint::default(),
            roles: Roles::default(),
        }
    }
}

/// The schema of the kind as the API server has it, for whoever explains a manifest without one.
pub fn schema() -> Value {
    let versions = ShopRLJob::crd().spec.versions;
    let schema = versions.into_iter().find_map(|version| version.schema?.open_api_v3_schema);
    serde_json::to_value(schema).expect("a schema is plain JSON")
}
