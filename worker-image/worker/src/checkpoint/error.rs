//! Errors of the checkpoint store, with remedies.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{fmt, io};

use shoprl_contract::{Exit, error_chain};
use thiserror::Error;

/// The job that owns a run folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Unique id of the job.
    pub uid: String,
    /// SHA-256 (hex) of the manifest fields that determine the weights.
    pub manifest_digest: String,
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "job {} with manifest {}", self.uid, self.manifest_digest)
    }
}

/// A defect of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// The file, or the folder if everything is missing.
    pub path: PathBuf,
    /// What is wrong; completes a sentence that starts with the path.
    pub reason: String,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path.display(), self.reason)
    }
}

/// Why an operation of the store failed.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// A disk operation failed.
    #[error("cannot {operation} {}; {}", path.display(), remedy(source))]
    Storage {
        /// The operation, as a verb.
        operation: &'static str,
        /// Its file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The store cannot keep two attempts from taking the same number.
    #[error(
        "{} cannot create a file exclusively ({found}), so two attempts could overwrite each other; \
         use a local disk, or a volume that supports exclusive create",
        directory.display()
    )]
    NotExclusive {
        /// The store.
        directory: PathBuf,
        /// What the probe observed.
        found: String,
    },
    /// The folder belongs to another job, or to this job with another manifest.
    #[error(
        "{} belongs to {recorded}; this is {given}: choose another folder, or delete this one to start over",
        directory.display()
    )]
    AnotherJob {
        /// The run folder.
        directory: PathBuf,
        /// Its owner.
        recorded: Job,
        /// The job that tried to use it.
        given: Job,
    },
    /// Another process began this attempt at the same time; the next number may be free.
    #[error("another process began attempt {attempt} of this job; try again")]
    AttemptTaken {
        /// Its number.
        attempt: u32,
    },
    /// A later attempt continues the job; writes of this one no longer count.
    #[error("attempt {by} of this job has replaced attempt {attempt}, which ends here")]
    Superseded {
        /// The attempt that was replaced.
        attempt: u32,
        /// The attempt that replaced it.
        by: u32,
    },
    /// The chain of attempts cannot be read.
    #[error(
        "{} {reason}, so the valid checkpoints are unknown; restore this file from a copy, or start in another folder",
        file.display()
    )]
    Lineage {
        /// The record.
        file: PathBuf,
        /// What is wrong; completes a sentence that starts with the path.
        reason: String,
    },
    /// The history has no valid checkpoint. The job never restarts from zero silently.
    #[error(
        "no checkpoint in {} can be continued: {}; restore the named files from a copy, or delete the folder to start over",
        directory.display(), list(defects)
    )]
    NoneValid {
        /// The run folder.
        directory: PathBuf,
        /// The defect of each, newest first.
        defects: Vec<Defect>,
    },
    /// The caller could not write the content.
    #[error("cannot write the content of checkpoint {}", path.display())]
    Content {
        /// Path of the checkpoint.
        path: PathBuf,
        /// The cause.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The content is not only plain files in folders.
    #[error("{} is neither a file nor a folder; a checkpoint holds plain files only", path.display())]
    NotPlain {
        /// The entry that is neither.
        path: PathBuf,
    },
}

impl CheckpointError {
    pub(super) fn storage(
        operation: &'static str,
        path: &Path,
    ) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Storage { operation, path, source }
    }

    /// An IO error of the caller's writer gets the same remedy as one of the store.
    pub(super) fn content(path: &Path, error: Box<dyn Error + Send + Sync>) -> Self {
        let path = path.to_owned();
        match error.downcast::<io::Error>() {
            Ok(source) => Self::Storage { operation: "write", path, source: *source },
            Err(source) => Self::Content { path, source },
        }
    }

    /// The process's exit: 64 if a retry cannot help, else 75.
    pub fn exit(&self) -> Exit {
        let message = error_chain(self);
        if self.is_temporary() {
            Exit::temporary(message)
        } else {
            Exit::bad_configuration(message)
        }
    }

    fn is_temporary(&self) -> bool {
        match self {
            Self::Storage { source, .. } => !matches!(
                source.kind(),
                io::ErrorKind::PermissionDenied
                    | io::ErrorKind::ReadOnlyFilesystem
                    | io::ErrorKind::NotADirectory
                    | io::ErrorKind::AlreadyExists
                    | io::ErrorKind::InvalidFilename
            ),
            Self::AttemptTaken { .. } | Self::Superseded { .. } | Self::Content { .. } => true,
            Self::NotExclusive { .. }
            | Self::AnotherJob { .. }
            | Self::Lineage { .. }
            | Self::NoneValid { .. }
            | Self::NotPlain { .. } => false,
        }
    }
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "the disk is full: free space, or choose a folder on another disk"
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "the file system is read-only: choose a folder on a writable one"
        }
        io::ErrorKind::PermissionDenied => {
            "make it writable for this user, or choose another folder"
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "a file is in the way: choose another folder"
        }
        io::ErrorKind::InvalidFilename => "the name is too long: choose another folder",
        _ => "check the disk and try again",
    }
}

fn list(defects: &[Defect]) -> String {
    defects.iter().map(Defect::to_string).collect::<Vec<_>>().join("; ")
}
