//! A cache of the nodes with the fields that placement reads. The watch needs a ClusterRole.

use futures::StreamExt;
use k8s_openapi::api::core::v1::{Node, NodeSpec, NodeStatus};
use kube::runtime::reflector::{self, Store};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use shoprl_contract::error_chain;

/// Watches the nodes until the process ends. Nothing waits for the first list: until then, a job that cannot be placed
/// reports only what the scheduler says.
pub(crate) fn watch(client: Client) -> Store<Node> {
    let (store, writer) = reflector::store();
    let nodes = watcher(Api::<Node>::all(client), watcher::Config::default())
        .default_backoff()
        .modify(trim)
        .reflect(writer);
    tokio::spawn(nodes.for_each(|event| async move {
        if let Err(error) = event {
            tracing::warn!(error = error_chain(&error), "watch of nodes failed");
        }
    }));
    store
}

/// Keeps labels, taints and allocatable resources. Images and conditions would be most of the memory.
fn trim(node: &mut Node) {
    node.managed_fields_mut().clear();
    node.annotations_mut().clear();
    let spec = node.spec.take().unwrap_or_default();
    node.spec = Some(NodeSpec {
        taints: spec.taints,
        unschedulable: spec.unschedulable,
        ..NodeSpec::default()
    });
    let status = node.status.take().unwrap_or_default();
    node.status = Some(NodeStatus { allocatable: status.allocatable, ..NodeStatus::default() });
}
