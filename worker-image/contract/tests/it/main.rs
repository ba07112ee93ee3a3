//! The committed Rust and docs/reference/protocol.md equal the proto files.
//! `UPDATE_EXPECT=1 cargo test --release -p shoprl-contract` rewrites both.

mod code;
mod reference;

use protox::prost_reflect::prost_types::FileDescriptorSet;

/// The proto files, shared ones first.
const FILES: [&str; 2] = ["shoprl/v1/shoprl.proto", "shoprl/v1/environment.proto"];

/// The compiled files with their comments.
fn descriptors() -> FileDescriptorSet {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/proto");
    protox::compile(FILES, [root]).expect("protos compile")
}
