//! A power cut or a full disk at any operation.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use shoprl_contract::ExitReason;

use super::super::CheckpointError;
use super::power::{Chance, FailingDisk, Fault};
use super::*;

/// One attempt that saves after every tenth step. Returns the last step that was reported as saved.
fn live(
    root: &Path,
    disk: &Arc<FailingDisk>,
    saves: u64,
) -> (Option<u64>, Result<(), CheckpointError>) {
    let mut safe = None;
    let mut go = || {
        let store = Store::open_on(root, 2, disk.clone())?;
        let attempt = store.begin_attempt(JOB, MANIFEST_DIGEST)?;
        let start = attempt.parent.as_ref().map_or(0, |parent| read_back(parent).1);
        for number in 1..=saves {
            save(&store, &attempt, start + 10 * number)?;
            safe = Some(start + 10 * number);
        }
        Ok(())
    };
    let result = go();
    (safe, result)
}

/// Attempts one after the other, each ended by a power cut after the given number of operations. Returns the number of
/// operations of the last one.
fn check(lives: &[(u64, u64)], saves: u64) -> u64 {
    let folder = folder();
    let mut safe = None;
    let mut used = 0;
    for &(operations, seed) in lives {
        let disk = Arc::new(FailingDisk::new(folder.path(), operations, Fault::PowerCut));
        let (newly_safe, result) = live(folder.path(), &disk, saves);
        // A power cut that only interrupts the removal of old checkpoints is not an error.
        assert!(result.is_ok() || disk.failed(), "{result:?}");
        used = operations - disk.remaining();
        disk.reboot(folder.path(), Chance(seed));
        safe = newly_safe.or(safe);

        let found = newest(&open(folder.path(), 2));
        assert!(found.map(|(_, step)| step) >= safe, "{safe:?} was saved, found {found:?}");
    }
    used
}

#[test]
fn a_power_cut_at_any_operation_keeps_the_saved_checkpoints() {
    let whole = check(&[(u64::MAX, 0)], 4);
    assert!(whole > 50, "{whole} operations");
    for operations in 0..whole {
        for seed in 0..4 {
            check(&[(operations, seed)], 4);
        }
    }
}

#[test]
fn a_full_disk_fails_only_the_save() {
    let folder = folder();
    let mut operations = 0;
    loop {
        let root = folder.path().join(operations.to_string());
        std::fs::create_dir(&root).unwrap();
        let disk = Arc::new(FailingDisk::new(&root, operations, Fault::DiskFull));
        let (safe, result) = live(&root, &disk, 3);
        if !disk.failed() {
            break;
        }
        if let Err(error) = result {
            let exit = error.exit();
            assert_eq!(exit.reason, ExitReason::Temporary);
            assert!(exit.message.contains("the disk is full: free space"), "{}", exit.message);
            assert!(exit.message.contains(root.to_str().unwrap()), "{}", exit.message);
        }
        assert!(newest(&open(&root, 2)).map(|(_, step)| step) >= safe);
        let (_, result) = live(&root, &disk, 3);
        result.unwrap();
        operations += 1;
    }
    assert!(operations > 50, "{operations} operations");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn power_cuts_in_successive_attempts_never_lose_a_saved_checkpoint(
        lives in prop::collection::vec((0_u64..90, any::<u64>()), 1..6),
        saves in 1_u64..5,
    ) {
        check(&lives, saves);
    }
}
