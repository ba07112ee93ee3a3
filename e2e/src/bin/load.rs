//! `load`: what jobs cost the API server (docs/benchmarks/operator.md).

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, Subcommand};
use kube::Config;
use shoprl_e2e::load::{Bare, Log, Plan, bare, markdown, operator};
use shoprl_operator::connection;

/// Puts jobs on the API server of KUBECONFIG and reads from its audit log what became of them.
#[derive(Debug, Parser)]
struct Arguments {
    /// The audit log of the API server.
    #[arg(long, value_name = "FILE", global = true, default_value = "audit.log")]
    audit: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Makes the objects of jobs without an operator; prints a line of JSON for every batch.
    Bare {
        /// Jobs at once; may be given several times.
        #[arg(long, required = true)]
        jobs: Vec<usize>,
    },
    /// Measures the operator that runs; prints Markdown.
    Operator {
        /// Jobs at once; may be given several times.
        #[arg(long, required = true)]
        jobs: Vec<usize>,
        /// What the bare creator printed.
        #[arg(long, value_name = "FILE")]
        bare: PathBuf,
        /// The operator's process.
        #[arg(long)]
        pid: u32,
        /// Jobs one after the other on an idle control plane.
        #[arg(long, default_value_t = 20)]
        idle: usize,
        /// Jobs at half the bare creator's rate.
        #[arg(long, default_value_t = 250)]
        steady: usize,
        /// Seconds in which nothing happens.
        #[arg(long, default_value_t = 60)]
        watch: u64,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    // The same connections for the bare creator as for the operator.
    let client = connection(&Config::infer().await?)?.build();
    let mut log = Log::open(&arguments.audit)?;
    match arguments.what {
        What::Bare { jobs } => {
            for jobs in jobs {
                let figures = bare(&client, &mut log, jobs).await?;
                println!("{}", serde_json::to_string(&figures)?);
            }
        }
        What::Operator { jobs, bare, pid, idle, steady, watch } => {
            let bare = figures(&bare)?;
            let watch = Duration::from_secs(watch);
            let plan = Plan { idle, steady, at_once: jobs, watch, bare, pid };
            print!("{}", markdown(&operator(&client, &mut log, &plan).await?));
        }
    }
    Ok(())
}

fn figures(file: &Path) -> anyhow::Result<Vec<Bare>> {
    let read = || format!("{}: give --bare what `load bare` printed", file.display());
    let text = std::fs::read_to_string(file).with_context(read)?;
    text.lines().map(|line| serde_json::from_str(line).with_context(read)).collect()
}
