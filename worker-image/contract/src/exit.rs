//! The exit contract of a worker: what its exit code and its termination message mean.

use serde::{Deserialize, Serialize};

/// Why a worker ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ExitReason {
    /// Exit code 0: the work is done.
    Done,
    /// Exit code 64: the configuration can never work, so a restart does not help.
    BadConfiguration,
    /// Exit code 75: a restart may help (a peer is gone, a port is taken, the disk is full).
    Temporary,
    /// Exit code 143: the worker was asked to stop. A trainer has written a checkpoint if there was progress to keep.
    Stopped,
}

impl ExitReason {
    /// Exit code of the process.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::BadConfiguration => 64,
            Self::Temporary => 75,
            Self::Stopped => 143,
        }
    }
}

/// The termination message of a worker: one line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exit {
    /// Decides whether the worker is restarted.
    pub reason: ExitReason,
    /// What happened and what to do about it, for people.
    pub message: String,
    /// The result of a trainer that reached its target step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// The result of a job. It is in the termination message because a finished trainer answers no requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Version of the last weights.
    pub weights_version: u64,
    /// Newest success rate, 0 to 1 with two decimals. Absent if the last attempt had no evaluation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<String>,
}

impl Exit {
    /// The work is done.
    pub fn done() -> Self {
        Self::new(ExitReason::Done, "")
    }

    /// The work is done, with a result.
    pub fn finished(outcome: Outcome) -> Self {
        Self { outcome: Some(outcome), ..Self::done() }
    }

    /// An exit with any reason, without a result.
    pub fn new(reason: ExitReason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), outcome: None }
    }

    /// The configuration can never work.
    pub fn bad_configuration(message: impl Into<String>) -> Self {
        Self::new(ExitReason::BadConfiguration, message)
    }

    /// A restart may help.
    pub fn temporary(message: impl Into<String>) -> Self {
        Self::new(ExitReason::Temporary, message)
    }

    /// The worker was asked to stop.
    pub fn stopped(message: impl Into<String>) -> Self {
        Self::new(ExitReason::Stopped, message)
    }
}
