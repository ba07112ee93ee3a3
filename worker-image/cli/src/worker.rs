//! `shoprl worker`: one worker. `shoprl run` starts these processes, and so does the image.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use shoprl_contract::{Exit, Role};
use shoprl_worker::{DeviceChoice, WorkerOptions};

use crate::log::{self, LogFormat};

/// Be one worker of a job.
#[derive(Debug, Args)]
#[command(hide = true)]
pub struct WorkerArguments {
    /// What to be.
    #[arg(value_enum)]
    role: RoleArgument,
    /// Replica index within the role.
    #[arg(long, default_value_t = 0, value_name = "N")]
    index: u32,
    /// What the job is (run.json).
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Run folder; only the trainer writes there.
    #[arg(long, value_name = "FOLDER")]
    directory: PathBuf,
    /// File with the job's token.
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// The trainer's host:port, for all other roles.
    #[arg(long, value_name = "ADDRESS")]
    trainer: Option<String>,
    /// Where to listen (trainer, simulator); port 0 lets the system choose.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: String,
    /// Where the trainer answers /metrics to Prometheus; nowhere without it.
    #[arg(long, value_name = "ADDRESS")]
    metrics_listen: Option<String>,
    /// Accept connections here once registered (rollout, reward): readiness for a probe.
    #[arg(long, value_name = "ADDRESS")]
    ready: Option<String>,
    /// Gets host:port once listening.
    #[arg(long, value_name = "FILE")]
    address_file: Option<PathBuf>,
    /// Gets the last words as one JSON line.
    #[arg(long, value_name = "FILE")]
    termination_file: Option<PathBuf>,
    /// Threads to compute with.
    #[arg(long, default_value_t = 1, value_name = "N")]
    threads: usize,
    /// Where the trainer computes gradients; the other roles take no notice.
    #[arg(long, value_enum, env = "SHOPRL_DEVICE", default_value = "cpu", value_name = "DEVICE")]
    device: DeviceArgument,
    /// Leave when the standard input closes.
    #[arg(long)]
    exit_with_stdin: bool,
    /// How to write the log, to the standard error; RUST_LOG filters it.
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
    /// A CUDA device, or nothing.
    Cuda,
    /// A CUDA device where there is one, else the CPU.
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
            threads: *threads,
            device: match device {
                DeviceArgument::Cpu => DeviceChoice::Cpu,
                DeviceArgument::Cuda => DeviceChoice::Cuda,
                DeviceArgument::Auto => DeviceChoice::Auto,
            },
            exit_with_stdin: *exit_with_stdin,
        }
    }
}

/// Runs the worker until it ends.
pub fn worker(arguments: &WorkerArguments) -> Exit {
    log::to_stderr(arguments.log);
    shoprl_worker::run(&arguments.options())
}
