//! The identity of a job. Manifests with equal digests yield equal weights.

use serde::Serialize;
use sha2::{Digest, Sha256};
use shoprl_contract::{EnvironmentConfig, PolicyConfig, RUN_CONFIG_VERSION, TrainingConfig};

/// Everything that decides the weights. Replicas, checkpoints and held-out evaluations do not.
#[derive(Serialize)]
struct DecidesWeights<'a> {
    version: u32,
    seed: u64,
    environment: &'a EnvironmentConfig,
    policy: &'a PolicyConfig,
    training: &'a TrainingConfig,
}

/// SHA-256 (hex) over everything that decides the final weights, as JSON in the contract's field order.
pub fn manifest_digest(
    seed: u64,
    environment: &EnvironmentConfig,
    policy: &PolicyConfig,
    training: &TrainingConfig,
) -> String {
    let parts = DecidesWeights { version: RUN_CONFIG_VERSION, seed, environment, policy, training };
    let json = serde_json::to_vec(&parts).expect("plain structs with string keys always serialise");
    base16ct::lower::encode_string(&Sha256::digest(json))
}

/// The UID of a job outside a cluster, as a UUID of version 8 (RFC 9562). It is a function of name and digest, so a
/// continued run keeps its UID.
pub fn job_uid(name: &str, manifest_digest: &str) -> String {
    let hash = Sha256::digest(format!("shoprl.dev/local-job\n{name}\n{manifest_digest}"));
    let mut bytes: Vec<u8> = hash.iter().copied().take(16).collect();
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let digits = base16ct::lower::encode_string(&bytes);
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    parts.join("-")
}
