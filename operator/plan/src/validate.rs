//! `spec -> Validated`: reports all errors together, each with its field, its value and a remedy.
//!
//! The CRD's rules use the same constants; a test compares the two.

mod checks;
mod overlay;
mod sections;

use std::time::Duration;

use k8s_openapi::api::core::v1::LocalObjectReference;
use shoprl_contract::{
    CheckpointConfig, EnvironmentConfig, EvaluationConfig, PolicyConfig, Role, RolesConfig,
    TrainingConfig,
};
use shoprl_crds::{
    NAME_LENGTH, NAME_LENGTH_REMEDY, NAME_REMEDY, PodOverlay, ShopRLJobSpec, VolumeClaim, limit,
};

use checks::Checks;

pub use sections::{CONTEXT, MAX_ACTION_TOKENS};

/// A field with an invalid value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {value} is invalid: {remedy}")]
pub struct Invalid {
    /// Path in the manifest, for example `spec.training.steps`.
    pub field: String,
    /// The invalid value, or what is wrong with it.
    pub value: String,
    /// What to write instead.
    pub remedy: String,
}

/// A valid spec: the sections of the workers' contract, and the fields for a cluster. Only [`validate`] makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Validated {
    pub(crate) name: String,
    pub(crate) seed: u64,
    pub(crate) suspend: bool,
    pub(crate) ttl: Option<Duration>,
    pub(crate) image: Option<String>,
    pub(crate) pull_secrets: Vec<LocalObjectReference>,
    pub(crate) environment: EnvironmentConfig,
    pub(crate) policy: PolicyConfig,
    pub(crate) training: TrainingConfig,
    pub(crate) evaluation: EvaluationConfig,
    pub(crate) checkpoint: CheckpointConfig,
    pub(crate) store: Storage,
    pub(crate) roles: RolesConfig,
    pub(crate) overlays: Overlays,
}

impl Validated {
    /// The additions to the pods of a role.
    pub(crate) fn overlay(&self, role: Role) -> &PodOverlay {
        match role {
            Role::Simulator => &self.overlays.simulator,
            Role::Rollout => &self.overlays.rollout,
            Role::Reward => &self.overlays.reward,
            Role::Trainer => &self.overlays.trainer,
        }
    }
}

/// The volume claim of the run folder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Storage {
    /// A claim to create for the job.
    Claim(VolumeClaim),
    /// Name of an existing claim.
    Existing(String),
}

/// The additions to the pods of each role.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Overlays {
    pub(crate) simulator: PodOverlay,
    pub(crate) rollout: PodOverlay,
    pub(crate) reward: PodOverlay,
    pub(crate) trainer: PodOverlay,
}

/// Validates a job called `name` and converts its spec to the types of the workers' contract.
///
/// # Errors
/// All errors, in the order of the manifest.
pub fn validate(spec: &ShopRLJobSpec, name: &str) -> Result<Validated, Vec<Invalid>> {
    let mut checks = Checks::default();
    check_name(&mut checks, name);
    let validated = Validated {
        name: name.to_owned(),
        seed: checks.long("spec.seed", spec.seed, limit::SEED),
        suspend: spec.suspend,
        ttl: sections::ttl(&mut checks, spec.ttl_seconds_after_finished),
        image: overlay::image(&mut checks, spec.image.as_ref()),
        pull_secrets: overlay::pull_secrets(&mut checks, &spec.image_pull_secrets),
        environment: sections::environment(&mut checks, &spec.environment),
        policy: sections::policy(&mut checks, &spec.policy),
        training: sections::training(&mut checks, &spec.training),
        evaluation: sections::evaluation(&mut checks, &spec.evaluation),
        checkpoint: sections::checkpoint(&mut checks, &spec.checkpoint),
        store: sections::store(&mut checks, &spec.checkpoint.store),
        roles: sections::roles(&mut checks, &spec.roles),
        overlays: overlay::overlays(&mut checks, &spec.roles),
    };
    if checks.invalid.is_empty() { Ok(validated) } else { Err(checks.invalid) }
}

fn check_name(checks: &mut Checks, name: &str) {
    const FIELD: &str = "metadata.name";
    if name.chars().count() > NAME_LENGTH {
        checks.refuse(FIELD, format!("{name:?}"), NAME_LENGTH_REMEDY);
    }
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let label = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(inner)
        && !name.ends_with('-');
    if !label {
        checks.refuse(FIELD, format!("{name:?}"), NAME_REMEDY);
    }
}
