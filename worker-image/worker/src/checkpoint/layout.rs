//! Names of the folders in a checkpoint store.

use std::path::{Path, PathBuf};

/// Folder of an attempt's checkpoints.
pub(super) fn attempt_directory(root: &Path, attempt: u32) -> PathBuf {
    root.join(format!("attempt-{attempt:04}"))
}

/// Folder of one checkpoint.
pub(super) fn step_directory(root: &Path, attempt: u32, step: u64) -> PathBuf {
    attempt_directory(root, attempt).join(step_name(step))
}

/// Name of the folder of a step.
pub(super) fn step_name(step: u64) -> String {
    format!("step-{step:06}")
}
