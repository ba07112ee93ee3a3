//! The life of the process: it fills its caches, waits for the lease, leads and shuts down.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use futures::FutureExt;
use kube::Client;
use kube::runtime::reflector::Store;
use shoprl_contract::error_chain;
use shoprl_plan::cluster::OperatorPods;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::time::{sleep, timeout};

use crate::admin::{self, Pages};
use crate::context::Context;
use crate::controller::{self, watch_jobs, watch_pods};
use crate::job::Job;
use crate::key::OperatorKey;
use crate::lease;
use crate::metrics::Metrics;
use crate::nodes;
use crate::pods::Pods;
use crate::progress::AskTrainer;

/// Longest time that running reconciles get at shutdown. The kubelet kills the process after 30 s.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest time to release the lease at shutdown.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(5);

/// An operator.
pub struct Operator {
    /// Client of the API server.
    pub client: Client,
    /// The namespace whose jobs it runs; `None`: all namespaces.
    pub namespace: Option<String>,
    /// Worker image of jobs that are accepted from now on.
    pub worker_image: String,
    /// The key that jobs' tokens derive from.
    pub key: OperatorKey,
    /// The operator's own pods, if it runs in pods.
    pub own: Option<OperatorPods>,
    /// Whether to watch nodes; needs a ClusterRole.
    pub watch_nodes: bool,
    /// Options of the leader election.
    pub election: lease::Options,
    /// Listener for `/healthz`, `/readyz` and `/metrics`.
    pub listener: TcpListener,
    /// Metrics of this process; those of the client must be the same.
    pub metrics: Metrics,
    /// Asks the trainers for their progress.
    pub trainers: Box<dyn AskTrainer>,
}

impl Operator {
    /// Waits for the lease and reconciles while it holds it, until `stop`. Then running reconciles are finished and the lease
    /// is released.
    ///
    /// # Errors
    /// When the lease is lost: the process must end, so that it starts again as a candidate. When the times of the election
    /// are inconsistent.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
        let Self {
            client,
            namespace,
            worker_image,
            key,
            own,
            watch_nodes,
            election,
            listener,
            metrics,
            trainers,
        } = self;
        let candidate = lease::Candidate::new(client.clone(), election.clone())?;
        let (pods, pod_events) = watch_pods(&client, namespace.as_deref());
        let controller = watch_jobs(&client, namespace.as_deref(), pod_events);
        let jobs = controller.store();
        let context = Context {
            operator: own,
            nodes: watch_nodes.then(|| nodes::watch(client.clone())),
            trainers,
            metrics: metrics.clone(),
            identity: election.identity,
            ..Context::new(client, worker_image, key, pods.clone())
        };
        let (set_leader, is_leader) = watch::channel(false);
        let (stopping, stopped) = oneshot::channel::<()>();
        let controller = controller.graceful_shutdown_on(async move {
            let _ = stopped.await;
        });
        let pages = Caches { jobs: jobs.clone(), pods: pods.clone(), metrics: metrics.clone() };
        tracing::info!(namespace = namespace.as_deref().unwrap_or("all"), "watch started");
        let mut holder = None;
        let end = tokio::select! {
            () = controller::run(controller, Arc::new(context), is_leader) => Ok(()),
            lost = lead(candidate, &jobs, &pods, &set_leader, &metrics, &mut holder) => Err(lost),
            ended = admin::serve(listener, Arc::new(pages)) => ended.context("the HTTP server ended"),
            () = shutdown_timeout(stop, stopping) => Ok(()),
        };
        metrics.set_leader(false);
        end?;
        if let Some(holder) = holder {
            match timeout(RELEASE_TIMEOUT, holder.release()).await {
                Ok(Ok(())) => {}
                // Another candidate acquires the lease after its duration.
                Ok(Err(error)) => {
                    tracing::warn!(error = error_chain(&error), "lease not released");
                }
                Err(_) => tracing::warn!("lease not released in time"),
            }
        }
        tracing::info!("operator stopped");
        Ok(())
    }
}

/// Waits for the caches and the lease, and leads while it holds the lease. Returns why leadership was lost.
async fn lead(
    candidate: lease::Candidate,
    jobs: &Store<Job>,
    pods: &Pods,
    set_leader: &watch::Sender<bool>,
    metrics: &Metrics,
    holder: &mut Option<lease::Holder>,
) -> anyhow::Error {
    // With an empty cache every pod would look missing.
    if jobs.wait_until_ready().await.is_err() {
        return anyhow!("the watch of jobs ended before its cache was filled");
    }
    pods.wait_until_listed().await;
    let holder = holder.insert(candidate.acquire().await);
    metrics.set_leader(true);
    set_leader.send_replace(true);
    let lost = holder.hold().await;
    set_leader.send_replace(false);
    lost.into()
}

/// Stops the controller when `stop` resolves. Returns if running reconciles do not end in time.
async fn shutdown_timeout(stop: impl Future<Output = ()>, stopping: oneshot::Sender<()>) {
    stop.await;
    tracing::info!("shutdown started");
    let _ = stopping.send(());
    sleep(SHUTDOWN_TIMEOUT).await;
    tracing::warn!("a reconcile did not end in time");
}

/// The source of the HTTP endpoints.
struct Caches {
    jobs: Store<Job>,
    pods: Arc<Pods>,
    metrics: Metrics,
}

impl Pages for Caches {
    fn missing(&self) -> Option<&'static str> {
        if self.jobs.wait_until_ready().now_or_never().is_none() {
            return Some("the cache of jobs is not filled yet");
        }
        (!self.pods.are_listed()).then_some("the cache of pods is not filled yet")
    }

    fn metrics(&self) -> String {
        let jobs = self.jobs.state();
        self.metrics.count_jobs(jobs.iter().map(|job| {
            let job = job.0.as_ref().ok()?;
            job.status.as_ref()?.phase.as_deref()
        }));
        self.metrics.text()
    }
}
