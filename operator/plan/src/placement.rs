//! Which nodes could take the pods of each role, and if none could, why not, in words.
//!
//! A node could take a pod if the pod fits on it while it is empty: its labels, its taints and what it can give are
//! looked at, and not what runs there; that is the scheduler's to know. So what is said here to be impossible stays so until
//! a node or the manifest changes.

mod matching;
mod node;
mod words;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Affinity, NodeSelector, Toleration};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use shoprl_contract::Role;

use crate::cluster::requests;
use crate::quantity::Amount;
use crate::validate::Validated;

pub use node::Node;

/// What the pods of a role need of a node.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// Whose pods.
    pub role: Role,
    /// How many.
    pub pods: u32,
    requests: BTreeMap<String, Quantity>,
    selector: BTreeMap<String, String>,
    affinity: Option<NodeSelector>,
    tolerations: Vec<Toleration>,
}

/// Where the pods of a role could go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// Whose pods.
    pub role: Role,
    /// How many.
    pub pods: u32,
    /// What each of them needs, in words.
    pub needs: String,
    /// Names of the nodes that could take one, in order.
    pub nodes: Vec<String>,
    /// Why they cannot all be placed, in words: the same state gives the same words.
    pub unplaceable: Option<String>,
}

/// What every role of a job needs, the trainer first.
pub fn needs(validated: &Validated) -> Vec<Need> {
    let sizes = &validated.roles;
    let need = |(role, pods)| {
        let overlay = validated.overlay(role);
        Need {
            role,
            pods,
            requests: requests(role, &overlay.resources),
            selector: overlay.node_selector.clone(),
            affinity: required(overlay.affinity.as_ref()),
            tolerations: overlay.tolerations.clone(),
        }
    };
    let roles = [
        (Role::Trainer, 1),
        (Role::Simulator, sizes.simulator.replicas),
        (Role::Reward, sizes.reward.replicas),
        (Role::Rollout, sizes.rollout.replicas),
    ];
    roles.map(need).into()
}

fn required(affinity: Option<&Affinity>) -> Option<NodeSelector> {
    affinity?.node_affinity.as_ref()?.required_during_scheduling_ignored_during_execution.clone()
}

/// Places the pods of one role on `nodes`, as if they were empty.
pub fn place(need: &Need, nodes: &[Node]) -> Placement {
    let selected: Vec<&Node> =
        nodes.iter().filter(|node| matching::is_selected(need, node)).collect();
    let obstacles: Vec<(&Node, Option<words::Obstacle>)> =
        selected.iter().map(|node| (*node, matching::obstacle(need, node))).collect();
    let free = || obstacles.iter().filter(|(_, obstacle)| obstacle.is_none());
    let mut names: Vec<String> = free().map(|(node, _)| node.name.clone()).collect();
    names.sort();
    let room: u64 = free().fold(0, |room, (node, _)| room.saturating_add(room_on(need, node)));
    let unplaceable = if need.pods == 0 {
        None
    } else if names.is_empty() {
        let obstacles: Vec<_> = obstacles.into_iter().filter_map(|(_, it)| it).collect();
        Some(words::why_none(need, nodes.is_empty(), &obstacles))
    } else if room < u64::from(need.pods) {
        Some(words::too_small(need, names.len(), room))
    } else {
        None
    };
    Placement {
        role: need.role,
        pods: need.pods,
        needs: words::needs(need),
        nodes: names,
        unplaceable,
    }
}

/// How many of the pods fit on a node.
fn room_on(need: &Need, node: &Node) -> u64 {
    let each = need.requests.iter().map(|(name, request)| {
        let request = Amount::parse(&request.0).unwrap_or_default();
        node.amount(name).holds(request)
    });
    each.chain([node.pods()]).min().unwrap_or(0)
}
