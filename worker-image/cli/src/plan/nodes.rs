//! `shoprl plan --nodes`: which nodes of a cluster could take each role.

use std::io::{self, Write};
use std::path::Path;

use k8s_openapi::api::core::v1;
use serde::Deserialize;
use serde_yaml::Value;
use shoprl_contract::Exit;
use shoprl_plan::Validated;
use shoprl_plan::placement::{self, Node, Placement};

use crate::failure::unreadable;

/// What to give instead of a file that cannot be used.
const REMEDY: &str = "give the output of `kubectl get nodes -o yaml` or `-o json`";
/// So many nodes are named, the others counted.
const NAMED: usize = 8;

/// Reads a list of nodes, or one, in YAML or JSON.
pub(super) fn read(path: &Path) -> Result<Vec<Node>, Exit> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error, REMEDY))?;
    parse(&text)
        .map_err(|why| Exit::bad_configuration(format!("{}: {why}; {REMEDY}", path.display())))
}

fn parse(text: &str) -> Result<Vec<Node>, String> {
    let document: Value =
        serde_yaml::from_str(text).map_err(|error| format!("not YAML: {error}"))?;
    let items = match document.get("kind").and_then(Value::as_str) {
        Some("Node") => vec![document],
        Some("List" | "NodeList") => match document.get("items") {
            Some(Value::Sequence(items)) => items.clone(),
            _ => return Err("items: is missing".to_owned()),
        },
        Some(other) => return Err(format!("kind: {other:?} is not possible: write Node or List")),
        None => return Err("kind: is missing".to_owned()),
    };
    let node = |(nth, item): (usize, Value)| {
        let at = |why: &str| format!("items[{nth}]: {why}");
        if item.get("kind").and_then(Value::as_str).is_some_and(|kind| kind != "Node") {
            return Err(at("is no Node"));
        }
        let node = v1::Node::deserialize(item).map_err(|error| at(&error.to_string()))?;
        Node::of(&node).ok_or_else(|| at("has no metadata.name"))
    };
    items.into_iter().enumerate().map(node).collect()
}

/// Prints, for every role, its pods, what each needs, and the nodes that could take one while they are empty.
pub(super) fn print(out: &mut dyn Write, job: &Validated, nodes: &[Node]) -> io::Result<()> {
    writeln!(out, "# on a cluster of these {} nodes, were they empty", nodes.len())?;
    for need in placement::needs(job) {
        let placement = placement::place(&need, nodes);
        let pods = if placement.pods == 1 {
            "1 pod".to_owned()
        } else {
            format!("{} pods", placement.pods)
        };
        writeln!(out, "#   {:<10} {pods:<8} each {}", placement.role.name(), placement.needs)?;
        writeln!(out, "#   {:<19} {}", "", places(&placement))?;
    }
    Ok(())
}

fn places(placement: &Placement) -> String {
    if let Some(why) = &placement.unplaceable {
        return format!("cannot be placed: {why}");
    }
    if placement.nodes.is_empty() {
        return "nowhere: there are none".to_owned();
    }
    let more = placement.nodes.len().saturating_sub(NAMED);
    let named = placement.nodes.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if more == 0 { format!("on {named}") } else { format!("on {named} and {more} more") }
}
