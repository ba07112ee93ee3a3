//! Damaged files.

use std::fs;
use std::path::Path;

use expect_test::expect;
use proptest::prelude::*;
use proptest::sample::Index;

use super::super::CheckpointError;
use super::*;

/// Attempts 1 and 2 with steps 10, 20 and 30, 40.
fn history(root: &Path) -> Store {
    let store = open(root, 9);
    for steps in [[10, 20], [30, 40]] {
        let attempt = store.begin_attempt(JOB, MANIFEST_DIGEST).unwrap();
        for step in steps {
            save(&store, &attempt, step).unwrap();
        }
    }
    store
}

#[derive(Debug, Clone)]
enum Damage {
    Flip(Index, u8),
    Truncate(Index),
    Append(u8),
    Remove,
}

fn damages() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => (any::<Index>(), 1_u8..=255).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        1 => any::<Index>().prop_map(Damage::Truncate),
        1 => any::<u8>().prop_map(Damage::Append),
        1 => Just(Damage::Remove),
    ]
}

fn apply(path: &Path, damage: &Damage) {
    let mut bytes = fs::read(path).unwrap();
    match damage {
        Damage::Flip(at, bits) if !bytes.is_empty() => {
            let at = at.index(bytes.len());
            bytes[at] ^= bits;
        }
        Damage::Truncate(at) if !bytes.is_empty() => bytes.truncate(at.index(bytes.len())),
        Damage::Flip(..) | Damage::Truncate(_) => {}
        Damage::Append(byte) => bytes.push(*byte),
        Damage::Remove => return fs::remove_file(path).unwrap(),
    }
    fs::write(path, bytes).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_damaged_checkpoint_is_never_used(
        damages in prop::collection::vec((any::<Index>(), damages()), 1..4),
    ) {
        let folder = folder();
        let store = history(folder.path());
        for (file, damage) in &damages {
            let files = files(folder.path());
            apply(&files[file.index(files.len())], damage);
        }
        // `read_back` compares the content with what was written.
        match store.begin_attempt(JOB, MANIFEST_DIGEST) {
            Ok(attempt) => {
                read_back(&attempt.parent.expect("a restart from zero"));
            }
            Err(CheckpointError::NoneValid { .. } | CheckpointError::Lineage { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn the_newest_whole_checkpoint_is_found_behind_damaged_ones(
        file in any::<Index>(), damage in damages(), damaged in 0_usize..4,
    ) {
        let folder = folder();
        let store = history(folder.path());
        let all = [(2, 40), (2, 30), (1, 20), (1, 10)];
        for (attempt, step) in &all[..damaged] {
            let path = folder.path().join(format!("attempt-{attempt:04}/step-{step:06}"));
            let files: Vec<_> =
                files(&path).into_iter().filter(|path| !path.ends_with("empty")).collect();
            apply(&files[file.index(files.len())], &damage);
        }
        // Flipped white space in a MANIFEST.json changes nothing, unless a successor recorded its digest.
        let harmless = newest(&store) == Some((2, 40));
        let expected = if harmless { all[0] } else { all[damaged] };
        prop_assert_eq!(newest(&store), Some(expected));
    }
}

#[test]
fn the_message_names_the_file_and_what_is_wrong_with_it() {
    let folder = folder();
    let store = history(folder.path());
    let file = |name: &str| folder.path().join(name);
    fs::write(file("attempt-0002/step-000040/state.json"), "").unwrap();
    let optimizer = file("attempt-0002/step-000030/optimizer.safetensors");
    let mut bytes = fs::read(&optimizer).unwrap();
    bytes[5] ^= 1;
    fs::write(&optimizer, bytes).unwrap();
    fs::remove_file(file("attempt-0001/step-000020/MANIFEST.json")).unwrap();
    assert_eq!(newest(&store), Some((1, 10)));
    fs::remove_file(file("attempt-0001/step-000010/model/model.safetensors")).unwrap();

    let exit = store.begin_attempt(JOB, MANIFEST_DIGEST).unwrap_err().exit();
    let shown = exit.message.replace(folder.path().to_str().unwrap(), "RUN").replace("; ", ";\n");
    expect![[r#"
        BadConfiguration: no checkpoint in RUN can be continued: RUN/attempt-0002/step-000040/state.json has 0 bytes, 33 were written;
        RUN/attempt-0002/step-000030/optimizer.safetensors has the digest f86c2cffc1a9aa8b3707b837fd4a6ebee8eb164f02107ba30333fbfdd6a8da7e, e6931d234b85a31a4cb281df61e4dc85294f5ef2c51e29ab55073028680f502a was written;
        RUN/attempt-0001/step-000020/MANIFEST.json is missing;
        RUN/attempt-0001/step-000010/model/model.safetensors is missing;
        restore the named files from a copy, or delete the folder to start over"#]].assert_eq(&format!("{:?}: {shown}", exit.reason));
}

#[test]
fn lost_history_is_an_error_and_not_a_restart_from_zero() {
    let folder = folder();
    let store = history(folder.path());
    fs::remove_dir_all(folder.path().join("attempt-0002")).unwrap();
    fs::remove_dir_all(folder.path().join("attempt-0001")).unwrap();
    let message = store.newest().unwrap_err().to_string();
    assert!(message.contains("attempt-0001/step-000020 is missing"), "{message}");
}

#[test]
fn a_damaged_record_of_an_attempt_that_wrote_something_is_an_error() {
    let folder = folder();
    let store = history(folder.path());
    let record = folder.path().join("lineage/0001.json");
    let text = fs::read_to_string(&record).unwrap().replace(JOB, "job-9");
    fs::write(&record, text).unwrap();
    let error = store.begin_attempt(JOB, MANIFEST_DIGEST).unwrap_err();
    assert!(matches!(&error, CheckpointError::Lineage { file, .. } if *file == record), "{error}");
}

#[test]
fn a_torn_record_of_an_attempt_that_never_began_is_ignored() {
    let folder = folder();
    let store = history(folder.path());
    fs::write(folder.path().join("lineage/0003.json"), "{\"jobUid\":").unwrap();
    let attempt = store.begin_attempt(JOB, MANIFEST_DIGEST).unwrap();
    assert_eq!((attempt.number, read_back(&attempt.parent.unwrap())), (4, (2, 40)));
}
