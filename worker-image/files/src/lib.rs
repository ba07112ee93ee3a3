//! Files that appear whole or not at all, with durability as an argument.
//!
//! Every file is written under a temporary name in the same folder (`.NAME.XXXXXX.partial`) and then renamed. So readers never
//! see a partial file, and a failed write leaves the old content in place.

use std::ffi::OsString;
use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::NamedTempFile;

/// Suffix of the temporary names.
pub const PARTIAL: &str = ".partial";

/// Temporary files are private by default; these are read by other users and containers.
const MODE: u32 = 0o644;

/// The failures that a completed write survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The death of the process. After a power loss the file may be missing, old or empty.
    Atomic,
    /// A power loss: the file and the entry in its folder are on the disk on return.
    Durable,
}

/// Writes `bytes` to `path` and replaces an existing file.
///
/// # Errors
/// The folder is missing or cannot be written, or the disk is full. The old file stays.
pub fn write(path: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    write_with(path, durability, |file, _| file.write_all(bytes))
}

/// Calls `fill` with an empty file, and renames the file to `path` if `fill` succeeds. `fill` also gets the temporary path, for
/// writers that map the file.
///
/// # Errors
/// Those of `fill`, and of [`write()`].
pub fn write_with<E: From<io::Error>>(
    path: &Path,
    durability: Durability,
    fill: impl FnOnce(&mut File, &Path) -> Result<(), E>,
) -> Result<(), E> {
    let folder = folder(path);
    let mut partial = partial(path, folder)?;
    let temporary = partial.path().to_owned();
    fill(partial.as_file_mut(), &temporary)?;
    if durability == Durability::Durable {
        partial.as_file().sync_all()?;
    }
    partial.persist(path).map_err(|error| error.error)?;
    if durability == Durability::Durable {
        sync_folder(folder)?;
    }
    Ok(())
}

/// Syncs the entries of a folder (created, renamed and removed files) to the disk.
///
/// # Errors
/// The folder cannot be opened or synced.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn partial(path: &Path, folder: &Path) -> io::Result<NamedTempFile> {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");
    tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(PARTIAL)
        .permissions(Permissions::from_mode(MODE))
        .tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_whole_and_readable_by_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        for (bytes, durability) in
            [(&b"first"[..], Durability::Atomic), (b"second", Durability::Durable)]
        {
            write(&path, bytes, durability).unwrap();
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        assert_eq!(names(folder.path()), ["state.json"]);
    }

    #[test]
    fn a_failed_write_leaves_the_old_content_and_no_partial_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        write(&path, b"old", Durability::Atomic).unwrap();
        let failed = write_with(&path, Durability::Durable, |file, temporary| {
            file.write_all(b"half")?;
            assert_eq!(fs::read(temporary)?, b"half");
            Err(io::Error::other("the disk is full"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "the disk is full");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["state.json"]);
    }

    #[test]
    fn a_missing_folder_is_an_error_and_not_created() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing").join("state.json");
        let error = write(&path, b"text", Durability::Atomic).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
