//! The last step of a reconcile: whether a status is written now, and the write. No other module writes a status.

use std::sync::Arc;
use std::time::Duration;

use kube::api::{ApiResource, DynamicObject, PostParams};
use kube::{Api, ResourceExt};
use serde::Deserialize;
use serde_json::json;
use shoprl_crds::{ShopRLJob, ShopRLJobStatus};
use shoprl_plan::cluster::{self, Change};

use crate::context::Context;
use crate::error::Error;
use crate::events;
use crate::job::Unreadable;
use crate::metrics::WriteReason;
use crate::written::{IDLE_STATUS_INTERVAL, MIN_STATUS_INTERVAL};

/// Whether a status is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatusWrite {
    /// Write it.
    Now(WriteReason),
    /// The previous write is too recent. Reconcile again after this pause; later changes go into the same write.
    After(Duration),
    /// Nothing changed, or only progress whose rate limit is used up.
    NotNeeded,
}

/// Whether `status` is written now. Changes of conditions are at least `MIN_STATUS_INTERVAL` after the previous write: pods
/// that are created, placed and ready within it make one write. Counter changes are at least `IDLE_STATUS_INTERVAL` after it:
/// hundreds of rollouts that become ready one by one make a few writes. Progress alone also needs the rate limiter.
pub(crate) fn status_write(
    job: &ShopRLJob,
    status: &ShopRLJobStatus,
    context: &Context,
) -> StatusWrite {
    let before = job.status.clone().unwrap_or_default();
    let change = Change::between(&before, status);
    let interval = match change {
        Change::None => return StatusWrite::NotNeeded,
        Change::Progress | Change::State => MIN_STATUS_INTERVAL,
        Change::Numbers => IDLE_STATUS_INTERVAL,
    };
    let now = (context.clock)();
    let elapsed = context.written.since(&job.metadata, now);
    if elapsed < interval {
        return StatusWrite::After(interval.saturating_sub(elapsed));
    }
    match change {
        Change::Progress if context.progress_limit.try_take(now) => {
            StatusWrite::Now(WriteReason::Progress)
        }
        Change::Progress => StatusWrite::NotNeeded,
        _ => StatusWrite::Now(WriteReason::Report),
    }
}

/// Writes a status that differs, with the version that was read. Returns the job as it was written. `None` if nothing
/// differs, or if the job changed meanwhile; the watch triggers another reconcile then.
pub(crate) async fn write_status(
    job: &ShopRLJob,
    status: ShopRLJobStatus,
    reason: WriteReason,
    context: &Arc<Context>,
) -> Result<Option<ShopRLJob>, Error> {
    if job.status.as_ref() == Some(&status) {
        return Ok(None);
    }
    let namespace = job.metadata.namespace.as_deref().ok_or(Error::Incomplete("namespace"))?;
    let jobs: Api<ShopRLJob> = Api::namespaced(context.client.clone(), namespace);
    let next = ShopRLJob { status: Some(status), ..job.clone() };
    match jobs.replace_status(&job.name_any(), &PostParams::default(), &next).await {
        Ok(written) => {
            context.written.note(&written.metadata, (context.clock)());
            context.metrics.wrote_status(reason);
            events::post(job, &written, context);
            Ok(Some(written))
        }
        Err(source) => ignore_conflict(source).map(|()| None),
    }
}

/// Reports in the status of an object that this operator cannot read it. Everything else in the status stays as it was read.
pub(crate) async fn report_unreadable(
    unreadable: &Unreadable,
    context: &Context,
) -> Result<(), Error> {
    let Unreadable { object, error } = unreadable;
    let (metadata, conditions) = (&object.metadata, &object.data["status"]["conditions"]);
    // Conditions that cannot be read either are replaced.
    let conditions = Vec::deserialize(conditions).unwrap_or_default();
    let next = cluster::unreadable(&conditions, metadata.generation, error, (context.clock)());
    let Some(conditions) = next else { return Ok(()) };
    tracing::warn!(error, "job cannot be read");
    let mut next = object.clone();
    if !next.data["status"].is_object() {
        next.data["status"] = json!({});
    }
    next.data["status"]["conditions"] = json!(conditions);
    let namespace = metadata.namespace.as_deref().ok_or(Error::Incomplete("namespace"))?;
    let kind = ApiResource::erase::<ShopRLJob>(&());
    let jobs: Api<DynamicObject> = Api::namespaced_with(context.client.clone(), namespace, &kind);
    match jobs.replace_status(&object.name_any(), &PostParams::default(), &next).await {
        Ok(written) => {
            context.written.note(&written.metadata, (context.clock)());
            context.metrics.wrote_status(WriteReason::Rejected);
            Ok(())
        }
        Err(source) => ignore_conflict(source),
    }
}

/// The job changed or is gone; the watch reports it and triggers another reconcile.
fn ignore_conflict(source: kube::Error) -> Result<(), Error> {
    match source {
        kube::Error::Api(status) if matches!(status.code, 404 | 409) => Ok(()),
        source => Err(Error::Api { action: "write the status", source }),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use k8s_openapi::jiff::Timestamp;
    use kube::client::{Body, Client};
    use serde_json::Value;
    use tower::{BoxError, service_fn};

    use super::*;
    use crate::key::OperatorKey;

    #[tokio::test]
    async fn a_status_waits_for_its_interval_and_progress_for_its_rate() {
        let server = service_fn(|_: http::Request<Body>| async {
            Err::<http::Response<Body>, _>(BoxError::from("there is no API server"))
        });
        let now = Arc::new(AtomicI64::new(60_000));
        let clock = Arc::clone(&now);
        let key = OperatorKey::new(vec![7; 32]).unwrap();
        let client = Client::new(server, "default");
        let context =
            Context::new(client, "image".to_owned(), key, Arc::default()).with_clock(move || {
                Timestamp::from_millisecond(clock.load(Ordering::Relaxed)).unwrap()
            });
        let job: ShopRLJob = serde_json::from_value(json!({
            "apiVersion": "shoprl.dev/v1alpha1", "kind": "ShopRLJob",
            "metadata": {"name": "a", "namespace": "b", "uid": "1", "resourceVersion": "7"},
            "spec": {}, "status": {"phase": "Starting", "rollouts": 1},
        }))
        .unwrap();
        let check = |status: Value, expected: StatusWrite| {
            let status = serde_json::from_value(status).unwrap();
            assert_eq!(status_write(&job, &status, &context), expected);
        };
        let same = json!({"phase": "Starting", "rollouts": 1});
        let running = json!({"phase": "Running", "rollouts": 1});
        let counted = json!({"phase": "Starting", "rollouts": 2});
        let progress = json!({"phase": "Starting", "rollouts": 1, "progress": {"step": 3}});

        // Never written by this process.
        check(same.clone(), StatusWrite::NotNeeded);
        check(counted.clone(), StatusWrite::Now(WriteReason::Report));
        context.written.note(&job.metadata, (context.clock)());
        now.fetch_add(400, Ordering::Relaxed);
        check(same, StatusWrite::NotNeeded);
        check(running.clone(), StatusWrite::After(Duration::from_millis(600)));
        check(counted, StatusWrite::After(Duration::from_millis(9_600)));
        check(progress.clone(), StatusWrite::After(Duration::from_millis(600)));
        now.fetch_add(600, Ordering::Relaxed);
        check(running, StatusWrite::Now(WriteReason::Report));
        for _ in 0..10 {
            check(progress.clone(), StatusWrite::Now(WriteReason::Progress));
        }
        check(progress, StatusWrite::NotNeeded);
    }
}
