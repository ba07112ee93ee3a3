//! `shoprl plan --nodes`: the nodes of a cluster that can run each role.

use std::io::{self, Write};
use std::path::Path;

use k8s_openapi::api::core::v1;
use serde::Deserialize;
use serde_yaml::Value;
use shoprl_contract::Exit;
use shoprl_plan::Validated;
use shoprl_plan::placement::{self, Node, Placement};

use crate::failure::unreadable;
use crate::yaml;

const REMEDY: &str = "use the output of `kubectl get nodes -o yaml` or `-o json`";
/// Names printed at most; the other nodes are counted.
const MAX_NAMES: usize = 8;

/// Reads a list of nodes or a single node, in YAML or JSON.
pub(super) fn read(path: &Path) -> Result<Vec<Node>, Exit> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error, REMEDY))?;
    parse(&text)
        .map_err(|why| Exit::bad_configuration(format!("{}: {why}; {REMEDY}", path.display())))
}

fn parse(text: &str) -> Result<Vec<Node>, String> {
    yaml::check(text)?;
    let document: Value =
        serde_yaml::from_str(text).map_err(|error| format!("not YAML: {error}"))?;
    let items = match document.get("kind").and_then(Value::as_str) {
        Some("Node") => vec![document],
        Some("List" | "NodeList") => match document.get("items") {
            Some(Value::Sequence(items)) => items.clone(),
            _ => return Err("items: missing".to_owned()),
        },
        Some(other) => return Err(format!("kind: {other:?} is invalid: write Node or List")),
        None => return Err("kind: missing".to_owned()),
    };
    let node = |(nth, item): (usize, Value)| {
        let at = |why: &str| format!("items[{nth}]: {why}");
        if item.get("kind").and_then(Value::as_str).is_some_and(|kind| kind != "Node") {
            return Err(at("not a Node"));
        }
        let node = v1::Node::deserialize(item).map_err(|error| at(&error.to_string()))?;
        Node::of(&node).ok_or_else(|| at("metadata.name: missing"))
    };
    items.into_iter().enumerate().map(node).collect()
}

/// Prints the pods of every role, their resource requests, and the nodes that can run one if no other pod runs there.
pub(super) fn print(out: &mut dyn Write, job: &Validated, nodes: &[Node]) -> io::Result<()> {
    writeln!(
        out,
        "# placement on a cluster of these {} nodes, if no other pods run there",
        nodes.len()
    )?;
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
        return "no nodes".to_owned();
    }
    let more = placement.nodes.len().saturating_sub(MAX_NAMES);
    let named = placement.nodes.iter().take(MAX_NAMES).cloned().collect::<Vec<_>>().join(", ");
    if more == 0 { format!("on {named}") } else { format!("on {named} and {more} more") }
}
