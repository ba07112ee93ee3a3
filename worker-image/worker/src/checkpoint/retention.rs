//! Removing old checkpoints.

use std::path::Path;
use std::{fs, io};

use super::CheckpointError;
use super::history::candidates;
use super::layout::attempt_directory;
use super::lineage::Lineage;
use super::manifest::MANIFEST;
use super::store::Store;

impl Store {
    /// Removes all but the newest checkpoints of the history, counted over all attempts, so a parent stays until enough later
    /// checkpoints exist. A failure costs disk space only and is logged.
    pub(super) fn retain(&self) {
        if let Err(error) = self.try_retain() {
            tracing::warn!(%error, "cannot remove old checkpoints");
        }
    }

    fn try_retain(&self) -> Result<(), CheckpointError> {
        let history = Lineage::read(&self.root)?.history()?;
        for candidate in candidates(&self.root, &history)?.iter().skip(self.keep) {
            self.remove_checkpoint(&candidate.path)?;
        }
        for span in history.iter().skip(1) {
            self.remove_leftovers(&attempt_directory(&self.root, span.attempt))?;
        }
        Ok(())
    }

    /// Removes MANIFEST.json first, so that after a crash the rest is recognised as incomplete without reading it.
    pub(super) fn remove_checkpoint(&self, path: &Path) -> Result<(), CheckpointError> {
        let file = path.join(MANIFEST);
        match self.disk.remove_file(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            removed => removed.map_err(CheckpointError::storage("remove", &file))?,
        }
        self.disk.remove_tree(path).map_err(CheckpointError::storage("remove", path))
    }

    /// Removes what a crash left half-written in an earlier attempt.
    fn remove_leftovers(&self, folder: &Path) -> Result<(), CheckpointError> {
        let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_some_and(|extension| extension == "partial") {
                self.disk.remove_tree(&path).map_err(CheckpointError::storage("remove", &path))?;
            }
        }
        Ok(())
    }
}
