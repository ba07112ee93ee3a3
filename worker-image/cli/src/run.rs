//! `shoprl run`: runs a job on this machine. This process starts and supervises the workers.

mod drive;
mod folder;
mod forecast;
mod launch;
mod lines;
mod lock;
mod progress;
mod stop;
mod token;
mod view;

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use shoprl_contract::run_folder::file;
use shoprl_contract::{Exit, ExitReason};
use shoprl_plan::RestartBudget;
use shoprl_plan::local::{self, LocalPlan, Machine};

use self::drive::Drive;
use self::folder::RunFolder;
use self::launch::Launcher;
use self::progress::Observer;
use self::view::View;
use crate::manifest::Manifest;

/// Train on this machine. An existing run folder continues from its newest checkpoint.
///
/// Ctrl-C or SIGTERM stops the run with a checkpoint (exit code 143). A second one stops it immediately.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// ShopRLJob manifest in YAML.
    manifest: PathBuf,
    /// Run folder. Default: runs/NAME.
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// CPU cores to use. Default: all cores of this machine.
    #[arg(long, value_name = "N")]
    cpus: Option<usize>,
    /// Port of the trainer on 127.0.0.1. 0 picks a free port.
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    port: u16,
}

/// Runs the job until it ends.
///
/// # Errors
/// When the run ends before its work is done. The reason decides the exit code.
pub fn run(arguments: &RunArguments) -> Result<(), Exit> {
    let manifest = Manifest::read(&arguments.manifest)?;
    if manifest.is_suspended() {
        return Err(Exit::bad_configuration(
            "spec.suspend: true is invalid for `shoprl run`: a suspended job runs nothing; write false or remove it",
        ));
    }
    let machine = Machine { cpus: cpus(arguments.cpus)? };
    check_port(arguments.port)?;
    let path =
        arguments.output.clone().unwrap_or_else(|| PathBuf::from("runs").join(manifest.name()));
    let folder = RunFolder::open(&path, &manifest)?;
    let exit = supervise(&folder, &manifest, machine, arguments.port)?;
    if exit.reason == ExitReason::Done { Ok(()) } else { Err(exit) }
}

/// The requested number of cores, else all cores of this machine.
pub(crate) fn cpus(requested: Option<usize>) -> Result<usize, Exit> {
    match requested {
        Some(0) => Err(Exit::bad_configuration("--cpus 0: use at least 1")),
        Some(cpus) => Ok(cpus),
        None => Ok(std::thread::available_parallelism().map_or(1, usize::from)),
    }
}

/// Refuses a port in use before any worker starts.
fn check_port(port: u16) -> Result<(), Exit> {
    TcpListener::bind(("127.0.0.1", port)).map(drop).map_err(|error| {
        let remedy =
            "stop the program that uses it, use another --port, or omit --port to pick a free one";
        Exit::temporary(format!("--port {port}: {error}; {remedy}"))
    })
}

fn supervise(
    folder: &RunFolder,
    manifest: &Manifest,
    machine: Machine,
    port: u16,
) -> Result<Exit, Exit> {
    let config = manifest.config();
    let started = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Exit::temporary(format!("tokio runtime: {error}")))?;
    let plan = local::plan(&config, machine);
    let launcher = Launcher::new(folder, &plan, port)?;
    let observer = Observer::new(&config, folder.token());
    let mut view = View::on_stdout();
    view.note(&format!(
        "job {} in {}; Ctrl-C stops it with a checkpoint",
        config.job,
        folder.path().display()
    ));
    let exit = runtime.block_on(drive(&plan, launcher, observer, &mut view))?;
    view.close();
    if exit.reason == ExitReason::Done {
        let took = shoprl_worker::report::duration(started.elapsed().as_secs_f64());
        view.note(&format!("done in {took}: {}", folder.path().join(file::REPORT).display()));
    }
    Ok(exit)
}

async fn drive(
    plan: &LocalPlan,
    launcher: Launcher,
    observer: Observer,
    view: &mut View,
) -> Result<Exit, Exit> {
    let stops =
        stop::requests().map_err(|error| Exit::temporary(format!("signal handlers: {error}")))?;
    Ok(Drive::new(launcher, observer, view).run(plan, RestartBudget::DEFAULT, stops).await)
}

#[cfg(test)]
mod tests;
