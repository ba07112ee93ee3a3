//! Replaced attempts that still write.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;

use super::super::disk::{Disk, LocalDisk};
use super::super::layout::step_directory;
use super::super::{Manifest, manifest, seal};
use super::*;

/// The write of a process that was suspended after its last check of the lineage and resumed later.
fn save_blindly(root: &Path, attempt: u32, step: u64) {
    let path = step_directory(root, attempt, step);
    LocalDisk.remove_tree(&path).unwrap();
    fs::create_dir_all(&path).unwrap();
    fill(&path, attempt, step).unwrap();
    let files = manifest::record(&LocalDisk, &path).unwrap();
    let mut manifest =
        Manifest { attempt, step, weights_version: step + 1, files, sha256: String::new() };
    fs::write(path.join("MANIFEST.json"), seal::to_bytes(&mut manifest)).unwrap();
    manifest::verify(&path, attempt, step).unwrap();
}

#[derive(Debug, Clone)]
enum Event {
    /// A new attempt begins.
    Begin,
    /// An attempt, current or not, saves its next step.
    Save(Index),
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn writes_of_a_replaced_attempt_are_invisible(
        events in prop::collection::vec(
            prop_oneof![Just(Event::Begin), any::<Index>().prop_map(Event::Save)], 1..16),
    ) {
        let folder = folder();
        let store = open(folder.path(), 3);
        // Attempts with their last step, and the only checkpoint that may be found.
        let mut attempts: Vec<(Attempt, u64)> = Vec::new();
        let mut expected = None;
        for event in events {
            match event {
                Event::Begin => {
                    let attempt = store.begin_attempt(JOB, MANIFEST_DIGEST).unwrap();
                    prop_assert_eq!(attempt.parent.as_ref().map(read_back), expected);
                    attempts.push((attempt, expected.map_or(0, |(_, step)| step)));
                }
                Event::Save(_) if attempts.is_empty() => {}
                Event::Save(which) => {
                    let count = attempts.len();
                    let (attempt, step) = &mut attempts[which.index(count)];
                    *step += 10;
                    let saved = save(&store, attempt, *step);
                    if attempt.number as usize == count {
                        expected = Some((attempt.number, saved.unwrap().id.step));
                    } else {
                        let words = saved.unwrap_err().to_string();
                        let replaced = format!("has replaced attempt {}", attempt.number);
                        prop_assert!(words.contains(&replaced), "{}", words);
                        save_blindly(folder.path(), attempt.number, *step);
                    }
                }
            }
            prop_assert_eq!(newest(&store), expected);
        }
    }
}

#[test]
fn a_rewritten_parent_is_not_accepted() {
    let folder = folder();
    let store = open(folder.path(), 3);
    let first = store.begin_attempt(JOB, MANIFEST_DIGEST).unwrap();
    save(&store, &first, 10).unwrap();
    store.save(&first, 20, 7, |folder| fill(folder, 1, 20)).unwrap();
    store.begin_attempt(JOB, MANIFEST_DIGEST).unwrap();
    // The same files, but other weights by their version.
    save_blindly(folder.path(), 1, 20);
    assert_eq!(newest(&store), Some((1, 10)));
}

#[test]
fn a_replaced_attempt_removes_nothing() {
    let folder = folder();
    let store = open(folder.path(), 2);
    let first = store.begin_attempt(JOB, MANIFEST_DIGEST).unwrap();
    save(&store, &first, 10).unwrap();
    store.begin_attempt(JOB, MANIFEST_DIGEST).unwrap();
    for step in [20, 30, 40] {
        save_blindly(folder.path(), 1, step);
        store.retain();
    }
    assert_eq!(newest(&store), Some((1, 10)));
}

#[test]
fn an_attempt_replaced_during_a_save_gets_an_error() {
    let folder = folder();
    let store = open(folder.path(), 3);
    let first = store.begin_attempt(JOB, MANIFEST_DIGEST).unwrap();
    let saved = store.save(&first, 10, 11, |folder| {
        store.begin_attempt(JOB, MANIFEST_DIGEST).unwrap();
        fill(folder, 1, 10)
    });
    let exit = saved.unwrap_err().exit();
    assert_eq!(exit.reason, shoprl_contract::ExitReason::Temporary);
    assert_eq!(exit.message, "attempt 2 of this job has replaced attempt 1, which ends here");
    assert_eq!(newest(&store), None);
}
