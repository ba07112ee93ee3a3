//! Explains why pods cannot be placed. Equal nodes give equal texts, in any order.

use std::collections::BTreeMap;

use super::Need;
use crate::quantity::Amount;

/// Why a node cannot take a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// The node has less of a resource than one pod needs.
    Lacks { resource: String, has: String, amount: Amount },
    /// The node has a taint that the pod does not tolerate.
    Taint(String),
    /// The node is cordoned.
    Cordoned,
}

/// What a pod needs, and on which nodes.
pub(super) fn needs(need: &Need) -> String {
    let requests = need.requests.iter().map(|(name, amount)| format!("{name} {}", amount.0));
    let requests = requests.collect::<Vec<_>>().join(", ");
    match place(need) {
        place if place.is_empty() => requests,
        place => format!("{requests} on {place}"),
    }
}

/// Why no node could take a pod. `obstacles` has one entry per node that the pod selects.
pub(super) fn no_node(need: &Need, no_nodes: bool, obstacles: &[Obstacle]) -> String {
    let needed = needed(need, obstacles);
    if no_nodes {
        return format!("{needed}; there are no nodes");
    }
    if obstacles.is_empty() {
        return format!("{needed}; no such node");
    }
    let mut groups: BTreeMap<String, Vec<&Obstacle>> = BTreeMap::new();
    for obstacle in obstacles {
        groups.entry(group_key(obstacle)).or_default().push(obstacle);
    }
    let place = place(need);
    let of = if place.is_empty() { String::new() } else { format!(" of {place}") };
    let parts: Vec<String> = groups
        .values()
        .enumerate()
        .map(|(nth, group)| {
            let nodes = match (nth, group.len()) {
                (0, 1) => format!("1 node{of}"),
                (0, n) => format!("{n} nodes{of}"),
                (_, n) => n.to_string(),
            };
            format!("{nodes} {}", describe(group))
        })
        .collect();
    format!("{needed}; {}", parts.join(", "))
}

/// Why some, but not all, pods of the role could be placed.
pub(super) fn too_few_nodes(need: &Need, nodes: usize, room: u64) -> String {
    let plural = if nodes == 1 { "" } else { "s" };
    format!(
        "{} needs {} for each of its {} pods; {nodes} node{plural} could take {room} of them",
        need.role.name(),
        needs(need),
        need.pods
    )
}

/// `trainer needs nvidia.com/gpu 1 on pool=gpu`: the devices, and the resources that nodes lack.
fn needed(need: &Need, obstacles: &[Obstacle]) -> String {
    let is_lacking = |name: &str| {
        obstacles
            .iter()
            .any(|it| matches!(it, Obstacle::Lacks { resource, .. } if resource == name))
    };
    let requests = need.requests.iter().filter(|(name, _)| name.contains('/') || is_lacking(name));
    let requests: Vec<String> =
        requests.map(|(name, amount)| format!("{name} {}", amount.0)).collect();
    let (role, place) = (need.role.name(), place(need));
    match (requests.is_empty(), place.is_empty()) {
        (false, false) => format!("{role} needs {} on {place}", requests.join(", ")),
        (false, true) => format!("{role} needs {}", requests.join(", ")),
        (true, false) => format!("{role} needs a node with {place}"),
        (true, true) => format!("{role} needs a node"),
    }
}

/// The nodes that the pod selects; empty if it selects all.
fn place(need: &Need) -> String {
    let mut parts: Vec<String> =
        need.selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
    if need.affinity.is_some() {
        parts.push("the required node affinity".to_owned());
    }
    parts.join(", ")
}

/// Key by which obstacles are grouped and ordered in a message.
fn group_key(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::Lacks { resource, .. } => format!("0 {resource}"),
        Obstacle::Taint(taint) => format!("1 {taint}"),
        Obstacle::Cordoned => "2".to_owned(),
    }
}

/// The predicate of a message about nodes with the same kind of obstacle.
fn describe(group: &[&Obstacle]) -> String {
    let is_single = group.len() == 1;
    match group {
        [Obstacle::Taint(taint), ..] => {
            let have = if is_single { "has" } else { "have" };
            format!("{have} a taint {taint} that it does not tolerate")
        }
        [Obstacle::Cordoned, ..] => format!("{} cordoned", if is_single { "is" } else { "are" }),
        _ => {
            let have = if is_single { "has" } else { "have" };
            let amounts = group.iter().filter_map(|it| match it {
                Obstacle::Lacks { resource, has, amount } => Some((*amount, resource, has)),
                _ => None,
            });
            amounts
                .max_by(|one, other| (one.0, one.2).cmp(&(other.0, other.2)))
                .map_or_else(String::new, |(_, resource, has)| {
                    format!("{have} less {resource} (at most {has})")
                })
        }
    }
}
