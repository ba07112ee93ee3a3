//! What every reconcile needs. A simulation passes its own.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Node;
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::runtime::reflector::Store;
use shoprl_plan::cluster::OperatorPods;

use crate::key::OperatorKey;
use crate::metrics::Metrics;
use crate::permits::Permits;
use crate::pods::Pods;
use crate::progress::{AskTrainer, Dial};
use crate::rate_limit::RateLimit;
use crate::written::Written;

/// Limit of status writes that change only the progress, over all jobs.
const PROGRESS_WRITES_PER_SECOND: u32 = 10;

/// What every reconcile needs.
pub struct Context {
    /// Client of the API server.
    pub client: Client,
    /// Worker image of jobs that are accepted from now on.
    pub worker_image: String,
    /// The key that jobs' tokens derive from.
    pub key: OperatorKey,
    /// The operator's own pods, which network policies allow to reach the trainers.
    pub operator: Option<OperatorPods>,
    /// Cached pods of all jobs.
    pub pods: Arc<Pods>,
    /// Cached nodes with the fields that placement reads, if the operator may watch nodes.
    pub nodes: Option<Store<Node>>,
    /// The versions of jobs that this process wrote.
    pub written: Written,
    /// The current time.
    pub clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    /// Asks the trainers for their progress.
    pub trainers: Box<dyn AskTrainer>,
    /// Metrics of this process.
    pub metrics: Metrics,
    /// Name of this operator in events.
    pub identity: String,
    /// Limits status writes that change only the progress.
    pub progress_limit: RateLimit,
    /// Limits how many jobs are worked on concurrently.
    pub permits: Permits,
}

impl Context {
    /// A context with the machine's clock, real trainers and new metrics.
    pub fn new(client: Client, worker_image: String, key: OperatorKey, pods: Arc<Pods>) -> Self {
        Self {
            client,
            worker_image,
            key,
            operator: None,
            pods,
            nodes: None,
            written: Written::default(),
            clock: Box::new(Timestamp::now),
            trainers: Box::new(Dial),
            metrics: Metrics::default(),
            identity: "shoprl-operator".to_owned(),
            progress_limit: RateLimit::per_second(PROGRESS_WRITES_PER_SECOND),
            permits: Permits::default(),
        }
    }

    /// Replaces the clock.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { clock: Box::new(clock), ..self }
    }

    /// Replaces the source of the trainers' progress.
    #[must_use]
    pub fn with_trainers(self, trainers: impl AskTrainer + 'static) -> Self {
        Self { trainers: Box::new(trainers), ..self }
    }
}
