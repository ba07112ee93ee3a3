//! Rules for the repository that a compiler does not check.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository's root")
}

/// Tracked files that match a pattern of `git ls-files`.
pub(super) fn tracked(pattern: &str) -> Vec<PathBuf> {
    let output = Command::new("git")
        .args(["ls-files", "-z", pattern])
        .current_dir(root())
        .output()
        .expect("git runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).expect("names are UTF-8");
    names
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(|name| root().join(name))
        .filter(|path| path.exists())
        .collect()
}

pub(super) fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_top_level_holds_what_the_layout_names_and_nothing_else() {
    let allowed = [
        "Cargo.toml",
        "Cargo.lock",
        "README.md",
        "LICENSE",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "operator",
        "worker-image",
        "crds",
        "charts",
        "e2e",
        "docs",
    ];
    let root = root();
    let found: BTreeSet<String> = tracked("*")
        .iter()
        .filter_map(|path| path.strip_prefix(&root).ok()?.components().next())
        .map(|first| first.as_os_str().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && !allowed.contains(&name.as_str()))
        .collect();
    assert!(found.is_empty(), "not in the layout: {found:?}");
}

#[test]
fn source_files_are_short_and_finished() {
    let mut faults = Vec::new();
    for path in tracked("*.rs") {
        if path.components().any(|part| part.as_os_str() == "gen") {
            continue;
        }
        let text = text(&path);
        let lines = text.lines().count();
        if lines > 500 {
            faults.push(format!("{}: {lines} lines, at most 500", path.display()));
        }
        // Each word is split, so that this file does not match itself.
        for word in [
            concat!("todo", "!("),
            concat!("unimpl", "emented!("),
            concat!("FIX", "ME"),
            concat!("#[ig", "nore"),
        ] {
            if text.contains(word) {
                faults.push(format!("{}: {word}", path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// CONTRIBUTING.md has the conventions.
#[test]
fn modules_are_files_with_their_own_name() {
    let attribute = concat!("#[pa", "th");
    let mut faults = Vec::new();
    for path in tracked("*.rs") {
        if path.file_name().is_some_and(|name| name == "mod.rs") {
            faults.push(format!("{}: name it after its folder", path.display()));
        }
        if text(&path).contains(attribute) {
            faults.push(format!(
                "{}: {attribute}]: place the file where the module is",
                path.display()
            ));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn test_names_have_at_most_80_characters() {
    const MAX_CHARS: usize = 80;
    let attribute = Regex::new(r"#\[(?:tokio::)?test\b").expect("a pattern");
    let function = Regex::new(r"\bfn\s+(\w+)").expect("a pattern");
    let mut faults = Vec::new();
    for path in tracked("*.rs") {
        let text = text(&path);
        for found in attribute.find_iter(&text) {
            let Some(name) = function.captures(&text[found.end()..]) else { continue };
            if name[1].len() > MAX_CHARS {
                faults.push(format!("{}: {} ({})", path.display(), &name[1], name[1].len()));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn no_module_has_a_vague_name() {
    let vague = ["utils", "util", "common", "helper", "helpers", "manager", "misc"];
    let found: Vec<PathBuf> = tracked("*.rs")
        .into_iter()
        .filter(|path| {
            path.file_stem().is_some_and(|stem| vague.contains(&stem.to_string_lossy().as_ref()))
        })
        .collect();
    assert!(found.is_empty(), "{found:?}");
}

/// The workspace's lints deny unsafe code; only these files may lift the lint.
#[test]
fn unsafe_blocks_stay_in_the_kernels_and_two_files_about_mapping_and_libraries() {
    let lifts = concat!("unsafe", "_code");
    let outside: Vec<PathBuf> = tracked("*.rs")
        .into_iter()
        .filter(|path| !path.starts_with(root().join("worker-image/model/src/kernel")))
        .filter(|path| *path != root().join("worker-image/simulator/src/mall/mapped.rs"))
        .filter(|path| *path != root().join("worker-image/model/src/device/libraries.rs"))
        .filter(|path| text(path).contains(lifts))
        .collect();
    assert!(outside.is_empty(), "{outside:?}");
    let lints = text(&root().join("Cargo.toml"));
    assert!(lints.contains(&format!("{lifts} = \"deny\"")), "the workspace must deny unsafe code");
}
