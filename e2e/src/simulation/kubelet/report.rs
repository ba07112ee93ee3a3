//! Writes of the scheduler and the kubelet to a pod.

use serde_json::{Value, json};

use super::super::api::{Change, Kind, Server, Verb, text};
use super::super::names::NAMESPACE;
use super::{Class, Worker, call, force_delete};

fn status(server: &mut Server, worker: &Worker, status: &Value) -> Vec<Change> {
    let body = json!({"status": status});
    server
        .answer(&call(Verb::Merge, "status", NAMESPACE, &worker.name, body))
        .change
        .into_iter()
        .collect()
}

pub(super) fn placed(server: &mut Server, worker: &Worker) -> Vec<Change> {
    let body = json!({"spec": {"nodeName": format!("node{}", worker.node + 1)}});
    let bound = server.answer(&call(Verb::Merge, "", NAMESPACE, &worker.name, body)).change;
    bound.into_iter().collect()
}

/// Whether all objects that the pod mounts exist.
pub(super) fn has_volumes(server: &Server, worker: &Worker) -> bool {
    let Some(pod) = server.get(Kind::of("pods"), NAMESPACE, &worker.name) else { return false };
    let exists = |plural: &str, name: &str| {
        name.is_empty() || server.get(Kind::of(plural), NAMESPACE, name).is_some()
    };
    pod["spec"]["volumes"].as_array().into_iter().flatten().all(|volume| {
        exists("configmaps", text(volume, &["configMap", "name"]))
            && exists("secrets", text(volume, &["secret", "secretName"]))
            && exists(
                "persistentvolumeclaims",
                text(volume, &["persistentVolumeClaim", "claimName"]),
            )
    })
}

/// The target step of the job.
pub(super) fn target(server: &Server, worker: &Worker) -> i64 {
    let jobs = server.all(Kind::of("shoprljobs"));
    let mut own = jobs.filter(|job| text(job, &["metadata", "uid"]) == worker.job);
    own.next().and_then(|job| job["spec"]["training"]["steps"].as_i64()).unwrap_or(1)
}

pub(super) fn running(server: &mut Server, worker: &Worker) -> Vec<Change> {
    let next = json!({
        "phase": "Running", "podIP": worker.address,
        "conditions": [{"type": "Ready", "status": "False"}],
    });
    status(server, worker, &next)
}

pub(super) fn ready(server: &mut Server, worker: &Worker, ready: bool) -> Vec<Change> {
    let value = if ready { "True" } else { "False" };
    status(server, worker, &json!({"conditions": [{"type": "Ready", "status": value}]}))
}

pub(super) fn ended(server: &mut Server, id: &str, worker: &Worker, class: Class) -> Vec<Change> {
    let own = server.get(Kind::of("pods"), NAMESPACE, &worker.name);
    if own.is_none_or(|pod| text(pod, &["metadata", "uid"]) != id) {
        return Vec::new();
    }
    let (code, reason) = match class {
        Class::Exit(0) => (0, "Completed"),
        Class::Exit(code) => (code, "Error"),
        Class::OomKilled => (137, "OOMKilled"),
        Class::Killed => (137, "Error"),
        Class::NodeLost => (255, "Unknown"),
        Class::Evicted => {
            let failed = json!({"phase": "Failed", "reason": "Evicted", "message": "low on memory", "conditions": []});
            return status(server, worker, &failed);
        }
    };
    let phase = if code == 0 { "Succeeded" } else { "Failed" };
    let terminated = json!({"exitCode": code, "reason": reason});
    let container = json!({
        "name": "worker", "image": "", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": terminated},
    });
    status(
        server,
        worker,
        &json!({"phase": phase, "conditions": [], "containerStatuses": [container]}),
    )
}

/// The kubelet removes a deleted pod whose process has ended.
pub(super) fn gone(server: &mut Server, id: &str, worker: &Worker) -> Vec<Change> {
    if worker.killed_at.is_none() {
        return Vec::new();
    }
    force_delete(server, NAMESPACE, &worker.name, id)
}
