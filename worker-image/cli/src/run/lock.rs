//! One run at a time in a folder. The system releases the lock however the process ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

/// What came of trying to take the lock.
pub(super) enum Taken {
    /// Ours for as long as the file is open.
    Ours(File),
    /// Somebody else's: what they wrote into it.
    Theirs(String),
}

/// Takes the lock file at `path` and writes this process's id into it.
pub(super) fn take(path: &Path) -> io::Result<Taken> {
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "process {}", std::process::id())?;
            Ok(Taken::Ours(file))
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder)?;
            Ok(Taken::Theirs(holder.trim().to_owned()))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}
