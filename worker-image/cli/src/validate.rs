//! `shoprl validate`: checks manifests.

use std::path::PathBuf;

use clap::Args;
use shoprl_contract::Exit;

use crate::manifest::Manifest;
use crate::output::to_stdout;

/// Check manifests. Each error names the field, the value and the correction.
#[derive(Debug, Args)]
pub struct ValidateArguments {
    /// ShopRLJob manifests in YAML.
    #[arg(required = true, value_name = "MANIFEST")]
    manifests: Vec<PathBuf>,
}

/// Checks all manifests and reports every error.
///
/// # Errors
/// Bad configuration when a manifest is invalid.
pub fn validate(arguments: &ValidateArguments) -> Result<(), Exit> {
    let mut refused = Vec::new();
    for path in &arguments.manifests {
        match Manifest::read(path) {
            Ok(manifest) => to_stdout(|out| {
                writeln!(out, "{}: job {} is valid", path.display(), manifest.name())
            })?,
            Err(error) => refused.push(error.to_string()),
        }
    }
    if refused.is_empty() {
        Ok(())
    } else {
        Err(Exit::bad_configuration(refused.join("\nerror: ")))
    }
}
