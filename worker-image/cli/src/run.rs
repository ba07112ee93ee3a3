//! `shoprl run`: a job on this machine, as processes that this one starts, watches and outlives.

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

use crate::manifest::Manifest;
use drive::Drive;
use folder::RunFolder;
use launch::Launcher;
use progress::Observer;
use view::View;

/// Train on this machine. An existing folder continues from its newest checkpoint.
///
/// Ctrl-C or SIGTERM ends the run with a checkpoint (exit code 143); a second one ends it at once.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// ShopRLJob manifest in YAML.
    manifest: PathBuf,
    /// Run folder; default: runs/NAME.
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Cores to use; default: those of this machine.
    #[arg(long, value_name = "N")]
    cpus: Option<usize>,
    /// Port on which the trainer listens on 127.0.0.1; 0 lets the system choose.
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    port: u16,
}

/// Runs the job to its end.
///
/// # Errors
/// Whatever ended the run before its work was done; the reason decides the exit code.
pub fn run(arguments: &RunArguments) -> Result<(), Exit> {
    let manifest = Manifest::read(&arguments.manifest)?;
    if manifest.is_suspended() {
        return Err(Exit::bad_configuration(
            "spec.suspend: true is not possible: a suspended job has nothing to run; write false, or leave it out",
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

/// Cores to use: as asked for, else those of this machine.
pub(crate) fn cpus(asked: Option<usize>) -> Result<usize, Exit> {
    match asked {
        Some(0) => Err(Exit::bad_configuration("--cpus 0: give at least 1")),
        Some(cpus) => Ok(cpus),
        None => Ok(std::thread::available_parallelism().map_or(1, usize::from)),
    }
}

/// A busy port is told before anything is started.
fn check_port(port: u16) -> Result<(), Exit> {
    TcpListener::bind(("127.0.0.1", port)).map(drop).map_err(|error| {
        let remedy =
            "stop what uses it, give another --port, or leave --port out to let the system choose";
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
    let begun = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Exit::temporary(format!("tokio runtime: {error}")))?;
    let plan = local::plan(&config, machine);
    let launcher = Launcher::new(folder, &plan, port)?;
    let observer = Observer::new(&config, folder.token());
    let mut view = View::on_stdout();
    view.note(&format!(
        "{} in {}, Ctrl-C stops with a checkpoint",
        config.job,
        folder.path().display()
    ));
    let exit = runtime.block_on(drive(&plan, launcher, observer, &mut view))?;
    view.close();
    if exit.reason == ExitReason::Done {
        let took = forecast::spoken(begun.elapsed());
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
        stop::asked().map_err(|error| Exit::temporary(format!("signal handlers: {error}")))?;
    Ok(Drive::new(launcher, observer, view).run(plan, RestartBudget::DEFAULT, stops).await)
}

/// Between fork and exec a child holds its parent's locks: tests that start children and tests that look at
/// locks take turns.
#[cfg(test)]
fn alone() -> std::sync::MutexGuard<'static, ()> {
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
    TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
