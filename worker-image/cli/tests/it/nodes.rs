//! `shoprl plan` for a cluster: the fields that `shoprl run` ignores, and the nodes that can run each role.

use std::path::Path;
use std::process::Command;

use expect_test::{Expect, expect};

const MANIFEST: &str = "\
apiVersion: shoprl.dev/v1alpha1
kind: ShopRLJob
metadata: {name: shop}
spec:
  ttlSecondsAfterFinished: 60
  checkpoint: {store: {existingClaim: {name: results}}}
  roles:
    rollout: {replicas: 3, resources: {limits: {nvidia.com/gpu: 1}}, tolerations: [{key: gpu, operator: Exists}]}
    trainer: {nodeSelector: {pool: gpu}, resources: {limits: {nvidia.com/gpu: 1}}}
";

const NODES: &str = r#"
apiVersion: v1
kind: List
items:
- kind: Node
  metadata: {name: gpu-1, labels: {pool: gpu}}
  spec: {taints: [{key: gpu, value: "true", effect: NoSchedule}]}
  status: {allocatable: {cpu: "8", memory: 16Gi, nvidia.com/gpu: "4", pods: "110"}}
- kind: Node
  metadata: {name: cpu-1, labels: {pool: cpu}}
  status: {allocatable: {cpu: "4", memory: 8Gi, pods: "110"}}
"#;

/// The exit code and the comments of `plan job.yaml`.
fn plan(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_shoprl"))
        .args(["plan", "job.yaml", "--cpus", "2"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let comments = printed.lines().filter(|line| line.starts_with('#')).skip(2);
    let comments: String = comments.map(|line| format!("{line}\n")).collect();
    (output.status.code(), comments + &String::from_utf8(output.stderr).unwrap())
}

#[track_caller]
fn check(nodes: &str, code: i32, expected: &Expect) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("job.yaml"), MANIFEST).unwrap();
    std::fs::write(folder.path().join("nodes.yaml"), nodes).unwrap();
    let (exit, printed) = plan(folder.path(), &["--nodes", "nodes.yaml"]);
    expected.assert_eq(&printed);
    assert_eq!(exit, Some(code));
}

#[test]
fn the_plan_names_the_nodes_for_each_role_or_why_there_are_none() {
    check(
        NODES,
        0,
        &expect![[r#"
        # `shoprl run` on 2 cores starts
        #   trainer 0    2 threads
        #   simulator 0  1 thread
        #   reward 0     1 thread
        #   rollout 0    1 thread
        #   rollout 1    1 thread
        #   rollout 2    1 thread
        # `shoprl run` ignores these fields, which apply to a cluster: ttlSecondsAfterFinished, checkpoint.store, roles.rollout.resources, roles.rollout.tolerations, roles.trainer.nodeSelector, roles.trainer.resources
        # placement on a cluster of these 2 nodes, if no other pods run there
        #   trainer    1 pod    each cpu 500m, memory 512Mi, nvidia.com/gpu 1 on pool=gpu
        #                       cannot be placed: trainer needs nvidia.com/gpu 1 on pool=gpu; 1 node of pool=gpu has a taint gpu=true:NoSchedule that it does not tolerate
        #   simulator  1 pod    each cpu 100m, memory 128Mi
        #                       on cpu-1
        #   reward     1 pod    each cpu 100m, memory 128Mi
        #                       on cpu-1
        #   rollout    3 pods   each cpu 250m, memory 256Mi, nvidia.com/gpu 1
        #                       on gpu-1
    "#]],
    );
}

#[test]
fn a_cluster_without_nodes_cannot_run_a_role() {
    check(
        "kind: NodeList\nitems: []\n",
        0,
        &expect![[r#"
        # `shoprl run` on 2 cores starts
        #   trainer 0    2 threads
        #   simulator 0  1 thread
        #   reward 0     1 thread
        #   rollout 0    1 thread
        #   rollout 1    1 thread
        #   rollout 2    1 thread
        # `shoprl run` ignores these fields, which apply to a cluster: ttlSecondsAfterFinished, checkpoint.store, roles.rollout.resources, roles.rollout.tolerations, roles.trainer.nodeSelector, roles.trainer.resources
        # placement on a cluster of these 0 nodes, if no other pods run there
        #   trainer    1 pod    each cpu 500m, memory 512Mi, nvidia.com/gpu 1 on pool=gpu
        #                       cannot be placed: trainer needs nvidia.com/gpu 1 on pool=gpu; there are no nodes
        #   simulator  1 pod    each cpu 100m, memory 128Mi
        #                       cannot be placed: simulator needs a node; there are no nodes
        #   reward     1 pod    each cpu 100m, memory 128Mi
        #                       cannot be placed: reward needs a node; there are no nodes
        #   rollout    3 pods   each cpu 250m, memory 256Mi, nvidia.com/gpu 1
        #                       cannot be placed: rollout needs nvidia.com/gpu 1; there are no nodes
    "#]],
    );
}

#[test]
fn a_file_without_nodes_is_refused_with_the_command_that_makes_one() {
    check(
        "kind: Pod\n",
        64,
        &expect![[r#"
        error: nodes.yaml: kind: "Pod" is invalid: write Node or List; use the output of `kubectl get nodes -o yaml` or `-o json`
    "#]],
    );
    check(
        "items: []\n",
        64,
        &expect![[r#"
        error: nodes.yaml: kind: missing; use the output of `kubectl get nodes -o yaml` or `-o json`
    "#]],
    );
    check(
        "{\"kind\": \"List\"}\n",
        64,
        &expect![[r#"
        error: nodes.yaml: items: missing; use the output of `kubectl get nodes -o yaml` or `-o json`
    "#]],
    );
    check(
        "kind: List\nitems: [{kind: Pod}]\n",
        64,
        &expect![[r#"
        error: nodes.yaml: items[0]: not a Node; use the output of `kubectl get nodes -o yaml` or `-o json`
    "#]],
    );
    check(
        "kind: List\nitems: [{kind: Node, metadata: {name: 7}}]\n",
        64,
        &expect![[r#"
        error: nodes.yaml: items[0]: invalid type: integer `7`, expected a string; use the output of `kubectl get nodes -o yaml` or `-o json`
    "#]],
    );
    check(
        "[",
        64,
        &expect![[r#"
            error: nodes.yaml: not YAML: line 2 column 1: while parsing a node, did not find expected node content; use the output of `kubectl get nodes -o yaml` or `-o json`
        "#]],
    );
}
