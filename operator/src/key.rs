//! The operator's key. Every job's token derives from it, so the operator reads no Secret through the API.

use std::path::Path;

use anyhow::{Context, ensure};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Minimum length of the key in bytes.
const MIN_LENGTH: usize = 32;

/// The operator's key. It has no `Debug`, so that it is never printed.
pub struct OperatorKey(Vec<u8>);

impl OperatorKey {
    /// Reads the key's file.
    ///
    /// # Errors
    /// When the file cannot be read, or holds too few bytes.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let key = std::fs::read(path).with_context(|| {
            format!("cannot read key file {}: give --key-file a readable file", path.display())
        })?;
        Self::new(key).with_context(|| format!("key file {}", path.display()))
    }

    /// A key of these bytes.
    ///
    /// # Errors
    /// When there are too few.
    pub fn new(key: Vec<u8>) -> anyhow::Result<Self> {
        ensure!(
            key.len() >= MIN_LENGTH,
            "it has {} bytes; write at least {MIN_LENGTH} random ones",
            key.len()
        );
        Ok(Self(key))
    }

    /// The token of the job with this uid: HMAC-SHA-256 in hex. It is the same after every restart.
    pub(crate) fn token(&self, job_uid: &str) -> String {
        let mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC accepts a key of any length");
        let code = mac.chain_update(job_uid.as_bytes()).finalize().into_bytes();
        base16ct::lower::encode_string(&code)
    }
}

#[cfg(test)]
mod tests {
    use super::OperatorKey;

    #[test]
    fn a_token_depends_on_key_and_job_and_a_short_key_is_refused() {
        let token = |byte: u8, uid| OperatorKey::new(vec![byte; 32]).expect("32 bytes").token(uid);
        assert_eq!(token(1, "a"), token(1, "a"));
        assert_eq!(token(1, "a").len(), 64);
        assert_ne!(token(1, "a"), token(1, "b"));
        assert_ne!(token(1, "a"), token(2, "a"));
        assert!(OperatorKey::new(vec![1; 31]).is_err());
    }
}
