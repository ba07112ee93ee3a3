//! Shop files.

use std::path::Path;

use shoprl_contract::{Exit, error_chain};
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

/// The exit for an error about the shop file `path`, with a remedy.
pub(super) fn exit(path: &Path, error: &MallError) -> Exit {
    let at = path.display();
    match error {
        MallError::Read(cause) => {
            unreadable(path, cause, "use a file that `shoprl catalog build` wrote")
        }
        MallError::Write(cause) => write_exit(
            cause,
            format!(
                "{at}: {cause}; use --output in a folder with free space that you may write to"
            ),
        ),
        error => Exit::bad_configuration(format!("{at}: {}", error_chain(error))),
    }
}
