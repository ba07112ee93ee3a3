use std::error::Error as _;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::LazyLock;

use super::*;
use crate::mall::{Mall, MallError, Preset};

static STORED: LazyLock<Vec<u8>> =
    LazyLock::new(|| Mall::generate(Preset::Fine, 1).unwrap().to_bytes());

#[test]
fn a_damaged_foreign_or_old_file_is_refused_with_the_reason() {
    let check = |damage: &dyn Fn(&mut Vec<u8>), expected: &str| {
        let mut bytes = STORED.clone();
        damage(&mut bytes);
        let error = open(&OwnedBytes::new(bytes)).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(expected));
    };
    let length = STORED.len();
    check(&|bytes| bytes.clear(), "it is not a shop file");
    check(&|bytes| bytes[0] = b'S', "it is not a shop file");
    check(&|bytes| bytes[15] = b'x', "it is not a shop file");
    check(
        &|bytes| bytes[15] = b'1',
        "its format is 1, which an older shoprl wrote; this one reads 2",
    );
    check(
        &|bytes| bytes[14] = b'1',
        "its format is 12, which a newer shoprl wrote; this one reads 2",
    );
    let header = "damaged: its header is truncated or does not match its checksum";
    check(&|bytes| bytes.truncate(HEADER - 1), header);
    check(&|bytes| bytes[20] ^= 1, header);
    check(&|bytes| bytes[40] ^= 1, header);
    let short = format!("damaged: it has {} bytes instead of {length}", length - 1);
    check(&|bytes| bytes.truncate(length - 1), &short);
    let long = format!("damaged: it has {} bytes instead of {length}", length + 1);
    check(&|bytes| bytes.push(0), &long);
    let content = "damaged: its content does not match its checksum";
    check(&|bytes| bytes[HEADER] ^= 1, content);
    check(&|bytes| bytes[length - 1] ^= 128, content);
}

#[test]
fn a_built_file_equals_the_one_stored_from_memory_and_is_the_only_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fine.shop");
    let mall = Mall::build(Preset::Fine, 1, &path).unwrap();
    assert_eq!(mall.catalog().digest(), Catalog::digest_of(Preset::Fine, 1));
    assert_eq!(without_names(&std::fs::read(&path).unwrap()), without_names(&STORED));
    mall.verify().unwrap();
    assert_eq!(names(folder.path()), ["fine.shop"]);
    // The file may be deleted while it is in use.
    let expected = mall.search("枕头", 100).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(mall.search("枕头", 100).unwrap(), expected);
    assert!(matches!(Mall::open(&path), Err(MallError::Read(_))));
    let nowhere = folder.path().join("none/fine.shop");
    assert!(matches!(Mall::build(Preset::Fine, 1, &nowhere), Err(MallError::Write(_))));
}

fn names(folder: &Path) -> Vec<OsString> {
    std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name()).collect()
}

#[test]
fn readers_and_writers_of_one_file_meet_only_complete_shops() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fine.shop");
    let mall = Mall::from_bytes(&STORED).unwrap();
    mall.save(&path).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..3).for_each(|_| mall.save(&path).unwrap()));
        }
        for _ in 0..3 {
            assert_eq!(Mall::open(&path).unwrap().catalog().digest(), mall.catalog().digest());
        }
    });
    assert_eq!(names(folder.path()), ["fine.shop"]);
}

/// The engine names the files of its segment at random, and its list of them holds a name and a time. Catalog, digest and
/// lengths are functions of preset and seed.
fn without_names(bytes: &[u8]) -> (&[u8], usize) {
    let catalog = u64::from_le_bytes(bytes[24..32].try_into().unwrap()) as usize;
    (&bytes[HEADER..HEADER + catalog], bytes.len())
}

#[test]
fn a_file_that_others_may_change_is_not_mapped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fine.shop");
    std::fs::write(&path, &*STORED).unwrap();
    let opened = |path: &Path| match Mall::open(path) {
        Ok(_) => "opened".to_owned(),
        Err(error @ MallError::Exposed(_)) => error.source().unwrap().to_string(),
        Err(error) => panic!("{error}"),
    };
    for (mode, expected) in [
        (0o600, "opened"),
        (0o444, "opened"),
        (0o664, "its mode 664 lets others change it while it is read; chmod go-w"),
        (0o602, "its mode 602 lets others change it while it is read; chmod go-w"),
    ] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(opened(&path), expected, "{mode:o}");
    }
    assert_eq!(opened(folder.path()), "it is not a regular file");
}
