//! Reading and writing the folder's files.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use shoprl_files::Durability;

use super::FolderError;

/// Writes `files` (name, bytes) into `dir`. All of them survive a power loss once this returns.
pub(super) fn write(dir: &Path, files: &[(&str, Vec<u8>)]) -> Result<(), FolderError> {
    attempt("create", dir, fs::create_dir_all(dir))?;
    for (name, bytes) in files {
        let path = dir.join(name);
        attempt("write", &path, shoprl_files::write(&path, bytes, Durability::Durable))?;
    }
    Ok(())
}

/// Reads a whole file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, FolderError> {
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(FolderError::Missing(path.to_path_buf()))
        }
        result => attempt("read", path, result),
    }
}

fn attempt<T>(action: &'static str, path: &Path, result: io::Result<T>) -> Result<T, FolderError> {
    result.map_err(|source| FolderError::Io { action, path: path.to_path_buf(), source })
}
