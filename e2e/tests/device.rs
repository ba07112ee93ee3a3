//! Where the trainer computes: a program without CUDA refuses it by name, and falls back to the same weights.

use std::fs;
use std::path::Path;
use std::process::Command;

use shoprl_e2e::{SMALL, bytes_of_the_final_weights, shoprl};

/// Runs the job to its end: exit code, everything printed, and the trainer's log.
fn run(output: &Path, device: Option<&str>) -> (Option<i32>, String, String) {
    let manifest = output.with_extension("yaml");
    fs::write(&manifest, SMALL).expect("the manifest is written");
    let mut command = Command::new(shoprl());
    command.arg("run").arg(&manifest).arg("--output").arg(output).env_remove("SHOPRL_DEVICE");
    command.envs(device.map(|device| ("SHOPRL_DEVICE", device)));
    let ended = command.output().expect("shoprl runs");
    let said = String::from_utf8_lossy(&ended.stdout).into_owned()
        + &String::from_utf8_lossy(&ended.stderr);
    let log = fs::read_to_string(output.join("logs/trainer-0.log")).unwrap_or_default();
    assert!(!said.contains("panicked") && !log.contains("panicked"), "{said}\n{log}");
    (ended.status.code(), said, log)
}

#[test]
fn cuda_is_refused_by_a_program_without_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("run");
    let (code, said, _) = run(&output, Some("cuda"));
    assert_eq!(code, Some(64), "{said}");
    assert!(said.contains("device cuda: this program was built without CUDA; use the"), "{said}");
    let begun = fs::read_dir(output.join("lineage")).into_iter().flatten().count();
    assert_eq!(begun, 0, "no attempt may begin on a device that is not there");
}

#[test]
fn auto_does_without_cuda_and_ends_in_the_same_weights() {
    let folder = tempfile::tempdir().expect("a folder");
    let [default, auto] = ["default", "auto"].map(|name| folder.path().join(name));
    let (code, said, log) = run(&default, None);
    assert_eq!(code, Some(0), "{said}");
    assert!(log.contains("gradients are computed on the CPU\n"), "{log}");
    let (code, said, log) = run(&auto, Some("auto"));
    assert_eq!(code, Some(0), "{said}");
    assert!(log.contains("on the CPU, because this program was built without CUDA"), "{log}");
    assert!(bytes_of_the_final_weights(&auto) == bytes_of_the_final_weights(&default));
}
