use super::*;
use crate::mall::{Mall, MallError, Preset};
use std::error::Error as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::LazyLock;

static STORED: LazyLock<Vec<u8>> =
    LazyLock::new(|| Mall::generate(Preset::Fine, 1).unwrap().to_bytes());

#[test]
fn a_file_that_is_no_intact_shop_of_this_version_is_refused_with_the_reason() {
    let check = |damage: &dyn Fn(&mut Vec<u8>), expected: &str| {
        let mut bytes = STORED.clone();
        damage(&mut bytes);
        let error = open(&OwnedBytes::new(bytes)).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(expected));
    };
    let length = STORED.len();
    check(&|bytes| bytes.clear(), "it is no shop file");
    check(&|bytes| bytes[0] = b'S', "it is no shop file");
    check(&|bytes| bytes[15] = b'x', "it is no shop file");
    check(
        &|bytes| bytes[15] = b'1',
        "its format is 1, which an older shoprl wrote; this one reads 2",
    );
    check(
        &|bytes| bytes[14] = b'1',
        "its format is 12, which a newer shoprl wrote; this one reads 2",
    );
    let header = "damaged: its header ends early or does not fit its checksum";
    check(&|bytes| bytes.truncate(HEADER - 1), header);
    check(&|bytes| bytes[20] ^= 1, header);
    check(&|bytes| bytes[40] ^= 1, header);
    let short = format!("damaged: it has {} bytes and should have {length}", length - 1);
    check(&|bytes| bytes.truncate(length - 1), &short);
    let long = format!("damaged: it has {} bytes and should have {length}", length + 1);
    check(&|bytes| bytes.push(0), &long);
    let content = "damaged: its checksum does not fit its bytes";
    check(&|bytes| bytes[HEADER] ^= 1, content);
    check(&|bytes| bytes[length - 1] ^= 128, content);
}

#[test]
fn a_built_file_is_what_is_stored_from_memory_and_nothing_half_written_stays() {
    let folder = std::env::temp_dir().join(format!("shoprl-store-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("fine.shop");
    let mall = Mall::build(Preset::Fine, 1, &path).unwrap();
    assert_eq!(mall.catalog().digest(), Catalog::digest_of(Preset::Fine, 1));
    assert_eq!(without_names(&std::fs::read(&path).unwrap()), without_names(&STORED));
    mall.verify().unwrap();
    let names: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(names, ["fine.shop"]);
    // The name may go while the file is in use.
    let expected = mall.search("枕头", 100).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(mall.search("枕头", 100).unwrap(), expected);
    assert!(matches!(Mall::open(&path), Err(MallError::Read(_))));
    let nowhere = folder.join("none/fine.shop");
    assert!(matches!(Mall::build(Preset::Fine, 1, &nowhere), Err(MallError::Write(_))));
    std::fs::remove_dir(&folder).unwrap();
}

/// The engine names the files of its segment at random, and its list of them holds a name and a time of writing; catalog and digest
/// are a function of preset and seed, and so are the lengths.
fn without_names(bytes: &[u8]) -> (&[u8], usize) {
    let catalog = u64::from_le_bytes(bytes[24..32].try_into().unwrap()) as usize;
    (&bytes[HEADER..HEADER + catalog], bytes.len())
}

#[test]
fn a_file_that_others_may_change_is_not_mapped() {
    let path = std::env::temp_dir().join(format!("shoprl-mode-{}", std::process::id()));
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
    assert_eq!(opened(&std::env::temp_dir()), "it is no regular file");
    std::fs::remove_file(&path).unwrap();
}
