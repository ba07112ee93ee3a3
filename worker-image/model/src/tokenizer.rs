//! Text to tokens and back, without loss.
//!
//! The vocabulary is the 256 bytes, three control tokens, and every word of the shop's lexicon as one token; the
//! longest word that starts at a position wins, and what no word covers becomes bytes. In the file format it is a
//! byte-level BPE without merges (`byte_fallback`, as Llama's) with the words as added tokens. The other spelling of
//! bytes, GPT-2's `ByteLevel` alphabet, would lose text: it writes byte 0xA5 as `¥`, so its decoder takes the token
//! `¥50` for bytes.
//!
//! `tokenizer.json` is what Python's `tokenizers` and `transformers` load; both cut and join alike.

mod build;

use thiserror::Error;

pub use build::{LexiconError, build};

/// Fills the tail of a padded row; never sampled, never a target.
pub const PAD: u32 = 256;
/// Stands before every action of the policy.
pub const ACT: u32 = 257;
/// Closes every action of the policy.
pub const END: u32 = 258;

/// Ids and spellings of the control tokens.
const CONTROL: [(u32, &str); 3] = [(PAD, "<|pad|>"), (ACT, "<|act|>"), (END, "<|end|>")];

/// First id of a word of the lexicon.
const FIRST_WORD: u32 = 259;

/// Why a text is not a tokenizer of this policy.
#[derive(Debug, Error)]
pub enum TokenizerError {
    /// The `tokenizers` crate cannot read it.
    #[error("not a tokenizer: {0}")]
    Format(String),
    /// A token stands where another one is expected.
    #[error("token {id} is `{found}`, but must be `{expected}`")]
    Token {
        /// Id of the token.
        id: u32,
        /// Its spelling in the file.
        found: String,
        /// The spelling it must have.
        expected: String,
    },
    /// The file uses a part that this tokenizer does not have, so it would cut texts otherwise.
    #[error("`{0}` is set, but must be null")]
    Part(&'static str),
    /// A word is not matched verbatim.
    #[error("token {id} `{word}` must have single_word, lstrip, rstrip and normalized false")]
    Matching {
        /// Id of the token.
        id: u32,
        /// Its spelling.
        word: String,
    },
}

/// The vocabulary, ready to encode and decode.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    json: String,
    inner: tokenizers::Tokenizer,
}

impl Tokenizer {
    /// Reads the text of a `tokenizer.json` as [`build()`] writes it.
    ///
    /// # Errors
    /// The text is no tokenizer, or one that cuts texts differently from what this module promises.
    pub fn from_json(json: &str) -> Result<Self, TokenizerError> {
        let parsed = json.parse();
        let mut inner: tokenizers::Tokenizer =
            parsed.map_err(|error: tokenizers::Error| TokenizerError::Format(error.to_string()))?;
        refuse_parts(&inner)?;
        let bytes = (0..=255u8).map(|byte| (u32::from(byte), build::byte_token(byte)));
        let controls = CONTROL.iter().map(|&(id, name)| (id, name.to_owned()));
        for (id, expected) in bytes.chain(controls) {
            let found = inner.id_to_token(id).unwrap_or_default();
            if found != expected {
                return Err(TokenizerError::Token { id, found, expected });
            }
        }
        inner.set_encode_special_tokens(true);
        Ok(Self { json: json.to_owned(), inner })
    }

    /// The tokens of `text`. A text never yields control tokens: who spells `<|end|>` in a product's name or a
    /// shopper's reply gets bytes, so that no observation can close or open an action.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let encoding = self.inner.encode_fast(text, false);
        encoding.expect("a BPE over all 256 bytes covers every text").get_ids().to_vec()
    }

    /// The text of `tokens`, control tokens by their spelling. Bytes that are not UTF-8 (a policy may sample any)
    /// become U+FFFD. For every text, `decode(&encode(text)) == text`.
    pub fn decode(&self, tokens: &[u32]) -> String {
        self.inner.decode(tokens, false).expect("byte fallback decodes any sequence")
    }

    /// The token of a whole word of the lexicon.
    pub fn word(&self, word: &str) -> Option<u32> {
        self.inner.token_to_id(word).filter(|&id| id >= FIRST_WORD)
    }

    /// Number of tokens: bytes, controls and words.
    pub fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// The token that stands before every action.
    pub fn act(&self) -> u32 {
        ACT
    }

    /// The token that closes every action.
    pub fn end(&self) -> u32 {
        END
    }

    /// The token that fills padded rows.
    pub fn pad(&self) -> u32 {
        PAD
    }

    /// The `tokenizer.json` it was read from.
    pub fn json(&self) -> &str {
        &self.json
    }
}

fn refuse_parts(inner: &tokenizers::Tokenizer) -> Result<(), TokenizerError> {
    let parts = [
        ("normalizer", inner.get_normalizer().is_some()),
        ("pre_tokenizer", inner.get_pre_tokenizer().is_some()),
        ("post_processor", inner.get_post_processor().is_some()),
        ("truncation", inner.get_truncation().is_some()),
        ("padding", inner.get_padding().is_some()),
    ];
    if let Some((name, _)) = parts.iter().find(|part| part.1) {
        return Err(TokenizerError::Part(name));
    }
    for (id, token) in inner.get_added_tokens_decoder() {
        if token.single_word || token.lstrip || token.rstrip || token.normalized {
            return Err(TokenizerError::Matching { id, word: token.content });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
