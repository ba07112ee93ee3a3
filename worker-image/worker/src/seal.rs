//! Seals: HMAC-SHA-256 with the job's token over all fields of a trajectory or score. A message that was altered between two
//! workers is refused instead of trained on.

use hmac::{Hmac, Mac};
use prost::Message;
use sha2::Sha256;
use shoprl_contract::v1::{Score, Trajectory};

use crate::auth::Token;

/// A message with a seal over its other fields.
pub(crate) trait Sealed: Message + Clone + Default {
    /// The field that holds the seal.
    fn seal_field(&mut self) -> &mut Vec<u8>;

    /// Returns the message with its seal.
    fn seal(mut self, token: &Token) -> Self {
        let seal = self.code(token).finalize().into_bytes().to_vec();
        *self.seal_field() = seal;
        self
    }

    /// Whether the seal matches the other fields.
    fn is_intact(&self, token: &Token) -> bool {
        let seal = std::mem::take(self.clone().seal_field());
        self.code(token).verify_slice(&seal).is_ok()
    }

    /// The authentication code over all fields but the seal.
    fn code(&self, token: &Token) -> Hmac<Sha256> {
        let mut bare = self.clone();
        bare.seal_field().clear();
        // prost writes fields in tag order and these messages hold no maps, so equal messages have equal bytes.
        let bytes = bare.encode_to_vec();
        token.hmac().chain_update(bytes)
    }
}

impl Sealed for Trajectory {
    fn seal_field(&mut self) -> &mut Vec<u8> {
        &mut self.seal
    }
}

impl Sealed for Score {
    fn seal_field(&mut self) -> &mut Vec<u8> {
        &mut self.seal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_altered_field_breaks_the_seal() {
        let token = Token::from_text("0123456789abcdef0123456789abcdef").expect("a token");
        let other = Token::from_text("ffffffffffffffffffffffffffffffff").expect("a token");
        let whole = Trajectory {
            batch: "step-000001".into(),
            group: 3,
            member: 1,
            tokens: vec![5, 6, 7],
            log_probabilities: vec![-0.5],
            ..Trajectory::default()
        }
        .seal(&token);
        assert!(whole.is_intact(&token));
        assert!(!whole.is_intact(&other), "a seal with another token is refused");
        let alterations: [fn(&mut Trajectory); 5] = [
            |t| t.tokens[1] = 9,
            |t| t.log_probabilities[0] = -0.4,
            |t| t.member = 2,
            |t| t.batch.push('x'),
            |t| t.seal[0] ^= 1,
        ];
        for alter in alterations {
            let mut changed = whole.clone();
            alter(&mut changed);
            assert!(!changed.is_intact(&token), "{changed:?}");
        }
    }
}
