//! The decision: from a job's facts and observations to its plan.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use shoprl_contract::Outcome;
use shoprl_crds::{Failure, Intent, ShopRLJobStatus, WorkerIntent};

use super::condition::end_time;
use super::surroundings::surroundings;
use super::workers::{belongs_to, desired, is_current, worker_id};
use super::{Effect, Ending, Fate, JobFacts, Observed, ObservedPod, Plan, children, pod, report};
use crate::local::ProcessId;
use crate::restart::RestartBudget;

/// Interval at which a running job is reconciled, to ask its trainer for progress.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(10);

/// Plans the next steps for a job.
pub fn plan(job: &JobFacts<'_>, observed: &Observed, now: Timestamp) -> Plan {
    if let Some(end) = end_time(job.status) {
        return plan_after_end(job, observed, end, now);
    }
    let next = next_status(job, observed, now);
    if next.intent != job.status.intent || end_time(&next).is_some() {
        return Plan {
            intent: Some(next.clone()),
            effects: Vec::new(),
            report: next,
            requeue_after: None,
        };
    }
    let workers = next.intent.as_ref().map_or(&[][..], |intent| &intent.workers);
    let image = next.intent.as_ref().map_or("", |intent| &intent.image);
    let back_off = workers.iter().filter_map(|worker| remaining_back_off(worker, now)).min();
    Plan {
        intent: None,
        effects: effects(job, image, workers, observed, now),
        report: report::report(job, observed, now),
        requeue_after: Some(back_off.map_or(PROGRESS_INTERVAL, |it| it.min(PROGRESS_INTERVAL))),
    }
}

/// A job that ended keeps its newest pods, for their logs, until its time to live has passed.
fn plan_after_end(job: &JobFacts<'_>, observed: &Observed, end: Timestamp, now: Timestamp) -> Plan {
    let mut effects: Vec<Effect> = observed.pods.iter().filter(is_live).map(delete).collect();
    let age = now.duration_since(end);
    let age = if age.is_negative() { Duration::ZERO } else { age.unsigned_abs() };
    let remaining = job.validated.ttl.map(|ttl| ttl.saturating_sub(age));
    if remaining.is_some_and(|remaining| remaining.is_zero()) {
        effects.push(Effect::DeleteJob {
            name: job.validated.name.clone(),
            uid: job.uid.to_owned(),
            version: job.version.map(str::to_owned),
        });
    }
    let requeue_after = remaining.filter(|remaining| !remaining.is_zero());
    Plan { intent: None, effects, report: job.status.clone(), requeue_after }
}

/// The status with the intent that follows from the observations.
fn next_status(job: &JobFacts<'_>, observed: &Observed, now: Timestamp) -> ShopRLJobStatus {
    let mut status = job.status.clone();
    let previous = status.intent.take();
    let named = job.validated.image.as_deref().unwrap_or(job.image);
    let image = previous.as_ref().map_or_else(|| named.to_owned(), |it| it.image.clone());
    let is_first = previous.is_none();
    let was_suspended = previous.as_ref().is_some_and(|intent| intent.suspended);
    let suspended = job.validated.suspend;
    let desired = desired(job);
    let retired = previous.as_ref().and_then(|intent| retired(intent, &desired));
    let previous = previous.map(|intent| intent.workers).unwrap_or_default();
    let mut workers = Vec::new();
    for id in desired {
        let slug = id.slug();
        let intended = previous.iter().find(|worker| worker.worker == slug);
        let mut worker = intended.cloned().unwrap_or(WorkerIntent {
            // Above the incarnations that were scaled away: a stale cache may still hold those pods, and their ending
            // must not count as a failure of this worker.
            incarnation: 1 + newest(observed, &slug).max(retired.unwrap_or(0)),
            worker: slug,
            not_before: None,
        });
        let pod = observed.pods.iter().find(|pod| is_current(pod, &worker));
        match pod.map_or(Verdict::Keep, |pod| verdict(pod, now)) {
            // Failures no longer count once the job has ended.
            _ if end_time(&status).is_some() => {}
            Verdict::Keep => {}
            Verdict::Complete(outcome) => report::complete(job, &mut status, outcome, now),
            // The pod was stopped by the suspension, or it never started.
            Verdict::Replace(_) if suspended && was_suspended => {}
            Verdict::Replace(ending) => replace(job, &mut status, &mut worker, &ending, now),
        }
        // Suspended: running pods are stopped, without counting as failures. This includes pods that were created just
        // before the suspension and appear in the cache only now.
        if suspended
            && pod.is_some_and(|pod| !matches!(pod.ending(), Some(Ending { fate: Fate::Done, .. })))
        {
            worker.incarnation += 1;
        }
        workers.push(worker);
    }
    status.attempt = workers.first().map(|trainer| trainer.incarnation);
    if is_first && !suspended {
        // Recorded here to save a separate status write. Surroundings are applied before each trainer in any case.
        status.applied = Some(surroundings(job).digest());
    }
    status.intent = Some(Intent { image, suspended, workers, retired });
    report::accept(job, &mut status, now);
    status
}

/// The highest incarnation of a worker that was scaled away, now or earlier.
fn retired(intent: &Intent, desired: &[ProcessId]) -> Option<i32> {
    let gone = intent
        .workers
        .iter()
        .filter(|worker| worker_id(&worker.worker).is_none_or(|id| !desired.contains(&id)));
    gone.map(|worker| worker.incarnation).chain(intent.retired).max()
}

/// What to do about a worker's pod.
enum Verdict {
    Keep,
    Complete(Option<Outcome>),
    Replace(Ending),
}

fn verdict(pod: &ObservedPod, now: Timestamp) -> Verdict {
    let is_trainer = pod.worker == ProcessId::TRAINER;
    match pod.ending() {
        Some(Ending { fate: Fate::Done, outcome, .. }) if is_trainer => {
            Verdict::Complete(outcome.clone())
        }
        // Other workers exit with 0 only after the trainer wrote the final checkpoint and reported the job's end.
        Some(Ending { fate: Fate::Done, .. }) => Verdict::Keep,
        Some(ending) => Verdict::Replace(ending.clone()),
        None => match pod.gone_by {
            // It writes a checkpoint. A trainer that outlives its grace period is on a lost node and gets fenced.
            Some(gone_by) if is_trainer && now < gone_by => Verdict::Keep,
            Some(_) => Verdict::Replace(Ending {
                fate: Fate::Disrupted,
                reason: "Deleted".to_owned(),
                message: "the pod was deleted".to_owned(),
                outcome: None,
            }),
            None => Verdict::Keep,
        },
    }
}

/// Plans a worker's next incarnation, or the end of the job. The count is persisted together with its consequence.
fn replace(
    job: &JobFacts<'_>,
    status: &mut ShopRLJobStatus,
    worker: &mut WorkerIntent,
    ending: &Ending,
    now: Timestamp,
) {
    let budget = RestartBudget::DEFAULT;
    let failures = &mut status.failures;
    failures.last = Some(Failure {
        worker: worker.worker.clone(),
        reason: ending.reason.clone(),
        message: ending.message.clone(),
        time: Time(now),
    });
    let described = || format!("{}: {}: {}", worker.worker, ending.reason, ending.message);
    let mut pause = Duration::ZERO;
    match ending.fate {
        Fate::Done => return,
        Fate::Permanent => return report::fail(job, status, "BadConfiguration", described(), now),
        Fate::Disrupted => failures.disruption += 1,
        Fate::Failed => {
            failures.application += 1;
            failures.recent.retain(|time| is_within(time.0, budget.window, now));
            let earlier = failures.recent.len();
            failures.recent.push(Time(now));
            let Some(back_off) = budget.back_off(earlier) else {
                let message = format!(
                    "{} failures within {} s; the last: {}",
                    earlier + 1,
                    budget.window.as_secs(),
                    described()
                );
                return report::fail(job, status, "TooManyFailures", message, now);
            };
            pause = back_off;
        }
    }
    worker.incarnation += 1;
    status.restarts += 1;
    worker.not_before = (!pause.is_zero()).then(|| Time(now.saturating_add(pause).unwrap_or(now)));
}

fn is_within(time: Timestamp, window: Duration, now: Timestamp) -> bool {
    now.duration_since(time).unsigned_abs() < window
}

/// Time until a worker may start; `None` if it may start now.
fn remaining_back_off(worker: &WorkerIntent, now: Timestamp) -> Option<Duration> {
    let not_before = worker.not_before.as_ref()?.0;
    (now < not_before).then(|| not_before.duration_since(now).unsigned_abs())
}

/// The effects that bring the pods to the persisted intent.
fn effects(
    job: &JobFacts<'_>,
    image: &str,
    workers: &[WorkerIntent],
    observed: &Observed,
    now: Timestamp,
) -> Vec<Effect> {
    let mut effects = Vec::new();
    let is_missing = |worker: &&WorkerIntent| {
        !job.validated.suspend
            && remaining_back_off(worker, now).is_none()
            && !observed.pods.iter().any(|pod| is_current(pod, worker))
            && !observed.pods.iter().any(|pod| is_stopping_trainer(pod, worker, now))
    };
    let missing = workers.iter().filter(is_missing);
    let missing: Vec<_> =
        missing.filter_map(|worker| Some((worker_id(&worker.worker)?, worker))).collect();
    let starts_trainer = missing.iter().any(|(id, _)| *id == ProcessId::TRAINER);
    let surroundings = surroundings(job);
    if starts_trainer || job.status.applied.as_ref() != Some(&surroundings.digest()) {
        effects.push(Effect::Surround(Box::new(surroundings.of_generation(job.generation))));
    }
    for (id, worker) in missing {
        if id == ProcessId::TRAINER {
            effects.push(Effect::Prepare(Box::new(children(job, worker.incarnation))));
        }
        effects.push(Effect::Create(Box::new(pod::pod(job, image, id, worker))));
    }
    let is_stale = |pod: &&ObservedPod| {
        match workers.iter().find(|worker| belongs_to(pod, &worker.worker)) {
            // The newest pod that ended is kept for its log.
            Some(worker) if pod.ending().is_some() => pod.incarnation < worker.incarnation - 1,
            // Pods newer than the cached intent, or of a newer spec, are left alone: another operator made them from an
            // intent that is not in this cache yet.
            Some(worker) => pod.incarnation < worker.incarnation && pod.gone_by.is_none(),
            None => job.generation >= Some(pod.generation) && pod.gone_by.is_none(),
        }
    };
    effects.extend(observed.pods.iter().filter(is_stale).map(delete));
    effects
}

/// The newest observed incarnation of a worker; 0 if there is none.
fn newest(observed: &Observed, worker: &str) -> i32 {
    let own = observed.pods.iter().filter(|pod| belongs_to(pod, worker));
    own.map(|pod| pod.incarnation).max().unwrap_or(0)
}

/// Whether this is an earlier trainer that may still write a checkpoint. The next trainer waits for it.
fn is_stopping_trainer(pod: &ObservedPod, next: &WorkerIntent, now: Timestamp) -> bool {
    pod.worker == ProcessId::TRAINER
        && belongs_to(pod, &next.worker)
        && pod.incarnation < next.incarnation
        && pod.ending().is_none()
        && pod.gone_by.is_none_or(|gone_by| now < gone_by)
}

fn is_live(pod: &&ObservedPod) -> bool {
    pod.ending().is_none() && pod.gone_by.is_none()
}

fn delete(pod: &ObservedPod) -> Effect {
    Effect::Delete { name: pod.name.clone(), uid: pod.uid.clone() }
}
