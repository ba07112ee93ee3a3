//! The committed CRD equals the types. `UPDATE_EXPECT=1 cargo test --release -p shoprl-crds` rewrites it.

use expect_test::expect_file;
use kube_core::CustomResourceExt;
use shoprl_crds::ShopRLJob;

const HEADER: &str = "# Generated from crds/src. `UPDATE_EXPECT=1 cargo test --release -p shoprl-crds` rewrites it.\n";

#[test]
fn the_committed_crd_equals_the_types_and_fits_into_an_annotation() {
    let yaml = serde_yaml::to_string(&ShopRLJob::crd()).expect("a CRD is plain data");
    expect_file!["../shoprljobs.shoprl.dev.yaml"].assert_eq(&format!("{HEADER}{yaml}"));
    // A chart holds only files of its own folder.
    expect_file!["../../charts/shoprl/files/shoprljobs.shoprl.dev.yaml"]
        .assert_eq(&format!("{HEADER}{yaml}"));
    // Plain `kubectl apply` keeps the object in an annotation of at most 256 KiB.
    assert!(yaml.len() < 250 * 1024, "{} bytes", yaml.len());
}
