//! A job on a Kubernetes: from the spec, the persisted intent and the pods that are there to what is done next.
//!
//! One pass either changes the intent, and then does nothing else, or acts on the intent that was persisted. So a
//! pass may be lost at any point and repeated by whoever comes next.

mod change;
mod children;
mod decide;
mod ending;
mod observed;
mod placed;
mod pod;
mod report;
mod resources;
mod surroundings;

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use shoprl_contract::Role;
use shoprl_crds::{Progress, ShopRLJobStatus, WorkerIntent};

pub use change::Change;
pub use children::{Children, children};
pub use decide::{ApplicationBudget, plan};
pub use ending::{Ending, Fate};
pub use observed::{ObservedPod, PodState, generation};
pub use report::{refused, rejected, unreadable};
pub use surroundings::{OperatorPods, Surroundings};

pub(crate) use resources::requests;

use crate::Validated;
use crate::local::ProcessId;
use crate::placement::Node;

/// Label that every object of a job carries; its value is the job's name.
pub const JOB_LABEL: &str = "shoprl.dev/job";
/// Label of pods: simulator, rollout, reward or trainer.
pub const ROLE_LABEL: &str = "shoprl.dev/role";
/// Label of pods: replica index within the role.
pub const INDEX_LABEL: &str = "shoprl.dev/index";
/// Label of pods: the worker's incarnation; a trainer's is the job's attempt.
pub const INCARNATION_LABEL: &str = "shoprl.dev/incarnation";
/// Annotation of pods and of what surrounds them: the generation of the job's spec that asked for it.
pub const GENERATION_ANNOTATION: &str = "shoprl.dev/generation";
/// Where a trainer listens.
pub const TRAINER_PORT: i32 = 7000;
/// Where a trainer tells Prometheus how far it is.
pub const METRICS_PORT: i32 = 7003;
/// Where a simulator listens.
pub const SIMULATOR_PORT: i32 = 7001;
/// Where rollouts and reward workers listen for the kubelet's probe alone.
pub const READY_PORT: i32 = 7002;

/// What is known of a job before its pods are looked at.
#[derive(Debug, Clone)]
pub struct JobFacts<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Unique id of its object.
    pub uid: &'a str,
    /// Generation of the spec.
    pub generation: Option<i64>,
    /// Version of its object that was read.
    pub version: Option<&'a str>,
    /// Points at the job, for everything that goes when it goes.
    pub owner: OwnerReference,
    /// The worker image of a job that is accepted now.
    pub image: &'a str,
    /// The operator's own pods, if it runs in some.
    pub operator: Option<&'a OperatorPods>,
    /// What every request among its workers carries.
    pub token: &'a str,
    /// The spec.
    pub validated: &'a Validated,
    /// The status as it is persisted.
    pub status: &'a ShopRLJobStatus,
}

/// What was seen of a job.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Its pods.
    pub pods: Vec<ObservedPod>,
    /// What the trainer answered, if it was asked and answered.
    pub progress: Option<Progress>,
    /// The nodes, where the operator may see them and a pod has none yet.
    pub nodes: Option<Vec<Node>>,
}

/// What to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// A changed wish, to be persisted before anything else; nothing else is done in this pass.
    pub intent: Option<ShopRLJobStatus>,
    /// What to do about the persisted wish.
    pub effects: Vec<Effect>,
    /// What to say afterwards.
    pub report: ShopRLJobStatus,
    /// When to look again although nothing happened.
    pub look_again: Option<Duration>,
}

/// One step that may be repeated.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Applies what surrounds the pods: at every attempt, and when it is another than was applied last.
    Surround(Box<Surroundings>),
    /// Makes what the pods of an attempt need: before its trainer is created.
    Prepare(Box<Children>),
    /// Creates a pod; that it is there already is fine if it is the job's.
    Create(Box<Pod>),
    /// Deletes exactly this pod.
    Delete {
        /// Its name.
        name: String,
        /// Its unique id: another of the same name is left alone.
        uid: String,
    },
    /// Deletes the job itself, which is over, unless it changed since.
    DeleteJob {
        /// Its name.
        name: String,
        /// Its unique id.
        uid: String,
        /// The version by which this was decided.
        version: Option<String>,
    },
}

/// Name of a worker's pod.
pub fn pod_name(job: &str, worker: &WorkerIntent) -> String {
    format!("{job}-{}-{}", worker.worker, worker.incarnation)
}

/// The worker named `rollout-1`.
pub fn worker_id(name: &str) -> Option<ProcessId> {
    let (role, index) = name.rsplit_once('-')?;
    let role = Role::ALL.into_iter().find(|known| known.name() == role)?;
    Some(ProcessId { role, index: index.parse().ok()? })
}
