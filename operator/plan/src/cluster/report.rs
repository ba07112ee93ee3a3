//! What the status says: conditions follow from what was intended and seen.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use shoprl_contract::{Outcome, Role};
use shoprl_crds::{Progress, RoleStatus, ShopRLJobStatus};

use super::decide::{desired, is_of};
use super::placed::{nodes_of, placed};
use super::surroundings::surroundings;
use super::{JOB_LABEL, JobFacts, Observed, PodState, ROLE_LABEL};
use crate::Invalid;

const ACCEPTED: &str = "Accepted";
pub(super) const PLACED: &str = "Placed";
const ROLES_READY: &str = "RolesReady";
const SUSPENDED: &str = "Suspended";
const COMPLETE: &str = "Complete";
const FAILED: &str = "Failed";

/// Seconds after which progress is written although no phase, step count or success rate of note changed.
const WRITE_AGAIN: u64 = 60;
/// Longest message of a condition, in characters.
const MESSAGE: usize = 1024;

/// When the job was over, if it is; that never changes again.
pub(super) fn end(status: &ShopRLJobStatus) -> Option<Timestamp> {
    let over =
        |it: &&Condition| (it.type_ == COMPLETE || it.type_ == FAILED) && it.status == "True";
    status.conditions.iter().find(over).map(|condition| condition.last_transition_time.0)
}

/// The status of a job whose spec cannot be: every mistake with its field and its remedy.
pub fn rejected(
    status: &ShopRLJobStatus,
    generation: Option<i64>,
    mistakes: &[Invalid],
    now: Timestamp,
) -> ShopRLJobStatus {
    let mut next = status.clone();
    if end(status).is_some() {
        return next;
    }
    let said: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    next.observed_generation = generation;
    next.phase = Some("Rejected".to_owned());
    let condition =
        Said { kind: ACCEPTED, status: "False", reason: "Invalid", message: said.join("; ") };
    say(&mut next, generation, &condition, now);
    next
}

/// What is told of an object that this operator cannot read: where reading stopped. Nothing else changes, for its pods run on as
/// they were wished; `None` when that is told already, or the job is over.
pub fn unreadable(
    conditions: &[Condition],
    generation: Option<i64>,
    error: &str,
    now: Timestamp,
) -> Option<Vec<Condition>> {
    let mut next =
        ShopRLJobStatus { conditions: conditions.to_vec(), ..ShopRLJobStatus::default() };
    if end(&next).is_some() {
        return None;
    }
    let message = format!(
        "{error}; this operator cannot read it: apply the manifest anew, or use the operator of the kind's version"
    );
    let condition = Said { kind: ACCEPTED, status: "False", reason: "Unreadable", message };
    say(&mut next, generation, &condition, now);
    (next.conditions != conditions).then_some(next.conditions)
}

/// The spec is fine.
pub(super) fn accepted(job: &JobFacts<'_>, status: &mut ShopRLJobStatus, now: Timestamp) {
    status.observed_generation = job.generation;
    if status.phase.as_deref().is_none_or(|phase| phase == "Rejected") {
        status.phase = Some("Pending".to_owned());
    }
    let message = "the manifest is valid".to_owned();
    let condition = Said { kind: ACCEPTED, status: "True", reason: "Valid", message };
    say(status, job.generation, &condition, now);
}

/// The trainer reached the target step: that is what its exit code 0 says. What came of it are its last words; where they are
/// lost, what it said before stays.
pub(super) fn complete(
    job: &JobFacts<'_>,
    status: &mut ShopRLJobStatus,
    outcome: Option<Outcome>,
    now: Timestamp,
) {
    status.phase = Some("Complete".to_owned());
    let target = i64::from(job.validated.training.steps);
    let progress = status.progress.get_or_insert_default();
    progress.phase = "finished".to_owned();
    (progress.step, progress.target_steps) = (target, target);
    progress.steps = format!("{target}/{target}");
    progress.waiting_for = None;
    if let Some(Outcome { weights_version, success }) = outcome {
        progress.weights_version = i64::try_from(weights_version).unwrap_or(i64::MAX);
        progress.success = success.or_else(|| progress.success.take());
    }
    progress.time = Some(Time(now));
    let message = format!("all {target} steps taken; the report lies in the store");
    let condition = Said { kind: COMPLETE, status: "True", reason: "TargetReached", message };
    say(status, job.generation, &condition, now);
    over(job, status, now);
}

/// The job cannot go on. It was not complete before: terminal is terminal.
pub(super) fn failed(
    job: &JobFacts<'_>,
    status: &mut ShopRLJobStatus,
    reason: &'static str,
    message: String,
    now: Timestamp,
) {
    if end(status).is_some() {
        return;
    }
    status.phase = Some("Failed".to_owned());
    say(status, job.generation, &Said { kind: FAILED, status: "True", reason, message }, now);
    over(job, status, now);
}

/// What was about its pods holds no longer: those that live are asked to leave next, which is told here once and never again.
fn over(job: &JobFacts<'_>, status: &mut ShopRLJobStatus, now: Timestamp) {
    status.roles = roles(job, &Observed::default());
    status.rollouts = 0;
    for kind in [PLACED, ROLES_READY] {
        let message = "the job is over".to_owned();
        let condition = Said { kind, status: "False", reason: "Over", message };
        say(status, job.generation, &condition, now);
    }
}

/// The status after a pass that changed no wish.
pub(super) fn report(job: &JobFacts<'_>, observed: &Observed, now: Timestamp) -> ShopRLJobStatus {
    let mut status = job.status.clone();
    accepted(job, &mut status, now);
    status.roles = roles(job, observed);
    status.selector =
        Some(format!("{JOB_LABEL}={},{ROLE_LABEL}={}", job.validated.name, Role::Rollout.name()));
    status.rollouts = rollouts(observed);
    status.applied = Some(surroundings(job).digest());
    suspension(job, &mut status, observed, now);
    say(&mut status, job.generation, &placed(job, observed), now);
    let ready = status.roles.iter().all(|role| role.ready >= role.desired);
    let condition = if ready {
        let message = "every worker is ready".to_owned();
        Said { kind: ROLES_READY, status: "True", reason: "AllReady", message }
    } else {
        let message = what_is_missing(&status.roles, observed);
        Said { kind: ROLES_READY, status: "False", reason: "Waiting", message }
    };
    say(&mut status, job.generation, &condition, now);
    let phase = match (job.validated.suspend, ready, observed.pods.is_empty()) {
        (true, ..) => "Suspended",
        (false, true, _) => "Running",
        (false, false, false) => "Starting",
        (false, false, true) => "Pending",
    };
    status.phase = Some(phase.to_owned());
    if let Some(seen) = &observed.progress
        && is_news(status.progress.as_ref(), seen, now)
    {
        status.progress = Some(seen.clone());
    }
    status
}

/// The status when the API server does not take an object of the job's for what it is: a PriorityClass that does not exist,
/// a quota that is used up. Tried again, and said until it works. `surrounded`: the surroundings are as the report says.
pub fn refused(
    report: &ShopRLJobStatus,
    surrounded: bool,
    words: &str,
    now: Timestamp,
) -> ShopRLJobStatus {
    let mut next = report.clone();
    if !surrounded {
        next.applied = None;
    }
    let generation = next.observed_generation;
    let message = words.to_owned();
    let condition = Said { kind: ROLES_READY, status: "False", reason: "Refused", message };
    say(&mut next, generation, &condition, now);
    next
}

/// Suspended is True once no pod lives, False after it was; a job that never was says nothing.
fn suspension(
    job: &JobFacts<'_>,
    status: &mut ShopRLJobStatus,
    observed: &Observed,
    now: Timestamp,
) {
    let said = status.conditions.iter().any(|condition| condition.type_ == SUSPENDED);
    let live = observed.pods.iter().filter(|pod| pod.ending().is_none()).count();
    let (value, reason, message) = match (job.validated.suspend, live) {
        (true, 0) => {
            ("True", "Suspended", "no pod lives; suspend: false continues from the checkpoint")
        }
        (true, _) => ("False", "Leaving", "the pods leave, the trainer with a checkpoint"),
        (false, _) if said => ("False", "Resumed", "the job goes on"),
        (false, _) => return,
    };
    let condition = Said { kind: SUSPENDED, status: value, reason, message: message.to_owned() };
    say(status, job.generation, &condition, now);
}

fn rollouts(observed: &Observed) -> i32 {
    let live = observed.pods.iter().filter(|pod| {
        pod.worker.role == Role::Rollout && pod.ending().is_none() && pod.gone_by.is_none()
    });
    i32::try_from(live.count()).unwrap_or(i32::MAX)
}

fn roles(job: &JobFacts<'_>, observed: &Observed) -> Vec<RoleStatus> {
    let desired = desired(job);
    let wanted = job.status.intent.as_ref().map_or(&[][..], |intent| &intent.workers);
    let ready = |role: Role| {
        let pods = observed.pods.iter().filter(|pod| {
            pod.worker.role == role
                && pod.state == PodState::Ready
                && pod.gone_by.is_none()
                && wanted.iter().any(|worker| is_of(pod, worker))
        });
        pods.count()
    };
    let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    let status = |role: Role| RoleStatus {
        name: role.name().to_owned(),
        desired: count(desired.iter().filter(|id| id.role == role).count()),
        ready: count(ready(role)),
        nodes: nodes_of(role, wanted, observed),
    };
    Role::ALL.into_iter().map(status).collect()
}

/// In words, and the same words for the same state: a message that changes is a write.
fn what_is_missing(roles: &[RoleStatus], observed: &Observed) -> String {
    let short = roles.iter().filter(|role| role.ready < role.desired);
    let mut said: Vec<String> =
        short.map(|role| format!("{} {}/{}", role.name, role.ready, role.desired)).collect();
    let mut held: Vec<String> = observed
        .pods
        .iter()
        .filter_map(|pod| match &pod.state {
            PodState::Waiting(why) if !why.is_empty() => {
                Some(format!("{} {why}", pod.worker.slug()))
            }
            _ => None,
        })
        .collect();
    held.sort();
    said.append(&mut held);
    said.join("; ")
}

/// A new phase, success rate or first word is written at once, the rest once a minute. Where nothing moved nothing is
/// written: the time says since when.
fn is_news(known: Option<&Progress>, seen: &Progress, now: Timestamp) -> bool {
    let Some(known) = known else { return true };
    let moved = *known != Progress { time: known.time.clone(), ..seen.clone() };
    let old = known
        .time
        .as_ref()
        .is_none_or(|time| now.duration_since(time.0).unsigned_abs().as_secs() >= WRITE_AGAIN);
    moved && (known.phase != seen.phase || known.success != seen.success || old)
}

/// A condition as it shall be.
pub(super) struct Said {
    pub(super) kind: &'static str,
    pub(super) status: &'static str,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

/// Sets a condition; its time of transition moves only when its status does.
fn say(status: &mut ShopRLJobStatus, generation: Option<i64>, said: &Said, now: Timestamp) {
    let known = status.conditions.iter_mut().find(|condition| condition.type_ == said.kind);
    let since = known
        .as_ref()
        .filter(|condition| condition.status == said.status)
        .map_or(Time(now), |condition| condition.last_transition_time.clone());
    let next = Condition {
        last_transition_time: since,
        message: said.message.chars().take(MESSAGE).collect(),
        observed_generation: generation,
        reason: said.reason.to_owned(),
        status: said.status.to_owned(),
        type_: said.kind.to_owned(),
    };
    match known {
        Some(condition) => *condition = next,
        None => status.conditions.push(next),
    }
}
