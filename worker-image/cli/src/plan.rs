//! `shoprl plan`: the processes that `shoprl run` would start.

mod nodes;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use shoprl_contract::Exit;
use shoprl_plan::local::{self, Machine};

use crate::manifest::Manifest;
use crate::output::to_stdout;
use crate::run::cpus;

/// Print the processes that `run` would start, and the manifest with all defaults filled in.
#[derive(Debug, Args)]
pub struct PlanArguments {
    /// ShopRLJob manifest in YAML.
    manifest: PathBuf,
    /// CPU cores to plan for. Default: all cores of this machine.
    #[arg(long, value_name = "N")]
    cpus: Option<usize>,
    /// Output of `kubectl get nodes -o yaml`: also print which of these nodes can run each role.
    #[arg(long, value_name = "FILE")]
    nodes: Option<PathBuf>,
    /// Print run.json, the configuration of the workers, instead.
    #[arg(long)]
    json: bool,
}

/// Prints the plan. The output is a valid manifest: everything else is in comments.
///
/// # Errors
/// When the manifest is invalid.
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
    writeln!(out, "# digest of the fields that decide the weights: {}", config.manifest_digest)?;
    writeln!(out, "# `shoprl run` on {} cores starts", machine.cpus)?;
    for process in local::plan(&config, machine).processes {
        let plural = if process.threads == 1 { "" } else { "s" };
        writeln!(out, "#   {:<12} {} thread{plural}", process.id.to_string(), process.threads)?;
    }
    let ignored = manifest.cluster_only();
    if !ignored.is_empty() {
        writeln!(
            out,
            "# `shoprl run` ignores these fields, which apply to a cluster: {}",
            ignored.join(", ")
        )?;
    }
    Ok(())
}
