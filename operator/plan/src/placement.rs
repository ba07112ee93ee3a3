//! Which nodes could take the pods of each role, and if there are none, why.
//!
//! Nodes are treated as empty: labels, taints and allocatable amounts count, running pods do not. So a role that is
//! unplaceable here stays unplaceable until a node or the manifest changes.

mod explain;
mod matching;
mod node;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Affinity, NodeSelector, Toleration};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use shoprl_contract::Role;

use crate::quantity::Amount;
use crate::resources::requests;
use crate::validate::Validated;

pub use node::Node;

/// What a node must have to take a pod of a role.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// The role.
    pub role: Role,
    /// Number of pods.
    pub pods: u32,
    requests: BTreeMap<String, Quantity>,
    selector: BTreeMap<String, String>,
    affinity: Option<NodeSelector>,
    tolerations: Vec<Toleration>,
}

/// The nodes that could take the pods of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The role.
    pub role: Role,
    /// Number of pods.
    pub pods: u32,
    /// What each pod needs, as text.
    pub needs: String,
    /// Names of the nodes that could take a pod, sorted.
    pub nodes: Vec<String>,
    /// Why the pods cannot all be placed. Equal nodes give equal texts.
    pub unplaceable: Option<String>,
}

/// The needs of each role of a job, the trainer first.
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

/// Places the pods of one role on `nodes`, as if the nodes were empty.
pub fn place(need: &Need, nodes: &[Node]) -> Placement {
    let selected: Vec<&Node> =
        nodes.iter().filter(|node| matching::is_selected(need, node)).collect();
    let obstacles: Vec<(&Node, Option<explain::Obstacle>)> =
        selected.iter().map(|node| (*node, matching::obstacle(need, node))).collect();
    let free = || obstacles.iter().filter(|(_, obstacle)| obstacle.is_none());
    let mut names: Vec<String> = free().map(|(node, _)| node.name.clone()).collect();
    names.sort();
    let room: u64 = free().fold(0, |room, (node, _)| room.saturating_add(room_on(need, node)));
    let unplaceable = if need.pods == 0 {
        None
    } else if names.is_empty() {
        let obstacles: Vec<_> = obstacles.into_iter().filter_map(|(_, it)| it).collect();
        Some(explain::no_node(need, nodes.is_empty(), &obstacles))
    } else if room < u64::from(need.pods) {
        Some(explain::too_few_nodes(need, names.len(), room))
    } else {
        None
    };
    Placement {
        role: need.role,
        pods: need.pods,
        needs: explain::needs(need),
        nodes: names,
        unplaceable,
    }
}

/// Number of the role's pods that fit on an empty node.
fn room_on(need: &Need, node: &Node) -> u64 {
    let each = need.requests.iter().map(|(name, request)| {
        let request = Amount::parse(&request.0).unwrap_or_default();
        node.amount(name).holds(request)
    });
    each.chain([node.pods()]).min().unwrap_or(0)
}
