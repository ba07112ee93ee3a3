//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::FolderError;

fn io<T>(action: &'static str, path: &Path, result: std::io::Result<T>) -> Result<T, FolderError> {
    result.map_err(|source| FolderError::Io { action, path: path.to_path_buf(), source })
}

/// Writes `files` (name, bytes) into `dir`, each under a temporary name first; all are on the disk on return.
pub(super) fn write(dir: &Path, files: &[(&str, Vec<u8>)]) -> Result<(), FolderError> {
    io("create", dir, fs::create_dir_all(dir))?;
    for (name, bytes) in files {
        let (path, temporary) = (dir.join(name), dir.join(format!(".{name}.partial")));
        let written = (|| {
            let mut file = File::create(&temporary)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)
        })();
        if written.is_err() {
            // A full disk should not stay full of the attempt. That this fails too changes nothing to report.
            drop(fs::remove_file(&temporary));
        }
        io("write", &path, written)?;
    }
    // The renames are entries of the folder, which has to reach the disk like a file.
    io("sync", dir, File::open(dir).and_then(|folder| folder.sync_all()))
}

/// Reads a whole file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, FolderError> {
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(FolderError::Missing(path.to_path_buf()))
        }
        result => io("read", path, result),
    }
}
