//! How a pod ended, and what that means for the job.

use k8s_openapi::api::core::v1::{ContainerStateTerminated, Pod};
use shoprl_contract::{Exit, ExitReason, Outcome};

/// What an ending means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The work is done.
    Done,
    /// It can never work: the job fails.
    Permanent,
    /// It was taken away; replaced without being counted against the budget.
    Disrupted,
    /// It failed by itself; replaced as long as the budget lasts.
    Failed,
}

/// How a pod ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// What it means.
    pub fate: Fate,
    /// One word.
    pub reason: String,
    /// The worker's last words, or what the kubelet says.
    pub message: String,
    /// What a trainer says of the job that it finished.
    pub outcome: Option<Outcome>,
}

/// Pod reasons by which the kubelet or the cluster takes a pod away or never lets it begin.
const TAKEN_AWAY: [&str; 8] = [
    "Evicted",
    "Preempting",
    "NodeLost",
    "NodeShutdown",
    "Shutdown",
    "Terminated",
    "UnexpectedAdmissionError",
    "NodeAffinity",
];

impl Ending {
    /// The ending of `pod`; `None` while it lives.
    pub fn of(pod: &Pod) -> Option<Self> {
        let status = pod.status.as_ref()?;
        let container = status.container_statuses.iter().flatten().next();
        let terminated = container.and_then(|status| status.state.as_ref()?.terminated.as_ref());
        let over = matches!(status.phase.as_deref(), Some("Failed" | "Succeeded"));
        if !over && terminated.is_none() {
            return None;
        }
        let reason = status.reason.clone().unwrap_or_default();
        let targeted =
            status.conditions.iter().flatten().any(|condition| {
                condition.type_ == "DisruptionTarget" && condition.status == "True"
            });
        if TAKEN_AWAY.contains(&reason.as_str()) || reason.starts_with("OutOf") || targeted {
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

    /// By the exit contract of a worker (docs/ARCHITECTURE.md), and by what the runtime adds to it.
    fn of_container(terminated: &ContainerStateTerminated, deleted: bool) -> Self {
        let said = terminated.message.as_deref().unwrap_or_default().trim();
        let exit: Option<Exit> = serde_json::from_str(said).ok();
        let runtime = terminated.reason.as_deref().unwrap_or_default();
        let lost = matches!(runtime, "Unknown" | "ContainerStatusUnknown");
        let (fate, reason) = match terminated.exit_code {
            0 => (Fate::Done, "Done"),
            // A worker that was asked to stop, or the kubelet's SIGKILL after the grace period.
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
            None => format!("exit code {}, no last words", terminated.exit_code),
        };
        Self { fate, reason: reason.to_owned(), message, outcome: exit.and_then(|it| it.outcome) }
    }
}
