//! `load`: load tests of the operator (docs/benchmarks/operator.md).

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use kube::{Client, Config};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shoprl_e2e::load::{Bare, Log, Plan, bare, markdown, operator};
use shoprl_operator::connection;

/// Submits jobs to the API server of KUBECONFIG and measures them from its audit log.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Creates the objects of jobs without an operator, and prints the measurements as JSON.
    Bare {
        #[command(flatten)]
        load: Load,
    },
    /// Measures the running operator, and prints the measurements as JSON.
    Operator {
        #[command(flatten)]
        load: Load,
        /// Output of `bare`.
        #[arg(long, value_name = "FILE")]
        bare: PathBuf,
        /// Process id of the operator.
        #[arg(long)]
        pid: u32,
        /// Seconds of the idle measurement.
        #[arg(long, default_value_t = 60)]
        watch: u64,
    },
    /// Prints both as Markdown tables.
    Table {
        /// Output of `bare`. Several files count with their mean.
        #[arg(long, value_name = "FILE", required = true)]
        bare: Vec<PathBuf>,
        /// Output of `operator`.
        #[arg(long, value_name = "FILE")]
        operator: PathBuf,
    },
}

/// The load.
#[derive(Debug, Args)]
struct Load {
    /// The audit log of the API server.
    #[arg(long, value_name = "FILE", default_value = "audit.log")]
    audit: PathBuf,
    /// Jobs submitted one by one on an idle control plane.
    #[arg(long, default_value_t = 20)]
    idle: usize,
    /// Jobs at half the bare creator's rate, after each burst.
    #[arg(long, default_value_t = 250)]
    steady: usize,
    /// Jobs of a burst. Repeat the option for several bursts.
    #[arg(long, required = true)]
    jobs: Vec<usize>,
}

impl Load {
    async fn open(self) -> anyhow::Result<(Client, Log, Plan)> {
        // The bare creator connects as the operator does.
        let client = connection(&Config::infer().await?)?.build();
        let log = Log::open(&self.audit)?;
        Ok((client, log, Plan { idle: self.idle, steady: self.steady, bursts: self.jobs }))
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Bare { load } => {
            let (client, mut log, plan) = load.open().await?;
            print(&bare(&client, &mut log, &plan).await?)
        }
        Command::Operator { load, bare, pid, watch } => {
            let (client, mut log, plan) = load.open().await?;
            let watch = Duration::from_secs(watch);
            print(&operator(&client, &mut log, &plan, (&figures(&bare)?, pid, watch)).await?)
        }
        Command::Table { bare, operator } => {
            let bare = bare.iter().map(|file| figures(file)).collect::<Result<Vec<Bare>, _>>()?;
            print!("{}", markdown(&bare, &figures(&operator)?));
            Ok(())
        }
    }
}

fn print(figures: &impl Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string(figures)?);
    Ok(())
}

fn figures<T: DeserializeOwned>(file: &Path) -> anyhow::Result<T> {
    let read = || format!("{}: not an output of this program", file.display());
    let text = std::fs::read_to_string(file).with_context(read)?;
    serde_json::from_str(&text).with_context(read)
}
