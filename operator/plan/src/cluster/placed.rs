//! Whether every pod has a node, and if not, why not.

use std::collections::BTreeSet;

use shoprl_contract::Role;
use shoprl_crds::WorkerIntent;

use super::decide::is_of;
use super::observed::UNPLACED;
use super::report::{PLACED, Said};
use super::{JobFacts, Observed, ObservedPod, PodState};
use crate::placement::{needs, place};

/// Most nodes of a role that are named in a status.
const NAMED: usize = 16;

/// The condition `Placed`. In words, and the same words for the same state: a message that changes is a write.
pub(super) fn placed(job: &JobFacts<'_>, observed: &Observed) -> Said {
    let say = |status, reason, message| Said { kind: PLACED, status, reason, message };
    if job.validated.suspend {
        return say("False", "Suspended", "a suspended job has no pods".to_owned());
    }
    let wanted = job.status.intent.as_ref().map_or(&[][..], |intent| &intent.workers);
    let without = without_node(wanted, observed);
    if without.is_empty() {
        return say("True", "AllPlaced", "every pod has a node".to_owned());
    }
    let roles: BTreeSet<Role> = without
        .iter()
        .filter_map(|(worker, _)| Some(super::worker_id(&worker.worker)?.role))
        .collect();
    if let Some(nodes) = &observed.nodes {
        let needs = needs(job.validated).into_iter().filter(|need| roles.contains(&need.role));
        let why: Vec<String> = needs.filter_map(|need| place(&need, nodes).unplaceable).collect();
        if !why.is_empty() {
            return say("False", "Unplaceable", why.join(". "));
        }
    }
    let mut said: Vec<String> = without
        .iter()
        .filter_map(|(worker, pod)| match &pod.as_ref()?.state {
            PodState::Waiting(why) => {
                Some(format!("{}: {}", worker.worker, why.strip_prefix(UNPLACED)?))
            }
            _ => None,
        })
        .collect();
    said.sort();
    if said.is_empty() {
        return say("Unknown", "Waiting", "the scheduler has not placed every pod yet".to_owned());
    }
    say("False", "Unschedulable", said.join("; "))
}

/// The workers whose pod is not there or has no node, and still could have one.
fn without_node<'a>(
    wanted: &'a [WorkerIntent],
    observed: &'a Observed,
) -> Vec<(&'a WorkerIntent, Option<&'a ObservedPod>)> {
    let workers = wanted.iter().map(|worker| (worker, pod_of(worker, observed)));
    workers
        .filter(|(_, pod)| pod.is_none_or(|pod| pod.node.is_none() && pod.ending().is_none()))
        .collect()
}

/// The nodes of a role, once each; told when every pod has one, so that it is one write and not one for each.
pub(super) fn nodes_of(role: Role, wanted: &[WorkerIntent], observed: &Observed) -> Vec<String> {
    if !without_node(wanted, observed).is_empty() {
        return Vec::new();
    }
    let pods = wanted.iter().filter_map(|worker| pod_of(worker, observed));
    let live = pods.filter(|pod| pod.worker.role == role && pod.ending().is_none());
    let nodes: BTreeSet<&String> = live.filter_map(|pod| pod.node.as_ref()).collect();
    nodes.into_iter().take(NAMED).cloned().collect()
}

fn pod_of<'a>(worker: &WorkerIntent, observed: &'a Observed) -> Option<&'a ObservedPod> {
    observed.pods.iter().find(|pod| is_of(pod, worker))
}
