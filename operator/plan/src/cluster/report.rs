//! The status: its conditions follow from the intent and the observations.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use shoprl_contract::{Outcome, Role};
use shoprl_crds::{Progress, RoleStatus, ShopRLJobStatus, TrainerPhase};

use super::condition::{
    ACCEPTED, COMPLETE, FAILED, NewCondition, PLACED, ROLES_READY, SUSPENDED, end_time, set,
};
use super::placed::{nodes_of, placed};
use super::surroundings::surroundings;
use super::workers::{desired, is_current};
use super::{JOB_LABEL, JobFacts, Observed, PodState, ROLE_LABEL};
use crate::Invalid;

/// Seconds between two writes of progress in which only counters moved.
const COUNTER_INTERVAL: u64 = 60;

/// The status of a job with an invalid spec: every error with its field and its remedy.
pub fn rejected(
    status: &ShopRLJobStatus,
    generation: Option<i64>,
    errors: &[Invalid],
    now: Timestamp,
) -> ShopRLJobStatus {
    let mut next = status.clone();
    if end_time(status).is_some() {
        return next;
    }
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    next.observed_generation = generation;
    next.phase = Some("Rejected".to_owned());
    let message = errors.join("; ");
    let condition = NewCondition { kind: ACCEPTED, status: "False", reason: "Invalid", message };
    set(&mut next, generation, &condition, now);
    next
}

/// The conditions of an object that this operator cannot parse. Nothing else changes: the job's pods keep running.
/// `None` if the conditions say so already, or the job has ended.
pub fn unreadable(
    conditions: &[Condition],
    generation: Option<i64>,
    error: &str,
    now: Timestamp,
) -> Option<Vec<Condition>> {
    let mut next =
        ShopRLJobStatus { conditions: conditions.to_vec(), ..ShopRLJobStatus::default() };
    if end_time(&next).is_some() {
        return None;
    }
    let message = format!(
        "{error}; this operator cannot read the object: apply the manifest again, or run the operator that matches the CRD's version"
    );
    let condition = NewCondition { kind: ACCEPTED, status: "False", reason: "Unreadable", message };
    set(&mut next, generation, &condition, now);
    (next.conditions != conditions).then_some(next.conditions)
}

/// Sets `Accepted`: the spec is valid.
pub(super) fn accept(job: &JobFacts<'_>, status: &mut ShopRLJobStatus, now: Timestamp) {
    status.observed_generation = job.generation;
    if status.phase.as_deref().is_none_or(|phase| phase == "Rejected") {
        status.phase = Some("Pending".to_owned());
    }
    let message = "the manifest is valid".to_owned();
    let condition = NewCondition { kind: ACCEPTED, status: "True", reason: "Valid", message };
    set(status, job.generation, &condition, now);
}

/// Ends the job as complete: the trainer exited with 0, so it reached the target step. `outcome` comes from its
/// termination message; without one, the progress that it reported before stays.
pub(super) fn complete(
    job: &JobFacts<'_>,
    status: &mut ShopRLJobStatus,
    outcome: Option<Outcome>,
    now: Timestamp,
) {
    status.phase = Some("Complete".to_owned());
    let target = i64::from(job.validated.training.steps);
    let progress = status.progress.get_or_insert_default();
    progress.phase = Some(TrainerPhase::Finished);
    (progress.step, progress.target_steps) = (target, target);
    progress.steps = format!("{target}/{target}");
    progress.waiting_for = None;
    if let Some(Outcome { weights_version, success }) = outcome {
        progress.weights_version = i64::try_from(weights_version).unwrap_or(i64::MAX);
        progress.success = success.or_else(|| progress.success.take());
    }
    progress.time = Some(Time(now));
    let message = format!("all {target} steps are done; the report is in the store");
    let condition =
        NewCondition { kind: COMPLETE, status: "True", reason: "TargetReached", message };
    set(status, job.generation, &condition, now);
    set_ended(job, status, now);
}

/// Ends the job as failed, unless it has ended already: terminal conditions are final.
pub(super) fn fail(
    job: &JobFacts<'_>,
    status: &mut ShopRLJobStatus,
    reason: &'static str,
    message: String,
    now: Timestamp,
) {
    if end_time(status).is_some() {
        return;
    }
    status.phase = Some("Failed".to_owned());
    let condition = NewCondition { kind: FAILED, status: "True", reason, message };
    set(status, job.generation, &condition, now);
    set_ended(job, status, now);
}

/// Resets what describes pods. The live ones are stopped next, and the status of a job that ended is not written again.
fn set_ended(job: &JobFacts<'_>, status: &mut ShopRLJobStatus, now: Timestamp) {
    status.roles = roles(job, &Observed::default());
    status.rollouts = 0;
    for kind in [PLACED, ROLES_READY] {
        let message = "the job has ended".to_owned();
        let condition = NewCondition { kind, status: "False", reason: "Over", message };
        set(status, job.generation, &condition, now);
    }
}

/// The status after a reconcile that did not change the intent.
pub(super) fn report(job: &JobFacts<'_>, observed: &Observed, now: Timestamp) -> ShopRLJobStatus {
    let mut status = job.status.clone();
    accept(job, &mut status, now);
    status.roles = roles(job, observed);
    status.selector =
        Some(format!("{JOB_LABEL}={},{ROLE_LABEL}={}", job.validated.name, Role::Rollout.name()));
    status.rollouts = rollouts(observed);
    status.applied = Some(surroundings(job).digest());
    set_suspended(job, &mut status, observed, now);
    set(&mut status, job.generation, &placed(job, observed), now);
    let ready = status.roles.iter().all(|role| role.ready >= role.desired);
    let condition = if ready {
        let message = "every worker is ready".to_owned();
        NewCondition { kind: ROLES_READY, status: "True", reason: "AllReady", message }
    } else {
        let message = missing_workers(&status.roles, observed);
        NewCondition { kind: ROLES_READY, status: "False", reason: "Waiting", message }
    };
    set(&mut status, job.generation, &condition, now);
    let phase = match (job.validated.suspend, ready, observed.pods.is_empty()) {
        (true, ..) => "Suspended",
        (false, true, _) => "Running",
        (false, false, false) => "Starting",
        (false, false, true) => "Pending",
    };
    status.phase = Some(phase.to_owned());
    if let Some(progress) = &observed.progress
        && is_due(status.progress.as_ref(), progress, now)
    {
        status.progress = Some(progress.clone());
    }
    status
}

/// The status when the API server refused an object, for example because a PriorityClass does not exist or a quota is
/// used up. The operator retries until it works. `surrounded`: whether the surroundings of `report` were applied.
pub fn refused(
    report: &ShopRLJobStatus,
    surrounded: bool,
    error: &str,
    now: Timestamp,
) -> ShopRLJobStatus {
    let mut next = report.clone();
    if !surrounded {
        next.applied = None;
    }
    let generation = next.observed_generation;
    let message = error.to_owned();
    let condition = NewCondition { kind: ROLES_READY, status: "False", reason: "Refused", message };
    set(&mut next, generation, &condition, now);
    next
}

/// Sets `Suspended`: True once no pod is live, False while pods stop and after the job was resumed. A job that was never
/// suspended has no such condition.
fn set_suspended(
    job: &JobFacts<'_>,
    status: &mut ShopRLJobStatus,
    observed: &Observed,
    now: Timestamp,
) {
    let was_suspended = status.conditions.iter().any(|condition| condition.type_ == SUSPENDED);
    let live = observed.pods.iter().filter(|pod| pod.ending().is_none()).count();
    let (value, reason, message) = match (job.validated.suspend, live) {
        (true, 0) => {
            ("True", "Suspended", "no pods are running; suspend: false resumes from the checkpoint")
        }
        (true, _) => ("False", "Leaving", "pods are stopping; the trainer writes a checkpoint"),
        (false, _) if was_suspended => ("False", "Resumed", "the job was resumed"),
        (false, _) => return,
    };
    let message = message.to_owned();
    let condition = NewCondition { kind: SUSPENDED, status: value, reason, message };
    set(status, job.generation, &condition, now);
}

/// Number of live rollout pods.
fn rollouts(observed: &Observed) -> i32 {
    let live = observed.pods.iter().filter(|pod| {
        pod.worker.role == Role::Rollout && pod.ending().is_none() && pod.gone_by.is_none()
    });
    i32::try_from(live.count()).unwrap_or(i32::MAX)
}

fn roles(job: &JobFacts<'_>, observed: &Observed) -> Vec<RoleStatus> {
    let desired = desired(job);
    let workers = job.status.intent.as_ref().map_or(&[][..], |intent| &intent.workers);
    let ready = |role: Role| {
        let pods = observed.pods.iter().filter(|pod| {
            pod.worker.role == role
                && pod.state == PodState::Ready
                && pod.gone_by.is_none()
                && workers.iter().any(|worker| is_current(pod, worker))
        });
        pods.count()
    };
    let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    let status = |role: Role| RoleStatus {
        name: role.name().to_owned(),
        desired: count(desired.iter().filter(|id| id.role == role).count()),
        ready: count(ready(role)),
        nodes: nodes_of(role, workers, observed),
    };
    Role::ALL.into_iter().map(status).collect()
}

/// `rollout 1/2; rollout-1 WHY`. Equal states give equal messages, because a changed message is a status write.
fn missing_workers(roles: &[RoleStatus], observed: &Observed) -> String {
    let short = roles.iter().filter(|role| role.ready < role.desired);
    let mut parts: Vec<String> =
        short.map(|role| format!("{} {}/{}", role.name, role.ready, role.desired)).collect();
    let mut waiting: Vec<String> = observed
        .pods
        .iter()
        .filter_map(|pod| match &pod.state {
            PodState::Waiting(why) if !why.is_empty() => {
                Some(format!("{} {why}", pod.worker.slug()))
            }
            _ => None,
        })
        .collect();
    waiting.sort();
    parts.append(&mut waiting);
    parts.join("; ")
}

/// Whether observed progress is written: the first one, a new phase and a new success rate immediately, counters once a
/// minute. Unchanged progress is not written, so that its time shows when it last moved.
fn is_due(written: Option<&Progress>, observed: &Progress, now: Timestamp) -> bool {
    let Some(written) = written else { return true };
    let moved = *written != Progress { time: written.time.clone(), ..observed.clone() };
    let is_old = written
        .time
        .as_ref()
        .is_none_or(|time| now.duration_since(time.0).unsigned_abs().as_secs() >= COUNTER_INTERVAL);
    moved && (written.phase != observed.phase || written.success != observed.success || is_old)
}
