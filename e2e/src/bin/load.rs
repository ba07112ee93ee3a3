//! `load`: what jobs cost the API server (docs/benchmarks/operator.md).

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use kube::{Client, Config};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shoprl_e2e::load::{Bare, Log, Plan, bare, markdown, operator};
use shoprl_operator::connection;

/// Puts jobs on the API server of KUBECONFIG and reads from its audit log what became of them.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Makes the objects of jobs without an operator; prints what was reached.
    Bare {
        #[command(flatten)]
        load: Load,
    },
    /// Measures the operator that runs; prints what was seen.
    Operator {
        #[command(flatten)]
        load: Load,
        /// What the bare creator printed before.
        #[arg(long, value_name = "FILE")]
        bare: PathBuf,
        /// The operator's process.
        #[arg(long)]
        pid: u32,
        /// Seconds in which nothing happens.
        #[arg(long, default_value_t = 60)]
        watch: u64,
    },
    /// Prints Markdown of both.
    Table {
        /// What the bare creator printed; of several runs the mean counts.
        #[arg(long, value_name = "FILE", required = true)]
        bare: Vec<PathBuf>,
        /// What was seen of the operator.
        #[arg(long, value_name = "FILE")]
        operator: PathBuf,
    },
}

/// What is put on an API server.
#[derive(Debug, Args)]
struct Load {
    /// The audit log of the API server.
    #[arg(long, value_name = "FILE", default_value = "audit.log")]
    audit: PathBuf,
    /// Jobs one after the other on an idle control plane.
    #[arg(long, default_value_t = 20)]
    idle: usize,
    /// Jobs at half the bare creator's rate, after each of those at once.
    #[arg(long, default_value_t = 250)]
    steady: usize,
    /// Jobs at once; may be given several times.
    #[arg(long, required = true)]
    jobs: Vec<usize>,
}

impl Load {
    async fn open(self) -> anyhow::Result<(Client, Log, Plan)> {
        // The same connections for the bare creator as for the operator.
        let client = connection(&Config::infer().await?)?.build();
        let log = Log::open(&self.audit)?;
        Ok((client, log, Plan { idle: self.idle, steady: self.steady, at_once: self.jobs }))
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().what {
        What::Bare { load } => {
            let (client, mut log, plan) = load.open().await?;
            print(&bare(&client, &mut log, &plan).await?)
        }
        What::Operator { load, bare, pid, watch } => {
            let (client, mut log, plan) = load.open().await?;
            let watch = Duration::from_secs(watch);
            print(&operator(&client, &mut log, &plan, (&figures(&bare)?, pid, watch)).await?)
        }
        What::Table { bare, operator } => {
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
    let read = || format!("{}: not what this program printed", file.display());
    let text = std::fs::read_to_string(file).with_context(read)?;
    serde_json::from_str(&text).with_context(read)
}
