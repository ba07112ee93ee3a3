//! The condition `Placed`: whether every pod has a node, and if not, why.

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};
use shoprl_crds::{ShopRLJobSpec, ShopRLJobStatus};
use shoprl_plan::cluster::{self, Effect, JobFacts, Observed, ObservedPod, Plan};
use shoprl_plan::placement::Node;
use shoprl_plan::validate;

fn plan(spec: &Value, status: &ShopRLJobStatus, observed: &Observed) -> Plan {
    let spec: ShopRLJobSpec = serde_json::from_value(spec.clone()).unwrap();
    let validated = validate(&spec, "job").unwrap();
    let facts = JobFacts {
        namespace: "shop",
        uid: "0123456789",
        generation: Some(1),
        version: None,
        owner: OwnerReference { uid: "0123456789".to_owned(), ..OwnerReference::default() },
        image: "registry.example/shoprl@sha256:default",
        operator: None,
        token: "token",
        validated: &validated,
        status,
    };
    cluster::plan(&facts, observed, Timestamp::UNIX_EPOCH)
}

/// The pods of a new job, each modified by `change`.
fn pods(
    spec: &Value,
    status: &ShopRLJobStatus,
    change: impl Fn(&str, &mut Value),
) -> Vec<ObservedPod> {
    let effects = plan(spec, status, &Observed::default()).effects.into_iter();
    let created = effects.filter_map(|effect| match effect {
        Effect::Create(pod) => Some(*pod),
        _ => None,
    });
    created
        .map(|pod| {
            let name = pod.metadata.name.clone().unwrap();
            let mut pod = serde_json::to_value(pod).unwrap();
            pod["metadata"]["uid"] = json!(name);
            pod["status"] = json!({"phase": "Pending"});
            change(&name, &mut pod);
            ObservedPod::of(&serde_json::from_value::<core::Pod>(pod).unwrap()).unwrap()
        })
        .collect()
}

/// (status, reason, message) of `Placed`, and the nodes of the rollouts.
fn placed(
    spec: &Value,
    nodes: Option<Vec<Node>>,
    change: impl Fn(&str, &mut Value),
) -> (String, String, String, Vec<String>) {
    let begun = plan(spec, &ShopRLJobStatus::default(), &Observed::default()).intent.unwrap();
    let observed = Observed { pods: pods(spec, &begun, change), progress: None, nodes };
    let report = plan(spec, &begun, &observed).report;
    assert_eq!(
        plan(spec, &report, &observed).report,
        report,
        "an unchanged state is not written again"
    );
    let condition = report.conditions.iter().find(|condition| condition.type_ == "Placed").unwrap();
    let rollouts = report.roles.iter().find(|role| role.name == "rollout").unwrap();
    (
        condition.status.clone(),
        condition.reason.clone(),
        condition.message.clone(),
        rollouts.nodes.clone(),
    )
}

fn on_a_node(name: &str, pod: &mut Value) {
    pod["spec"]["nodeName"] = json!(if name.contains("rollout-0") { "node-2" } else { "node-1" });
}

fn unscheduled(_: &str, pod: &mut Value) {
    let message = "0/3 nodes are available: 3 Insufficient cpu.";
    pod["status"]["conditions"] = json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}]);
}

fn a_node() -> Vec<Node> {
    let node = json!({"metadata": {"name": "node-1"}, "status": {"allocatable": {"cpu": "8", "memory": "16Gi"}}});
    vec![Node::of(&serde_json::from_value::<core::Node>(node).unwrap()).unwrap()]
}

#[test]
fn a_job_is_placed_once_every_pod_has_a_node() {
    let (status, reason, _, nodes) = placed(&json!({}), None, on_a_node);
    assert_eq!((status.as_str(), reason.as_str()), ("True", "AllPlaced"));
    assert_eq!(nodes, ["node-1", "node-2"]);
    let one_is_missing = |name: &str, pod: &mut Value| {
        if !name.contains("rollout-1") {
            on_a_node(name, pod);
        }
    };
    let (status, reason, message, nodes) = placed(&json!({}), None, one_is_missing);
    assert_eq!((status.as_str(), reason.as_str()), ("Unknown", "Waiting"));
    assert_eq!(message, "the scheduler has not placed every pod yet");
    assert!(nodes.is_empty(), "nodes are written once, when all pods are placed");
}

#[test]
fn the_plan_explains_impossible_placements_and_the_scheduler_the_rest() {
    let gpu = json!({"roles": {"trainer": {"nodeSelector": {"pool": "gpu"}, "resources": {"limits": {"nvidia.com/gpu": 1}}}}});
    let (status, reason, message, _) = placed(&gpu, Some(a_node()), unscheduled);
    assert_eq!((status.as_str(), reason.as_str()), ("False", "Unplaceable"));
    assert_eq!(message, "trainer needs nvidia.com/gpu 1 on pool=gpu; no such node");
    // The pods would fit on the empty node.
    let full = placed(&json!({"roles": {"rollout": {"replicas": 1}}}), Some(a_node()), unscheduled);
    let expected = |worker: &str| format!("{worker}: 0/3 nodes are available: 3 Insufficient cpu.");
    assert_eq!((full.0.as_str(), full.1.as_str()), ("False", "Unschedulable"));
    assert_eq!(
        full.2,
        ["reward-0", "rollout-0", "simulator-0", "trainer-0"].map(expected).join("; ")
    );
    // Without permission to list nodes.
    let (_, reason, _, _) = placed(&gpu, None, unscheduled);
    assert_eq!(reason, "Unschedulable");
}

#[test]
fn a_suspended_job_is_not_placed() {
    let (status, reason, ..) = placed(&json!({"suspend": true}), None, on_a_node);
    assert_eq!((status.as_str(), reason.as_str()), ("False", "Suspended"));
}

#[test]
fn a_refusal_by_the_api_server_appears_in_the_status() {
    let spec = json!({});
    let begun = plan(&spec, &ShopRLJobStatus::default(), &Observed::default()).intent.unwrap();
    let report = plan(&spec, &begun, &Observed::default()).report;
    let error = "create a pod: no PriorityClass with name high was found";
    let refused = cluster::refused(&report, true, error, Timestamp::UNIX_EPOCH);
    let ready = refused.conditions.iter().find(|it| it.type_ == "RolesReady").unwrap();
    assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("False", "Refused"));
    assert_eq!(ready.message, error);
    let again = plan(&spec, &refused, &Observed::default()).report;
    let again = cluster::refused(&again, true, error, Timestamp::UNIX_EPOCH);
    assert_eq!(again, refused, "an unchanged refusal is not written again");
}
