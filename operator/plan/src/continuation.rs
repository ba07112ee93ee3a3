//! Whether a run may continue with a changed manifest, and if not, which fields prevent it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use shoprl_crds::ShopRLJob;

/// Prefixes of fields that may change between two runs in one folder. None of them decides the weights or the tasks of
/// the final comparison.
const MAY_CHANGE: [&str; 8] = [
    "spec.suspend",
    "spec.ttlSecondsAfterFinished",
    "spec.image",
    "spec.imagePullSecrets",
    "spec.roles.",
    "spec.checkpoint.",
    "spec.evaluation.everySteps",
    "spec.evaluation.tasks",
];

/// A changed field that prevents continuing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: was {was}, now {now}")]
pub struct Difference {
    /// Path in the manifest.
    pub field: String,
    /// Value in the manifest that the run started with, as JSON.
    pub was: String,
    /// Value in the new manifest, as JSON.
    pub now: String,
}

/// Whether a run may continue after the field at `path` changed.
pub fn may_change(path: &str) -> bool {
    MAY_CHANGE.iter().any(|prefix| path.starts_with(prefix))
}

/// The changed fields that prevent a run of `was` from continuing as `now`, in path order.
pub fn differences(was: &ShopRLJob, now: &ShopRLJob) -> Vec<Difference> {
    let (old, new) = (fields(was), fields(now));
    let absent = Value::Null;
    let paths: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    paths
        .into_iter()
        .filter(|path| !may_change(path))
        .filter_map(|path| {
            let (was, now) = (old.get(path).unwrap_or(&absent), new.get(path).unwrap_or(&absent));
            (was != now).then(|| Difference {
                field: path.clone(),
                was: was.to_string(),
                now: now.to_string(),
            })
        })
        .collect()
}

/// The leaves of the spec and the name, by path. A list is one leaf, because its order matters.
fn fields(job: &ShopRLJob) -> BTreeMap<String, Value> {
    let spec =
        serde_json::to_value(&job.spec).expect("plain structs with string keys always serialise");
    let mut leaves = BTreeMap::new();
    collect("spec", spec, &mut leaves);
    leaves.insert("metadata.name".to_owned(), Value::from(job.metadata.name.clone()));
    leaves
}

fn collect(path: &str, value: Value, leaves: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                collect(&format!("{path}.{name}"), member, leaves);
            }
        }
        leaf => {
            leaves.insert(path.to_owned(), leaf);
        }
    }
}
