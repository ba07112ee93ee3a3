//! What the operator is started with.

use std::process::Command;

#[test]
fn a_worker_image_without_a_digest_is_refused_before_anything_is_done() {
    let output = Command::new(env!("CARGO_BIN_EXE_shoprl-operator"))
        .args(["--worker-image", "registry.example/shoprl:v1", "--key-file", "/nowhere"])
        .output()
        .expect("the operator starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{said}");
    assert!(
        said.starts_with("error: --worker-image \"registry.example/shoprl:v1\" is not possible: name the image by digest"),
        "{said}"
    );
}
