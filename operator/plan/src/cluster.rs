//! A job on a Kubernetes cluster: from the spec, the persisted intent and the observed pods to the next steps.
//!
//! A plan either changes the intent and does nothing else, or acts on the intent that is already persisted. So a
//! reconcile may be interrupted anywhere and repeated by another operator.

mod change;
mod children;
mod condition;
mod decide;
mod ending;
mod observed;
mod placed;
mod pod;
mod report;
mod surroundings;
mod workers;

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use shoprl_crds::{Progress, ShopRLJobStatus};

pub use change::Change;
pub use children::{Children, children};
pub use decide::plan;
pub use ending::{Ending, Fate};
pub use observed::{ObservedPod, PodState, generation};
pub use report::{refused, rejected, unreadable};
pub use surroundings::{OperatorPods, Surroundings};
pub use workers::{pod_name, worker_id};

use crate::Validated;
use crate::placement::Node;

/// Label of every object of a job: the job's name.
pub const JOB_LABEL: &str = "shoprl.dev/job";
/// Label of pods: simulator, rollout, reward or trainer.
pub const ROLE_LABEL: &str = "shoprl.dev/role";
/// Label of pods: replica index within the role.
pub const INDEX_LABEL: &str = "shoprl.dev/index";
/// Label of pods: the worker's incarnation. A trainer's incarnation is the job's attempt.
pub const INCARNATION_LABEL: &str = "shoprl.dev/incarnation";
/// Annotation of pods and surroundings: the generation of the spec that they were made from.
pub const GENERATION_ANNOTATION: &str = "shoprl.dev/generation";
/// Port of a trainer's gRPC services.
pub const TRAINER_PORT: i32 = 7000;
/// Port of a trainer's Prometheus metrics.
pub const METRICS_PORT: i32 = 7003;
/// Port of a simulator's gRPC service.
pub const SIMULATOR_PORT: i32 = 7001;
/// Port of the readiness probe of rollouts and reward workers.
pub const READY_PORT: i32 = 7002;

/// What a plan needs to know about a job, apart from its pods.
#[derive(Debug, Clone)]
pub struct JobFacts<'a> {
    /// The job's namespace.
    pub namespace: &'a str,
    /// UID of the job's object.
    pub uid: &'a str,
    /// Generation of the spec.
    pub generation: Option<i64>,
    /// Resource version at which the object was read.
    pub version: Option<&'a str>,
    /// Owner reference to the job, for objects that are deleted with it.
    pub owner: OwnerReference,
    /// The worker image for a job that is accepted now and names none.
    pub image: &'a str,
    /// The operator's own pods, if it runs in pods.
    pub operator: Option<&'a OperatorPods>,
    /// The token that requests between the job's workers carry.
    pub token: &'a str,
    /// The valid spec.
    pub validated: &'a Validated,
    /// The persisted status.
    pub status: &'a ShopRLJobStatus,
}

/// What was observed of a job.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// The job's pods.
    pub pods: Vec<ObservedPod>,
    /// The trainer's answer to `GetProgress`, if there is one.
    pub progress: Option<Progress>,
    /// The nodes, if the operator may list them and a pod has no node yet.
    pub nodes: Option<Vec<Node>>,
}

/// The next steps for a job.
#[derive(Debug, Clone)]
pub struct Plan {
    /// A status with a changed intent, to be persisted. If there is one, this reconcile has no effects.
    pub intent: Option<ShopRLJobStatus>,
    /// Effects that follow from the persisted intent.
    pub effects: Vec<Effect>,
    /// The status to write after the effects.
    pub report: ShopRLJobStatus,
    /// When to reconcile again even if no event arrives.
    pub requeue_after: Option<Duration>,
}

/// One idempotent step.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Applies the surroundings: before each trainer, and whenever they differ from those that were applied last.
    Surround(Box<Surroundings>),
    /// Creates the objects that the pods of an attempt need, before its trainer is created.
    Prepare(Box<Children>),
    /// Creates a pod. A pod of the job that already exists under this name is success.
    Create(Box<Pod>),
    /// Deletes exactly this pod.
    Delete {
        /// Name of the pod.
        name: String,
        /// UID of the pod. Another pod of the same name is not deleted.
        uid: String,
    },
    /// Deletes the job, which has ended, unless it changed in the meantime.
    DeleteJob {
        /// Name of the job.
        name: String,
        /// UID of the job.
        uid: String,
        /// The resource version that the decision is based on.
        version: Option<String>,
    },
}
