//! The run folder: made or continued, locked, and with everything in it that the workers are told.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use shoprl_contract::run_folder::file;
use shoprl_contract::{Exit, RunConfig};
use shoprl_crds::ShopRLJob;
use shoprl_plan::{Difference, differences};

use super::lock::{self, Taken};
use super::token;
use crate::failure::{write_exit, write_remedy};
use crate::manifest::Manifest;

const LOCK: &str = "lock";
const TOKEN: &str = "token";
const LOGS: &str = "logs";
const HEADER: &str = "# The manifest of this run with every default filled in.\n";

/// A run folder that this process alone uses.
pub(super) struct RunFolder {
    path: PathBuf,
    token: String,
    _lock: File,
}

impl RunFolder {
    /// Makes the folder at `path`, or continues the run in it.
    pub(super) fn open(path: &Path, manifest: &Manifest) -> Result<Self, FolderError> {
        let logs = path.join(LOGS);
        refuse_foreign(path)?;
        fs::create_dir_all(&logs).map_err(|source| FolderError::Write { file: logs, source })?;
        let lock = take_lock(path)?;
        let config = manifest.config();
        if path.join(file::MANIFEST).exists() {
            refuse_another_job(path, manifest, &config)?;
        }
        let token_file = path.join(TOKEN);
        let token = token::keep_or_make(&token_file)
            .map_err(|source| FolderError::Write { file: token_file, source })?;
        let json = serde_json::to_string_pretty(&config)
            .expect("plain structs with string keys always serialise");
        // The manifest comes last: with it the folder is a run.
        write_whole(&path.join(file::RUN_CONFIG), &format!("{json}\n"))?;
        write_whole(&path.join(file::MANIFEST), &format!("{HEADER}{}", manifest.to_yaml()))?;
        Ok(Self { path: path.to_owned(), token, _lock: lock })
    }

    /// Where it is.
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

/// A folder without a manifest may only hold what an interrupted start leaves behind.
fn refuse_foreign(path: &Path) -> Result<(), FolderError> {
    let own = |name: &OsString| {
        [LOCK, TOKEN, LOGS, file::RUN_CONFIG].iter().any(|own| name == own)
            || Path::new(name).extension().is_some_and(|extension| extension == PARTIAL)
    };
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(FolderError::Write { file: path.to_owned(), source }),
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
    match lock::take(&file) {
        Ok(Taken::Ours(lock)) => Ok(lock),
        Ok(Taken::Theirs(holder)) => Err(FolderError::Busy { path: path.to_owned(), holder }),
        Err(source) => Err(FolderError::Write { file, source }),
    }
}

fn refuse_another_job(
    path: &Path,
    manifest: &Manifest,
    config: &RunConfig,
) -> Result<(), FolderError> {
    let begun: ShopRLJob = read(&path.join(file::MANIFEST), |text| {
        serde_yaml::from_str(text).map_err(|e| e.to_string())
    })?;
    let differences = differences(&begun, &manifest.job);
    if !differences.is_empty() {
        return Err(FolderError::AnotherJob { path: path.to_owned(), differences });
    }
    let told: RunConfig = read(&path.join(file::RUN_CONFIG), |text| {
        serde_json::from_str(text).map_err(|e| e.to_string())
    })?;
    if told.manifest_digest == config.manifest_digest {
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

const PARTIAL: &str = "partial";

/// Writes a file whole or not at all, and leaves it alone when it holds the text already.
fn write_whole(file: &Path, text: &str) -> Result<(), FolderError> {
    if fs::read(file).is_ok_and(|found| found == text.as_bytes()) {
        return Ok(());
    }
    let partial = file.with_extension(PARTIAL);
    let written = fs::write(&partial, text)
        .and_then(|()| File::open(&partial)?.sync_all())
        .and_then(|()| fs::rename(&partial, file));
    written.map_err(|source| FolderError::Write { file: file.to_owned(), source })
}

/// Why a folder cannot be used for a run.
#[derive(Debug, thiserror::Error)]
pub(super) enum FolderError {
    /// A file in it, or the folder itself, cannot be written.
    #[error("{}: {source}; {}", file.display(), write_remedy(source))]
    Write { file: PathBuf, source: io::Error },
    /// It holds something else.
    #[error("{}: holds {entry:?} but no run; give a new or empty folder with --output", path.display())]
    Foreign { path: PathBuf, entry: OsString },
    /// Another process runs in it.
    #[error("{}: in use by another `shoprl run` ({holder}); wait for it, or give another --output", path.display())]
    Busy { path: PathBuf, holder: String },
    /// A run with another manifest was begun in it.
    #[error(
        "{}: was begun with another manifest; change it back, or give a new folder with --output{}",
        path.display(),
        differences.iter().map(|difference| format!("\n  {difference}")).collect::<String>()
    )]
    AnotherJob { path: PathBuf, differences: Vec<Difference> },
    /// The manifest is the same, but this program makes another run of it.
    #[error(
        "{}: was begun by another version of shoprl, which would train differently; use that one, or give a new folder with --output",
        path.display()
    )]
    AnotherProgram { path: PathBuf },
    /// A file of the run cannot be read.
    #[error("{}: {message}; restore the file, or give a new folder with --output", file.display())]
    Damaged { file: PathBuf, message: String },
}

impl From<FolderError> for Exit {
    fn from(error: FolderError) -> Self {
        let message = error.to_string();
        match error {
            FolderError::Write { source, .. } => write_exit(&source, message),
            FolderError::Busy { .. } => Self::temporary(message),
            FolderError::Foreign { .. }
            | FolderError::AnotherJob { .. }
            | FolderError::AnotherProgram { .. }
            | FolderError::Damaged { .. } => Self::bad_configuration(message),
        }
    }
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
