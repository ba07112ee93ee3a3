//! Invariants of pods.

use serde_json::Value;

use super::super::api::{is_leaving, owners, text, uid};
use super::super::process::allows_no_pods;
use super::{Author, Fate, Invariants};

/// The class of a pod's end (docs/ARCHITECTURE.md, Exit contract of a worker).
pub(super) fn fate(pod: &Value) -> Option<Fate> {
    let status = &pod["status"];
    if status["reason"] == "Evicted" {
        return Some(Fate::Disruption);
    }
    let terminated = &status["containerStatuses"][0]["state"]["terminated"];
    match (terminated["exitCode"].as_i64()?, text(terminated, &["reason"])) {
        (0, _) => None,
        (64, _) => Some(Fate::Permanent),
        (143, _) | (255, "Unknown") => Some(Fate::Disruption),
        (137, "Error") if is_leaving(pod) => Some(Fate::Disruption),
        _ => Some(Fate::Application),
    }
}

/// Whether the persisted intent of `job` has this pod.
pub(super) fn is_intended(pod: &Value, job: &Value) -> bool {
    let label = |name: &str| text(pod, &["metadata", "labels", name]);
    let worker = format!("{}-{}", label("shoprl.dev/role"), label("shoprl.dev/index"));
    let workers = job["status"]["intent"]["workers"].as_array();
    workers.into_iter().flatten().any(|intended| {
        intended["worker"] == worker.as_str()
            && intended["incarnation"].as_i64() == label("shoprl.dev/incarnation").parse().ok()
    })
}

/// Whether a pod is pending or running and not being deleted.
pub(in super::super) fn is_live(pod: &Value) -> bool {
    !is_leaving(pod) && !matches!(text(pod, &["status", "phase"]), "Succeeded" | "Failed")
}

impl Invariants {
    /// Checks the creation of a pod. `pods` are all pods.
    pub(super) fn created(
        &self,
        pod: &Value,
        author: &Author<'_>,
        pods: &[&Value],
    ) -> Result<(), String> {
        let name = text(pod, &["metadata", "name"]);
        if allows_no_pods(author.job) {
            return Err(format!("created {name} for a job that may have no pods"));
        }
        if !is_intended(pod, author.job) {
            return Err(format!("created {name} before its intent was persisted"));
        }
        let role = text(pod, &["metadata", "labels", "shoprl.dev/role"]);
        let index = text(pod, &["metadata", "labels", "shoprl.dev/index"]);
        let others = pods.iter().filter(|other| {
            uid(other) != uid(pod)
                && owners(other).eq(owners(pod))
                && text(other, &["metadata", "labels", "shoprl.dev/role"]) == role
                && text(other, &["metadata", "labels", "shoprl.dev/index"]) == index
                && is_live(other)
        });
        // A single operator waits for the end of the old trainer; with two leaders the lineage fences.
        let allowed = usize::from(!self.alone || role != "trainer");
        let others = others.count();
        if self.alone && others > allowed {
            return Err(format!("created {name} in addition to {others} live pods"));
        }
        Ok(())
    }
}
