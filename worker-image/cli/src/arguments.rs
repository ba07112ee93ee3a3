//! The command line.

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use shoprl_contract::{Exit, ExitReason};

use crate::{catalog, credit, environment, plan, report, run, trajectories, validate, worker};

/// Trains language-model agents that shop, by reinforcement learning in a simulated store.
#[derive(Debug, Parser)]
#[command(name = "shoprl", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArguments),
    Plan(plan::PlanArguments),
    Validate(validate::ValidateArguments),
    Trajectories(trajectories::TrajectoriesArguments),
    Credit(credit::CreditArguments),
    Catalog(catalog::CatalogArguments),
    Environment(environment::EnvironmentArguments),
    Report(report::ReportArguments),
    Worker(worker::WorkerArguments),
}

/// Parses the command line and runs the subcommand.
pub fn main() -> ExitCode {
    let exit = match Arguments::try_parse() {
        Ok(arguments) => execute(arguments.command),
        Err(error) => return usage(&error),
    };
    let kind = match exit.reason {
        ExitReason::Done => return ExitCode::SUCCESS,
        ExitReason::Stopped => "",
        ExitReason::BadConfiguration | ExitReason::Temporary => "error: ",
    };
    // If standard error is closed, the exit code still reports the result.
    let _ = writeln!(std::io::stderr(), "{kind}{}", exit.message);
    ExitCode::from(exit.reason.code())
}

fn execute(command: Command) -> Exit {
    let result = match command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Plan(arguments) => plan::plan(&arguments),
        Command::Validate(arguments) => validate::validate(&arguments),
        Command::Trajectories(arguments) => trajectories::trajectories(&arguments),
        Command::Credit(arguments) => credit::credit(&arguments),
        Command::Catalog(arguments) => catalog::catalog(&arguments),
        Command::Environment(arguments) => environment::environment(&arguments),
        Command::Report(arguments) => report::report(&arguments),
        Command::Worker(arguments) => return worker::worker(&arguments),
    };
    result.err().unwrap_or_else(Exit::done)
}

/// Help goes to standard output. A usage error exits with the code of a bad configuration.
fn usage(error: &clap::Error) -> ExitCode {
    // A closed terminal cannot show the message; the exit code remains.
    let _ = error.print();
    let reason = if error.use_stderr() { ExitReason::BadConfiguration } else { ExitReason::Done };
    ExitCode::from(reason.code())
}
