//! One reconcile of one job: observe, validate, plan, apply, report. A changed intent is persisted before anything is
//! applied.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use kube::runtime::controller::Action;
use kube::{Resource, ResourceExt};
use shoprl_crds::ShopRLJob;
use shoprl_plan::cluster::{self, Effect, Plan};
use shoprl_plan::validate;
use tracing::Instrument;

use crate::apply::apply;
use crate::context::Context;
use crate::error::Error;
use crate::job::Job;
use crate::metrics::{Outcome, WriteReason};
use crate::observe::Subject;
use crate::report::{StatusWrite, report_unreadable, status_write, write_status};
use crate::written::MIN_STATUS_INTERVAL;

/// Requests in flight for one job. The limit leaves the API server time for other jobs while one with hundreds of workers
/// starts.
const MAX_REQUESTS_PER_JOB: usize = 16;

/// Reconciles one job.
///
/// # Errors
/// When the API server refused a write or did not answer, and when an object with a needed name belongs to something else.
pub async fn reconcile(job: Arc<Job>, context: Arc<Context>) -> Result<Action, Error> {
    let metadata = job.meta();
    let span = tracing::info_span!(
        "reconcile",
        namespace = metadata.namespace,
        job = metadata.name,
        generation = metadata.generation
    );
    let started = Instant::now();
    let result = reconcile_cached(&job, &context).instrument(span).await;
    let outcome = result.as_ref().map_or_else(Error::outcome, |_| Outcome::Done);
    context.metrics.reconciled(outcome, started.elapsed());
    result
}

async fn reconcile_cached(job: &Job, context: &Arc<Context>) -> Result<Action, Error> {
    // Before the first list of pods, a running job looks like one without pods.
    context.pods.wait_until_listed().await;
    // A deleted job's objects are garbage-collected with it; nothing new may be created for it.
    if job.meta().deletion_timestamp.is_some() || context.written.is_newer_than(job.meta()) {
        return Ok(Action::await_change());
    }
    match &job.0 {
        Ok(job) => reconcile_job(job, context).await,
        Err(unreadable) => {
            report_unreadable(unreadable, context).await?;
            Ok(Action::await_change())
        }
    }
}

/// The futures are boxed, so that a job that waits for its permit holds only its own object.
async fn reconcile_job(job: &ShopRLJob, context: &Arc<Context>) -> Result<Action, Error> {
    if let Some(action) = Box::pin(report_if_settled(job, context)).await? {
        return Ok(action);
    }
    let _permit = context.permits.job().await;
    // Another task may have written this job while this one waited for its permit.
    if context.written.is_newer_than(&job.metadata) {
        return Ok(Action::await_change());
    }
    Box::pin(advance(job, context)).await
}

/// Whether the plan changes nothing but the status.
fn is_settled(plan: &Plan) -> bool {
    plan.intent.is_none() && plan.effects.is_empty()
}

/// Rejects an invalid spec, or reports the state of a settled job. Needs no permit. `None` if there is something to apply.
async fn report_if_settled(
    job: &ShopRLJob,
    context: &Arc<Context>,
) -> Result<Option<Action>, Error> {
    let validated = match validate(&job.spec, &job.name_any()) {
        Ok(validated) => validated,
        Err(mistakes) => {
            let (before, now) = (job.status.clone().unwrap_or_default(), (context.clock)());
            let status = cluster::rejected(&before, job.metadata.generation, &mistakes, now);
            write_status(job, status, WriteReason::Rejected, context).await?;
            return Ok(Some(Action::await_change()));
        }
    };
    let subject = Subject::of(job, &validated, context)?;
    let plan = subject.plan(context, None);
    if !is_settled(&plan) {
        return Ok(None);
    }
    report(&subject, plan, context).await.map(Some)
}

/// Persists a changed intent, and applies the intent that is persisted.
async fn advance(job: &ShopRLJob, context: &Arc<Context>) -> Result<Action, Error> {
    // `report_if_settled` has validated the same spec.
    let Ok(validated) = validate(&job.spec, &job.name_any()) else {
        return Ok(Action::await_change());
    };
    let subject = Subject::of(job, &validated, context)?;
    let plan = subject.plan(context, None);
    let Some(intent) = plan.intent else { return apply_plan(&subject, plan, context).await };
    let Some(written) = write_status(job, intent, WriteReason::Intent, context).await? else {
        return Ok(Action::await_change());
    };
    // The intent is persisted; a second plan says what follows from it.
    let subject = Subject::of(&written, &validated, context)?;
    let plan = subject.plan(context, None);
    if plan.intent.is_some() {
        // The caches changed during the write and ask for another intent.
        return Ok(Action::requeue(Duration::ZERO));
    }
    apply_plan(&subject, plan, context).await
}

/// Applies the effects of a persisted intent, then reports. Surroundings and the objects that pods need are applied first.
/// Within each of the two groups no effect depends on another, so they run concurrently.
async fn apply_plan(
    subject: &Subject<'_>,
    plan: Plan,
    context: &Arc<Context>,
) -> Result<Action, Error> {
    let planned = plan.requeue_after;
    let is_first = |effect: &Effect| matches!(effect, Effect::Surround(_) | Effect::Prepare(_));
    let (first, then): (Vec<Effect>, Vec<Effect>) = plan.effects.into_iter().partition(is_first);
    let mut surrounded = true;
    for effects in [first, then] {
        // Wait for all, even if one fails: no request may be in flight when the next reconcile starts.
        let results = stream::iter(effects.into_iter().map(async |effect| {
            let surrounds = matches!(effect, Effect::Surround(_));
            (surrounds, apply(effect, subject.namespace, subject.uid, context).await)
        }));
        let results: Vec<_> =
            Box::pin(results.buffer_unordered(MAX_REQUESTS_PER_JOB).collect()).await;
        surrounded &= results.iter().all(|(surrounds, result)| !surrounds || result.is_ok());
        if let Some(error) = results.into_iter().find_map(|(_, result)| result.err()) {
            // The status says why the job does not proceed.
            if let Some(message) = error.refusal() {
                let now = (context.clock)();
                let status = cluster::refused(&plan.report, surrounded, &message, now);
                write_status(subject.job, status, WriteReason::Report, context).await?;
            }
            return Err(error);
        }
    }
    let requeue = match status_write(subject.job, &plan.report, context) {
        StatusWrite::Now(reason) => {
            write_status(subject.job, plan.report, reason, context).await?;
            MIN_STATUS_INTERVAL
        }
        StatusWrite::After(pause) => pause.min(MIN_STATUS_INTERVAL),
        StatusWrite::NotNeeded => MIN_STATUS_INTERVAL,
    };
    // Effects of this process are in its caches already, so the watch does not trigger a reconcile for them.
    Ok(requeue_at_first([Some(requeue), planned]))
}

/// Reports the state of a settled job. The trainer is asked only here: a trainer that does not answer delays no effect.
async fn report(
    subject: &Subject<'_>,
    plan: Plan,
    context: &Arc<Context>,
) -> Result<Action, Error> {
    let progress = subject.progress(context).await;
    let plan = match &progress {
        Some(_) => subject.plan(context, progress.clone()),
        None => plan,
    };
    if !is_settled(&plan) {
        return Ok(Action::requeue(Duration::ZERO));
    }
    let planned = plan.requeue_after;
    let reason = match status_write(subject.job, &plan.report, context) {
        StatusWrite::Now(reason) => reason,
        StatusWrite::After(pause) => return Ok(requeue_at_first([Some(pause), planned])),
        StatusWrite::NotNeeded => return Ok(requeue_at_first([None, planned])),
    };
    // While other jobs need pods, this status yields to them for up to IDLE_STATUS_INTERVAL.
    let (_permit, plan) = match context.permits.job_if_free() {
        Some(permit) => (permit, plan),
        None if context.written.is_recent(&subject.job.metadata, (context.clock)()) => {
            return Ok(requeue_at_first([Some(MIN_STATUS_INTERVAL), planned]));
        }
        // Plan again after the wait, so that changes during it go into the same write.
        None => (context.permits.job().await, subject.plan(context, progress)),
    };
    if !is_settled(&plan) {
        return Ok(Action::requeue(Duration::ZERO));
    }
    let planned = plan.requeue_after;
    write_status(subject.job, plan.report, reason, context).await?;
    Ok(requeue_at_first([None, planned]))
}

/// Requeues after the shortest of the given pauses.
fn requeue_at_first(pauses: [Option<Duration>; 2]) -> Action {
    let first = pauses.into_iter().flatten().min();
    first.map_or_else(Action::await_change, Action::requeue)
}
