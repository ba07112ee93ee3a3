//! Invalid input, missing workers and full disks: one error that names the field or file and the remedy, no loss, no panic.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use shoprl_e2e::{Run, SMALL, final_weights, kill, shoprl};

fn write(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("job.yaml");
    fs::write(&path, text).expect("the manifest is written");
    path
}

/// Runs `shoprl run` to its end: exit code and output.
fn run(manifest: &Path, output: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let command = Command::new(shoprl())
        .arg("run")
        .arg(manifest)
        .arg("--output")
        .arg(output)
        .args(arguments)
        .output();
    let output = command.expect("shoprl runs");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(!printed.contains("panicked"), "{printed}");
    (output.status.code(), printed)
}

#[test]
fn an_invalid_manifest_exits_with_64_and_names_the_field() {
    let folder = tempfile::tempdir().expect("a folder");
    let check = |text: &str, expected: &[&str]| {
        let manifest = write(folder.path(), text);
        let (code, printed) = run(&manifest, &folder.path().join("run"), &[]);
        assert_eq!(code, Some(64), "{text}\n{printed}");
        for part in expected {
            assert!(printed.contains(part), "{part:?} is missing in:\n{printed}");
        }
        assert!(!folder.path().join("run").exists(), "a refused manifest must leave no folder");
    };
    let with = |old: &str, new: &str| {
        assert!(SMALL.contains(old), "{old}");
        SMALL.replace(old, new)
    };
    check(&with("steps: 1", "stepps: 1"), &["spec.training.stepps", "steps"]);
    check(&with("steps: 1", "steps: many"), &["spec.training.steps", "many"]);
    check(&with("groupSize: 2", "groupSize: 1"), &["spec.training.algorithm.grpo.groupSize", "1"]);
    check(&with("kind: ShopRLJob", "kind: Job"), &["kind", "Job", "ShopRLJob"]);
    check(
        &with("steps: 1", "steps: 1\n    reward: {success: 0, strict: 0, loose: 0}"),
        &["spec.training.reward"],
    );
    check(&SMALL[..SMALL.len() / 2 - 5], &["job.yaml"]);
    check("", &["job.yaml"]);
    check("\u{0}\u{1}", &["job.yaml"]);

    let (code, printed) = run(&folder.path().join("nowhere.yaml"), &folder.path().join("run"), &[]);
    assert_eq!(code, Some(64), "{printed}");
    assert!(printed.contains("nowhere.yaml"), "{printed}");
}

#[test]
fn a_port_in_use_is_named_with_the_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    let busy = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = busy.local_addr().expect("its address").port().to_string();
    let (code, printed) =
        run(&write(folder.path(), SMALL), &folder.path().join("run"), &["--port", &port]);
    assert_eq!(code, Some(75), "{printed}");
    assert!(printed.contains(&port) && printed.contains("--port"), "{printed}");
}

#[test]
fn a_run_refuses_another_manifest_and_recovers_from_a_damaged_checkpoint() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("run");
    let manifest = write(folder.path(), SMALL);
    let (code, printed) = run(&manifest, &output, &[]);
    assert_eq!(code, Some(0), "{printed}");

    let other = write(folder.path(), &SMALL.replace("tasksPerStep: 2", "tasksPerStep: 3"));
    let (code, printed) = run(&other, &output, &[]);
    assert_eq!(code, Some(64), "{printed}");
    assert!(
        printed.contains("tasksPerStep") && printed.contains('2') && printed.contains('3'),
        "{printed}"
    );

    // The newest checkpoint is damaged: the run continues from the one before it, to the same bytes.
    let manifest = write(folder.path(), SMALL);
    let expected = final_weights(&output);
    let halve = |file: &Path| {
        let bytes = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        fs::write(file, &bytes[..bytes.len() / 2]).expect("truncated");
    };
    let newest = weights(&output).pop().expect("a checkpoint");
    halve(&newest);
    let (code, printed) = run(&manifest, &output, &[]);
    assert_eq!(code, Some(0), "{printed}");
    assert!(final_weights(&output) == expected, "{printed}");

    // A malformed row, then missing rows: the run is refused with the name of the file, and nothing is lost.
    let rows = output.join("evaluations.jsonl");
    let whole = fs::read_to_string(&rows).expect("rows");
    fs::write(&rows, whole.replacen('{', "[", 1)).expect("damaged");
    let (code, printed) = run(&manifest, &output, &[]);
    assert_eq!(code, Some(64), "{printed}");
    assert!(printed.contains("evaluations.jsonl line 1"), "{printed}");
    halve(&rows);
    let (code, printed) = run(&manifest, &output, &[]);
    assert_eq!(code, Some(64), "{printed}");
    assert!(printed.contains("evaluations.jsonl") && printed.contains("--output"), "{printed}");
    fs::write(&rows, whole).expect("restored");
    let (code, printed) = run(&manifest, &output, &[]);
    assert_eq!(code, Some(0), "{printed}");

    // All checkpoints are damaged: the run is refused with the name of the file and does not start from scratch.
    for file in &weights(&output) {
        halve(file);
    }
    let (code, printed) = run(&manifest, &output, &[]);
    assert_eq!(code, Some(64), "{printed}");
    assert!(printed.contains("model.safetensors") && printed.contains("restore"), "{printed}");
}

/// Weights of all checkpoints, the newest last.
fn weights(run: &Path) -> Vec<PathBuf> {
    let children = |path: &Path| {
        fs::read_dir(path)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect::<Vec<_>>()
    };
    let attempts =
        children(run).into_iter().filter(|path| path.to_string_lossy().contains("attempt-"));
    let checkpoints = attempts.flat_map(|attempt| children(&attempt));
    let mut files: Vec<PathBuf> = checkpoints
        .map(|path| path.join("model/model.safetensors"))
        .filter(|path| path.exists())
        .collect();
    files.sort();
    files
}

#[test]
fn without_a_reward_worker_the_job_waits_and_prints_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = write(folder.path(), &(SMALL.to_owned() + "  roles: {reward: {replicas: 0}}\n"));
    let mut run = Run::start(&manifest, &folder.path().join("run"), &[]);
    run.wait_until("the reason", |run| {
        fs::read_to_string(run.with_extension("out")).unwrap_or_default().contains("reward worker")
    });
    let metrics = fs::read_to_string(run.folder.join("metrics.jsonl")).unwrap_or_default();
    assert_eq!(metrics, "", "no step without a score");
    kill("TERM", run.id());
    assert_eq!(run.finish(), Some(143));
}

/// Mounts a file system, which needs root.
#[test]
fn a_full_disk_is_named_and_the_run_continues_once_there_is_space() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).expect("a mount point");
    let mount = |options: &str| {
        let status =
            Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&disk).status();
        assert!(status.expect("mount runs").success(), "mount -o {options}; run the gate as root");
    };
    // Enough for the start but not for a checkpoint of 1M parameters and its optimiser; the file `fill` takes the rest.
    mount("size=3m");
    let unmount = Unmount(disk.clone());
    let manifest = write(folder.path(), SMALL);
    let started = Instant::now();
    let output = disk.join("run");
    let out = folder.path().join("full.out");
    let mut run = Run::start_with(&manifest, &output, &[], &out);
    run.wait_until("the manifest", |run| run.join("manifest.yaml").exists());
    let fill = disk.join("fill");
    let mut file = fs::File::create(&fill).expect("a file");
    while file.write_all(&[0; 512]).is_ok() {}
    drop(file);
    let code = run.finish();
    let printed = fs::read_to_string(&out).unwrap_or_default();
    assert_eq!(code, Some(75), "{printed}");
    assert!(!printed.contains("panicked"), "{printed}");
    let error = printed.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
    assert!(error.contains("No space") || error.contains("disk is full"), "{printed}");
    assert!(error.contains(&output.display().to_string()), "the file must be named: {printed}");
    // The retries pause for half a minute in total; the rest allows for a busy machine.
    assert!(started.elapsed() < Duration::from_secs(300), "the run must give up in bounded time");
    fs::remove_file(&fill).expect("space");
    mount("remount,size=200m");
    let end = Run::start_with(&manifest, &output, &[], &out).finish();
    assert_eq!(end, Some(0), "{}", fs::read_to_string(&out).unwrap_or_default());
    drop(unmount);
}

struct Unmount(PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
