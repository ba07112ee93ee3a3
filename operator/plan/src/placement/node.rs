//! The fields of a node that placement reads.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{self, Taint};

use crate::quantity::Amount;

/// A node, without its running pods.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Name of the node.
    pub name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) taints: Vec<Taint>,
    pub(super) cordoned: bool,
    /// Allocatable amounts by resource, as text for messages and as a number.
    allocatable: BTreeMap<String, (String, Amount)>,
}

impl Node {
    /// Reads a node; `None` if it has no name.
    pub fn of(node: &v1::Node) -> Option<Self> {
        let spec = node.spec.clone().unwrap_or_default();
        let status = node.status.as_ref();
        // Without allocatable amounts, pods may use the whole capacity.
        let given = status.and_then(|it| it.allocatable.as_ref().or(it.capacity.as_ref()));
        let amounts = given.into_iter().flatten().filter_map(|(name, amount)| {
            Some((name.clone(), (amount.0.clone(), Amount::parse(&amount.0)?)))
        });
        Some(Self {
            name: node.metadata.name.clone()?,
            labels: node.metadata.labels.clone().unwrap_or_default(),
            taints: spec.taints.unwrap_or_default(),
            cordoned: spec.unschedulable.unwrap_or_default(),
            allocatable: amounts.collect(),
        })
    }

    /// The allocatable amount of a resource.
    pub(super) fn amount(&self, resource: &str) -> Amount {
        self.allocatable.get(resource).map(|(_, amount)| *amount).unwrap_or_default()
    }

    /// The allocatable amount as text.
    pub(super) fn written(&self, resource: &str) -> &str {
        self.allocatable.get(resource).map_or("0", |(text, _)| text)
    }

    /// The largest number of pods on the node.
    pub(super) fn pods(&self) -> u64 {
        let one = Amount::parse("1").unwrap_or_default();
        self.allocatable.get("pods").map_or(u64::MAX, |(_, limit)| limit.holds(one))
    }
}
