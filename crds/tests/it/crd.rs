//! The committed CRD equals the types.

use expect_test::expect_file;
use kube_core::CustomResourceExt;
use serde_json::Value;
use shoprl_crds::{ShopRLJob, schema};

const HEADER: &str = "# Generated from crds/src. `UPDATE_EXPECT=1 cargo test --release -p shoprl-crds` rewrites it.\n";

#[test]
fn the_committed_crd_equals_the_types_and_fits_into_an_annotation() {
    let yaml = serde_yaml::to_string(&ShopRLJob::crd()).expect("a CRD is plain data");
    expect_file!["../../shoprljobs.shoprl.dev.yaml"].assert_eq(&format!("{HEADER}{yaml}"));
    // A chart contains only files of its own folder.
    expect_file!["../../../charts/shoprl/files/shoprljobs.shoprl.dev.yaml"]
        .assert_eq(&format!("{HEADER}{yaml}"));
    // `kubectl apply` stores the object in an annotation of at most 256 KiB.
    assert!(yaml.len() < 250 * 1024, "{} bytes", yaml.len());
}

#[test]
fn every_field_of_a_job_has_a_description() {
    let mut missing = Vec::new();
    let properties = &schema()["properties"];
    for part in ["spec", "status"] {
        collect_missing(part, &properties[part], &mut missing);
    }
    assert!(missing.is_empty(), "without a description: {missing:?}");
}

/// Collects fields without a description. The types of Kubernetes below `affinity` have none on purpose.
fn collect_missing(path: &str, schema: &Value, missing: &mut Vec<String>) {
    if !schema["description"].is_string() {
        missing.push(path.to_owned());
    }
    if path.ends_with(".affinity") {
        return;
    }
    for parent in [schema, &schema["items"]] {
        for (name, child) in parent["properties"].as_object().into_iter().flatten() {
            collect_missing(&format!("{path}.{name}"), child, missing);
        }
    }
}
