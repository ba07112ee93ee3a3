//! How a pod ended, and what that means for the job.

use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod, PodStatus};
use shoprl_contract::{Exit, ExitReason, Outcome};

/// What an ending means for the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The worker finished its work.
    Done,
    /// A retry cannot help: the job fails.
    Permanent,
    /// The worker was ended from outside. It is replaced; the restart budget does not count it.
    Disrupted,
    /// The worker failed by its own fault. It is replaced within the restart budget.
    Failed,
}

/// How a pod ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// What the ending means for the job.
    pub fate: Fate,
    /// One word, for example `OOMKilled`.
    pub reason: String,
    /// The worker's termination message, or the kubelet's message.
    pub message: String,
    /// The results that a trainer left when it finished the job.
    pub outcome: Option<Outcome>,
}

/// Reasons with which the kubelet or the cluster ends a pod, or does not start it.
const DISRUPTIONS: [&str; 8] = [
    "Evicted",
    "Preempting",
    "NodeLost",
    "NodeShutdown",
    "Shutdown",
    "Terminated",
    "UnexpectedAdmissionError",
    "NodeAffinity",
];

/// Name of the worker's container. Admission webhooks may inject others (a mesh, a vault agent), which the kubelet lists
/// by name.
pub(super) const WORKER_CONTAINER: &str = "worker";

/// The status of the worker's container, whatever other containers the pod has.
pub(super) fn worker_container(status: &PodStatus) -> Option<&ContainerStatus> {
    status.container_statuses.iter().flatten().find(|it| it.name == WORKER_CONTAINER)
}

impl Ending {
    /// The ending of `pod`; `None` while the pod is live.
    pub fn of(pod: &Pod) -> Option<Self> {
        let status = pod.status.as_ref()?;
        let terminated =
            worker_container(status).and_then(|status| status.state.as_ref()?.terminated.as_ref());
        let is_over = matches!(status.phase.as_deref(), Some("Failed" | "Succeeded"));
        if !is_over && terminated.is_none() {
            return None;
        }
        let reason = status.reason.clone().unwrap_or_default();
        let is_disruption_target =
            status.conditions.iter().flatten().any(|condition| {
                condition.type_ == "DisruptionTarget" && condition.status == "True"
            });
        if DISRUPTIONS.contains(&reason.as_str())
            || reason.starts_with("OutOf")
            || is_disruption_target
        {
            let reason = if reason.is_empty() { "Disrupted".to_owned() } else { reason };
            let message = status.message.clone().unwrap_or_default();
            return Some(Self { fate: Fate::Disrupted, reason, message, outcome: None });
        }
        let deleted = pod.metadata.deletion_timestamp.is_some();
        Some(terminated.map_or_else(
            || Self {
                fate: Fate::Failed,
                reason: if reason.is_empty() { "Unknown".to_owned() } else { reason },
                message: status.message.clone().unwrap_or_default(),
                outcome: None,
            },
            |terminated| Self::of_container(terminated, deleted),
        ))
    }

    /// Reads the exit code by the exit contract of workers (docs/ARCHITECTURE.md) and the container runtime's reason.
    fn of_container(terminated: &ContainerStateTerminated, deleted: bool) -> Self {
        let message = terminated.message.as_deref().unwrap_or_default().trim();
        let exit: Option<Exit> = serde_json::from_str(message).ok();
        let runtime = terminated.reason.as_deref().unwrap_or_default();
        let lost = matches!(runtime, "Unknown" | "ContainerStatusUnknown");
        let (fate, reason) = match terminated.exit_code {
            0 => (Fate::Done, "Done"),
            // The worker was asked to stop; 137 is the kubelet's SIGKILL after the grace period.
            143 => (Fate::Disrupted, "Stopped"),
            137 if deleted => (Fate::Disrupted, "Killed"),
            255 if lost => (Fate::Disrupted, "NodeLost"),
            137 if lost => (Fate::Disrupted, "NodeLost"),
            64 => (Fate::Permanent, "BadConfiguration"),
            _ if runtime == "OOMKilled" => (Fate::Failed, "OOMKilled"),
            75 => (Fate::Failed, "Temporary"),
            137 => (Fate::Failed, "Killed"),
            101 => (Fate::Failed, "Panic"),
            _ => (Fate::Failed, "Error"),
        };
        let message = match &exit {
            Some(exit) if exit.reason != ExitReason::Done => exit.message.clone(),
            Some(_) => String::new(),
            None => format!("exit code {}, no termination message", terminated.exit_code),
        };
        Self { fate, reason: reason.to_owned(), message, outcome: exit.and_then(|it| it.outcome) }
    }
}
