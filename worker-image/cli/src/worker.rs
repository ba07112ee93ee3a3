//! `shoprl worker`: one worker. `shoprl run` and the image start it.

use std::num::NonZero;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use shoprl_contract::{Exit, Role};
use shoprl_worker::{DeviceChoice, WorkerOptions};

use crate::log::{self, LogFormat};

/// Run one worker of a job.
#[derive(Debug, Args)]
#[command(hide = true)]
pub struct WorkerArguments {
    /// Role of the worker.
    #[arg(value_enum)]
    role: RoleArgument,
    /// Replica index within the role.
    #[arg(long, default_value_t = 0, value_name = "N")]
    index: u32,
    /// Configuration of the job (run.json).
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Run folder. Only the trainer writes to it.
    #[arg(long, value_name = "FOLDER")]
    directory: PathBuf,
    /// File with the job's token.
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// The trainer's host:port. Required for all other roles.
    #[arg(long, value_name = "ADDRESS")]
    trainer: Option<String>,
    /// Listen address of the trainer or simulator. Port 0 picks a free port.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: String,
    /// Address on which the trainer serves Prometheus metrics at /metrics. Default: no metrics.
    #[arg(long, value_name = "ADDRESS")]
    metrics_listen: Option<String>,
    /// Address for a readiness probe (rollout, reward): it accepts connections once the worker is registered.
    #[arg(long, value_name = "ADDRESS")]
    ready: Option<String>,
    /// File to write host:port to once listening.
    #[arg(long, value_name = "FILE")]
    address_file: Option<PathBuf>,
    /// File to write the termination message to, as one line of JSON.
    #[arg(long, value_name = "FILE")]
    termination_file: Option<PathBuf>,
    /// Compute threads. Default: the cores that the process may use (its affinity and the CPU quota of its cgroup).
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Device on which the trainer computes gradients. Other roles ignore it.
    #[arg(long, value_enum, env = "SHOPRL_DEVICE", default_value = "cpu", value_name = "DEVICE")]
    device: DeviceArgument,
    /// Exit when standard input closes.
    #[arg(long)]
    exit_with_stdin: bool,
    /// Format of the log on standard error. RUST_LOG filters it.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    log: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RoleArgument {
    Simulator,
    Rollout,
    Reward,
    Trainer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DeviceArgument {
    /// The CPU.
    Cpu,
    /// A CUDA device; fails without one.
    Cuda,
    /// A CUDA device if there is one, else the CPU.
    Auto,
}

impl WorkerArguments {
    fn options(&self) -> WorkerOptions {
        let Self {
            role,
            index,
            config,
            directory,
            token_file,
            trainer,
            listen,
            metrics_listen,
            ready,
            address_file,
            termination_file,
            threads,
            device,
            exit_with_stdin,
            log: _,
        } = self;
        WorkerOptions {
            role: match role {
                RoleArgument::Simulator => Role::Simulator,
                RoleArgument::Rollout => Role::Rollout,
                RoleArgument::Reward => Role::Reward,
                RoleArgument::Trainer => Role::Trainer,
            },
            index: *index,
            config: config.clone(),
            directory: directory.clone(),
            token_file: token_file.clone(),
            trainer: trainer.clone(),
            listen: listen.clone(),
            metrics_listen: metrics_listen.clone(),
            ready: ready.clone(),
            address_file: address_file.clone(),
            termination_file: termination_file.clone(),
            threads: threads.unwrap_or_else(available_cores),
            device: match device {
                DeviceArgument::Cpu => DeviceChoice::Cpu,
                DeviceArgument::Cuda => DeviceChoice::Cuda,
                DeviceArgument::Auto => DeviceChoice::Auto,
            },
            exit_with_stdin: *exit_with_stdin,
        }
    }
}

fn available_cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Runs the worker until it exits.
pub fn worker(arguments: &WorkerArguments) -> Exit {
    log::to_stderr(arguments.log);
    shoprl_worker::run(&arguments.options())
}
