//! A node as placement sees it.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{self, Taint};

use crate::quantity::Amount;

/// A node, without what runs on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its name.
    pub name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) taints: Vec<Taint>,
    pub(super) cordoned: bool,
    /// As it is written, for words, and as a number.
    allocatable: BTreeMap<String, (String, Amount)>,
}

impl Node {
    /// Reads a node; `None` for one without a name.
    pub fn of(node: &v1::Node) -> Option<Self> {
        let spec = node.spec.clone().unwrap_or_default();
        let status = node.status.as_ref();
        // A kubelet that says nothing of what pods may take gives all it has.
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

    /// What it has of a resource.
    pub(super) fn amount(&self, resource: &str) -> Amount {
        self.allocatable.get(resource).map(|(_, amount)| *amount).unwrap_or_default()
    }

    /// The same as it is written.
    pub(super) fn written(&self, resource: &str) -> &str {
        self.allocatable.get(resource).map_or("0", |(text, _)| text)
    }

    /// How many pods it takes.
    pub(super) fn pods(&self) -> u64 {
        let one = Amount::parse("1").unwrap_or_default();
        self.allocatable.get("pods").map_or(u64::MAX, |(_, most)| most.holds(one))
    }
}
