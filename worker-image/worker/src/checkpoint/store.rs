use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Attempt, CheckpointError, Job,
    disk::{Disk, LocalDisk},
    lineage::{self, Lineage, Record},
    seal,
};

/// The checkpoints of one job in its run folder.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) root: PathBuf,
    pub(super) keep: usize,
    pub(super) disk: Arc<dyn Disk>,
}

impl Store {
    /// Opens the run folder `root`, created if need be, and proves that it can keep attempts apart.
    /// The newest `keep` checkpoints stay, and at least two.
    ///
    /// # Errors
    /// A folder that cannot be written, or that lets an existing file be created again.
    pub fn open(root: &Path, keep: u32) -> Result<Self, CheckpointError> {
        Self::open_on(root, keep, Arc::new(LocalDisk))
    }

    pub(super) fn open_on(
        root: &Path,
        keep: u32,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, CheckpointError> {
        // A successor may be naming the last but one as its parent at this very moment.
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

    /// Begins the next attempt of a job: from the newest valid checkpoint, or from the beginning
    /// where there is none.
    ///
    /// # Errors
    /// Another job or manifest, a number taken meanwhile (call again), damaged history, or the disk.
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

    /// An attempt that was replaced must not go on.
    pub(super) fn check_current(&self, attempt: u32) -> Result<(), CheckpointError> {
        let by = Lineage::read(&self.root)?.newest();
        if by > attempt { Err(CheckpointError::Superseded { attempt, by }) } else { Ok(()) }
    }

    pub(super) fn sync(&self, folder: &Path) -> Result<(), CheckpointError> {
        self.disk
            .sync_directory(folder)
            .map_err(CheckpointError::storage("make durable the entries of", folder))
    }

    /// Create; create again must fail; a listing must show it.
    fn probe(&self, folder: &Path) -> Result<(), CheckpointError> {
        let not_exclusive = |found: &str| CheckpointError::NotExclusive {
            directory: self.root.clone(),
            found: found.to_owned(),
        };
        let file = self.create_probe(folder)?;
        let again = self.disk.create_new(&file, b"again");
        let listed = fs::read_dir(folder)
            .map(|mut entries| entries.any(|entry| entry.is_ok_and(|e| e.path() == file)));
        // Judged before the removal's result: it fails too where the store is broken.
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

    /// Another process may probe at the same time, and one that died may have left its file.
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
