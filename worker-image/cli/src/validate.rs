//! `shoprl validate`: checks manifests.

use std::path::PathBuf;

use clap::Args;
use shoprl_contract::Exit;

use crate::manifest::Manifest;
use crate::output::to_stdout;

/// Check manifests; every mistake is named with its field and what to write instead.
#[derive(Debug, Args)]
pub struct ValidateArguments {
    /// ShopRLJob manifests in YAML.
    #[arg(required = true, value_name = "MANIFEST")]
    manifests: Vec<PathBuf>,
}

/// Checks every manifest and reports on all of them.
///
/// # Errors
/// Bad configuration when one of them cannot be run.
pub fn validate(arguments: &ValidateArguments) -> Result<(), Exit> {
    let mut refused = Vec::new();
    for path in &arguments.manifests {
        match Manifest::read(path) {
            Ok(manifest) => to_stdout(|out| {
                writeln!(out, "{}: job {} can run", path.display(), manifest.name())
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
