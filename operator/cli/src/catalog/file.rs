//! Stored shops.

use std::error::Error;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use shoprl_contract::Exit;
use shoprl_simulator::mall::Mall;

use crate::failure::{unreadable, write_exit};

/// Reads a shop.
pub(crate) fn read(path: &Path) -> Result<Mall, Exit> {
    let bytes = fs::read(path).map_err(|error| {
        unreadable(path, &error, "name a file that `shoprl catalog build` wrote")
    })?;
    Mall::from_bytes(&bytes).map_err(|error| {
        let cause = error.source().map(|cause| format!(" ({cause})")).unwrap_or_default();
        Exit::bad_configuration(format!("{}: {error}{cause}", path.display()))
    })
}

/// Writes a shop: a file with this name is either what was there before or complete.
pub(super) fn write(path: &Path, mall: &Mall) -> Result<(), Exit> {
    let bytes = mall.to_bytes().map_err(|error| Exit::temporary(error.to_string()))?;
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = Path::new(&name);
    let written = File::create(part)
        .and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(part, path));
    written.map_err(|error| {
        // What was begun is of no use; that it may be gone already does not matter.
        let _ = fs::remove_file(part);
        let remedy = "give --output where there is room and you may write";
        write_exit(&error, format!("{}: {error}; {remedy}", path.display()))
    })
}
