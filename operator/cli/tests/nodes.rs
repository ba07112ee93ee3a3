//! `shoprl plan` for a cluster: what `shoprl run` takes no notice of, and which nodes could take each role.

#![allow(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

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

/// What `plan job.yaml` says in comments, and its exit code.
fn plan(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_shoprl"))
        .args(["plan", "job.yaml", "--cpus", "2"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let said = said.lines().filter(|line| line.starts_with('#')).skip(2);
    let said: String = said.map(|line| format!("{line}\n")).collect();
    (output.status.code(), said + &String::from_utf8(output.stderr).unwrap())
}

#[track_caller]
fn check(nodes: &str, code: i32, expected: &Expect) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("job.yaml"), MANIFEST).unwrap();
    std::fs::write(folder.path().join("nodes.yaml"), nodes).unwrap();
    let (exit, said) = plan(folder.path(), &["--nodes", "nodes.yaml"]);
    expected.assert_eq(&said);
    assert_eq!(exit, Some(code));
}

#[test]
fn the_plan_says_which_nodes_could_take_each_role_and_why_none_could() {
    check(NODES, 0, &expect![[""]]);
}

#[test]
fn a_cluster_without_nodes_takes_nothing() {
    check("kind: NodeList\nitems: []\n", 0, &expect![[""]]);
}

#[test]
fn a_file_that_holds_no_nodes_is_refused_with_the_way_to_make_one() {
    check("kind: Pod\n", 64, &expect![[""]]);
    check("items: []\n", 64, &expect![[""]]);
    check("{\"kind\": \"List\"}\n", 64, &expect![[""]]);
    check("kind: List\nitems: [{kind: Pod}]\n", 64, &expect![[""]]);
    check("kind: List\nitems: [{kind: Node, metadata: {name: 7}}]\n", 64, &expect![[""]]);
    check("[", 64, &expect![[""]]);
}
