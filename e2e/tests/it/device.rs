//! The trainer's device: a build without CUDA refuses `cuda`, and `auto` falls back to the CPU with the same weights.

use std::fs;
use std::path::Path;
use std::process::Command;

use shoprl_e2e::{SMALL, final_weights, shoprl};

/// Runs the job to its end: exit code, output, and the trainer's log.
fn run(output: &Path, device: Option<&str>) -> (Option<i32>, String, String) {
    let manifest = output.with_extension("yaml");
    fs::write(&manifest, SMALL).expect("the manifest is written");
    let mut command = Command::new(shoprl());
    command.arg("run").arg(&manifest).arg("--output").arg(output).env_remove("SHOPRL_DEVICE");
    command.envs(device.map(|device| ("SHOPRL_DEVICE", device)));
    let ended = command.output().expect("shoprl runs");
    let printed = String::from_utf8_lossy(&ended.stdout).into_owned()
        + &String::from_utf8_lossy(&ended.stderr);
    let log = fs::read_to_string(output.join("logs/trainer-0.log")).unwrap_or_default();
    assert!(!printed.contains("panicked") && !log.contains("panicked"), "{printed}\n{log}");
    (ended.status.code(), printed, log)
}

#[test]
fn a_build_without_cuda_refuses_the_device_cuda() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("run");
    let (code, printed, _) = run(&output, Some("cuda"));
    assert_eq!(code, Some(64), "{printed}");
    assert!(
        printed.contains("device cuda: this program was built without CUDA; use the"),
        "{printed}"
    );
    let begun = fs::read_dir(output.join("lineage")).into_iter().flatten().count();
    assert_eq!(begun, 0, "no attempt may begin without its device");
}

#[test]
fn auto_falls_back_to_the_cpu_with_the_same_weights() {
    let folder = tempfile::tempdir().expect("a folder");
    let [default, auto] = ["default", "auto"].map(|name| folder.path().join(name));
    let (code, printed, log) = run(&default, None);
    assert_eq!(code, Some(0), "{printed}");
    assert!(log.contains("gradients are computed on the CPU\n"), "{log}");
    let (code, printed, log) = run(&auto, Some("auto"));
    assert_eq!(code, Some(0), "{printed}");
    assert!(log.contains("on the CPU, because this program was built without CUDA"), "{log}");
    assert!(final_weights(&auto) == final_weights(&default));
}
