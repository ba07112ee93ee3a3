//! Errors about invalid manifests. `UPDATE_EXPECT=1 cargo test --release -p shoprl-cli --test it` rewrites refusals.txt.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use expect_test::{expect, expect_file};
use shoprl_cli::manifest::Manifest;
use shoprl_contract::{Exit, ExitReason};

fn manifests(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../operator/plan/tests/manifests")
        .join(kind);
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The error about a file, without its folder.
fn refusal(file: &Path) -> String {
    let exit = Exit::from(Manifest::read(file).expect_err(&file.display().to_string()));
    assert_eq!(exit.reason, ExitReason::BadConfiguration);
    exit.message.replace(&format!("{}/", file.parent().unwrap().display()), "")
}

#[test]
fn valid_manifests_and_the_examples_are_accepted() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples");
    let mut files = manifests("accepted");
    files.extend(["quickstart.yaml", "smoke.yaml"].map(|name| examples.join(name)));
    for file in files {
        let manifest = Manifest::read(&file).unwrap_or_else(|error| panic!("{error}"));
        // The manifest in the run folder is read back as the same job.
        let again = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(again.path(), manifest.to_yaml()).unwrap();
        let read_back = Manifest::read(again.path()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(read_back.config(), manifest.config(), "{}", file.display());
        assert_eq!(read_back.to_yaml(), manifest.to_yaml(), "{}", file.display());
    }
}

#[test]
fn errors_name_field_value_and_correction() {
    let mut text = String::new();
    for kind in ["strict", "rejected", "late"] {
        for file in manifests(kind) {
            writeln!(text, "{}", refusal(&file)).unwrap();
        }
    }
    expect_file!["../refusals.txt"].assert_eq(&text);
}

#[test]
fn files_that_are_not_a_manifest_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("job.yaml");
    let texts = [
        "",
        "# only a comment\n",
        "just text\n",
        "spec: [1, 2\n",
        "a: 1\na: 2\n",
        "kind: !!python/object:os.system ShopRLJob\n",
        "kind: ShopRLJob\nspec: !foo {}\n",
        "kind: ShopRLJob\nmetadata: {name: !!str shop}\n",
        "kind: ShopRLJob\n",
        "apiVersion: shoprl.dev/v1\nkind: ShopRLJob\n",
        "apiVersion: shoprl.dev/v1alpha1\nkind: Pod\n",
        "apiVersion: shoprl.dev/v1alpha1\nkind: ShopRLJob\nmetadata: {name: shop}\nspec:\n",
        "apiVersion: shoprl.dev/v1alpha1\nkind: ShopRLJob\nmetadata: {name: 7}\nspec: {}\n",
        "apiVersion: shoprl.dev/v1alpha1\nkind: ShopRLJob\nmetadata: {name: shop}\nspec: {training: {learningRate: .nan}}\n",
        "apiVersion: shoprl.dev/v1alpha1\nkind: ShopRLJob\nmetadata: {name: shop}\nspec: {sede: 3, seed: x}\n",
        "apiVersion: shoprl.dev/v1alpha1\nkind: ShopRLJob\nmetadata: {name: a}\nspec: {}\n---\napiVersion: shoprl.dev/v1alpha1\nkind: ShopRLJob\nmetadata: {name: b}\nspec: {}\n",
    ];
    let mut errors = String::new();
    let deep = "{a: ".repeat(50_000);
    for text in texts.into_iter().chain([deep.as_str()]) {
        std::fs::write(&path, text).unwrap();
        writeln!(errors, "{}", refusal(&path)).unwrap();
    }
    std::fs::remove_file(&path).unwrap();
    writeln!(errors, "{}", refusal(&path)).unwrap();
    std::fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
    writeln!(errors, "{}", refusal(&path)).unwrap();
    expect![[r#"
        job.yaml: empty; write a ShopRLJob
        job.yaml: empty; write a ShopRLJob
        job.yaml: no fields; write apiVersion, kind, metadata and spec
        job.yaml: not YAML: line 2 column 1: while parsing a flow sequence, expected ',' or ']'
        job.yaml: not YAML: duplicate entry with key "a"
        job.yaml: line 1: the tag !!python/object:os.system is not supported: remove it and write a plain value
        job.yaml: line 2: the tag !foo is not supported: remove it and write a plain value
        job.yaml: apiVersion: missing: write apiVersion: shoprl.dev/v1alpha1
        job.yaml: apiVersion: missing: write apiVersion: shoprl.dev/v1alpha1
        job.yaml: apiVersion: "shoprl.dev/v1" is invalid: write shoprl.dev/v1alpha1
        job.yaml: kind: "Pod" is invalid: write ShopRLJob
        job.yaml: spec: missing: write spec: {} for all defaults
        job.yaml: metadata.name: invalid type: integer `7`, expected a string
        job.yaml: spec.training.learningRate: NaN is invalid: must be from 0.00000001 to 1: a learning rate is positive and small; start from the default
        job.yaml: 2 mistakes
          spec.sede: no such field: did you mean seed?
          spec.seed: "x" is invalid: write a whole number, for example seed: 7; it must be from 0 to 9223372036854775807: a seed is a whole number that is not negative
        job.yaml: 2 documents; use a file with one ShopRLJob
        job.yaml: line 1: nested deeper than the limit of 100 levels: remove brackets or indentation
        job.yaml: No such file or directory (os error 2); use the path of a ShopRLJob manifest, for example docs/examples/quickstart.yaml
        job.yaml: stream did not contain valid UTF-8; use the path of a ShopRLJob manifest, for example docs/examples/quickstart.yaml
    "#]].assert_eq(&errors);
}
