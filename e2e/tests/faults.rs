//! Bad input and missing workers: one clear error that names the field or file and the remedy; nothing lost, no panic.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use shoprl_e2e::{Run, SMALL, bytes_of_the_final_weights, kill, shoprl};

fn write(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("job.yaml");
    fs::write(&path, text).expect("the manifest is written");
    path
}

/// Runs `shoprl run` to its end: exit code and everything printed.
fn run(manifest: &Path, output: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let command = Command::new(shoprl())
        .arg("run")
        .arg(manifest)
        .arg("--output")
        .arg(output)
        .args(arguments)
        .output();
    let output = command.expect("shoprl runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("panicked"), "{said}");
    (output.status.code(), said)
}

#[test]
fn a_bad_manifest_ends_with_64_and_names_field_and_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    let check = |text: &str, expected: &[&str]| {
        let manifest = write(folder.path(), text);
        let (code, said) = run(&manifest, &folder.path().join("run"), &[]);
        assert_eq!(code, Some(64), "{text}\n{said}");
        for part in expected {
            assert!(said.contains(part), "{part:?} is missing in:\n{said}");
        }
        assert!(!folder.path().join("run").exists(), "a refused manifest must leave nothing");
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

    let (code, said) = run(&folder.path().join("nowhere.yaml"), &folder.path().join("run"), &[]);
    assert_eq!(code, Some(64), "{said}");
    assert!(said.contains("nowhere.yaml"), "{said}");
}

#[test]
fn a_busy_port_is_named_with_its_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    let busy = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = busy.local_addr().expect("its address").port().to_string();
    let (code, said) =
        run(&write(folder.path(), SMALL), &folder.path().join("run"), &["--port", &port]);
    assert_eq!(code, Some(75), "{said}");
    assert!(said.contains(&port) && said.contains("--port"), "{said}");
}

#[test]
fn a_finished_run_is_refused_to_another_manifest_and_survives_damage_it_can_survive() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("run");
    let manifest = write(folder.path(), SMALL);
    let (code, said) = run(&manifest, &output, &[]);
    assert_eq!(code, Some(0), "{said}");

    let other = write(folder.path(), &SMALL.replace("tasksPerStep: 2", "tasksPerStep: 3"));
    let (code, said) = run(&other, &output, &[]);
    assert_eq!(code, Some(64), "{said}");
    assert!(said.contains("tasksPerStep") && said.contains('2') && said.contains('3'), "{said}");

    // The newest checkpoint is damaged: the run goes on from the one before it, to the same bytes.
    let manifest = write(folder.path(), SMALL);
    let expected = bytes_of_the_final_weights(&output);
    let halve = |file: &Path| {
        let bytes = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        fs::write(file, &bytes[..bytes.len() / 2]).expect("truncated");
    };
    let newest = weights(&output).pop().expect("a checkpoint");
    halve(&newest);
    let (code, said) = run(&manifest, &output, &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(bytes_of_the_final_weights(&output) == expected, "{said}");

    // A row that is none, then rows that are missing: refused by file, and nothing is lost.
    let rows = output.join("evaluations.jsonl");
    let whole = fs::read_to_string(&rows).expect("rows");
    fs::write(&rows, whole.replacen('{', "[", 1)).expect("damaged");
    let (code, said) = run(&manifest, &output, &[]);
    assert_eq!(code, Some(64), "{said}");
    assert!(said.contains("evaluations.jsonl line 1"), "{said}");
    halve(&rows);
    let (code, said) = run(&manifest, &output, &[]);
    assert_eq!(code, Some(64), "{said}");
    assert!(said.contains("evaluations.jsonl") && said.contains("--output"), "{said}");
    fs::write(&rows, whole).expect("restored");
    let (code, said) = run(&manifest, &output, &[]);
    assert_eq!(code, Some(0), "{said}");

    // Every checkpoint is damaged: refused by file, never a silent start from nothing.
    for file in &weights(&output) {
        halve(file);
    }
    let (code, said) = run(&manifest, &output, &[]);
    assert_eq!(code, Some(64), "{said}");
    assert!(said.contains("model.safetensors") && said.contains("restore"), "{said}");
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
fn without_a_reward_worker_the_job_waits_and_says_so() {
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

/// Needs the right to mount a file system of its own, as the gate has it.
#[test]
fn a_full_disk_is_named_and_the_run_goes_on_when_there_is_space() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).expect("a mount point");
    let mount = |options: &str| {
        let status =
            Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&disk).status();
        assert!(status.expect("mount runs").success(), "mount -o {options}; run the gate as root");
    };
    // Room for the start, not for a checkpoint of 1M parameters and its optimiser; then somebody else takes the rest.
    mount("size=3m");
    let unmount = Unmount(disk.clone());
    let manifest = write(folder.path(), SMALL);
    let began = Instant::now();
    let output = disk.join("run");
    let out = folder.path().join("full.out");
    let mut run = Run::start_with(&manifest, &output, &[], &out);
    run.wait_until("the manifest", |run| run.join("manifest.yaml").exists());
    let fill = disk.join("fill");
    let mut file = fs::File::create(&fill).expect("a file");
    while file.write_all(&[0; 512]).is_ok() {}
    drop(file);
    let code = run.finish();
    let said = fs::read_to_string(&out).unwrap_or_default();
    assert_eq!(code, Some(75), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    let error = said.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
    assert!(error.contains("No space") || error.contains("disk is full"), "{said}");
    assert!(error.contains(&output.display().to_string()), "the file must be named: {said}");
    // Its pauses are half a minute together; the rest is how busy the machine is.
    assert!(began.elapsed() < Duration::from_secs(300), "it gives up in bounded time");
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
