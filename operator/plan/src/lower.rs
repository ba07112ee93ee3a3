//! `Validated -> RunConfig`: the configuration that all workers of a job read.

use shoprl_contract::{RUN_CONFIG_VERSION, RunConfig};

use crate::identity::{job_uid, manifest_digest};
use crate::validate::Validated;

/// Lowers a job that runs outside a cluster. Its UID follows from its name and its digest.
pub fn lower(validated: &Validated) -> RunConfig {
    lower_with(validated, |config| job_uid(&config.job, &config.manifest_digest))
}

/// Lowers a job on a cluster. Its UID is that of its object.
pub fn lower_as(validated: &Validated, job_uid: &str) -> RunConfig {
    lower_with(validated, |_| job_uid.to_owned())
}

fn lower_with(validated: &Validated, job_uid: impl Fn(&RunConfig) -> String) -> RunConfig {
    let Validated {
        name,
        seed,
        suspend: _,
        // The remaining fields do not change the training.
        ttl: _,
        image: _,
        store: _,
        pull_secrets: _,
        overlays: _,
        environment,
        policy,
        training,
        evaluation,
        checkpoint,
        roles,
    } = validated.clone();
    let manifest_digest = manifest_digest(seed, &environment, &policy, &training);
    let mut config = RunConfig {
        version: RUN_CONFIG_VERSION,
        job_uid: String::new(),
        job: name,
        manifest_digest,
        seed,
        environment,
        policy,
        training,
        evaluation,
        checkpoint,
        roles,
    };
    config.job_uid = job_uid(&config);
    config
}
