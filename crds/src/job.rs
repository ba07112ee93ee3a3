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
/// Version of the group.
pub const VERSION: &str = "v1alpha1";
/// The kind of a training job.
pub const KIND: &str = "ShopRLJob";
/// Longest job name in characters. Pod names add role, index and incarnation and have at most 63 characters.
pub const NAME_LENGTH: usize = 40;
/// Remedy for a name that is longer.
pub const NAME_LENGTH_REMEDY: &str =
    "metadata.name must have at most 40 characters: choose a shorter one";
/// Remedy for a name that is not a DNS label (RFC 1035).
pub const NAME_REMEDY: &str = "metadata.name must consist of lowercase letters, digits and dashes, start with a letter and not end with a dash: pods and services are named after it";

/// Desired state of the job. Every field has a working default; `spec: {}` is the quickstart.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    // Not by way of `kube`, which would bring the client along.
    crates(kube = "::kube_derive", kube_core = "::kube_core"),
    attr = "x_kube(crates(kube_core = \"::kube_core\"))",
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
    doc = "Trains a language-model agent to shop: supervised warm-up on demonstrations, then reinforcement learning in a simulated shop.",
    validation = Rule::new("size(self.metadata.name) <= 40").message(NAME_LENGTH_REMEDY),
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')")
        .message(NAME_REMEDY)
)]
#[serde(rename_all = "camelCase", default)]
#[schemars(transform = transition::rules)]
pub struct ShopRLJobSpec {
    /// Seed of all random draws. The same manifest yields the same weights, byte for byte.
    #[schemars(transform = limit::SEED.rule())]
    pub seed: i64,
    /// On a cluster: stop all pods and keep the state. When set to false again, the job continues from its newest checkpoint. `shoprl run` refuses a suspended job.
    pub suspend: bool,
    /// On a cluster: seconds from the end of the job until it and its objects are deleted. A retained volume claim is kept. Default: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i32", transform = limit::TTL.rule())]
    pub ttl_seconds_after_finished: Option<i32>,
    /// On a cluster: image of the workers, named by digest (registry/shoprl@sha256:...). Default: the image that the operator is configured with. Fixed when the job is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", transform = image::rule)]
    pub image: Option<String>,
    /// On a cluster: Secrets in the job's namespace that hold the credentials for pulling the image.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = overlay::pull_secrets)]
    pub image_pull_secrets: Vec<LocalObjectReference>,
    /// The shop, its products and its shoppers.
    pub environment: Environment,
    /// The agent's language model.
    pub policy: Policy,
    /// How the policy is trained.
    pub training: Training,
    /// Evaluation on held-out tasks: product families and instruction templates that training never uses.
    pub evaluation: Evaluation,
    /// When checkpoints are written and where they are stored.
    pub checkpoint: Checkpoint,
    /// Number of workers of each role, and additions to their pods.
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

/// The OpenAPI schema of the kind, for programs that explain or check a manifest without an API server.
pub fn schema() -> Value {
    let versions = ShopRLJob::crd().spec.versions;
    let schema = versions.into_iter().find_map(|version| version.schema?.open_api_v3_schema);
    serde_json::to_value(schema).expect("a schema is plain JSON")
}
