//! The condition `Placed`: whether every pod has a node, and if not, why.

use std::collections::BTreeSet;

use shoprl_contract::Role;
use shoprl_crds::WorkerIntent;

use super::condition::{NewCondition, PLACED};
use super::observed::UNPLACED;
use super::workers::{is_current, worker_id};
use super::{JobFacts, Observed, ObservedPod, PodState};
use crate::placement::{needs, place};

/// Largest number of nodes per role in a status.
const MAX_NODES: usize = 16;

/// The condition `Placed`. Equal states give equal messages, because a changed message is a status write.
pub(super) fn placed(job: &JobFacts<'_>, observed: &Observed) -> NewCondition {
    let condition =
        |status, reason, message| NewCondition { kind: PLACED, status, reason, message };
    if job.validated.suspend {
        return condition("False", "Suspended", "a suspended job has no pods".to_owned());
    }
    let workers = job.status.intent.as_ref().map_or(&[][..], |intent| &intent.workers);
    let without_node = without_node(workers, observed);
    if without_node.is_empty() {
        return condition("True", "AllPlaced", "every pod has a node".to_owned());
    }
    let roles: BTreeSet<Role> = without_node
        .iter()
        .filter_map(|(worker, _)| Some(worker_id(&worker.worker)?.role))
        .collect();
    if let Some(nodes) = &observed.nodes {
        let needs = needs(job.validated).into_iter().filter(|need| roles.contains(&need.role));
        let reasons: Vec<String> =
            needs.filter_map(|need| place(&need, nodes).unplaceable).collect();
        if !reasons.is_empty() {
            return condition("False", "Unplaceable", reasons.join(". "));
        }
    }
    let mut reasons: Vec<String> = without_node
        .iter()
        .filter_map(|(worker, pod)| match &pod.as_ref()?.state {
            PodState::Waiting(why) => {
                Some(format!("{}: {}", worker.worker, why.strip_prefix(UNPLACED)?))
            }
            _ => None,
        })
        .collect();
    reasons.sort();
    if reasons.is_empty() {
        let message = "the scheduler has not placed every pod yet".to_owned();
        return condition("Unknown", "Waiting", message);
    }
    condition("False", "Unschedulable", reasons.join("; "))
}

/// The workers without a node, each with its pod if that exists. Workers whose pod ended are left out.
fn without_node<'a>(
    workers: &'a [WorkerIntent],
    observed: &'a Observed,
) -> Vec<(&'a WorkerIntent, Option<&'a ObservedPod>)> {
    let workers = workers.iter().map(|worker| (worker, pod_of(worker, observed)));
    workers
        .filter(|(_, pod)| pod.is_none_or(|pod| pod.node.is_none() && pod.ending().is_none()))
        .collect()
}

/// The nodes of a role, without duplicates. Empty until every pod of the job has a node, so that placing a job takes one
/// status write instead of one per pod.
pub(super) fn nodes_of(role: Role, workers: &[WorkerIntent], observed: &Observed) -> Vec<String> {
    if !without_node(workers, observed).is_empty() {
        return Vec::new();
    }
    let pods = workers.iter().filter_map(|worker| pod_of(worker, observed));
    let live = pods.filter(|pod| pod.worker.role == role && pod.ending().is_none());
    let nodes: BTreeSet<&String> = live.filter_map(|pod| pod.node.as_ref()).collect();
    nodes.into_iter().take(MAX_NODES).cloned().collect()
}

fn pod_of<'a>(worker: &WorkerIntent, observed: &'a Observed) -> Option<&'a ObservedPod> {
    observed.pods.iter().find(|pod| is_current(pod, worker))
}
