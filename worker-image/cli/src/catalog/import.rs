//! Imports products of other environments.

use std::fs;
use std::path::Path;

use shoprl_contract::{Exit, error_chain};
use shoprl_simulator::mall::import::{Format, ImportError, import as read};

use super::file;
use crate::failure::unreadable;
use crate::output::to_stdout;

/// Reads `path`, writes the shop to `output` and prints the report.
pub(super) fn import(path: &Path, format: Format, output: &Path, json: bool) -> Result<(), Exit> {
    let bytes = fs::read(path)
        .map_err(|error| unreadable(path, &error, "use a readable file of products"))?;
    let (mall, report) = read(format, &bytes).map_err(|error| {
        let message = format!("{}: {}", path.display(), error_chain(&error));
        match error {
            ImportError::Mall(_) => Exit::temporary(message),
            _ => Exit::bad_configuration(message),
        }
    })?;
    mall.save(output).map_err(|error| file::exit(output, &error))?;
    to_stdout(|out| {
        if json {
            serde_json::to_writer(&mut *out, &report)?;
            writeln!(out)
        } else {
            writeln!(out, "{}: {report}\nsha256 {}", output.display(), report.digest)
        }
    })
}
