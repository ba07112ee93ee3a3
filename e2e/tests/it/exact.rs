//! The same manifest gives the same bytes for any number of workers and after any failures.

use std::fs;
use std::path::{Path, PathBuf};

use shoprl_e2e::{Run, children, final_state, final_weights, kill};
use shoprl_rl::ledger::{Digest, Ledger};

/// All phases of a job in about ten seconds. The warm-up is long enough that rewards differ within a group; half of the reward
/// is for partial success, because so young a policy rarely succeeds.
fn manifest(folder: &Path, name: &str, roles: &str) -> PathBuf {
    let text = format!(
        "apiVersion: shoprl.dev/v1alpha1
kind: ShopRLJob
metadata: {{name: exact}}
spec:
  seed: 5
  training:
    warmup: {{sft: {{batch: 4, maxTokens: 120000, stop: {{everyTokens: 40000, tasks: 16, greedySuccess: 1, sampledSuccess: 1}}}}}}
    algorithm: {{grpo: {{groupSize: 4, klCoefficient: 0.01}}}}
    reward: {{success: 0.5, loose: 0.5}}
    steps: 8
    tasksPerStep: 4
  evaluation: {{everySteps: 2, tasks: 16, finalTasks: 24}}
  checkpoint: {{everySteps: 1}}
  roles: {roles}
"
    );
    let path = folder.join(format!("{name}.yaml"));
    fs::write(&path, text).expect("the manifest is written");
    path
}

const TWO: &str = "{simulator: {replicas: 1}, rollout: {replicas: 2}, reward: {replicas: 1}}";
const OTHERS: &str = "{simulator: {replicas: 2}, rollout: {replicas: 1}, reward: {replicas: 2}}";

fn rows(run: &Path, phase: &str) -> usize {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap_or_default();
    text.lines().filter(|line| line.contains(&format!("\"phase\":\"{phase}\""))).count()
}

fn kill_one(run: &Run, role: &str) {
    let (id, _) = children(run.id())
        .into_iter()
        .find(|(_, command)| command.contains(&format!("worker {role} ")))
        .unwrap_or_else(|| panic!("no {role} among {:?}", children(run.id())));
    kill("KILL", id);
}

#[test]
fn the_same_manifest_gives_the_same_bytes_after_any_failures() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let two = manifest(folder.path(), "two", TWO);

    let plain = Run::start(&two, &at("plain"), &["--cpus", "2"]);
    assert_eq!(
        plain.finish(),
        Some(0),
        "{}",
        fs::read_to_string(at("plain.out")).unwrap_or_default()
    );
    let expected = final_weights(&at("plain"));
    for file in
        ["report.md", "report.json", "curve.png", "manifest.yaml", "run.json", "budget.json"]
    {
        assert!(at("plain").join(file).exists(), "{file} is missing");
    }
    check_ledger(&at("plain"));
    let check = |name: &str| {
        check_ledger(&at(name));
        let printed = fs::read_to_string(at(name).with_extension("out")).unwrap_or_default();
        assert!(final_weights(&at(name)) == expected, "{name}: other weights\n{printed}");
    };

    let others = manifest(folder.path(), "others", OTHERS);
    assert_eq!(Run::start(&others, &at("others"), &["--cpus", "1"]).finish(), Some(0));
    check("others");

    // One worker of each role is killed during the run.
    let mut hurt = Run::start(&two, &at("hurt"), &[]);
    hurt.wait_until("a warm-up row", |run| rows(run, "warmup") >= 1);
    kill_one(&hurt, "rollout");
    hurt.wait_until("a training step", |run| rows(run, "training") >= 1);
    for role in ["simulator", "reward", "rollout"] {
        kill_one(&hurt, role);
    }
    hurt.wait_until("another step", |run| rows(run, "training") >= 2);
    kill_one(&hurt, "trainer");
    assert_eq!(hurt.finish(), Some(0));
    check("hurt");

    // The whole run is killed in the warm-up and in training, stopped once with SIGINT, and continued each time.
    let mut first = Run::start(&two, &at("killed"), &[]);
    first.wait_until("a checkpoint", |run| {
        run.join("attempt-0001").exists() && rows(run, "warmup") >= 2
    });
    let orphans = children(first.id());
    first.kill();
    assert_gone(&orphans);
    let mut second = Run::start(&two, &at("killed"), &[]);
    second.wait_until("a step", |run| rows(run, "training") >= 2);
    second.kill();
    let mut third = Run::start(&two, &at("killed"), &[]);
    third.wait_until("another step", |run| rows(run, "training") >= 3);
    kill("INT", third.id());
    assert_eq!(third.finish(), Some(143), "stopped by SIGINT");
    assert_eq!(Run::start(&two, &at("killed"), &[]).finish(), Some(0));
    check("killed");
    assert_eq!(rows(&at("killed"), "training"), 8, "each row exactly once");
}

/// The ledger of the last checkpoint matches the trajectory files: each step consumed its samples once and in order.
fn check_ledger(run: &Path) {
    let (mut ledger, mut consumed) = (Ledger::default(), 0);
    for step in 1..=8 {
        let file = run.join(format!("trajectories/step-{step:06}.jsonl"));
        let text =
            fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let digest = |line: &str| -> Digest {
            let row: serde_json::Value = serde_json::from_str(line).expect("a row");
            row["digest"].as_str().expect("a digest").parse().expect("64 digits")
        };
        let samples: Vec<Digest> = text.lines().map(digest).collect();
        // Fewer than 16 if a group had no variance.
        consumed += samples.len();
        ledger.append(&samples);
    }
    assert!(consumed > 64, "{consumed} samples");
    let stored = serde_json::from_value(final_state(run)["ledger"].clone()).expect("a ledger");
    assert_eq!(ledger, stored, "{}", run.display());
}

/// Workers of a killed run exit by themselves.
fn assert_gone(processes: &[(u32, String)]) {
    assert!(processes.len() >= 5, "{processes:?}");
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    let alive = |id: u32, command: &str| {
        fs::read_to_string(format!("/proc/{id}/cmdline"))
            .is_ok_and(|now| !now.is_empty() && now.replace('\0', " ") == command)
    };
    while let Some((id, command)) = processes.iter().find(|(id, command)| alive(*id, command)) {
        assert!(std::time::Instant::now() < end, "{id} {command} outlived its run");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}
