//! Saving a checkpoint.

use std::error::Error;
use std::path::Path;

use super::layout::{attempt_directory, step_directory, step_name};
use super::manifest::{self, MANIFEST, Manifest};
use super::store::Store;
use super::{Attempt, Checkpoint, CheckpointError, CheckpointId, seal};

impl Store {
    /// Writes a checkpoint: `write` fills the given folder with plain files. On return the checkpoint survives a power cut; before
    /// that it does not exist. A checkpoint that this attempt wrote before is not written again.
    ///
    /// # Errors
    /// A later attempt replaced this one, `write` failed, or the disk failed.
    pub fn save<E>(
        &self,
        attempt: &Attempt,
        step: u64,
        weights_version: u64,
        write: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<Checkpoint, CheckpointError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.check_current(attempt.number)?;
        let folder = attempt_directory(&self.root, attempt.number);
        let path = step_directory(&self.root, attempt.number, step);
        if let Ok(saved) = manifest::verify(&path, attempt.number, step) {
            return Ok(saved);
        }
        let create = CheckpointError::storage("create the folder", &folder);
        self.disk.create_directory(&folder).map_err(create)?;
        self.sync(&self.root)?;

        let partial = folder.join(format!(".{}.partial", step_name(step)));
        let mut manifest = Manifest {
            attempt: attempt.number,
            step,
            weights_version,
            files: Vec::new(),
            sha256: String::new(),
        };
        let saved = self
            .write_partial(&partial, &path, &mut manifest, write)
            .and_then(|sha256| self.publish(attempt.number, &partial, &path).map(|()| sha256));
        if saved.is_err() {
            // Frees space for the next try. The error of the save is the one to report.
            let _ = self.disk.remove_tree(&partial);
        }
        let id = CheckpointId { attempt: attempt.number, step, sha256: saved? };
        self.retain();
        Ok(Checkpoint { id, path, manifest })
    }

    /// Writes and syncs all files, then MANIFEST.json; returns the digest of MANIFEST.json.
    fn write_partial<E>(
        &self,
        partial: &Path,
        path: &Path,
        manifest: &mut Manifest,
        write: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<String, CheckpointError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let disk = self.disk.as_ref();
        disk.remove_tree(partial).map_err(CheckpointError::storage("remove", partial))?;
        let create = CheckpointError::storage("create the folder", partial);
        disk.create_directory(partial).map_err(create)?;
        write(partial).map_err(|error| CheckpointError::content(path, error.into()))?;
        manifest.files = manifest::record(disk, partial)?;
        let file = partial.join(MANIFEST);
        let bytes = seal::to_bytes(manifest);
        disk.create_new(&file, &bytes).map_err(CheckpointError::storage("write", &file))?;
        self.sync(partial)?;
        Ok(seal::sha256(&bytes))
    }

    /// Renames the checkpoint to its final name, which makes it visible.
    fn publish(&self, attempt: u32, partial: &Path, path: &Path) -> Result<(), CheckpointError> {
        self.remove_checkpoint(path)?;
        self.check_current(attempt)?;
        let rename = CheckpointError::storage("rename to", path);
        self.disk.rename(partial, path).map_err(rename)?;
        self.sync(&attempt_directory(&self.root, attempt))
    }
}
