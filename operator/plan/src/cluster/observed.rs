//! The fields of a pod that planning reads.

use k8s_openapi::api::core::v1::{Pod, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;

use super::ending::{Ending, worker_container};
use super::workers::worker_id;
use super::{GENERATION_ANNOTATION, INCARNATION_LABEL, INDEX_LABEL, ROLE_LABEL};
use crate::local::ProcessId;

/// A pod of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedPod {
    /// Name of the pod.
    pub name: String,
    /// UID of the pod.
    pub uid: String,
    /// The worker that runs in the pod.
    pub worker: ProcessId,
    /// The worker's incarnation.
    pub incarnation: i32,
    /// Generation of the job's spec that the pod was made from; 0 if it has no annotation.
    pub generation: i64,
    /// State of the pod.
    pub state: PodState,
    /// The end of the grace period, if the pod is being deleted.
    pub gone_by: Option<Timestamp>,
    /// IP address, once assigned.
    pub address: Option<String>,
    /// Node, once scheduled.
    pub node: Option<String>,
}

/// State of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PodState {
    /// Not running yet, with the reason; the reason is empty during an ordinary start.
    Waiting(String),
    /// Running, not ready yet.
    Starting,
    /// Running and ready.
    Ready,
    /// Ended.
    Ended(Ending),
}

impl ObservedPod {
    /// Reads a pod; `None` if it lacks the operator's labels.
    pub fn of(pod: &Pod) -> Option<Self> {
        let labels = pod.metadata.labels.as_ref()?;
        let worker = format!("{}-{}", labels.get(ROLE_LABEL)?, labels.get(INDEX_LABEL)?);
        Some(Self {
            name: pod.metadata.name.clone()?,
            uid: pod.metadata.uid.clone()?,
            worker: worker_id(&worker)?,
            incarnation: labels.get(INCARNATION_LABEL)?.parse().ok()?,
            generation: generation(&pod.metadata),
            state: state(pod),
            gone_by: pod.metadata.deletion_timestamp.as_ref().map(|time| time.0),
            address: pod.status.as_ref().and_then(|status| status.pod_ip.clone()),
            node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
        })
    }

    /// How the pod ended; `None` while it is live.
    pub fn ending(&self) -> Option<&Ending> {
        match &self.state {
            PodState::Ended(ending) => Some(ending),
            _ => None,
        }
    }

    /// Whether the scheduler found no node for the pod.
    pub fn is_unplaced(&self) -> bool {
        matches!(&self.state, PodState::Waiting(why) if why.starts_with(UNPLACED))
    }
}

/// Generation of the job's spec that an object was made from; 0 if it has no annotation.
pub fn generation(object: &ObjectMeta) -> i64 {
    let annotation = object.annotations.as_ref().and_then(|it| it.get(GENERATION_ANNOTATION));
    annotation.and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn state(pod: &Pod) -> PodState {
    if let Some(ending) = Ending::of(pod) {
        return PodState::Ended(ending);
    }
    let Some(status) = &pod.status else { return PodState::Waiting(String::new()) };
    if status.phase.as_deref() != Some("Running") {
        return PodState::Waiting(why(status));
    }
    let is_true = |kind: &str| {
        status.conditions.iter().flatten().any(|c| c.type_ == kind && c.status == "True")
    };
    if is_true("Ready") { PodState::Ready } else { PodState::Starting }
}

/// Prefix of the reason of a pod that the scheduler found no node for.
pub(super) const UNPLACED: &str = "cannot be placed: ";

/// Why a pod is pending, as the scheduler or the kubelet reports it.
fn why(status: &PodStatus) -> String {
    let unplaced = status
        .conditions
        .iter()
        .flatten()
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
    if let Some(message) = unplaced.and_then(|condition| condition.message.as_ref()) {
        return format!("{UNPLACED}{message}");
    }
    let waiting =
        worker_container(status).and_then(|status| status.state.as_ref()?.waiting.as_ref());
    let Some(waiting) = waiting else { return String::new() };
    match (waiting.reason.as_deref(), waiting.message.as_deref()) {
        // An ordinary start.
        (Some("ContainerCreating" | "PodInitializing") | None, _) => String::new(),
        (Some(reason), Some(message)) => format!("{reason}: {message}"),
        (Some(reason), None) => reason.to_owned(),
    }
}
