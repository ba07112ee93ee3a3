//! `shoprl report`: writes the report of a run again.

use std::path::PathBuf;

use clap::Args;
use shoprl_contract::Exit;
use shoprl_contract::run_folder::file;

use crate::output::to_stdout;

/// Write report.md, report.json and curve.png of a run again, from its recorded metrics.
#[derive(Debug, Args)]
pub struct ReportArguments {
    /// Run folder.
    run: PathBuf,
}

/// Writes the report.
///
/// # Errors
/// When the folder is not a run folder, or a file cannot be read or written.
pub fn report(arguments: &ReportArguments) -> Result<(), Exit> {
    let run = &arguments.run;
    shoprl_worker::report::render(run).map_err(|error| error.exit())?;
    to_stdout(|out| writeln!(out, "{}", run.join(file::REPORT).display()))
}
