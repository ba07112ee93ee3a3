//! From an input or output error to an exit and its remedy.

use std::io::{Error, ErrorKind};
use std::path::Path;

use shoprl_contract::Exit;

/// What to do about a file that could not be written.
pub(crate) fn write_remedy(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "free space, or give --output on another disk; nothing written so far is lost"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "give --output where you may write"
        }
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            "a file stands where a folder is needed; give another --output"
        }
        _ => "give another --output if it stays so",
    }
}

/// A file that could not be written: wrong places stay wrong, everything else may work next time.
pub(crate) fn write_exit(error: &Error, message: String) -> Exit {
    match error.kind() {
        ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::NotADirectory
        | ErrorKind::AlreadyExists
        | ErrorKind::InvalidInput => Exit::bad_configuration(message),
        _ => Exit::temporary(message),
    }
}

/// A file that was named and could not be read.
pub(crate) fn unreadable(path: &Path, error: &Error, remedy: &str) -> Exit {
    Exit::bad_configuration(format!("{}: {error}; {remedy}", path.display()))
}
