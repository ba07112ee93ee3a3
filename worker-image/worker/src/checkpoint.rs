//! Checkpoints in a run folder. They survive a crash at any moment, and writes of an earlier attempt that does not know that it
//! was replaced.
//!
//! ```text
//! lineage/0003.json                        attempt 3 exists, with its parent
//! attempt-0003/step-000120/model/...       any files
//! attempt-0003/step-000120/MANIFEST.json   written last: sizes and SHA-256 of every file
//! ```
//!
//! An attempt starts by exclusively creating its lineage record, which names its parent: the newest valid checkpoint of the
//! history. The history is the chain of these records. Of each attempt, only the checkpoints up to the parent named by its
//! successor count. Later writes of an old attempt are invisible, so an old process that is still alive cannot disturb its
//! successor.

mod disk;
mod error;
mod history;
mod layout;
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

/// Permanent identity of a checkpoint: attempt, step and exact content.
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

/// A checkpoint whose files were all verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its identity.
    pub id: CheckpointId,
    /// Folder of its files.
    pub path: PathBuf,
    /// Its MANIFEST.json.
    pub manifest: Manifest,
}

/// One incarnation of the trainer. Only [`Store::begin_attempt`] creates one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// From 1; a higher number replaces a lower one.
    pub number: u32,
    /// Checkpoint that it continues from; `None`: from the beginning.
    pub parent: Option<Checkpoint>,
}
