//! The watches, and the queue of jobs to look at.

use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::controller::Action;
use kube::runtime::reflector;
use kube::runtime::{Controller, WatchStreamExt, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use shoprl_plan::cluster::JOB_LABEL;
use tokio::sync::watch;

use crate::context::Context;
use crate::job::Job;
use crate::pods::Pods;
use crate::reconcile;

/// How long after an error a job is looked at again.
const AGAIN: Duration = Duration::from_secs(3);

/// The watch of pods, and what is known of them.
pub(crate) fn watch_pods(
    client: &Client,
    namespace: Option<&str>,
) -> (Arc<Pods>, impl Stream<Item = Result<Pod, watcher::Error>> + Send + 'static) {
    let pods = Arc::new(Pods::default());
    let known = Arc::clone(&pods);
    let watch =
        watcher(everywhere_or_in(client, namespace), watcher::Config::default().labels(JOB_LABEL))
            .default_backoff()
            .try_filter(move |event| std::future::ready(known.see(event)))
            .touched_objects();
    (pods, watch)
}

/// The watch of jobs. One object that does not deserialise is told of in its status; the others proceed.
pub(crate) fn watch_jobs(
    client: &Client,
    namespace: Option<&str>,
    pods: impl Stream<Item = Result<Pod, watcher::Error>> + Send + 'static,
) -> Controller<Job> {
    let (store, writer) = reflector::store();
    let jobs = watcher(everywhere_or_in(client, namespace), watcher::Config::default())
        .default_backoff()
        // Who set which field is most of a job's memory, and decides nothing; a write without it leaves it as it is.
        .modify(|job: &mut Job| job.managed_fields_mut().clear())
        .reflect(writer)
        .applied_objects();
    Controller::for_stream(jobs, store).owns_stream(pods)
}

/// Reconciles whatever changed, while `leads` says so, until the controller's shutdown; passes that run are finished.
pub(crate) async fn work(
    controller: Controller<Job>,
    context: Arc<Context>,
    leads: watch::Receiver<bool>,
) {
    // What came by while another one led is looked at when we do.
    let begins = futures::stream::unfold(leads.clone(), async |mut leads| {
        leads.changed().await.ok()?;
        let now = *leads.borrow_and_update();
        Some((now, leads))
    });
    controller
        .reconcile_all_on(begins.filter(|now| std::future::ready(*now)).map(|_| ()))
        .run(
            move |job, context| {
                let leads = *leads.borrow();
                async move {
                    if leads {
                        reconcile::reconcile(job, context).await
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
                tracing::warn!(%error, "a pass failed");
            }
        })
        .await;
}

fn everywhere_or_in<K>(client: &Client, namespace: Option<&str>) -> Api<K>
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
fn on_error(_job: Arc<Job>, _error: &reconcile::Error, _context: Arc<Context>) -> Action {
    Action::requeue(AGAIN)
}
