//! Finding the newest valid checkpoint.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::layout::{attempt_directory, step_directory, step_name};
use super::lineage::{Lineage, Span};
use super::store::Store;
use super::{Checkpoint, CheckpointError, Defect, manifest};

/// A folder that should hold a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) path: PathBuf,
    attempt: u32,
    step: u64,
    /// Digest of its MANIFEST.json, if a later attempt names it as parent.
    expected: Option<String>,
}

impl Store {
    /// The job's newest checkpoint whose files all verify; damaged ones are skipped with a warning. `None` if no checkpoint was
    /// ever written.
    ///
    /// # Errors
    /// The history has no valid checkpoint, a lineage record is unreadable, or the disk failed.
    pub fn newest(&self) -> Result<Option<Checkpoint>, CheckpointError> {
        self.newest_in(&Lineage::read(&self.root)?)
    }

    pub(super) fn newest_in(
        &self,
        lineage: &Lineage,
    ) -> Result<Option<Checkpoint>, CheckpointError> {
        let history = lineage.history()?;
        let mut defects = Vec::new();
        for candidate in candidates(&self.root, &history)? {
            match candidate.verify() {
                Ok(checkpoint) => return Ok(Some(checkpoint)),
                Err(defect) => {
                    tracing::warn!(%defect, "skipping a damaged checkpoint");
                    defects.push(defect);
                }
            }
        }
        // A parent was valid when it was recorded, so a missing folder is damage too.
        for parent in history.iter().filter_map(|span| span.last.as_ref()) {
            let path = step_directory(&self.root, parent.attempt, parent.step);
            if !path.exists() {
                defects.push(Defect { path, reason: "is missing".to_owned() });
            }
        }
        if defects.is_empty() {
            return Ok(None);
        }
        Err(CheckpointError::NoneValid { directory: self.root.clone(), defects })
    }
}

impl Candidate {
    fn verify(&self) -> Result<Checkpoint, Defect> {
        let found = manifest::verify(&self.path, self.attempt, self.step)?;
        match &self.expected {
            Some(expected) if *expected != found.id.sha256 => Err(Defect {
                path: self.path.join(manifest::MANIFEST),
                reason: format!(
                    "has the digest {}, but the next attempt continued from {expected}",
                    found.id.sha256
                ),
            }),
            _ => Ok(found),
        }
    }
}

/// All folders of the history that should hold a checkpoint, newest first.
pub(super) fn candidates(root: &Path, history: &[Span]) -> Result<Vec<Candidate>, CheckpointError> {
    let mut candidates = Vec::new();
    for span in history {
        for step in steps(&attempt_directory(root, span.attempt))?.into_iter().rev() {
            let last = span.last.as_ref();
            if last.is_some_and(|last| step > last.step) {
                continue;
            }
            let named = last.filter(|last| last.step == step);
            candidates.push(Candidate {
                path: step_directory(root, span.attempt, step),
                attempt: span.attempt,
                step,
                expected: named.map(|last| last.sha256.clone()),
            });
        }
    }
    Ok(candidates)
}

/// Steps that have a folder in an attempt's folder, ascending.
fn steps(folder: &Path) -> Result<Vec<u64>, CheckpointError> {
    let list = CheckpointError::storage("list", folder);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(list)?,
    };
    let mut steps: Vec<u64> = entries
        .iter()
        .filter_map(|entry| {
            let step = entry.file_name().to_str()?.strip_prefix("step-")?.parse().ok()?;
            (entry.file_name() == *step_name(step)).then_some(step)
        })
        .collect();
    steps.sort_unstable();
    Ok(steps)
}
