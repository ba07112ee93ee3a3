//! Exit reasons and remedies of I/O errors.

use std::io::{Error, ErrorKind};
use std::path::Path;

use shoprl_contract::Exit;

/// The remedy for a file that cannot be written.
pub(crate) fn write_remedy(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "free space, or use --output on another disk; files written so far are kept"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "use --output with a folder that you may write to"
        }
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            "a file has the name of the folder; use another --output"
        }
        _ => "retry, or use another --output",
    }
}

/// The exit for a file that cannot be written: a wrong place is bad configuration, anything else may work on a retry.
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

/// The exit for an input file that cannot be read.
pub(crate) fn unreadable(path: &Path, error: &Error, remedy: &str) -> Exit {
    Exit::bad_configuration(format!("{}: {error}; {remedy}", path.display()))
}
