use expect_test::expect_file;

use crate::descriptors;

#[test]
fn the_committed_rust_equals_the_proto_files() {
    let folder = tempfile::tempdir().expect("temporary folder");
    tonic_prost_build::configure()
        .out_dir(folder.path())
        .server_mod_attribute(".", "#[cfg(feature = \"services\")]")
        .client_mod_attribute(".", "#[cfg(feature = \"services\")]")
        .compile_fds(descriptors())
        .expect("code generates");
    let code = std::fs::read_to_string(folder.path().join("shoprl.v1.rs")).expect("generated file");
    expect_file!["../../src/gen/shoprl.v1.rs"].assert_eq(&code);
}
