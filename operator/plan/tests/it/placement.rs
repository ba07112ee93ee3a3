//! Which nodes could take the pods of each role, and the explanation if none could.

use k8s_openapi::api::core::v1 as core;
use proptest::prelude::*;
use serde_json::{Value, json};
use shoprl_contract::Role;
use shoprl_crds::ShopRLJobSpec;
use shoprl_plan::placement::{Node, Placement, needs, place};
use shoprl_plan::validate;

/// A node with 8 cores and 16Gi, and `gpus` devices.
fn node(name: &str, pool: &str, gpus: u32, spec: &Value) -> Node {
    let node = json!({
        "metadata": {"name": name, "labels": {"pool": pool}},
        "spec": spec,
        "status": {"allocatable": {
            "cpu": "8", "memory": "16Gi", "pods": "110", "nvidia.com/gpu": gpus.to_string(),
        }},
    });
    Node::of(&serde_json::from_value::<core::Node>(node).unwrap()).unwrap()
}

fn of_trainer(trainer: &Value, nodes: &[Node]) -> Placement {
    of(Role::Trainer, &json!({"trainer": trainer}), nodes)
}

fn of(role: Role, roles: &Value, nodes: &[Node]) -> Placement {
    let spec: ShopRLJobSpec = serde_json::from_value(json!({"roles": roles})).unwrap();
    let validated = validate(&spec, "job").unwrap();
    let need = needs(&validated).into_iter().find(|need| need.role == role).unwrap();
    place(&need, nodes)
}

fn pools() -> Vec<Node> {
    let tainted = json!({"taints": [{"key": "gpu", "value": "true", "effect": "NoSchedule"}]});
    vec![
        node("gpu-2", "gpu", 1, &tainted),
        node("gpu-1", "gpu", 1, &tainted),
        node("cpu-1", "cpu", 0, &json!({})),
        node("cpu-2", "cpu", 0, &json!({"unschedulable": true})),
    ]
}

#[test]
fn an_unplaceable_role_is_explained() {
    let gpu = json!({"limits": {"nvidia.com/gpu": 1}});
    let tolerant = json!([{"key": "gpu", "operator": "Exists"}]);
    let check = |trainer: Value, expected: &str| {
        let placement = of_trainer(&trainer, &pools());
        assert_eq!(placement.unplaceable.as_deref(), Some(expected));
        assert!(placement.nodes.is_empty());
    };
    check(
        json!({"resources": gpu, "nodeSelector": {"pool": "tpu"}}),
        "trainer needs nvidia.com/gpu 1 on pool=tpu; no such node",
    );
    check(
        json!({"resources": gpu, "nodeSelector": {"pool": "gpu"}}),
        "trainer needs nvidia.com/gpu 1 on pool=gpu; 2 nodes of pool=gpu have a taint gpu=true:NoSchedule that it does not tolerate",
    );
    check(
        json!({"resources": gpu, "nodeSelector": {"pool": "cpu"}}),
        "trainer needs nvidia.com/gpu 1 on pool=cpu; 2 nodes of pool=cpu have less nvidia.com/gpu (at most 0)",
    );
    check(
        json!({"resources": {"limits": {"nvidia.com/gpu": 2}}, "tolerations": tolerant}),
        "trainer needs nvidia.com/gpu 2; 4 nodes have less nvidia.com/gpu (at most 1)",
    );
    check(
        json!({"resources": {"requests": {"memory": "64Gi"}}}),
        "trainer needs memory 64Gi; 4 nodes have less memory (at most 16Gi)",
    );
    check(
        json!({"nodeSelector": {"pool": "none"}}),
        "trainer needs a node with pool=none; no such node",
    );
    check(
        json!({"resources": gpu, "nodeSelector": {"pool": "gpu"}, "tolerations": [{"key": "gpu", "value": "false"}]}),
        "trainer needs nvidia.com/gpu 1 on pool=gpu; 2 nodes of pool=gpu have a taint gpu=true:NoSchedule that it does not tolerate",
    );
    let never = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "pool", "operator": "NotIn", "values": ["cpu", "gpu"]}]}
    ]}}});
    check(
        json!({"affinity": never}),
        "trainer needs a node with the required node affinity; no such node",
    );
    let nowhere = of_trainer(&json!({}), &[]);
    assert_eq!(nowhere.unplaceable.as_deref(), Some("trainer needs a node; there are no nodes"));
}

#[test]
fn obstacles_of_different_kinds_are_counted_separately() {
    let mut nodes = pools();
    nodes.retain(|node| node.name != "cpu-1");
    let placement = of_trainer(&json!({"resources": {"requests": {"cpu": 4}}}), &nodes);
    assert_eq!(
        placement.unplaceable.as_deref(),
        Some(
            "trainer needs a node; 2 nodes have a taint gpu=true:NoSchedule that it does not tolerate, 1 is cordoned"
        )
    );
}

#[test]
fn a_role_may_use_the_nodes_that_suit_it() {
    let check = |trainer: Value, expected: &[&str]| {
        let placement = of_trainer(&trainer, &pools());
        assert_eq!(placement.nodes, expected);
        assert_eq!(placement.unplaceable, None);
    };
    let everything = json!([{"operator": "Exists"}]);
    let affinity = |key: &str, operator: &str, values: Value| {
        json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": key, "operator": operator, "values": values}]}
        ]}}}})
    };
    check(json!({}), &["cpu-1"]);
    check(json!({"tolerations": everything}), &["cpu-1", "cpu-2", "gpu-1", "gpu-2"]);
    check(
        json!({"nodeSelector": {"pool": "gpu"}, "tolerations": [{"key": "gpu", "value": "true", "effect": "NoSchedule"}],
               "resources": {"limits": {"nvidia.com/gpu": 1}}}),
        &["gpu-1", "gpu-2"],
    );
    check(affinity("pool", "In", json!(["cpu", "tpu"])), &["cpu-1"]);
    check(affinity("pool", "Exists", Value::Null), &["cpu-1"]);
    check(affinity("gone", "DoesNotExist", Value::Null), &["cpu-1"]);
}

#[test]
fn pods_that_do_not_all_fit_are_explained() {
    let rollouts = json!({"rollout": {
        "replicas": 3, "resources": {"limits": {"nvidia.com/gpu": 1}}, "tolerations": [{"operator": "Exists"}],
    }});
    let placement = of(Role::Rollout, &rollouts, &pools());
    assert_eq!(placement.nodes, ["gpu-1", "gpu-2"]);
    assert_eq!(
        placement.unplaceable.as_deref(),
        Some(
            "rollout needs cpu 250m, memory 256Mi, nvidia.com/gpu 1 for each of its 3 pods; 2 nodes could take 2 of them"
        )
    );
    let none = of(Role::Rollout, &json!({"rollout": {"replicas": 0}}), &[]);
    assert_eq!(none.unplaceable, None, "there is no pod to place");
}

proptest! {
    #[test]
    fn the_order_of_the_nodes_does_not_matter(
        order in Just(pools()).prop_shuffle(), gpus in 0_i64..3, pool in "(cpu|gpu|tpu)",
    ) {
        let trainer = json!({"nodeSelector": {"pool": pool}, "resources": {"limits": {"nvidia.com/gpu": gpus}}});
        prop_assert_eq!(of_trainer(&trainer, &order), of_trainer(&trainer, &pools()));
    }
}
