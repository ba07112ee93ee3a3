//! The life of the process: its caches fill, it stands by, it leads, it leaves.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use futures::FutureExt;
use kube::Client;
use kube::runtime::reflector::Store;
use shoprl_plan::cluster::OperatorPods;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::time::{sleep, timeout};

use crate::admin::{self, Pages};
use crate::context::Context;
use crate::controller::{watch_jobs, watch_pods, work};
use crate::job::Job;
use crate::key::OperatorKey;
use crate::lease;
use crate::metrics::Metrics;
use crate::nodes;
use crate::pods::Pods;
use crate::progress::AskTrainer;

/// Passes that run when the process shall leave get so long; the kubelet kills after 30 s.
const FINISH: Duration = Duration::from_secs(20);
/// And giving back the lease so long.
const GIVE_BACK: Duration = Duration::from_secs(5);

/// An operator.
pub struct Operator {
    /// The API server.
    pub client: Client,
    /// Only jobs of this namespace.
    pub namespace: Option<String>,
    /// Image of jobs that are accepted from now on.
    pub worker_image: String,
    /// What jobs' tokens derive from.
    pub key: OperatorKey,
    /// The operator's own pods, if it runs in some.
    pub own: Option<OperatorPods>,
    /// Whether it may see the nodes: needs a ClusterRole.
    pub watch_nodes: bool,
    /// How the one that works is chosen.
    pub election: lease::Options,
    /// Where `/healthz`, `/readyz` and `/metrics` are asked for.
    pub listener: TcpListener,
    /// What is counted; the client's counters are to be the same.
    pub metrics: Metrics,
    /// Who asks the trainers how far they are.
    pub trainers: Box<dyn AskTrainer>,
}

impl Operator {
    /// Works, or stands by until it may, until `stop`. Passes that run are finished then and the lease is given back.
    ///
    /// # Errors
    /// When the lease is lost: the process shall end at once, and the next one begins as a candidate. When the
    /// election's times do not fit together.
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
        let (leads, leads_seen) = watch::channel(false);
        let (stopping, stopped) = oneshot::channel::<()>();
        let controller = controller.graceful_shutdown_on(async move {
            let _ = stopped.await;
        });
        let pages = Caches { jobs: jobs.clone(), pods: pods.clone(), metrics: metrics.clone() };
        tracing::info!(namespace = namespace.as_deref().unwrap_or("all"), "watching");
        let mut holder = None;
        let end = tokio::select! {
            () = work(controller, Arc::new(context), leads_seen) => Ok(()),
            lost = lead(candidate, &jobs, &pods, &leads, &metrics, &mut holder) => Err(lost),
            never = admin::serve(listener, Arc::new(pages)) => match never {},
            () = overdue(stop, stopping) => Ok(()),
        };
        metrics.leads(false);
        end?;
        if let Some(holder) = holder {
            match timeout(GIVE_BACK, holder.release()).await {
                Ok(Ok(())) => {}
                // Whoever waits for it takes it after its duration.
                Ok(Err(error)) => tracing::warn!(%error, "the lease was not given back"),
                Err(_) => tracing::warn!("the lease was not given back in time"),
            }
        }
        tracing::info!("leaves");
        Ok(())
    }
}

/// Waits for the caches and for the lease, works as long as it is held; returns why it is not any more.
async fn lead(
    candidate: lease::Candidate,
    jobs: &Store<Job>,
    pods: &Pods,
    leads: &watch::Sender<bool>,
    metrics: &Metrics,
    holder: &mut Option<lease::Holder>,
) -> anyhow::Error {
    // In an empty cache every pod would be missing.
    if jobs.wait_until_ready().await.is_err() {
        return anyhow!("a watch ended before its cache was filled");
    }
    pods.wait_until_listed().await;
    let holder = holder.insert(candidate.acquire().await);
    metrics.leads(true);
    leads.send_replace(true);
    let lost = holder.hold().await;
    leads.send_replace(false);
    lost.into()
}

/// Returns when the passes that ran when the process was to leave had time enough.
async fn overdue(stop: impl Future<Output = ()>, stopping: oneshot::Sender<()>) {
    stop.await;
    tracing::info!("finishes the passes that run");
    let _ = stopping.send(());
    sleep(FINISH).await;
    tracing::warn!("a pass did not end in time");
}

/// What the process tells of itself.
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
