//! The operator's key, from which every job's token derives: so the operator reads no Secret through the API.

use std::path::Path;

use anyhow::{Context, ensure};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Shortest key, in bytes.
const SHORTEST: usize = 32;

/// The operator's key. Never printed.
pub struct OperatorKey(Vec<u8>);

impl OperatorKey {
    /// Reads the key's file.
    ///
    /// # Errors
    /// When it cannot be read, or holds too few bytes.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let key = std::fs::read(path).with_context(|| {
            format!("key file {}: give --key-file a readable file", path.display())
        })?;
        Self::new(key).with_context(|| format!("key file {}", path.display()))
    }

    /// The key of these bytes.
    ///
    /// # Errors
    /// When they are too few.
    pub fn new(key: Vec<u8>) -> anyhow::Result<Self> {
        ensure!(
            key.len() >= SHORTEST,
            "has {} bytes; write at least {SHORTEST} random ones",
            key.len()
        );
        Ok(Self(key))
    }

    /// The token of the job with this unique id: HMAC-SHA-256 in hexadecimal digits, equal after every restart.
    pub(crate) fn token(&self, job_uid: &str) -> String {
        let mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC accepts a key of any length");
        let code = mac.chain_update(job_uid.as_bytes()).finalize().into_bytes();
        code.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::OperatorKey;

    #[test]
    fn a_token_depends_on_the_key_and_the_job_and_a_short_key_is_refused() {
        let token = |byte: u8, uid| OperatorKey::new(vec![byte; 32]).expect("32 bytes").token(uid);
        assert_eq!(token(1, "a"), token(1, "a"));
        assert_eq!(token(1, "a").len(), 64);
        assert_ne!(token(1, "a"), token(1, "b"));
        assert_ne!(token(1, "a"), token(2, "a"));
        assert!(OperatorKey::new(vec![1; 31]).is_err());
    }
}
