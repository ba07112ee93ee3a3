//! Opening a store, beginning attempts, saving, retention.

use std::error::Error;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::{fs, io};

use shoprl_contract::ExitReason;

use super::super::CheckpointError;
use super::*;

/// Exit reason and message, without the name of the temporary folder.
fn words(error: &CheckpointError, root: &Path) -> String {
    let exit = error.exit();
    format!("{:?}: {}", exit.reason, exit.message.replace(root.to_str().unwrap(), "RUN"))
}

#[test]
fn attempts_continue_from_the_newest_checkpoint_of_their_predecessors() {
    let folder = folder();
    let store = Store::open(folder.path(), 3).unwrap();
    let first = store.begin_attempt(JOB, MANIFEST_DIGEST).unwrap();
    assert_eq!((first.number, &first.parent), (1, &None));
    for step in [10, 20] {
        save(&store, &first, step).unwrap();
        assert_eq!(newest(&store), Some((1, step)));
    }
    let second = store.begin_attempt(JOB, MANIFEST_DIGEST).unwrap();
    assert_eq!(second.number, 2);
    assert_eq!(read_back(&second.parent.unwrap()), (1, 20));
    let third = store.begin_attempt(JOB, MANIFEST_DIGEST).unwrap();
    assert_eq!(read_back(third.parent.as_ref().unwrap()), (1, 20));
    save(&store, &third, 30).unwrap();
    let fourth =
        Store::open(folder.path(), 3).unwrap().begin_attempt(JOB, MANIFEST_DIGEST).unwrap();
    assert_eq!(read_back(&fourth.parent.unwrap()), (3, 30));
}

#[test]
fn the_successor_of_an_attempt_without_checkpoints_starts_from_zero() {
    let folder = folder();
    let store = Store::open(folder.path(), 3).unwrap();
    for number in 1..=3 {
        let attempt = store.begin_attempt(JOB, MANIFEST_DIGEST).unwrap();
        assert_eq!((attempt.number, attempt.parent), (number, None));
    }
}

#[test]
fn the_files_on_disk_are_those_of_the_documentation() {
    let folder = folder();
    let store = Store::open(folder.path(), 3).unwrap();
    let first = store.begin_attempt(JOB, MANIFEST_DIGEST).unwrap();
    save(&store, &first, 120).unwrap();
    store.begin_attempt(JOB, MANIFEST_DIGEST).unwrap();
    let mut shown = String::new();
    for path in files(folder.path()) {
        shown += &format!("{}\n", path.strip_prefix(folder.path()).unwrap().display());
        if path.extension().is_some_and(|extension| extension == "json")
            && !path.to_str().unwrap().contains("model")
            && !path.ends_with("state.json")
        {
            shown += &fs::read_to_string(&path).unwrap();
        }
    }
    expect_test::expect_file!["on_disk.txt"].assert_eq(&shown);
}

#[test]
fn another_job_or_manifest_is_refused_and_both_are_named() {
    let check = |uid: &str, digest: &str, expected: &str| {
        let folder = folder();
        let store = Store::open(folder.path(), 3).unwrap();
        store.begin_attempt(JOB, MANIFEST_DIGEST).unwrap();
        let error = store.begin_attempt(uid, digest).unwrap_err();
        assert_eq!(words(&error, folder.path()), expected);
        assert_eq!(store.begin_attempt(JOB, MANIFEST_DIGEST).unwrap().number, 2);
    };
    check(
        "job-2",
        MANIFEST_DIGEST,
        "BadConfiguration: RUN belongs to job job-1 with manifest 5eed; this is job job-2 with manifest 5eed: choose another folder, or delete this one to start over",
    );
    check(
        JOB,
        "0ther",
        "BadConfiguration: RUN belongs to job job-1 with manifest 5eed; this is job job-1 with manifest 0ther: choose another folder, or delete this one to start over",
    );
}

#[test]
fn attempts_that_begin_concurrently_get_different_numbers() {
    let folder = folder();
    let begin = || {
        let store = Store::open(folder.path(), 3).unwrap();
        loop {
            match store.begin_attempt(JOB, MANIFEST_DIGEST) {
                Ok(attempt) => break attempt.number,
                Err(error) => assert_eq!(error.exit().reason, ExitReason::Temporary, "{error}"),
            }
        }
    };
    let mut numbers: Vec<u32> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(begin)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
}

#[test]
fn the_newest_checkpoints_stay_whichever_attempt_wrote_them() {
    let folder = folder();
    let store = Store::open(folder.path(), 3).unwrap();
    let first = store.begin_attempt(JOB, MANIFEST_DIGEST).unwrap();
    for step in [10, 20, 30, 40] {
        save(&store, &first, step).unwrap();
    }
    assert_eq!(listing(folder.path(), 1), ["step-000020", "step-000030", "step-000040"]);
    fs::create_dir(folder.path().join("attempt-0001/.step-000050.partial")).unwrap();
    let second = store.begin_attempt(JOB, MANIFEST_DIGEST).unwrap();
    save(&store, &second, 50).unwrap();
    assert_eq!(listing(folder.path(), 1), ["step-000030", "step-000040"]);
    for step in [60, 70] {
        save(&store, &second, step).unwrap();
    }
    assert_eq!(listing(folder.path(), 1), [""; 0]);
    assert_eq!(newest(&store), Some((2, 70)));
}

#[test]
fn a_checkpoint_is_written_once() {
    let folder = folder();
    let store = Store::open(folder.path(), 3).unwrap();
    let attempt = store.begin_attempt(JOB, MANIFEST_DIGEST).unwrap();
    let saved = save(&store, &attempt, 10).unwrap();
    let again = store.save(&attempt, 10, 11, |_| -> io::Result<()> { panic!("written again") });
    assert_eq!(again.unwrap(), saved);
}

#[test]
fn a_failed_save_leaves_no_checkpoint_and_no_partial_files() {
    let check = |write: fn(&Path) -> Result<(), Box<dyn Error + Send + Sync>>, expected: &str| {
        let folder = folder();
        let store = Store::open(folder.path(), 3).unwrap();
        let attempt = store.begin_attempt(JOB, MANIFEST_DIGEST).unwrap();
        save(&store, &attempt, 10).unwrap();
        let error = store.save(&attempt, 20, 21, write).unwrap_err();
        assert_eq!(words(&error, folder.path()), expected);
        assert_eq!(listing(folder.path(), 1), ["step-000010"]);
        assert_eq!(newest(&store), Some((1, 10)));
        save(&store, &attempt, 20).unwrap();
        assert_eq!(newest(&store), Some((1, 20)));
    };
    check(
        |folder| fill(folder, 9, 9).map_err(Into::into).and(Err("weights are not finite".into())),
        "Temporary: cannot write the content of checkpoint RUN/attempt-0001/step-000020 (weights are not finite)",
    );
    check(
        |_| Err(io::Error::from(io::ErrorKind::StorageFull).into()),
        "Temporary: cannot write RUN/attempt-0001/step-000020; the disk is full: free space, or choose a folder on another disk (no storage space)",
    );
    check(
        |folder| Ok(symlink("/dev/null", folder.join("state.json"))?),
        "BadConfiguration: RUN/attempt-0001/.step-000020.partial/state.json is neither a file nor a folder; a checkpoint holds plain files only",
    );
}

#[test]
fn a_folder_that_cannot_be_used_is_refused_by_name() {
    let folder = folder();
    let file = folder.path().join("notes.txt");
    fs::write(&file, "mine").unwrap();
    let error = Store::open(&file, 3).unwrap_err();
    assert_eq!(
        words(&error, folder.path()),
        "BadConfiguration: cannot create the folder RUN/notes.txt; a file is in the way: choose another folder (File exists (os error 17))"
    );
    let error = Store::open(&file.join("runs"), 3).unwrap_err();
    assert_eq!(
        words(&error, folder.path()),
        "BadConfiguration: cannot create the folder RUN/notes.txt/runs; a file is in the way: choose another folder (Not a directory (os error 20))"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}
