//! Reads a manifest: one valid ShopRLJob without unknown fields. Errors name the field, its value and the correction.

mod advice;
mod read;

use std::fmt;
use std::path::{Path, PathBuf};

use shoprl_contract::{Exit, RunConfig};
use shoprl_crds::{ShopRLJob, Store};
use shoprl_plan::{Validated, lower};

/// A valid manifest.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The job as written, with all defaults filled in.
    pub job: ShopRLJob,
    /// The job in the terms of the workers' contract.
    pub validated: Validated,
}

impl Manifest {
    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// When the file cannot be read, is not one ShopRLJob, or is invalid.
    pub fn read(path: &Path) -> Result<Self, ManifestError> {
        let text = std::fs::read_to_string(path)
            .map_err(|cause| ManifestError::Unreadable { path: path.to_owned(), cause })?;
        read::parse(&text)
            .map_err(|mistakes| ManifestError::Mistakes { path: path.to_owned(), mistakes })
    }

    /// The job's name. Validation refuses a manifest without one.
    pub fn name(&self) -> &str {
        self.job.metadata.name.as_deref().unwrap_or_default()
    }

    /// Whether the job is suspended.
    pub fn is_suspended(&self) -> bool {
        self.job.spec.suspend
    }

    /// The configuration of the workers.
    pub fn config(&self) -> RunConfig {
        lower(&self.validated)
    }

    /// Fields below `spec` that are set and that only a cluster uses.
    pub fn cluster_only(&self) -> Vec<String> {
        let spec = serde_json::to_value(&self.job.spec)
            .expect("plain structs with string keys always serialise");
        let mut fields: Vec<String> = ["ttlSecondsAfterFinished", "image", "imagePullSecrets"]
            .into_iter()
            .filter(|field| spec.get(field).is_some())
            .map(str::to_owned)
            .collect();
        if self.job.spec.checkpoint.store != Store::default() {
            fields.push("checkpoint.store".to_owned());
        }
        for (role, written) in spec["roles"].as_object().into_iter().flatten() {
            let written = written.as_object().into_iter().flat_map(|fields| fields.keys());
            let overlay = written.filter(|field| *field != "replicas");
            fields.extend(overlay.map(|field| format!("roles.{role}.{field}")));
        }
        fields
    }

    /// The manifest as YAML, with all defaults filled in.
    pub fn to_yaml(&self) -> String {
        serde_yaml::to_string(&self.job).expect("plain structs with string keys always serialise")
    }
}

/// Why a manifest is refused.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("{}: {cause}; use the path of a ShopRLJob manifest, for example docs/examples/quickstart.yaml", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: std::io::Error,
    },
    /// The manifest is invalid.
    #[error("{}: {}", path.display(), Listed(mistakes))]
    Mistakes {
        /// The file.
        path: PathBuf,
        /// One line each.
        mistakes: Vec<String>,
    },
}

impl From<ManifestError> for Exit {
    fn from(error: ManifestError) -> Self {
        Self::bad_configuration(error.to_string())
    }
}

/// A single mistake on the same line, several on lines of their own.
struct Listed<'a>(&'a [String]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [mistake] => f.write_str(mistake),
            mistakes => {
                write!(f, "{} mistakes", mistakes.len())?;
                mistakes.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
            }
        }
    }
}
