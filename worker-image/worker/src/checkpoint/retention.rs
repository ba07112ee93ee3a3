//! Removing what is no longer needed.

use std::{fs, io, path::Path};

use super::{
    CheckpointError,
    history::candidates,
    lineage::Lineage,
    manifest::MANIFEST,
    store::{Store, attempt_directory},
};

impl Store {
    /// Keeps the newest checkpoints of the history, counted over all attempts: a parent stays until
    /// enough of its descendants are safe. To fail here costs space, not the checkpoint just saved.
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

    /// MANIFEST.json goes first, so that what a crash leaves is told at the first look; the digests
    /// tell it in any case.
    pub(super) fn remove_checkpoint(&self, path: &Path) -> Result<(), CheckpointError> {
        let file = path.join(MANIFEST);
        match self.disk.remove_file(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            removed => removed.map_err(CheckpointError::storage("remove", &file))?,
        }
        self.disk.remove_tree(path).map_err(CheckpointError::storage("remove", path))
    }

    /// What a crash left half-written in an attempt that is over.
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
