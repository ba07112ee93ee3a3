//! The decision itself.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use shoprl_contract::{Outcome, Role};
use shoprl_crds::{Failure, Intent, ShopRLJobStatus, WorkerIntent};

use super::report;
use super::surroundings::surroundings;
use super::{
    Effect, Ending, Fate, JobFacts, Observed, ObservedPod, Plan, children, pod, worker_id,
};
use crate::local::ProcessId;

/// How many failures of its workers' own a job survives. The same numbers hold for `shoprl run`, there per process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApplicationBudget {
    /// Failures within the window; the next one fails the job.
    pub failures: usize,
    /// Older ones are forgotten.
    pub window: Duration,
}

impl ApplicationBudget {
    /// The budget of every job.
    pub const DEFAULT: Self = Self { failures: 6, window: Duration::from_secs(3600) };

    /// Pause before the replacement after this many earlier failures: at once, then 1 s, 2 s, 4 s ... 30 s.
    fn pause(earlier: usize) -> Duration {
        let doubled = |n: usize| 1_u64.checked_shl(u32::try_from(n).ok()?);
        let seconds = earlier.checked_sub(1).map_or(Some(0), doubled).unwrap_or(30);
        Duration::from_secs(seconds.min(30))
    }
}

/// How often a running job's trainer is asked how far it is.
const ASK: Duration = Duration::from_secs(10);

/// Decides what is done next about a job.
pub fn plan(job: &JobFacts<'_>, observed: &Observed, now: Timestamp) -> Plan {
    if let Some(end) = report::end(job.status) {
        return after_the_end(job, observed, end, now);
    }
    let next = next(job, observed, now);
    if next.intent != job.status.intent || report::end(&next).is_some() {
        return Plan {
            intent: Some(next.clone()),
            effects: Vec::new(),
            report: next,
            look_again: None,
        };
    }
    let wanted = next.intent.as_ref().map_or(&[][..], |intent| &intent.workers);
    let image = next.intent.as_ref().map_or("", |intent| &intent.image);
    let pause = wanted.iter().filter_map(|worker| until(worker, now)).min();
    Plan {
        intent: None,
        effects: effects(job, image, wanted, observed, now),
        report: report::report(job, observed, now),
        look_again: Some(pause.map_or(ASK, |pause| pause.min(ASK))),
    }
}

/// A job that is over keeps its newest pods for their logs, until its time to live has passed.
fn after_the_end(job: &JobFacts<'_>, observed: &Observed, end: Timestamp, now: Timestamp) -> Plan {
    let mut effects: Vec<Effect> = observed.pods.iter().filter(is_live).map(delete).collect();
    let age = now.duration_since(end);
    let age = if age.is_negative() { Duration::ZERO } else { age.unsigned_abs() };
    let left = job.validated.ttl.map(|ttl| ttl.saturating_sub(age));
    if left.is_some_and(|left| left.is_zero()) {
        effects.push(Effect::DeleteJob {
            name: job.validated.name.clone(),
            uid: job.uid.to_owned(),
            version: job.version.map(str::to_owned),
        });
    }
    let look_again = left.filter(|left| !left.is_zero());
    Plan { intent: None, effects, report: job.status.clone(), look_again }
}

/// The status with the wish that follows from what was seen.
fn next(job: &JobFacts<'_>, observed: &Observed, now: Timestamp) -> ShopRLJobStatus {
    let mut status = job.status.clone();
    let persisted = status.intent.take();
    let named = job.validated.image.as_deref().unwrap_or(job.image);
    let image = persisted.as_ref().map_or_else(|| named.to_owned(), |it| it.image.clone());
    let begins = persisted.is_none();
    let was_suspended = persisted.as_ref().is_some_and(|intent| intent.suspended);
    let suspended = job.validated.suspend;
    let desired = desired(job);
    let retired = persisted.as_ref().and_then(|intent| retired(intent, &desired));
    let known = persisted.map(|intent| intent.workers).unwrap_or_default();
    let mut workers = Vec::new();
    for id in desired {
        let slug = id.slug();
        let known = known.iter().find(|worker| worker.worker == slug);
        let mut worker = known.cloned().unwrap_or(WorkerIntent {
            // Beyond what an earlier scale took away: those pods were counted, or asked to leave, and this view may be behind.
            incarnation: 1 + newest(observed, &slug).max(retired.unwrap_or(0)),
            worker: slug,
            not_before: None,
        });
        let pod = observed.pods.iter().find(|pod| is_of(pod, &worker));
        match pod.map_or(Verdict::Keep, |pod| verdict(pod, now)) {
            // What ends the job ends the counting too.
            _ if report::end(&status).is_some() => {}
            Verdict::Keep => {}
            Verdict::Complete(outcome) => report::complete(job, &mut status, outcome, now),
            // It was asked to leave, or never began.
            Verdict::Replace(_) if suspended && was_suspended => {}
            Verdict::Replace(ending) => replace(job, &mut status, &mut worker, &ending, now),
        }
        // What runs now is not wanted any more, and no failure; the next pods come when the job goes on. Also what
        // is seen only now: it was made just before the job was suspended.
        if suspended
            && pod.is_some_and(|pod| !matches!(pod.ending(), Some(Ending { fate: Fate::Done, .. })))
        {
            worker.incarnation += 1;
        }
        workers.push(worker);
    }
    status.attempt = workers.first().map(|trainer| trainer.incarnation);
    if begins && !suspended {
        // No pod is made before its surroundings, and as long as there is no trainer they are applied anyway: that they
        // were needs no write of its own.
        status.applied = Some(surroundings(job).digest());
    }
    status.intent = Some(Intent { image, suspended, workers, retired });
    report::accepted(job, &mut status, now);
    status
}

/// The highest incarnation that was ever taken away, with those that are not desired any more.
fn retired(intent: &Intent, desired: &[ProcessId]) -> Option<i32> {
    let gone = intent
        .workers
        .iter()
        .filter(|worker| worker_id(&worker.worker).is_none_or(|id| !desired.contains(&id)));
    gone.map(|worker| worker.incarnation).chain(intent.retired).max()
}

/// Everybody the spec wants, the trainer first.
pub(super) fn desired(job: &JobFacts<'_>) -> Vec<ProcessId> {
    let roles = &job.validated.roles;
    let sizes = [
        (Role::Trainer, 1),
        (Role::Simulator, roles.simulator.replicas),
        (Role::Reward, roles.reward.replicas),
        (Role::Rollout, roles.rollout.replicas),
    ];
    let workers = |(role, size)| (0..size).map(move |index| ProcessId { role, index });
    sizes.into_iter().flat_map(workers).collect()
}

enum Verdict {
    Keep,
    Complete(Option<Outcome>),
    Replace(Ending),
}

fn verdict(pod: &ObservedPod, now: Timestamp) -> Verdict {
    let trainer = pod.worker == ProcessId::TRAINER;
    match pod.ending() {
        Some(Ending { fate: Fate::Done, outcome, .. }) if trainer => {
            Verdict::Complete(outcome.clone())
        }
        // A worker leaves with 0 only when the trainer told it that the job is over, and that is in a checkpoint.
        Some(Ending { fate: Fate::Done, .. }) => Verdict::Keep,
        Some(ending) => Verdict::Replace(ending.clone()),
        None => match pod.gone_by {
            // It writes a checkpoint; whoever outlives the grace period sits on a lost node, and is fenced.
            Some(gone_by) if trainer && now < gone_by => Verdict::Keep,
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

/// Plans a worker's next pod, or the end of the job. What is counted is persisted with what follows from it.
fn replace(
    job: &JobFacts<'_>,
    status: &mut ShopRLJobStatus,
    worker: &mut WorkerIntent,
    ending: &Ending,
    now: Timestamp,
) {
    let budget = ApplicationBudget::DEFAULT;
    let failures = &mut status.failures;
    failures.last = Some(Failure {
        worker: worker.worker.clone(),
        reason: ending.reason.clone(),
        message: ending.message.clone(),
        time: Time(now),
    });
    let said = || format!("{}: {}: {}", worker.worker, ending.reason, ending.message);
    let mut pause = Duration::ZERO;
    match ending.fate {
        Fate::Done => return,
        Fate::Permanent => return report::failed(job, status, "BadConfiguration", said(), now),
        Fate::Disrupted => failures.disruption += 1,
        Fate::Failed => {
            failures.application += 1;
            failures.recent.retain(|time| within(time.0, budget.window, now));
            let earlier = failures.recent.len();
            failures.recent.push(Time(now));
            if earlier >= budget.failures {
                let message = format!(
                    "{} failures within {} s; the last: {}",
                    earlier + 1,
                    budget.window.as_secs(),
                    said()
                );
                return report::failed(job, status, "TooManyFailures", message, now);
            }
            pause = ApplicationBudget::pause(earlier);
        }
    }
    worker.incarnation += 1;
    status.restarts += 1;
    worker.not_before = (!pause.is_zero()).then(|| Time(now.saturating_add(pause).unwrap_or(now)));
}

fn within(time: Timestamp, window: Duration, now: Timestamp) -> bool {
    now.duration_since(time).unsigned_abs() < window
}

/// What remains until a worker may start.
fn until(worker: &WorkerIntent, now: Timestamp) -> Option<Duration> {
    let not_before = worker.not_before.as_ref()?.0;
    (now < not_before).then(|| not_before.duration_since(now).unsigned_abs())
}

fn effects(
    job: &JobFacts<'_>,
    image: &str,
    wanted: &[WorkerIntent],
    observed: &Observed,
    now: Timestamp,
) -> Vec<Effect> {
    let mut effects = Vec::new();
    let missing = |worker: &&WorkerIntent| {
        !job.validated.suspend
            && until(worker, now).is_none()
            && !observed.pods.iter().any(|pod| is_of(pod, worker))
            && !observed.pods.iter().any(|pod| writes_its_checkpoint(pod, worker, now))
    };
    let missing = wanted.iter().filter(missing);
    let missing: Vec<_> =
        missing.filter_map(|worker| Some((worker_id(&worker.worker)?, worker))).collect();
    let begins = missing.iter().any(|(id, _)| *id == ProcessId::TRAINER);
    let surroundings = surroundings(job);
    if begins || job.status.applied.as_ref() != Some(&surroundings.digest()) {
        effects.push(Effect::Surround(Box::new(surroundings.of_generation(job.generation))));
    }
    for (id, worker) in missing {
        if id == ProcessId::TRAINER {
            effects.push(Effect::Prepare(Box::new(children(job, worker.incarnation))));
        }
        effects.push(Effect::Create(Box::new(pod::pod(job, image, id, worker))));
    }
    let stale = |pod: &&ObservedPod| {
        let of = wanted.iter().find(|worker| is_pod_of(pod, &worker.worker));
        match of {
            // The newest that ended stays for its log.
            Some(worker) if pod.ending().is_some() => pod.incarnation < worker.incarnation - 1,
            // A later one, and a pod of a later spec, are of a wish that another operator wrote and this view has not seen.
            Some(worker) => pod.incarnation < worker.incarnation && pod.gone_by.is_none(),
            None => job.generation >= Some(pod.generation) && pod.gone_by.is_none(),
        }
    };
    effects.extend(observed.pods.iter().filter(stale).map(delete));
    effects
}

/// The newest incarnation of a worker that is there; 0 when none is.
fn newest(observed: &Observed, worker: &str) -> i32 {
    let own = observed.pods.iter().filter(|pod| is_pod_of(pod, worker));
    own.map(|pod| pod.incarnation).max().unwrap_or(0)
}

/// Whether a pod is of this worker. Asked of every pair of them, so no name is written for it.
fn is_pod_of(pod: &ObservedPod, worker: &str) -> bool {
    worker_id(worker) == Some(pod.worker)
}

/// Whether it is the pod that is wanted of the worker now.
pub(super) fn is_of(pod: &ObservedPod, worker: &WorkerIntent) -> bool {
    is_pod_of(pod, &worker.worker) && pod.incarnation == worker.incarnation
}

/// An earlier trainer that leaves: the next begins with the checkpoint that it writes.
fn writes_its_checkpoint(pod: &ObservedPod, next: &WorkerIntent, now: Timestamp) -> bool {
    pod.worker == ProcessId::TRAINER
        && is_pod_of(pod, &next.worker)
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
