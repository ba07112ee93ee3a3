//! The committed Rust equals what the .proto files say. `UPDATE_EXPECT=1 cargo test --release -p shoprl-contract` rewrites it.

use expect_test::expect_file;

#[test]
fn generated_code_equals_the_proto_files() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/proto");
    let files = ["shoprl/v1/shoprl.proto", "shoprl/v1/environment.proto"];
    let descriptors = protox::compile(files, [root]).expect("protos compile");
    let folder = tempfile::tempdir().expect("temporary folder");
    tonic_prost_build::configure()
        .out_dir(folder.path())
        .server_mod_attribute(".", "#[cfg(feature = \"services\")]")
        .client_mod_attribute(".", "#[cfg(feature = \"services\")]")
        .compile_fds(descriptors)
        .expect("code generates");
    let code = std::fs::read_to_string(folder.path().join("shoprl.v1.rs")).expect("generated file");
    expect_file!["../src/gen/shoprl.v1.rs"].assert_eq(&code);
}
