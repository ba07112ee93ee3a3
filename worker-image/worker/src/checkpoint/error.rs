use std::{
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
};

use shoprl_contract::Exit;
use thiserror::Error;

/// Whose run folder it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Unique id of the job.
    pub uid: String,
    /// SHA-256 (hex) of what decides the weights.
    pub manifest_digest: String,
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "job {} with manifest {}", self.uid, self.manifest_digest)
    }
}

/// What is wrong with a checkpoint that should be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// The file, or the folder where all is missing.
    pub path: PathBuf,
    /// Follows the path in a sentence.
    pub reason: String,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path.display(), self.reason)
    }
}

/// Why the store could not do what was asked.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// The disk refused.
    #[error("cannot {operation} {}; {}", path.display(), remedy(source))]
    Storage {
        /// What was tried, as a verb.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The store would let two attempts take the same number.
    #[error(
        "{} cannot create a file exclusively ({found}), so two attempts could overwrite each other; \
         use a local disk, or a volume that supports exclusive create",
        directory.display()
    )]
    NotExclusive {
        /// The store.
        directory: PathBuf,
        /// What the probe saw.
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
        /// Whose it is.
        recorded: Job,
        /// Who asked.
        given: Job,
    },
    /// Somebody else began this attempt a moment ago; the next number may be free.
    #[error("attempt {attempt} of this job was begun by another process; try again")]
    AttemptTaken {
        /// Its number.
        attempt: u32,
    },
    /// A later attempt continues the job; nothing that this one writes counts any more.
    #[error("attempt {by} of this job has replaced attempt {attempt}, which ends here")]
    Superseded {
        /// The attempt that asked.
        attempt: u32,
        /// The one that counts.
        by: u32,
    },
    /// The chain of attempts cannot be read.
    #[error(
        "{} {reason}, so it is unknown which checkpoints count; restore this file from a copy, or start in another folder",
        file.display()
    )]
    Lineage {
        /// The record.
        file: PathBuf,
        /// Follows the path in a sentence.
        reason: String,
    },
    /// There is history, but none of it can be continued. Never a silent restart from zero.
    #[error(
        "no checkpoint in {} can be continued: {}; restore the named files from a copy, or delete the folder to start over",
        directory.display(), list(defects)
    )]
    NoneValid {
        /// The run folder.
        directory: PathBuf,
        /// What is wrong with each, newest first.
        defects: Vec<Defect>,
    },
    /// Whoever fills the checkpoint could not.
    #[error("cannot write the content of checkpoint {}", path.display())]
    Content {
        /// Where the checkpoint would have been.
        path: PathBuf,
        /// Why not.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A checkpoint holds plain files in folders.
    #[error("{} is neither a file nor a folder; a checkpoint holds plain files only", path.display())]
    NotPlain {
        /// What was found.
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

    /// What the disk refused to whoever fills a checkpoint needs the same remedy as what it refused here.
    pub(super) fn content(path: &Path, error: Box<dyn Error + Send + Sync>) -> Self {
        let path = path.to_owned();
        match error.downcast::<io::Error>() {
            Ok(source) => Self::Storage { operation: "write", path, source: *source },
            Err(source) => Self::Content { path, source },
        }
    }

    /// How the process ends when nothing else can be done: 64 when trying again cannot help, else 75.
    pub fn exit(&self) -> Exit {
        let mut message = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            message = format!("{message}: {error}");
            cause = error.source();
        }
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
