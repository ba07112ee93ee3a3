//! Files as memory, shared by all processes that read them: the only place in the crate with `unsafe`.

#![allow(unsafe_code, reason = "mapping a file; the argument stands at each block")]

use memmap2::{Mmap, MmapOptions};
use stable_deref_trait::StableDeref;
use std::fs::File;
use std::io;
use std::ops::Deref;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use tantivy::directory::OwnedBytes;
use thiserror::Error;

/// Why a file was not mapped.
#[derive(Debug, Error)]
pub(super) enum MapError {
    #[error(transparent)]
    Read(#[from] io::Error),
    #[error("it is no regular file")]
    Kind,
    #[error("user {0} owns it and may change it while it is read; own it, or let root own it")]
    Owner(u32),
    #[error("its mode {0:03o} lets others change it while it is read; chmod go-w")]
    Mode(u32),
}

/// Writable by group, by all.
const OTHERS_WRITE: u32 = 0o022;

struct Map(Mmap);

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

// SAFETY: the bytes lie where the kernel mapped them and stay there until the map is dropped, wherever the handle to
// it is moved; nothing here gives out the map itself.
unsafe impl StableDeref for Map {}

/// The bytes of a file that only its owner, who is this user or root, may change.
pub(super) fn map(path: &Path) -> Result<OwnedBytes, MapError> {
    let file = File::open(path)?;
    // Of the open file, not of the name: the two may differ by now.
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
    // SAFETY: mapped bytes must not change, nor the file become shorter, while they are borrowed. Only the file's owner
    // could do that, and the owner is this user or root. Our own writer never touches a file that has its name: it
    // writes another and renames it, and a mapped file outlives its name. What it maps of the other while it is not
    // finished, it gives back before it goes on (`file::write`).
    let map = unsafe { MmapOptions::new().map(&file)? };
    Ok(OwnedBytes::new(Map(map)))
}
