//! The report of a run: report.md, report.json, curve.png and TensorBoard events, rendered from the rows in the run folder.
//! An unfinished run is reported as far as it got, with a list of what is missing.

mod curve;
mod document;
mod events;
mod headline;
mod markdown;
mod measurement;
mod number;
mod run;
mod summary;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use shoprl_contract::run_folder::file;
use shoprl_contract::{Exit, error_chain};
use shoprl_files::Durability;
use thiserror::Error;

pub use document::{Difference, Measurement, Progress, REPORT_VERSION, Report, SubjectResult};
pub use number::duration;

/// Why a report could not be rendered.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The folder is not a run folder.
    #[error("{} does not exist; give the folder of a run", path.display())]
    NoRun {
        /// The missing run.json.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file has a row that the trainer does not write.
    #[error(
        "{}{} is damaged or from another program; restore it from a copy",
        path.display(), line.map(|line| format!(" line {line}")).unwrap_or_default()
    )]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line number from 1, in a file of rows.
        line: Option<usize>,
        /// The cause.
        source: serde_json::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}; free disk space, or make the folder writable", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The picture cannot be drawn.
    #[error("cannot draw {}: {reason}", path.display())]
    Draw {
        /// The file.
        path: PathBuf,
        /// The cause.
        reason: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ReportError {
    /// The process's exit: 64 if a retry cannot help, else 75.
    pub fn exit(&self) -> Exit {
        let message = format!("report: {}", error_chain(self));
        match self {
            Self::NoRun { .. } | Self::Malformed { .. } => Exit::bad_configuration(message),
            Self::Read { .. } | Self::Write { .. } | Self::Draw { .. } => Exit::temporary(message),
        }
    }
}

/// Writes report.json, report.md, curve.png and the TensorBoard events of the run in `folder`. The same rows give the same
/// bytes.
///
/// # Errors
/// The folder is not a run folder, a file is malformed, or the disk failed.
pub fn render(folder: &Path) -> Result<(), ReportError> {
    let run = run::Run::read(folder)?;
    let report = summary::summarize(&run);
    let json =
        serde_json::to_string_pretty(&report).expect("strings, numbers and lists always serialize");
    write(&folder.join(file::REPORT_JSON), format!("{json}\n").as_bytes())?;
    write(&folder.join(file::REPORT), markdown::page(&report).as_bytes())?;
    let path = folder.join(file::CURVE);
    let picture = curve::png(&run, &report)
        .map_err(|reason| ReportError::Draw { path: path.clone(), reason })?;
    write(&path, &picture)?;
    write(&folder.join(events::FILE), &events::file(&run))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    shoprl_files::write(path, bytes, Durability::Durable)
        .map_err(|source| ReportError::Write { path: path.to_owned(), source })
}
