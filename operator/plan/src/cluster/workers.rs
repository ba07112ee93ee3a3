//! The desired workers of a job, and which pod belongs to which worker.

use shoprl_contract::Role;
use shoprl_crds::WorkerIntent;

use super::{JobFacts, ObservedPod};
use crate::local::ProcessId;

/// Name of a worker's pod.
pub fn pod_name(job: &str, worker: &WorkerIntent) -> String {
    format!("{job}-{}-{}", worker.worker, worker.incarnation)
}

/// Reads the name of a worker, for example `rollout-1`.
pub fn worker_id(name: &str) -> Option<ProcessId> {
    let (role, index) = name.rsplit_once('-')?;
    let role = Role::ALL.into_iter().find(|known| known.name() == role)?;
    Some(ProcessId { role, index: index.parse().ok()? })
}

/// The workers that the spec asks for, the trainer first.
pub(super) fn desired(job: &JobFacts<'_>) -> Vec<ProcessId> {
    let roles = &job.validated.roles;
    let sizes = [
        (Role::Trainer, 1),
        (Role::Simulator, roles.simulator.replicas),
        (Role::Reward, roles.reward.replicas),
        (Role::Rollout, roles.rollout.replicas),
    ];
    let workers = |(role, size)| (0..size).map(move |index| ProcessId { role, index });
    sizes.into_iter().flat_map(workers).collect()
}

/// Whether a pod belongs to the worker, in any incarnation. Called for every pair of pod and worker, so it parses the
/// name instead of formatting one.
pub(super) fn belongs_to(pod: &ObservedPod, worker: &str) -> bool {
    worker_id(worker) == Some(pod.worker)
}

/// Whether a pod is the worker's desired incarnation.
pub(super) fn is_current(pod: &ObservedPod, worker: &WorkerIntent) -> bool {
    belongs_to(pod, &worker.worker) && pod.incarnation == worker.incarnation
}
