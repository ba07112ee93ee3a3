//! What every pass needs; a simulation hands in its own.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Node;
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::runtime::reflector::Store;
use shoprl_plan::cluster::OperatorPods;

use crate::key::OperatorKey;
use crate::metrics::Metrics;
use crate::pace::Pace;
use crate::pods::Pods;
use crate::progress::{AskTrainer, Dial};
use crate::turns::Turns;
use crate::written::Written;

/// Statuses that only tell of progress: at most so many a second.
const PROGRESS_A_SECOND: u32 = 10;

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
    /// Pods of all jobs.
    pub pods: Arc<Pods>,
    /// All nodes, as far as placement looks at them, where the operator may see them.
    pub nodes: Option<Store<Node>>,
    /// The statuses that this process wrote.
    pub written: Written,
    /// What time it is.
    pub clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    /// Who asks the trainers how far they are.
    pub trainers: Box<dyn AskTrainer>,
    /// What is counted.
    pub metrics: Metrics,
    /// Who we are, in events.
    pub identity: String,
    /// When a status that only tells of progress may be written.
    pub progress_pace: Pace,
    /// How many jobs are worked on at once.
    pub turns: Turns,
}

impl Context {
    /// With the machine's clock, real trainers and counters of its own.
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
            progress_pace: Pace::a_second(PROGRESS_A_SECOND),
            turns: Turns::default(),
        }
    }

    /// With another clock.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { clock: Box::new(clock), ..self }
    }

    /// With somebody else who knows how far the trainers are.
    #[must_use]
    pub fn with_trainers(self, trainers: impl AskTrainer + 'static) -> Self {
        Self { trainers: Box::new(trainers), ..self }
    }
}
