//! The nodes, as far as placement looks at them. They are seen only with the rights of a ClusterRole.

use futures::StreamExt;
use k8s_openapi::api::core::v1::{Node, NodeSpec, NodeStatus};
use kube::runtime::reflector::{self, Store};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};

/// Follows the nodes from now on, until the program ends. Nobody waits for it: as long as nothing is known of the nodes a
/// job that waits says what the scheduler says.
pub(crate) fn watch(client: Client) -> Store<Node> {
    let (store, writer) = reflector::store();
    let nodes = watcher(Api::<Node>::all(client), watcher::Config::default())
        .default_backoff()
        .modify(trim)
        .reflect(writer);
    tokio::spawn(nodes.for_each(|event| async move {
        if let Err(error) = event {
            tracing::warn!(%error, "watching the nodes");
        }
    }));
    store
}

/// Labels, taints and what pods may take; images and conditions would be most of the memory.
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
