//! One running hash over the samples of all training steps.
//!
//! After step n the head is H(previous head, ordered digests of the step's samples). From the
//! trajectory files the chain can be recomputed. That proves that every step of the surviving
//! history consumed its samples exactly once and in that order.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A SHA-256, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The SHA-256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base16ct::lower::encode_string(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

/// The text is not a digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a digest: expected 64 lower-case hexadecimal digits")]
pub struct ParseDigestError(String);

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Lower case only, so that equal digests are equal as text.
        let bytes = base16ct::lower::decode_vec(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| ParseDigestError(text.to_owned()))
    }
}

impl TryFrom<String> for Digest {
    type Error = ParseDigestError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// The chain over all steps so far. Every checkpoint has it.
///
/// ```
/// use shoprl_rl::ledger::{Digest, Ledger};
/// let mut ledger = Ledger::default();
/// ledger.append(&[Digest::of(b"first sample"), Digest::of(b"second sample")]);
/// assert_eq!(ledger.steps, 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ledger {
    /// H(previous head, count, digests) of the last step; zeros before the first step.
    pub head: Digest,
    /// Steps appended.
    pub steps: u64,
}

impl Default for Ledger {
    fn default() -> Self {
        Self { head: Digest([0; 32]), steps: 0 }
    }
}

impl Ledger {
    /// Appends one step's samples, in the order of the batch.
    pub fn append(&mut self, samples: &[Digest]) {
        let mut hash = Sha256::new();
        hash.update(b"shoprl/ledger/1\0");
        hash.update(self.head.0);
        hash.update((samples.len() as u64).to_le_bytes());
        for sample in samples {
            hash.update(sample.0);
        }
        self.head = Digest(hash.finalize().into());
        self.steps += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(names: &[&str]) -> Vec<Digest> {
        names.iter().map(|name| Digest::of(name.as_bytes())).collect()
    }

    fn chain(steps: &[&[&str]]) -> Ledger {
        let mut ledger = Ledger::default();
        for step in steps {
            ledger.append(&samples(step));
        }
        ledger
    }

    #[test]
    fn the_head_depends_on_every_sample_its_order_and_its_step() {
        let base = chain(&[&["a", "b"], &["c"]]);
        assert_eq!(base, chain(&[&["a", "b"], &["c"]]));
        let others: [&[&[&str]]; 6] = [
            &[&["b", "a"], &["c"]],
            &[&["a"], &["b", "c"]],
            &[&["a", "b", "c"]],
            &[&["a", "b"], &["c"], &[]],
            &[&["a", "b"], &["c", "c"]],
            &[&["a", "b"]],
        ];
        for other in others {
            assert_ne!(base.head, chain(other).head, "{other:?}");
        }
    }

    #[test]
    fn a_ledger_survives_its_checkpoint() {
        let ledger = chain(&[&["a"]]);
        let json = serde_json::to_string(&ledger).unwrap();
        let head = ledger.head.to_string();
        assert_eq!(json, format!("{{\"head\":\"{head}\",\"steps\":1}}"));
        assert_eq!(serde_json::from_str::<Ledger>(&json).unwrap(), ledger);
    }

    #[test]
    fn text_that_is_not_a_digest_is_refused_with_the_expected_form() {
        let good = Digest::of(b"x").to_string();
        assert_eq!(good.parse(), Ok(Digest::of(b"x")));
        let check = |text: &str| {
            let error = text.parse::<Digest>().unwrap_err().to_string();
            assert!(error.contains(text) && error.contains("64"), "{error}");
        };
        check("");
        check("abc");
        check(&good.to_uppercase());
        check(&good[1..]);
        check(&"é".repeat(32));
    }
}
