//! Lock file: one run at a time in a folder. The system releases the lock when the process ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

/// Result of an attempt to lock.
pub(super) enum Lock {
    /// Held by this process while the file is open.
    Acquired(File),
    /// Held by another process; the text that it wrote into the file.
    Held(String),
}

/// Locks the file at `path` and writes this process's id into it.
pub(super) fn acquire(path: &Path) -> io::Result<Lock> {
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "process {}", std::process::id())?;
            Ok(Lock::Acquired(file))
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder)?;
            Ok(Lock::Held(holder.trim().to_owned()))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}
