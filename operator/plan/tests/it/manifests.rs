//! Manifests as data: which are accepted, which are refused and with which errors, and that the CRD's
//! rules agree. `UPDATE_EXPECT=1 cargo test --release -p shoprl-plan` rewrites refusals.txt.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use kube_cel::Validator;
use serde_json::Value;
use shoprl_crds::{ShopRLJob, schema};
use shoprl_plan::{Invalid, lower, validate};

fn manifests(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests").join(kind);
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn read(file: &Path) -> Result<ShopRLJob, serde_yaml::Error> {
    let text = std::fs::read_to_string(file).unwrap();
    let job = serde_yaml::from_str(&text)?;
    // serde_yaml's typed reader accepts a number as text; the API server does not.
    serde_yaml::from_value::<ShopRLJob>(serde_yaml::from_str(&text)?)?;
    Ok(job)
}

fn check(job: &ShopRLJob) -> Result<shoprl_plan::Validated, Vec<Invalid>> {
    validate(&job.spec, job.metadata.name.as_deref().unwrap_or_default())
}

/// The errors of the CRD's rules, as (field, message). Reading the job has filled in its defaults, as the API server does.
fn rule_errors(schema: &Value, job: &ShopRLJob) -> BTreeSet<(String, String)> {
    let object = serde_json::to_value(job).unwrap();
    let errors =
        Validator::new().validate(schema, &object, None).err().map(|errors| errors.into_vec());
    errors.unwrap_or_default().into_iter().map(|error| (error.field_path, error.message)).collect()
}

#[test]
fn accepted_manifests_lower_to_a_run_and_pass_the_rules() {
    let (files, schema) = (manifests("accepted"), schema());
    assert!(files.len() >= 20, "{}", files.len());
    for file in files {
        let job = read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let validated =
            check(&job).unwrap_or_else(|invalid| panic!("{}: {invalid:?}", file.display()));
        assert_eq!(lower(&validated).seed, u64::try_from(job.spec.seed).unwrap());
        assert_eq!(rule_errors(&schema, &job), BTreeSet::new(), "{}", file.display());
    }
}

#[test]
fn refused_manifests_name_the_field_the_value_and_the_remedy() {
    let files = manifests("rejected");
    assert!(files.len() >= 40, "{}", files.len());
    let mut text = String::new();
    for file in files.into_iter().chain(manifests("late")) {
        writeln!(text, "{}", file.file_stem().unwrap().to_string_lossy()).unwrap();
        match read(&file) {
            Err(error) => writeln!(text, "  unreadable: {error}").unwrap(),
            Ok(job) => {
                for invalid in check(&job).expect_err(&file.display().to_string()) {
                    writeln!(text, "  {invalid}").unwrap();
                }
            }
        }
    }
    expect_file!["../manifests/refusals.txt"].assert_eq(&text);
}

/// Remedies of errors that the API server detects by a list's type or size, without a rule.
const WITHOUT_RULE: [&str; 4] = [
    "name each scenario once",
    "the name occurs twice",
    "entries are allowed",
    "write the name of an object",
];

#[test]
fn errors_that_only_the_operator_detects_pass_the_rules() {
    let schema = schema();
    for file in manifests("late") {
        let job = read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert_eq!(rule_errors(&schema, &job), BTreeSet::new(), "{}", file.display());
    }
}

#[test]
fn the_rules_of_the_crd_refuse_the_same_fields_with_the_same_remedy() {
    let schema = schema();
    for file in manifests("rejected") {
        let Ok(job) = read(&file) else { continue };
        // The rules need a name.
        if job.metadata.name.is_none() {
            continue;
        }
        let errors: BTreeSet<_> = check(&job)
            .expect_err("rejected")
            .into_iter()
            .filter(|invalid| !WITHOUT_RULE.iter().any(|text| invalid.remedy.contains(text)))
            // Rules on the name belong to the object's root.
            .map(|invalid| (invalid.field.replace("metadata.name", ""), invalid.remedy))
            .collect();
        assert_eq!(rule_errors(&schema, &job), errors, "{}", file.display());
    }
}

#[test]
fn defaults_of_the_schema_are_the_defaults_of_the_types() {
    let schema = schema();
    for file in manifests("accepted") {
        let written: Value =
            serde_yaml::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let defaulted = kube_cel::apply_defaults(&schema, &without_nulls(written));
        let from_server: ShopRLJob = serde_json::from_value(defaulted.clone()).unwrap();
        assert_eq!(from_server, read(&file).unwrap(), "{}", file.display());
        // Reading the server's object fills in nothing: it has every field.
        let spec = serde_json::to_value(&from_server.spec).unwrap();
        assert_eq!(leaves(&defaulted["spec"]), leaves(&spec), "{}", file.display());
    }
}

/// The API server takes a null where none may be for a field that is not there.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, member)| !member.is_null());
            kept.map(|(name, member)| (name, without_nulls(member))).collect()
        }
        other => other,
    }
}

fn leaves(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, member)| {
                leaves(member).into_iter().map(move |rest| format!("{name}.{rest}"))
            })
            .collect(),
        _ => BTreeSet::from([String::new()]),
    }
}
