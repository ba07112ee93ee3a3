//! `shoprl plan`: what `shoprl run` would start.

mod nodes;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use shoprl_contract::Exit;
use shoprl_plan::local::{self, Machine};

use crate::manifest::Manifest;
use crate::output::to_stdout;
use crate::run::cpus;

/// Show what `run` would start, and the manifest with every default filled in.
#[derive(Debug, Args)]
pub struct PlanArguments {
    /// ShopRLJob manifest in YAML.
    manifest: PathBuf,
    /// Cores to plan for; default: those of this machine.
    #[arg(long, value_name = "N")]
    cpus: Option<usize>,
    /// Nodes of a cluster, as `kubectl get nodes -o yaml` prints them: say which of them could take each role.
    #[arg(long, value_name = "FILE")]
    nodes: Option<PathBuf>,
    /// Print what the workers are told (run.json) instead.
    #[arg(long)]
    json: bool,
}

/// Prints the plan. The text is itself a manifest: what is not in it stands in comments.
///
/// # Errors
/// When the manifest cannot be run.
pub fn plan(arguments: &PlanArguments) -> Result<(), Exit> {
    let manifest = Manifest::read(&arguments.manifest)?;
    let machine = Machine { cpus: cpus(arguments.cpus)? };
    let nodes = arguments.nodes.as_deref().map(nodes::read).transpose()?;
    to_stdout(|out| {
        if arguments.json {
            return print_config(out, &manifest);
        }
        print_run(out, &manifest, machine)?;
        if let Some(nodes) = &nodes {
            nodes::print(out, &manifest.validated, nodes)?;
        }
        write!(out, "{}", manifest.to_yaml())
    })
}

fn print_config(out: &mut dyn Write, manifest: &Manifest) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &manifest.config())?;
    writeln!(out)
}

fn print_run(out: &mut dyn Write, manifest: &Manifest, machine: Machine) -> io::Result<()> {
    let config = manifest.config();
    writeln!(out, "# job {} ({})", config.job, config.job_uid)?;
    writeln!(out, "# what decides the weights: {}", config.manifest_digest)?;
    writeln!(out, "# on {} cores `shoprl run` starts", machine.cpus)?;
    for process in local::plan(&config, machine).processes {
        let plural = if process.threads == 1 { "" } else { "s" };
        writeln!(out, "#   {:<12} {} thread{plural}", process.id.to_string(), process.threads)?;
    }
    let elsewhere = manifest.cluster_only();
    if !elsewhere.is_empty() {
        writeln!(out, "# and takes no notice of what is for a cluster: {}", elsewhere.join(", "))?;
    }
    Ok(())
}
