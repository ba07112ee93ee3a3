//! A pod as the plan sees it.

use k8s_openapi::api::core::v1::{Pod, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;

use super::ending::Ending;
use super::{GENERATION_ANNOTATION, INCARNATION_LABEL, INDEX_LABEL, ROLE_LABEL, worker_id};
use crate::local::ProcessId;

/// A pod of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedPod {
    /// Its name.
    pub name: String,
    /// Its unique id.
    pub uid: String,
    /// Whose pod it is.
    pub worker: ProcessId,
    /// Which of the worker's pods.
    pub incarnation: i32,
    /// The generation of the job's spec that wanted it; 0 when it does not tell.
    pub generation: i64,
    /// How it is.
    pub state: PodState,
    /// It is being deleted, and shall be gone by then.
    pub gone_by: Option<Timestamp>,
    /// Its address, once it has one.
    pub address: Option<String>,
    /// The node that it was given.
    pub node: Option<String>,
}

/// How a pod is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PodState {
    /// Not running yet, with what holds it in words.
    Waiting(String),
    /// Running, not ready yet.
    Starting,
    /// Ready.
    Ready,
    /// Over.
    Ended(Ending),
}

impl ObservedPod {
    /// Reads a pod; `None` for one without the operator's labels.
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

    /// Whether it is over.
    pub fn ending(&self) -> Option<&Ending> {
        match &self.state {
            PodState::Ended(ending) => Some(ending),
            _ => None,
        }
    }

    /// Whether the scheduler has no node for it.
    pub fn is_unplaced(&self) -> bool {
        matches!(&self.state, PodState::Waiting(why) if why.starts_with(UNPLACED))
    }
}

/// The generation of the job's spec that asked for an object of it; 0 when it does not say.
pub fn generation(object: &ObjectMeta) -> i64 {
    let said = object.annotations.as_ref().and_then(|it| it.get(GENERATION_ANNOTATION));
    said.and_then(|said| said.parse().ok()).unwrap_or(0)
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

/// How the words about a pod begin that the scheduler has no node for.
pub(super) const UNPLACED: &str = "cannot be placed: ";

/// What holds a pending pod, as the scheduler or the kubelet says.
fn why(status: &PodStatus) -> String {
    let unplaced = status
        .conditions
        .iter()
        .flatten()
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
    if let Some(message) = unplaced.and_then(|condition| condition.message.as_ref()) {
        return format!("{UNPLACED}{message}");
    }
    let container = status.container_statuses.iter().flatten().next();
    let waiting = container.and_then(|status| status.state.as_ref()?.waiting.as_ref());
    let Some(waiting) = waiting else { return String::new() };
    match (waiting.reason.as_deref(), waiting.message.as_deref()) {
        // The ordinary way of a pod that starts.
        (Some("ContainerCreating" | "PodInitializing") | None, _) => String::new(),
        (Some(reason), Some(message)) => format!("{reason}: {message}"),
        (Some(reason), None) => reason.to_owned(),
    }
}
