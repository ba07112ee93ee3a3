//! The conditions of a job's status.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use shoprl_crds::ShopRLJobStatus;

pub(super) const ACCEPTED: &str = "Accepted";
pub(super) const PLACED: &str = "Placed";
pub(super) const ROLES_READY: &str = "RolesReady";
pub(super) const SUSPENDED: &str = "Suspended";
pub(super) const COMPLETE: &str = "Complete";
pub(super) const FAILED: &str = "Failed";

/// Longest message of a condition, in characters.
const MAX_MESSAGE: usize = 1024;

/// A condition without its times.
pub(super) struct NewCondition {
    pub(super) kind: &'static str,
    pub(super) status: &'static str,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

/// Sets a condition. Its transition time changes only with its status.
pub(super) fn set(
    status: &mut ShopRLJobStatus,
    generation: Option<i64>,
    new: &NewCondition,
    now: Timestamp,
) {
    let previous = status.conditions.iter_mut().find(|condition| condition.type_ == new.kind);
    let since = previous
        .as_ref()
        .filter(|condition| condition.status == new.status)
        .map_or(Time(now), |condition| condition.last_transition_time.clone());
    let next = Condition {
        last_transition_time: since,
        message: new.message.chars().take(MAX_MESSAGE).collect(),
        observed_generation: generation,
        reason: new.reason.to_owned(),
        status: new.status.to_owned(),
        type_: new.kind.to_owned(),
    };
    match previous {
        Some(condition) => *condition = next,
        None => status.conditions.push(next),
    }
}

/// When the job completed or failed, if it did. Both conditions are final.
pub(super) fn end_time(status: &ShopRLJobStatus) -> Option<Timestamp> {
    let is_end =
        |it: &&Condition| (it.type_ == COMPLETE || it.type_ == FAILED) && it.status == "True";
    status.conditions.iter().find(is_end).map(|condition| condition.last_transition_time.0)
}
