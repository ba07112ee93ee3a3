//! Rules of the house that a compiler does not know.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository's root")
}

fn tracked(pattern: &str) -> Vec<PathBuf> {
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

fn text(path: &Path) -> String {
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
        // Spelt in two halves, so that this file does not find itself.
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

#[test]
fn no_module_is_named_after_nothing() {
    let vague = ["utils", "util", "common", "helper", "helpers", "manager", "misc"];
    let found: Vec<PathBuf> = tracked("*.rs")
        .into_iter()
        .filter(|path| {
            path.file_stem().is_some_and(|stem| vague.contains(&stem.to_string_lossy().as_ref()))
        })
        .collect();
    assert!(found.is_empty(), "{found:?}");
}

/// Everywhere else the compiler refuses it: the workspace's lints deny unsafe code, and only these files lift that.
#[test]
fn what_is_unsafe_stays_in_the_kernels_and_with_files_and_libraries() {
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
    assert!(lints.contains(&format!("{lifts} = \"deny\"")), "the workspace must deny it");
}

/// The forbidden edges of docs/ARCHITECTURE.md.
#[test]
fn crates_depend_only_where_the_architecture_lets_them() {
    let check = |manifest: &str, forbidden: &[&str]| {
        let text = text(&root().join(manifest));
        let dependencies = text
            .split("[dependencies]")
            .nth(1)
            .unwrap_or_default()
            .split("\n[")
            .next()
            .unwrap_or_default();
        for name in forbidden {
            let found = dependencies.lines().any(|line| {
                line.starts_with(&format!("{name}.")) || line.starts_with(&format!("{name} "))
            });
            assert!(!found, "{manifest} must not depend on {name}");
        }
    };
    check("worker-image/rl/Cargo.toml", &["candle-core", "tonic", "tokio", "kube"]);
    check(
        "operator/plan/Cargo.toml",
        &["tokio", "tonic", "kube", "shoprl-model", "shoprl-simulator", "shoprl-worker"],
    );
    check("worker-image/worker/Cargo.toml", &["shoprl-crds", "shoprl-plan", "kube", "k8s-openapi"]);
    check("worker-image/model/Cargo.toml", &["tonic", "tokio", "kube", "shoprl-simulator"]);
    check("worker-image/simulator/Cargo.toml", &["tonic", "tokio", "kube", "candle-core"]);
    check("crds/Cargo.toml", &["tokio", "shoprl-contract"]);
}

#[test]
fn every_dependency_has_a_licence_that_may_be_shipped() {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--offline",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    let allowed = [
        "MIT",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "Zlib",
        "Unicode-3.0",
        "CC0-1.0",
        "Unlicense",
        "0BSD",
        "MIT-0",
        "CDLA-Permissive-2.0",
        "BSL-1.0",
        "Apache-2.0 WITH LLVM-exception",
        "OFL-1.1",
    ];
    let may_ship = |licence: &str| {
        let any = |clause: &str| {
            let clause = clause.trim().trim_matches(['(', ')']).trim();
            clause.split(" OR ").any(|name| allowed.contains(&name.trim().trim_matches(['(', ')'])))
        };
        licence.replace('/', " OR ").split(" AND ").all(any)
    };
    let faults: Vec<String> = metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|package| {
            (package["name"].to_string(), package["license"].as_str().unwrap_or("none").to_owned())
        })
        .filter(|(_, licence)| !may_ship(licence))
        .map(|(name, licence)| format!("{name}: {licence}"))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}
