//! Checkpoints in a run folder that survive a crash at any moment and a predecessor that does not
//! know that it was replaced.
//!
//! ```text
//! lineage/0003.json                        attempt 3 exists, and what it grew from
//! attempt-0003/step-000120/model/...       any files
//! attempt-0003/step-000120/MANIFEST.json   written last: sizes and SHA-256 of every file
//! ```
//!
//! An attempt starts by exclusively creating its lineage record, which names its parent: the newest
//! valid checkpoint of the history. History is the chain of these records: of an attempt only the
//! checkpoints up to the parent named by its successor exist. Whatever an old attempt writes later
//! is invisible, so a process that was given up for dead cannot disturb its successor.

mod disk;
mod error;
mod history;
mod lineage;
mod manifest;
mod retention;
mod save;
mod seal;
mod store;

#[cfg(test)]
mod tests;

pub use error::{CheckpointError, Defect, Job};
pub use manifest::{FileEntry, Manifest};
pub use store::Store;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Name of one checkpoint for ever: which attempt wrote it, when, and its exact content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckpointId {
    /// Attempt that wrote it.
    pub attempt: u32,
    /// Step of reinforcement learning after which it was written.
    pub step: u64,
    /// SHA-256 (hex) of its MANIFEST.json, and through it of every file.
    pub sha256: String,
}

/// A checkpoint of which every file was found to be what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its name.
    pub id: CheckpointId,
    /// Folder of its files.
    pub path: PathBuf,
    /// What it consists of.
    pub manifest: Manifest,
}

/// One life of the job's learner. Only [`Store::begin_attempt`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// From 1; a higher number supersedes.
    pub number: u32,
    /// Where it continues; `None`: from the beginning.
    pub parent: Option<Checkpoint>,
}
