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
    let Validated { name, seed, environment, policy, training, evaluation, checkpoint, roles } =
        validated.clone();
    let manifest_digest = manifest_digest(seed, &environment, &policy, &training);
    RunConfig {
        version: RUN_CONFIG_VERSION,
        job_uid: job_uid(&name, &manifest_digest),
        job: name,
        manifest_digest,
        seed,
        environment,
        policy,
        training,
        evaluation,
        checkpoint,
        roles,
    }
}
