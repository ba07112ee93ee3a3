//! How a process ended.

use std::fmt;

use shoprl_contract::{Exit, ExitReason};

/// How a process ended, by the exit contract or outside of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// By the exit contract.
    Exit(Exit),
    /// Any other way, in words: killed by a signal, a panic, a start that failed.
    Crash(String),
}

impl Ending {
    /// The reason, for endings by the contract.
    pub fn reason(&self) -> Option<ExitReason> {
        match self {
            Self::Exit(exit) => Some(exit.reason),
            Self::Crash(_) => None,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(exit) if exit.message.is_empty() => {
                write!(f, "exit code {}", exit.reason.code())
            }
            Self::Exit(exit) => f.write_str(&exit.message),
            Self::Crash(what) => f.write_str(what),
        }
    }
}
