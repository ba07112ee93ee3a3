//! The single operations that change a checkpoint store, behind a trait, so that tests can inject a power cut or a full disk
//! between any two of them. `shoprl_files` combines several of these operations into one call, so this module does not use it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// The disk operations of the store.
pub(super) trait Disk: std::fmt::Debug + Send + Sync {
    /// Creates a folder with its parents, unless it exists.
    fn create_directory(&self, path: &Path) -> io::Result<()>;
    /// Creates a file that must not exist, writes `content` and syncs it.
    fn create_new(&self, path: &Path, content: &[u8]) -> io::Result<()>;
    /// Syncs the content of a file.
    fn sync_file(&self, path: &Path) -> io::Result<()>;
    /// Syncs the entries of a folder.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
    /// Renames within a folder.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes a folder with its content, if it exists.
    fn remove_tree(&self, path: &Path) -> io::Result<()>;
}

/// A local disk or a mounted volume.
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
            // A partial file would occupy the name forever. The write's error is the one to report.
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
