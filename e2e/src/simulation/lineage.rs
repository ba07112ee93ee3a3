//! The checkpoint stores of the jobs: attempts and their checkpoints (docs/ARCHITECTURE.md, Checkpoints).

use std::collections::BTreeMap;

/// The run folders of all jobs, by UID.
#[derive(Debug, Default)]
pub(super) struct Stores {
    folders: BTreeMap<String, Folder>,
    /// Planted bug: a replaced attempt can still write.
    pub(super) unfenced: bool,
}

#[derive(Debug, Default)]
struct Folder {
    newest: u32,
    step: i64,
    finished: bool,
}

impl Stores {
    /// A trainer starts: it creates the record of the next attempt exclusively and reads the newest checkpoint of the lineage.
    pub(super) fn begin(&mut self, job: &str) -> (u32, i64) {
        let folder = self.folders.entry(job.to_owned()).or_default();
        folder.newest += 1;
        (folder.newest, folder.step)
    }

    /// A trainer writes a checkpoint; `Ok(false)` if it was replaced.
    ///
    /// # Errors
    /// When the write of a replaced attempt became visible.
    pub(super) fn save(
        &mut self,
        job: &str,
        attempt: u32,
        step: i64,
        target: i64,
    ) -> Result<bool, String> {
        let folder = self.folders.entry(job.to_owned()).or_default();
        if attempt < folder.newest {
            if self.unfenced {
                let newest = folder.newest;
                return Err(format!(
                    "attempt {attempt} wrote step {step} after attempt {newest} began"
                ));
            }
            return Ok(false);
        }
        if step < folder.step {
            return Err(format!("attempt {attempt} went back from step {} to {step}", folder.step));
        }
        folder.step = step;
        folder.finished |= step >= target;
        Ok(true)
    }

    /// Whether a checkpoint of the target step exists.
    pub(super) fn is_finished(&self, job: &str) -> bool {
        self.folders.get(job).is_some_and(|folder| folder.finished)
    }
}
