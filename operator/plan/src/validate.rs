//! `spec -> Validated`: every mistake at once, each with its field, its value and what to do.
//!
//! The CRD's rules say the same from the same constants; a test holds the two against each other.

mod checks;
mod sections;

use shoprl_contract::{
    CheckpointConfig, EnvironmentConfig, EvaluationConfig, PolicyConfig, RolesConfig,
    TrainingConfig,
};
use shoprl_crds::{NAME_LENGTH, NAME_LENGTH_REMEDY, NAME_REMEDY, ShopRLJobSpec, limit};

use checks::Checks;

/// A field that cannot be, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {value} is not possible: {remedy}")]
pub struct Invalid {
    /// Path in the manifest, for example `spec.training.steps`.
    pub field: String,
    /// What was written there.
    pub value: String,
    /// What to write instead.
    pub remedy: String,
}

/// A spec without mistakes, in the words of the workers' contract. Only [`validate`] makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Validated {
    pub(crate) name: String,
    pub(crate) seed: u64,
    pub(crate) suspend: bool,
    pub(crate) environment: EnvironmentConfig,
    pub(crate) policy: PolicyConfig,
    pub(crate) training: TrainingConfig,
    pub(crate) evaluation: EvaluationConfig,
    pub(crate) checkpoint: CheckpointConfig,
    pub(crate) roles: RolesConfig,
}

/// Checks a job called `name` and turns it into the contract's words.
///
/// # Errors
/// Every mistake there is, in the manifest's order.
pub fn validate(spec: &ShopRLJobSpec, name: &str) -> Result<Validated, Vec<Invalid>> {
    let mut checks = Checks::default();
    check_name(&mut checks, name);
    let validated = Validated {
        name: name.to_owned(),
        seed: checks.long("spec.seed", spec.seed, limit::SEED),
        suspend: spec.suspend,
        environment: sections::environment(&mut checks, &spec.environment),
        policy: sections::policy(&mut checks, &spec.policy),
        training: sections::training(&mut checks, &spec.training),
        evaluation: sections::evaluation(&mut checks, &spec.evaluation),
        checkpoint: sections::checkpoint(&mut checks, &spec.checkpoint),
        roles: sections::roles(&mut checks, &spec.roles),
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
