//! Opening a store and beginning attempts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use super::disk::{Disk, LocalDisk};
use super::lineage::{self, Lineage, Record};
use super::{Attempt, CheckpointError, Job, seal};

/// The checkpoints of one job in its run folder.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) root: PathBuf,
    pub(super) keep: usize,
    pub(super) disk: Arc<dyn Disk>,
}

impl Store {
    /// Opens the run folder `root`, creating it if needed, and checks that it supports exclusive creation of files.
    /// Keeps the newest `keep` checkpoints, at least two.
    ///
    /// # Errors
    /// The folder cannot be written, or lets an existing file be created again.
    pub fn open(root: &Path, keep: u32) -> Result<Self, CheckpointError> {
        Self::open_on(root, keep, Arc::new(LocalDisk))
    }

    pub(super) fn open_on(
        root: &Path,
        keep: u32,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, CheckpointError> {
        // A successor may be recording the second newest checkpoint as its parent right now.
        let keep = keep.max(2) as usize;
        let store = Self { root: root.to_owned(), keep, disk };
        let folder = lineage::folder(root);
        for created in [root, folder.as_path()] {
            let create = CheckpointError::storage("create the folder", created);
            store.disk.create_directory(created).map_err(create)?;
        }
        store.sync(root)?;
        store.probe(&folder)?;
        Ok(store)
    }

    /// Begins the next attempt of a job, from the newest valid checkpoint or, if there is none, from the beginning.
    ///
    /// # Errors
    /// The folder belongs to another job or manifest, the number was taken meanwhile (call again), the history is damaged, or
    /// the disk failed.
    pub fn begin_attempt(
        &self,
        job_uid: &str,
        manifest_digest: &str,
    ) -> Result<Attempt, CheckpointError> {
        let lineage = Lineage::read(&self.root)?;
        lineage
            .check(&Job { uid: job_uid.to_owned(), manifest_digest: manifest_digest.to_owned() })?;
        let parent = self.newest_in(&lineage)?;
        let number = lineage.newest() + 1;
        let mut record = Record {
            job_uid: job_uid.to_owned(),
            manifest_digest: manifest_digest.to_owned(),
            attempt: number,
            parent: parent.as_ref().map(|checkpoint| checkpoint.id.clone()),
            sha256: String::new(),
        };
        let file = lineage::record_file(&self.root, number);
        match self.disk.create_new(&file, &seal::to_bytes(&mut record)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(CheckpointError::AttemptTaken { attempt: number });
            }
            created => created.map_err(CheckpointError::storage("create", &file))?,
        }
        self.sync(&lineage::folder(&self.root))?;
        Ok(Attempt { number, parent })
    }

    /// Fails if a later attempt has replaced `attempt`.
    pub(super) fn check_current(&self, attempt: u32) -> Result<(), CheckpointError> {
        let by = Lineage::read(&self.root)?.newest();
        if by > attempt { Err(CheckpointError::Superseded { attempt, by }) } else { Ok(()) }
    }

    pub(super) fn sync(&self, folder: &Path) -> Result<(), CheckpointError> {
        self.disk
            .sync_directory(folder)
            .map_err(CheckpointError::storage("sync the entries of", folder))
    }

    /// Checks that a file can be created, not created again, and is listed.
    fn probe(&self, folder: &Path) -> Result<(), CheckpointError> {
        let not_exclusive = |found: &str| CheckpointError::NotExclusive {
            directory: self.root.clone(),
            found: found.to_owned(),
        };
        let file = self.create_probe(folder)?;
        let again = self.disk.create_new(&file, b"again");
        let listed = fs::read_dir(folder)
            .map(|mut entries| entries.any(|entry| entry.is_ok_and(|e| e.path() == file)));
        // Checked before the removal's result, because on a broken store the removal fails too.
        let removed = self.disk.remove_file(&file);
        match again {
            Ok(()) => return Err(not_exclusive("a file that existed was created again")),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(CheckpointError::storage("probe", &file)(error)),
        }
        if !listed.map_err(CheckpointError::storage("list", folder))? {
            return Err(not_exclusive("a file that was created is not listed"));
        }
        removed.map_err(CheckpointError::storage("remove", &file))
    }

    /// Creates the probe file under a free name: another process may probe at the same time, or may have left its file.
    fn create_probe(&self, folder: &Path) -> Result<PathBuf, CheckpointError> {
        let process = std::process::id();
        let mut number = 0;
        loop {
            let file = folder.join(format!(".probe-{process}-{number}"));
            match self.disk.create_new(&file, b"probe") {
                Ok(()) => return Ok(file),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(CheckpointError::storage("write in", &self.root)(error)),
            }
        }
    }
}
