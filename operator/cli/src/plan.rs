//! `shoprl plan`: what `shoprl run` would start.

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
    to_stdout(|out| {
        if arguments.json { print_config(out, &manifest) } else { print(out, &manifest, machine) }
    })
}

fn print_config(out: &mut dyn Write, manifest: &Manifest) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &manifest.config())?;
    writeln!(out)
}

fn print(out: &mut dyn Write, manifest: &Manifest, machine: Machine) -> io::Result<()> {
    let config = manifest.config();
    writeln!(out, "# job {} ({})", config.job, config.job_uid)?;
    writeln!(out, "# what decides the weights: {}", config.manifest_digest)?;
    writeln!(out, "# on {} cores `shoprl run` starts", machine.cpus)?;
    for process in local::plan(&config, machine).processes {
        let plural = if process.threads == 1 { "" } else { "s" };
        writeln!(out, "#   {:<12} {} thread{plural}", process.id.to_string(), process.threads)?;
    }
    write!(out, "{}", manifest.to_yaml())
}
