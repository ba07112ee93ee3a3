//! What a person opens after a run: report.md, report.json, curve.png and TensorBoard events, made
//! from the rows that the trainer left in the run folder. A run that is not finished is shown as far
//! as it came, and the report says what is missing.

mod curve;
mod events;
mod headline;
mod markdown;
mod measurement;
mod number;
mod run;
mod summary;

#[cfg(test)]
mod tests;

pub use summary::{Difference, Measurement, Progress, REPORT_VERSION, Report, SubjectResult};

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use shoprl_contract::{Exit, run_folder::file};
use thiserror::Error;

/// Why a report could not be made.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The folder holds no run.
    #[error("{} does not exist: name the folder of a run", path.display())]
    NoRun {
        /// The missing run.json.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is not what the trainer writes.
    #[error(
        "{}{}: {source}; it is damaged, or another program's: restore it from a copy",
        path.display(), line.map(|line| format!(" line {line}")).unwrap_or_default()
    )]
    Malformed {
        /// Which.
        path: PathBuf,
        /// Where, in a file of rows, from 1.
        line: Option<usize>,
        /// Why not.
        source: serde_json::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}; free space, or make the folder writable", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The picture cannot be drawn.
    #[error("cannot draw {}: {reason}", path.display())]
    Draw {
        /// Which.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
}

impl ReportError {
    /// How the process ends that wanted the report: 64 when trying again cannot help, else 75.
    pub fn exit(&self) -> Exit {
        let message = format!("report: {self}");
        match self {
            Self::NoRun { .. } | Self::Malformed { .. } => Exit::bad_configuration(message),
            Self::Read { .. } | Self::Write { .. } | Self::Draw { .. } => Exit::temporary(message),
        }
    }
}

/// Writes report.json, report.md, curve.png and the TensorBoard events of the run in `folder`. The
/// same rows give the same bytes.
///
/// # Errors
/// Not a run folder, a malformed file, or the disk.
pub fn render(folder: &Path) -> Result<(), ReportError> {
    let run = run::Run::read(folder)?;
    let report = Report::of(&run);
    let json = serde_json::to_string_pretty(&report)
        .expect("a report of strings, numbers and lists is always JSON");
    write(&folder.join(file::REPORT_JSON), format!("{json}\n").as_bytes())?;
    write(&folder.join(file::REPORT), markdown::page(&report).as_bytes())?;
    let path = folder.join(file::CURVE);
    let picture = curve::png(&run, &report)
        .map_err(|reason| ReportError::Draw { path: path.clone(), reason })?;
    write(&path, &picture)?;
    write(&folder.join(events::FILE), &events::file(&run))
}

/// Under a temporary name first: whoever has the file open sees a whole one.
fn write(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let partial = path.with_extension("partial");
    let written = fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, path));
    written.map_err(|source| {
        // What is half-written helps nobody; the failure itself is what to tell.
        let _ = fs::remove_file(&partial);
        ReportError::Write { path: path.to_owned(), source }
    })
}
