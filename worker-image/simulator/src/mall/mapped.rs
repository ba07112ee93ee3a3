//! Maps files into memory, shared by all processes that read them. The only module of this crate with `unsafe`.

#![allow(unsafe_code, reason = "maps a file; each block states why it is sound")]

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use memmap2::{Mmap, MmapOptions};
use stable_deref_trait::StableDeref;
use tantivy::directory::OwnedBytes;
use thiserror::Error;

/// Why a file was not mapped.
#[derive(Debug, Error)]
pub(super) enum MapError {
    #[error(transparent)]
    Read(#[from] io::Error),
    #[error("it is not a regular file")]
    Kind,
    #[error("user {0} owns it and may change it while it is read; own it, or let root own it")]
    Owner(u32),
    #[error("its mode {0:03o} lets others change it while it is read; chmod go-w")]
    Mode(u32),
}

/// Write permission of the group and of others.
const OTHERS_WRITE: u32 = 0o022;

struct Map(Mmap);

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

// SAFETY: the bytes stay where the kernel mapped them until the map is dropped, wherever the handle is moved. No function
// here hands out the map itself.
unsafe impl StableDeref for Map {}

/// Maps a file that only its owner can change, if the owner is this user or root.
pub(super) fn map(path: &Path) -> Result<OwnedBytes, MapError> {
    let file = File::open(path)?;
    // Metadata of the open file: the name may point to another file by now.
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(MapError::Kind);
    }
    let (owner, mode) = (metadata.uid(), metadata.permissions().mode() & 0o777);
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return Err(MapError::Owner(owner));
    }
    if mode & OTHERS_WRITE != 0 {
        return Err(MapError::Mode(mode));
    }
    if metadata.len() == 0 {
        return Ok(OwnedBytes::empty());
    }
    // SAFETY: mapped bytes must not change, and the file must not shrink, while they are borrowed. Only the file's owner can
    // do that, and the owner is this user or root. This crate's writer never changes a file under its final name: it fills
    // a temporary file and renames it (`shoprl_files::write_with`), and a map keeps the replaced file alive. The writer
    // maps its own temporary file once, and drops that map before it writes on (`file::fill`).
    let map = unsafe { MmapOptions::new().map(&file)? };
    Ok(OwnedBytes::new(Map(map)))
}
