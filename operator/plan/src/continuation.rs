//! Whether a run may go on under another manifest, and if not, what stands in the way.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use shoprl_crds::ShopRLJob;

/// Fields that may change between two runs in one folder: none of them decides the weights or what the final
/// comparison compares.
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

/// A field that may not change but did.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: was {was}, now {now}")]
pub struct Difference {
    /// Path in the manifest.
    pub field: String,
    /// Value that the run began with, as JSON.
    pub was: String,
    /// Value now, as JSON.
    pub now: String,
}

/// Whether a run may go on when the field at `path` changed.
pub fn may_change(path: &str) -> bool {
    MAY_CHANGE.iter().any(|prefix| path.starts_with(prefix))
}

/// The fields that keep a run begun as `was` from going on as `now`, in path order.
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

/// Every leaf of the spec, and the name, by path. Lists are leaves: their order means something.
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
