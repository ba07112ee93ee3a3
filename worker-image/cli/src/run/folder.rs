//! The run folder: created or continued, locked, and with the configuration of the workers.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use shoprl_contract::run_folder::file;
use shoprl_contract::{Exit, RunConfig};
use shoprl_crds::ShopRLJob;
use shoprl_files::{Durability, PARTIAL};
use shoprl_plan::{Difference, differences};

use super::lock::{self, Lock};
use super::token;
use crate::failure::{write_exit, write_remedy};
use crate::manifest::Manifest;
use crate::yaml;

const LOCK: &str = "lock";
const TOKEN: &str = "token";
const LOGS: &str = "logs";
const HEADER: &str = "# The manifest of this run with all defaults filled in.\n";

/// A run folder, locked by this process.
pub(super) struct RunFolder {
    path: PathBuf,
    token: String,
    _lock: File,
}

impl RunFolder {
    /// Creates the folder at `path`, or continues the run in it.
    pub(super) fn open(path: &Path, manifest: &Manifest) -> Result<Self, FolderError> {
        let logs = path.join(LOGS);
        refuse_foreign(path)?;
        fs::create_dir_all(&logs).map_err(|cause| FolderError::Write { file: logs, cause })?;
        let lock = take_lock(path)?;
        let config = manifest.config();
        if path.join(file::MANIFEST).exists() {
            refuse_another_job(path, manifest, &config)?;
        }
        let token_file = path.join(TOKEN);
        let token = token::load_or_create(&token_file)
            .map_err(|cause| FolderError::Write { file: token_file, cause })?;
        let json = serde_json::to_string_pretty(&config)
            .expect("plain structs with string keys always serialise");
        // The manifest is written last: a folder with a manifest is a run.
        write_changed(&path.join(file::RUN_CONFIG), &format!("{json}\n"))?;
        write_changed(&path.join(file::MANIFEST), &format!("{HEADER}{}", manifest.to_yaml()))?;
        Ok(Self { path: path.to_owned(), token, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The job's token.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// The file with the job's token.
    pub(super) fn token_file(&self) -> PathBuf {
        self.path.join(TOKEN)
    }

    /// The folder of the workers' logs.
    pub(super) fn logs(&self) -> PathBuf {
        self.path.join(LOGS)
    }
}

/// Refuses a folder without a manifest, unless it holds only the files of an interrupted start.
fn refuse_foreign(path: &Path) -> Result<(), FolderError> {
    let own = |name: &OsString| {
        [LOCK, TOKEN, LOGS, file::RUN_CONFIG].iter().any(|own| name == own)
            || name.to_string_lossy().ends_with(PARTIAL)
    };
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(FolderError::Write { file: path.to_owned(), cause }),
    };
    let names: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
    if names.iter().any(|name| name == file::MANIFEST) {
        return Ok(());
    }
    match names.into_iter().find(|name| !own(name)) {
        Some(entry) => Err(FolderError::Foreign { path: path.to_owned(), entry }),
        None => Ok(()),
    }
}

fn take_lock(path: &Path) -> Result<File, FolderError> {
    let file = path.join(LOCK);
    match lock::acquire(&file) {
        Ok(Lock::Acquired(lock)) => Ok(lock),
        Ok(Lock::Held(holder)) => Err(FolderError::Busy { path: path.to_owned(), holder }),
        Err(cause) => Err(FolderError::Write { file, cause }),
    }
}

fn refuse_another_job(
    path: &Path,
    manifest: &Manifest,
    config: &RunConfig,
) -> Result<(), FolderError> {
    let begun: ShopRLJob = read(&path.join(file::MANIFEST), |text| {
        yaml::check(text)?;
        serde_yaml::from_str(text).map_err(|error| error.to_string())
    })?;
    let differences = differences(&begun, &manifest.job);
    if !differences.is_empty() {
        return Err(FolderError::AnotherJob { path: path.to_owned(), differences });
    }
    let written: RunConfig = read(&path.join(file::RUN_CONFIG), |text| {
        serde_json::from_str(text).map_err(|error| error.to_string())
    })?;
    if written.manifest_digest == config.manifest_digest {
        Ok(())
    } else {
        Err(FolderError::AnotherProgram { path: path.to_owned() })
    }
}

fn read<T>(file: &Path, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<T, FolderError> {
    let damaged = |message| FolderError::Damaged { file: file.to_owned(), message };
    let text = fs::read_to_string(file).map_err(|error| damaged(error.to_string()))?;
    parse(&text).map_err(damaged)
}

/// Writes `file` atomically, unless it holds `text` already.
fn write_changed(file: &Path, text: &str) -> Result<(), FolderError> {
    if fs::read(file).is_ok_and(|found| found == text.as_bytes()) {
        return Ok(());
    }
    shoprl_files::write(file, text.as_bytes(), Durability::Durable)
        .map_err(|cause| FolderError::Write { file: file.to_owned(), cause })
}

/// Why a folder cannot be used for a run.
#[derive(Debug, thiserror::Error)]
pub(super) enum FolderError {
    /// The folder or a file in it cannot be written.
    #[error("{}: {cause}; {}", file.display(), write_remedy(cause))]
    Write { file: PathBuf, cause: io::Error },
    /// The folder holds files that are not of a run.
    #[error("{}: holds {entry:?} but no run; use --output with a new or empty folder", path.display())]
    Foreign { path: PathBuf, entry: OsString },
    /// Another process uses the folder.
    #[error("{}: in use by another `shoprl run` ({holder}); wait for it, or use another --output", path.display())]
    Busy { path: PathBuf, holder: String },
    /// The run in the folder has another manifest.
    #[error(
        "{}: this run has another manifest; undo the changes, or use --output with a new folder{}",
        path.display(),
        differences.iter().map(|difference| format!("\n  {difference}")).collect::<String>()
    )]
    AnotherJob { path: PathBuf, differences: Vec<Difference> },
    /// The manifest is the same, but this version of the program would train differently.
    #[error(
        "{}: another version of shoprl began this run, and this version would train differently; use that version, or use --output with a new folder",
        path.display()
    )]
    AnotherProgram { path: PathBuf },
    /// A file of the run cannot be read.
    #[error("{}: {message}; restore the file, or use --output with a new folder", file.display())]
    Damaged { file: PathBuf, message: String },
}

impl From<FolderError> for Exit {
    fn from(error: FolderError) -> Self {
        let message = error.to_string();
        match error {
            FolderError::Write { cause, .. } => write_exit(&cause, message),
            FolderError::Busy { .. } => Self::temporary(message),
            FolderError::Foreign { .. }
            | FolderError::AnotherJob { .. }
            | FolderError::AnotherProgram { .. }
            | FolderError::Damaged { .. } => Self::bad_configuration(message),
        }
    }
}

#[cfg(test)]
mod tests;
