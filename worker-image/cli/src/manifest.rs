//! Reads a manifest: one document, of our kind, without unknown fields, and possible. Whatever is
//! wrong is told with its path, its value and what to do.

mod advice;
mod read;

use std::fmt;
use std::path::{Path, PathBuf};

use shoprl_contract::{Exit, RunConfig};
use shoprl_crds::{ShopRLJob, Store};
use shoprl_plan::{Validated, lower};

/// A manifest that can be run.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// As written, with every default filled in.
    pub job: ShopRLJob,
    /// In the words of the workers' contract.
    pub validated: Validated,
}

impl Manifest {
    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read, is not one ShopRLJob, or holds mistakes.
    pub fn read(path: &Path) -> Result<Self, ManifestError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ManifestError::Unreadable { path: path.to_owned(), source })?;
        read::parse(&text)
            .map_err(|mistakes| ManifestError::Mistakes { path: path.to_owned(), mistakes })
    }

    /// Its name; a manifest without one does not validate.
    pub fn name(&self) -> &str {
        self.job.metadata.name.as_deref().unwrap_or_default()
    }

    /// Whether nothing of it shall run.
    pub fn is_suspended(&self) -> bool {
        self.job.spec.suspend
    }

    /// What the workers are told.
    pub fn config(&self) -> RunConfig {
        lower(&self.validated)
    }

    /// Fields that are written and that only a cluster has a use for, below `spec`.
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

    /// The manifest with every default filled in, as YAML.
    pub fn to_yaml(&self) -> String {
        serde_yaml::to_string(&self.job).expect("plain structs with string keys always serialise")
    }
}

/// Why a manifest cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("{}: {source}; give the path of a ShopRLJob manifest, for example docs/examples/quickstart.yaml", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds mistakes.
    #[error("{}: {}", path.display(), Listed(mistakes))]
    Mistakes {
        /// The file.
        path: PathBuf,
        /// All of them, each one line.
        mistakes: Vec<String>,
    },
}

impl From<ManifestError> for Exit {
    fn from(error: ManifestError) -> Self {
        Self::bad_configuration(error.to_string())
    }
}

/// One mistake stands in the line, several stand below it.
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
