//! MANIFEST.json: writing and verifying the list of a checkpoint's files.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::disk::Disk;
use super::seal::{self, Sealed};
use super::{Checkpoint, CheckpointError, CheckpointId, Defect};

/// File name of a [`Manifest`]; a folder without it is not a checkpoint.
pub(super) const MANIFEST: &str = "MANIFEST.json";

/// MANIFEST.json, which is written after all other files of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// Attempt that wrote the checkpoint.
    pub attempt: u32,
    /// Step after which it was written.
    pub step: u64,
    /// Version of its weights.
    pub weights_version: u64,
    /// All files, sorted by path.
    pub files: Vec<FileEntry>,
    /// SHA-256 (hex) of this document with this field empty.
    pub sha256: String,
}

/// One file of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileEntry {
    /// Path relative to the checkpoint, with `/`.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 (hex) of the content.
    pub sha256: String,
}

impl Sealed for Manifest {
    fn seal(&mut self) -> &mut String {
        &mut self.sha256
    }
}

/// Syncs every file and folder under `root` and lists the files with their digests.
pub(super) fn record(disk: &dyn Disk, root: &Path) -> Result<Vec<FileEntry>, CheckpointError> {
    let mut files = Vec::new();
    record_folder(disk, root, root, &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn record_folder(
    disk: &dyn Disk,
    root: &Path,
    folder: &Path,
    files: &mut Vec<FileEntry>,
) -> Result<(), CheckpointError> {
    let list = CheckpointError::storage("list", folder);
    let entries: Vec<_> = fs::read_dir(folder).and_then(Iterator::collect).map_err(list)?;
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type().map_err(CheckpointError::storage("inspect", &path))?;
        if kind.is_dir() {
            record_folder(disk, root, &path, files)?;
        } else if let (true, Some(name)) = (kind.is_file(), relative_name(root, &path)) {
            disk.sync_file(&path).map_err(CheckpointError::storage("sync", &path))?;
            let (size, sha256) = digest(&path).map_err(CheckpointError::storage("read", &path))?;
            files.push(FileEntry { path: name, size, sha256 });
        } else {
            return Err(CheckpointError::NotPlain { path });
        }
    }
    disk.sync_directory(folder).map_err(CheckpointError::storage("sync", folder))
}

/// `None` for names that are not UTF-8, which JSON cannot hold.
fn relative_name(root: &Path, path: &Path) -> Option<String> {
    let relative = path.strip_prefix(root).ok()?;
    let parts: Option<Vec<&str>> = relative.iter().map(|part| part.to_str()).collect();
    Some(parts?.join("/"))
}

/// The checkpoint in `path`, if every file has its recorded size and digest.
pub(super) fn verify(path: &Path, attempt: u32, step: u64) -> Result<Checkpoint, Defect> {
    let file = path.join(MANIFEST);
    let defect = |reason: String| Defect { path: file.clone(), reason };
    let bytes = fs::read(&file).map_err(|error| defect(reason(&error)))?;
    let manifest: Manifest = seal::from_bytes(&bytes).map_err(defect)?;
    if (manifest.attempt, manifest.step) != (attempt, step) {
        let (attempt, step) = (manifest.attempt, manifest.step);
        return Err(defect(format!("belongs to attempt {attempt}, step {step}")));
    }
    for entry in &manifest.files {
        verify_file(path, entry)?;
    }
    let id = CheckpointId { attempt, step, sha256: seal::sha256(&bytes) };
    Ok(Checkpoint { id, path: path.to_owned(), manifest })
}

fn verify_file(root: &Path, entry: &FileEntry) -> Result<(), Defect> {
    let path: PathBuf = root.join(&entry.path);
    let (size, sha256) = match digest(&path) {
        Ok(found) => found,
        Err(error) => return Err(Defect { path, reason: reason(&error) }),
    };
    if size != entry.size {
        let reason = format!("has {size} bytes, {} were written", entry.size);
        return Err(Defect { path, reason });
    }
    if sha256 != entry.sha256 {
        let reason = format!("has the digest {sha256}, {} was written", entry.sha256);
        return Err(Defect { path, reason });
    }
    Ok(())
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "is missing".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

/// Size and SHA-256 (hex) of a file.
fn digest(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut size = 0;
    let mut block = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut block)?;
        if read == 0 {
            return Ok((size, base16ct::lower::encode_string(&hash.finalize())));
        }
        hash.update(&block[..read]);
        size += read as u64;
    }
}
