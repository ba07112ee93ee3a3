//! The options of a worker.

use std::path::PathBuf;

use shoprl_contract::{Exit, Role};
use shoprl_model::device::DeviceChoice;

/// Command line of one worker; `shoprl worker ROLE` maps onto it one to one.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// Role of this worker.
    pub role: Role,
    /// Replica index within the role.
    pub index: u32,
    /// Path of `run.json`, a [`shoprl_contract::RunConfig`].
    pub config: PathBuf,
    /// The run folder; only the trainer writes there.
    pub directory: PathBuf,
    /// File with the job's token.
    pub token_file: PathBuf,
    /// The trainer's `host:port`; every role but the trainer connects to it.
    pub trainer: Option<String>,
    /// Address to listen on (trainer, simulator); port 0 lets the system choose.
    pub listen: String,
    /// Address at which the trainer serves `/metrics` for Prometheus; `None` disables it.
    pub metrics_listen: Option<String>,
    /// Address that accepts connections once the worker is registered (rollout, reward).
    pub ready: Option<String>,
    /// File that gets the bound `host:port` and a line feed.
    pub address_file: Option<PathBuf>,
    /// File that gets the [`shoprl_contract::Exit`] as one JSON line.
    pub termination_file: Option<PathBuf>,
    /// Number of computing threads.
    pub threads: usize,
    /// Device for the trainer's gradients; other roles ignore it.
    pub device: DeviceChoice,
    /// Stop when standard input closes, which means that the parent process is gone.
    pub exit_with_stdin: bool,
}

impl WorkerOptions {
    /// The trainer's address, which every role but the trainer needs.
    pub(crate) fn trainer_address(&self) -> Result<&str, Exit> {
        self.trainer.as_deref().ok_or_else(|| {
            Exit::bad_configuration(format!(
                "--trainer is missing; the {} role needs the trainer's host:port",
                self.role.name()
            ))
        })
    }
}
