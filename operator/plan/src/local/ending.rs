//! How a process ended.

use std::fmt;

use shoprl_contract::{Exit, ExitReason};

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// According to the exit contract.
    Exit(Exit),
    /// In another way: a signal, a panic, a failed start. The text describes it.
    Crash(String),
}

impl Ending {
    /// The exit reason; `None` for a crash.
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
            Self::Crash(description) => f.write_str(description),
        }
    }
}
