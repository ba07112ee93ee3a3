//! What a worker is started with.

use std::path::PathBuf;

use shoprl_contract::Role;
use shoprl_model::device::DeviceChoice;

/// Command line of one worker; `shoprl worker ROLE` maps onto it one to one.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// What to be.
    pub role: Role,
    /// Replica index within the role.
    pub index: u32,
    /// `run.json`, a [`shoprl_contract::RunConfig`].
    pub config: PathBuf,
    /// The run folder; only the trainer writes there.
    pub directory: PathBuf,
    /// File with the job's token.
    pub token_file: PathBuf,
    /// The trainer's `host:port`; every role but the trainer dials it.
    pub trainer: Option<String>,
    /// Address to listen on (trainer, simulator); port 0 lets the system choose.
    pub listen: String,
    /// Where the trainer answers `/metrics` to Prometheus; nowhere without it.
    pub metrics_listen: Option<String>,
    /// Accepts connections here once registered (rollout, reward).
    pub ready: Option<String>,
    /// Written as `host:port\n` once listening.
    pub address_file: Option<PathBuf>,
    /// Gets the [`shoprl_contract::Exit`] as one JSON line.
    pub termination_file: Option<PathBuf>,
    /// Threads for computing.
    pub threads: usize,
    /// Where the trainer computes gradients; the other roles take no notice.
    pub device: DeviceChoice,
    /// Leave when standard input closes: the parent is gone.
    pub exit_with_stdin: bool,
}
