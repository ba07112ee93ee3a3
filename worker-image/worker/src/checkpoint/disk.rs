//! The operations that change a folder, each alone, so that a test can end the world between any
//! two of them.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

/// What the store does to a disk.
pub(super) trait Disk: std::fmt::Debug + Send + Sync {
    /// Creates a folder; it may exist already.
    fn create_directory(&self, path: &Path) -> io::Result<()>;
    /// Creates a file that must not exist, with this content, durably.
    fn create_new(&self, path: &Path, content: &[u8]) -> io::Result<()>;
    /// Makes the content of a file durable.
    fn sync_file(&self, path: &Path) -> io::Result<()>;
    /// Makes the entries of a folder durable.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
    /// Renames within a folder.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes a folder with all it holds; one that does not exist is fine.
    fn remove_tree(&self, path: &Path) -> io::Result<()>;
}

/// A folder of this machine or a mounted volume.
#[derive(Debug)]
pub(super) struct LocalDisk;

impl Disk for LocalDisk {
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn create_new(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        let written = file.write_all(content).and_then(|()| file.sync_all());
        if written.is_err() {
            // Half a file would occupy its name for ever; the write's error is the one to tell.
            let _ = fs::remove_file(path);
        }
        written
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_tree(&self, path: &Path) -> io::Result<()> {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }
}
