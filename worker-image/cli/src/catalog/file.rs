//! Stored shops.

use std::error::Error as _;
use std::path::Path;

use shoprl_contract::Exit;
use shoprl_simulator::mall::{Mall, MallError, Preset};

use crate::failure::{unreadable, write_exit};

/// Opens a shop.
pub(crate) fn open(path: &Path) -> Result<Mall, Exit> {
    Mall::open(path).map_err(|error| exit(path, &error))
}

/// Builds a shop and opens it.
pub(super) fn build(preset: Preset, seed: u64, path: &Path) -> Result<Mall, Exit> {
    Mall::build(preset, seed, path).map_err(|error| exit(path, &error))
}

/// What became of the shop file `path`, with what to do.
pub(super) fn exit(path: &Path, error: &MallError) -> Exit {
    let at = path.display();
    match error {
        MallError::Read(cause) => {
            unreadable(path, cause, "name a file that `shoprl catalog build` wrote")
        }
        MallError::Write(cause) => write_exit(
            cause,
            format!("{at}: {cause}; give --output where there is room and you may write"),
        ),
        error => {
            let cause = error.source().map(|cause| format!(" ({cause})")).unwrap_or_default();
            Exit::bad_configuration(format!("{at}: {error}{cause}"))
        }
    }
}
