//! The exit contract of a worker: what its exit code and its last words mean to whoever started it.

use serde::{Deserialize, Serialize};

/// Why a worker ended. The code is the process's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ExitReason {
    /// 0: the work is done.
    Done,
    /// 64: the configuration can never work; restarting does not help.
    BadConfiguration,
    /// 75: it may work next time (a peer is gone, a port is taken, the disk is full).
    Temporary,
    /// 143: asked to stop; a checkpoint was written where there was something to keep.
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

/// A worker's last words: one JSON line in the termination message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exit {
    /// Closed reason, decides what is done next.
    pub reason: ExitReason,
    /// For people: what happened and what to do about it.
    pub message: String,
    /// What a trainer came to that reached its target step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// What a job came to. Nobody can ask a trainer that is over, so these are its last words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Version of the last weights.
    pub weights_version: u64,
    /// Newest success rate, from 0 to 1 with two decimals; absent when the last attempt measured none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<String>,
}

impl Exit {
    /// The work is done.
    pub fn done() -> Self {
        Self::new(ExitReason::Done, "")
    }

    /// The work is done, and this came of it.
    pub fn finished(outcome: Outcome) -> Self {
        Self { outcome: Some(outcome), ..Self::done() }
    }

    /// Any of them.
    pub fn new(reason: ExitReason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), outcome: None }
    }

    /// The configuration can never work.
    pub fn bad_configuration(message: impl Into<String>) -> Self {
        Self::new(ExitReason::BadConfiguration, message)
    }

    /// It may work next time.
    pub fn temporary(message: impl Into<String>) -> Self {
        Self::new(ExitReason::Temporary, message)
    }

    /// Asked to stop.
    pub fn stopped(message: impl Into<String>) -> Self {
        Self::new(ExitReason::Stopped, message)
    }
}
