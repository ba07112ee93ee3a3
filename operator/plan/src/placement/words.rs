//! What stands in the way, in words. The same state gives the same words, whatever the order of the nodes.

use std::collections::BTreeMap;

use super::Need;
use crate::quantity::Amount;

/// What keeps pods from a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// It has less than one pod needs.
    Lacks { resource: String, has: String, amount: Amount },
    /// A taint that is not tolerated.
    Taint(String),
    /// Nothing new is placed there.
    Cordoned,
}

/// What a pod needs, and of which nodes.
pub(super) fn needs(need: &Need) -> String {
    let requests = need.requests.iter().map(|(name, amount)| format!("{name} {}", amount.0));
    let requests = requests.collect::<Vec<_>>().join(", ");
    match place(need) {
        place if place.is_empty() => requests,
        place => format!("{requests} on {place}"),
    }
}

/// No node could take one.
pub(super) fn why_none(need: &Need, no_nodes: bool, obstacles: &[Obstacle]) -> String {
    let begin = begin(need, obstacles);
    if no_nodes {
        return format!("{begin}; there are no nodes");
    }
    if obstacles.is_empty() {
        return format!("{begin}; no such node");
    }
    let mut groups: BTreeMap<String, Vec<&Obstacle>> = BTreeMap::new();
    for obstacle in obstacles {
        groups.entry(kind(obstacle)).or_default().push(obstacle);
    }
    let place = place(need);
    let of = if place.is_empty() { String::new() } else { format!(" of {place}") };
    let said: Vec<String> = groups
        .values()
        .enumerate()
        .map(|(nth, group)| {
            let nodes = match (nth, group.len()) {
                (0, 1) => format!("1 node{of}"),
                (0, n) => format!("{n} nodes{of}"),
                (_, n) => n.to_string(),
            };
            format!("{nodes} {}", about(group))
        })
        .collect();
    format!("{begin}; {}", said.join(", "))
}

/// Some nodes could take one, but not all of them at once.
pub(super) fn too_small(need: &Need, nodes: usize, room: u64) -> String {
    let plural = if nodes == 1 { "" } else { "s" };
    format!(
        "{} needs {} for each of its {} pods; {nodes} node{plural} could take {room} of them",
        need.role.name(),
        needs(need),
        need.pods
    )
}

/// `trainer needs nvidia.com/gpu 1 on pool=gpu`: the devices, and whatever else is lacking.
fn begin(need: &Need, obstacles: &[Obstacle]) -> String {
    let lacking = |name: &str| {
        obstacles
            .iter()
            .any(|it| matches!(it, Obstacle::Lacks { resource, .. } if resource == name))
    };
    let requests = need.requests.iter().filter(|(name, _)| name.contains('/') || lacking(name));
    let requests: Vec<String> =
        requests.map(|(name, amount)| format!("{name} {}", amount.0)).collect();
    let (role, place) = (need.role.name(), place(need));
    match (requests.is_empty(), place.is_empty()) {
        (false, false) => format!("{role} needs {} on {place}", requests.join(", ")),
        (false, true) => format!("{role} needs {}", requests.join(", ")),
        (true, false) => format!("{role} needs a node of {place}"),
        (true, true) => format!("{role} needs a node"),
    }
}

/// Which nodes are asked for.
fn place(need: &Need) -> String {
    let mut said: Vec<String> =
        need.selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
    if need.affinity.is_some() {
        said.push("its node affinity".to_owned());
    }
    said.join(", ")
}

/// What is counted together; in this order it is told.
fn kind(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::Lacks { resource, .. } => format!("0 {resource}"),
        Obstacle::Taint(taint) => format!("1 {taint}"),
        Obstacle::Cordoned => "2".to_owned(),
    }
}

fn about(group: &[&Obstacle]) -> String {
    let one = group.len() == 1;
    match group {
        [Obstacle::Taint(taint), ..] => {
            let have = if one { "has" } else { "have" };
            format!("{have} a taint {taint} that it does not tolerate")
        }
        [Obstacle::Cordoned, ..] => format!("{} cordoned", if one { "is" } else { "are" }),
        _ => {
            let have = if one { "has" } else { "have" };
            let most = group.iter().filter_map(|it| match it {
                Obstacle::Lacks { resource, has, amount } => Some((*amount, resource, has)),
                _ => None,
            });
            most.max_by(|one, other| (one.0, one.2).cmp(&(other.0, other.2)))
                .map_or_else(String::new, |(_, resource, has)| {
                    format!("{have} less {resource} (at most {has})")
                })
        }
    }
}
