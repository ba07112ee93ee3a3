//! The watches, and the queue of jobs to look at.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::jiff::Timestamp;
use kube::core::DeserializeGuard;
use kube::runtime::controller::Action;
use kube::runtime::reflector::{self, Store};
use kube::runtime::{Controller, WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use shoprl_crds::ShopRLJob;
use shoprl_plan::cluster::{JOB_LABEL, NODE_ANNOTATION, OperatorPods};

use crate::key::OperatorKey;
use crate::nodes;
use crate::progress::{AskTrainer, Dial};
use crate::reconcile::{self, Written};

/// How long after an error a job is looked at again.
const AGAIN: Duration = Duration::from_secs(3);

/// What every pass needs.
pub struct Context {
    /// The API server.
    pub client: Client,
    /// Image of jobs that are accepted from now on.
    pub worker_image: String,
    /// What jobs' tokens derive from.
    pub key: OperatorKey,
    /// The operator's own pods, which network policies let reach the trainers.
    pub operator: Option<OperatorPods>,
    /// Pods of all jobs, without their specs.
    pub pods: Store<Pod>,
    /// All nodes, as far as placement looks at them, where the operator may see them.
    pub nodes: Option<Store<Node>>,
    /// The statuses that this process wrote.
    pub written: Written,
    /// What time it is.
    pub clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    /// Who asks the trainers how far they are.
    pub trainers: Box<dyn AskTrainer>,
}

/// What jobs are made with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Image of jobs that are accepted from now on.
    pub worker_image: String,
    /// The operator's own pods, if it runs in some.
    pub operator: Option<OperatorPods>,
    /// Whether it may see the nodes: needs a ClusterRole.
    pub watch_nodes: bool,
}

/// Reconciles until SIGTERM or Ctrl-C.
///
/// # Errors
/// None yet: a watch that fails is tried again.
pub async fn run(
    client: Client,
    namespace: Option<&str>,
    settings: Settings,
    key: OperatorKey,
) -> anyhow::Result<()> {
    // One object that does not deserialise gets a condition; the others proceed.
    let jobs: Api<DeserializeGuard<ShopRLJob>> = match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let pods: Api<Pod> = match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let (store, writer) = reflector::store();
    let pods = watcher(pods, watcher::Config::default().labels(JOB_LABEL))
        .default_backoff()
        .modify(trim)
        .reflect(writer)
        .touched_objects();
    let context = Arc::new(Context {
        client: client.clone(),
        worker_image: settings.worker_image,
        key,
        operator: settings.operator,
        pods: store,
        nodes: settings.watch_nodes.then(|| nodes::watch(client)),
        written: Written::default(),
        clock: Box::new(Timestamp::now),
        trainers: Box::new(Dial),
    });
    tracing::info!(namespace = namespace.unwrap_or("all"), "watching");
    Controller::new(jobs, watcher::Config::default())
        .owns_stream(pods)
        .shutdown_on_signal()
        .run(reconcile::reconcile, on_error, context)
        .for_each(|result| async move {
            if let Err(error) = result {
                tracing::warn!(%error, "a pass failed");
            }
        })
        .await;
    tracing::info!("leaving");
    Ok(())
}

/// Only metadata and status decide anything, and on which node it is; the rest would be most of the memory.
pub fn trim(pod: &mut Pod) {
    pod.managed_fields_mut().clear();
    pod.annotations_mut().clear();
    if let Some(node) = pod.spec.take().and_then(|spec| spec.node_name) {
        pod.annotations_mut().insert(NODE_ANNOTATION.to_owned(), node);
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the controller's signature")]
fn on_error(
    _job: Arc<DeserializeGuard<ShopRLJob>>,
    _error: &reconcile::Error,
    _context: Arc<Context>,
) -> Action {
    Action::requeue(AGAIN)
}
