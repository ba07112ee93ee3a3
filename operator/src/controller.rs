//! The watches of jobs and pods, and the queue of jobs to reconcile.

use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::controller::Action;
use kube::runtime::{Controller, WatchStreamExt, reflector, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use shoprl_contract::error_chain;
use shoprl_plan::cluster::JOB_LABEL;
use tokio::sync::watch;

use crate::context::Context;
use crate::error::Error;
use crate::job::Job;
use crate::pods::Pods;
use crate::reconcile::reconcile;

/// Pause before a job is reconciled again after an error.
const RETRY_AFTER_ERROR: Duration = Duration::from_secs(3);

/// Watches the pods of all jobs. Returns the cache, and the pods whose changes matter to planning.
pub(crate) fn watch_pods(
    client: &Client,
    namespace: Option<&str>,
) -> (Arc<Pods>, impl Stream<Item = Result<Pod, watcher::Error>> + Send + 'static) {
    let pods = Arc::new(Pods::default());
    let cache = Arc::clone(&pods);
    let watch = watcher(api(client, namespace), watcher::Config::default().labels(JOB_LABEL))
        .default_backoff()
        .try_filter(move |event| std::future::ready(cache.observe(event)))
        .touched_objects();
    (pods, watch)
}

/// Watches the jobs. An object that cannot be read is reported in its own status; the other jobs are not affected.
pub(crate) fn watch_jobs(
    client: &Client,
    namespace: Option<&str>,
    pods: impl Stream<Item = Result<Pod, watcher::Error>> + Send + 'static,
) -> Controller<Job> {
    let (store, writer) = reflector::store();
    let jobs = watcher(api(client, namespace), watcher::Config::default())
        .default_backoff()
        // managedFields are most of a job's memory and are never read. A write without them leaves them unchanged.
        .modify(|job: &mut Job| job.managed_fields_mut().clear())
        .reflect(writer)
        .applied_objects();
    Controller::for_stream(jobs, store).owns_stream(pods)
}

/// Reconciles changed jobs while `is_leader` is true, until the controller shuts down. Running reconciles are finished.
pub(crate) async fn run(
    controller: Controller<Job>,
    context: Arc<Context>,
    is_leader: watch::Receiver<bool>,
) {
    // Changes from before this process became the leader are reconciled when it does.
    let elections = futures::stream::unfold(is_leader.clone(), async |mut is_leader| {
        is_leader.changed().await.ok()?;
        let now = *is_leader.borrow_and_update();
        Some((now, is_leader))
    });
    controller
        .reconcile_all_on(elections.filter(|now| std::future::ready(*now)).map(|_| ()))
        .run(
            move |job, context| {
                let is_leader = *is_leader.borrow();
                async move {
                    if is_leader {
                        reconcile(job, context).await
                    } else {
                        Ok(Action::await_change())
                    }
                }
            },
            on_error,
            context,
        )
        .for_each(|result| async move {
            if let Err(error) = result {
                tracing::warn!(error = error_chain(&error), "reconcile failed");
            }
        })
        .await;
}

/// The API of one namespace, or of all.
fn api<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<Scope = k8s_openapi::NamespaceResourceScope> + DeserializeOwned,
    K::DynamicType: Default,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the controller's signature")]
fn on_error(_job: Arc<Job>, _error: &Error, _context: Arc<Context>) -> Action {
    Action::requeue(RETRY_AFTER_ERROR)
}
