//! Shared parts of the store's tests: content that identifies its checkpoint.

mod begin;
mod crash;
mod damage;
mod power;
mod zombie;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use super::{Attempt, Checkpoint, Store};

const JOB: &str = "job-1";
const MANIFEST_DIGEST: &str = "5eed";

/// A folder in memory if possible: these tests check the order of operations, not the disk.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

/// A store on a disk that never fails and syncs faster than a real one.
fn open(root: &Path, keep: u32) -> Store {
    let disk = power::FailingDisk::new(root, u64::MAX, power::Fault::PowerCut);
    Store::open_on(root, keep, Arc::new(disk)).unwrap()
}

/// Files of the checkpoint that `attempt` writes after `step`; they differ between checkpoints.
fn content(attempt: u32, step: u64) -> Vec<(&'static str, Vec<u8>)> {
    let text = |name: &str| format!("{name} of attempt {attempt} after step {step}\n").into_bytes();
    vec![
        ("model/config.json", text("config")),
        ("model/model.safetensors", text("weights").repeat(20)),
        ("optimizer.safetensors", text("moments").repeat(40)),
        ("state.json", text("state")),
        ("empty", Vec::new()),
    ]
}

fn fill(folder: &Path, attempt: u32, step: u64) -> io::Result<()> {
    fs::create_dir_all(folder.join("model"))?;
    for (name, bytes) in content(attempt, step) {
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}

fn save(store: &Store, attempt: &Attempt, step: u64) -> Result<Checkpoint, super::CheckpointError> {
    store.save(attempt, step, step + 1, |folder| fill(folder, attempt.number, step))
}

/// (attempt, step) of a checkpoint, after comparing its files with their content.
fn read_back(checkpoint: &Checkpoint) -> (u32, u64) {
    let (attempt, step) = (checkpoint.id.attempt, checkpoint.id.step);
    for (name, bytes) in content(attempt, step) {
        let found = fs::read(checkpoint.path.join(name)).unwrap();
        assert!(
            found == bytes,
            "{name} of attempt {attempt}, step {step} differs from what was written"
        );
    }
    assert_eq!(checkpoint.manifest.weights_version, step + 1);
    (attempt, step)
}

/// (attempt, step) of the newest checkpoint, its content compared.
fn newest(store: &Store) -> Option<(u32, u64)> {
    store.newest().unwrap().as_ref().map(read_back)
}

/// All files under `folder`, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// Folders that a listing of an attempt shows, sorted.
fn listing(root: &Path, attempt: u32) -> Vec<String> {
    let entries = fs::read_dir(super::layout::attempt_directory(root, attempt)).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
