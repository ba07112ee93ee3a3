//! `Validated -> RunConfig`: what the workers are told.

use shoprl_contract::{RUN_CONFIG_VERSION, RunConfig};

use crate::identity::{job_uid, manifest_digest};
use crate::validate::Validated;

/// Longest action in tokens, its end included: the longest action of the shop's grammar has 10.
pub const MAX_ACTION_TOKENS: u32 = 12;
/// Longest episode in tokens: 12 turns of the mini shop take about 130, seldom more than 300.
pub const CONTEXT: u32 = 400;

/// Lowers a job that runs without a cluster; its unique id follows from its name and its digest.
pub fn lower(validated: &Validated) -> RunConfig {
    lower_with(validated, |config| job_uid(&config.job, &config.manifest_digest))
}

/// Lowers a job of a cluster: its unique id is that of its object.
pub fn lower_as(validated: &Validated, job_uid: &str) -> RunConfig {
    lower_with(validated, |_| job_uid.to_owned())
}

fn lower_with(validated: &Validated, job_uid: impl Fn(&RunConfig) -> String) -> RunConfig {
    let Validated {
        name,
        seed,
        suspend: _,
        // Where the workers run and what they are made of decides nothing.
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
