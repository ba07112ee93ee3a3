//! Text to tokens and back, without loss.
//!
//! The vocabulary is the 256 bytes, three control tokens, and every word of the shop's lexicon as one token. At
//! every position the longest word wins; text that no word covers becomes bytes. In the file format this is a
//! byte-level BPE without merges (`byte_fallback`, as in Llama's) with the words as added tokens. GPT-2's
//! `ByteLevel` alphabet, the other spelling of bytes, would lose text: it writes byte 0xA5 as `¥`, so its decoder
//! takes the token `¥50` for bytes.
//!
//! Python's `tokenizers` and `transformers` load the same `tokenizer.json`, and encode and decode alike.

mod build;

use thiserror::Error;

pub use build::{LexiconError, build};

/// Padding at the end of a row; never sampled, never a target.
pub const PAD: u32 = 256;
/// Precedes every action of the policy.
pub const ACT: u32 = 257;
/// Closes every action of the policy.
pub const END: u32 = 258;

/// The `tokenizer.json` of the shop's lexicon. A test of shoprl-worker compares it with the lexicon.
pub const SHOP_TOKENIZER: &str = include_str!("../tokenizer.json");

/// Ids and spellings of the control tokens.
const CONTROL: [(u32, &str); 3] = [(PAD, "<|pad|>"), (ACT, "<|act|>"), (END, "<|end|>")];

/// Id of the first word of the lexicon.
const FIRST_WORD: u32 = 259;

/// Why a text is not a tokenizer of this policy.
#[derive(Debug, Error)]
pub enum TokenizerError {
    /// The `tokenizers` crate cannot read it.
    #[error("not a tokenizer: {0}")]
    Format(String),
    /// A token has another spelling than expected.
    #[error("token {id} is `{found}`, but must be `{expected}`")]
    Token {
        /// Id of the token.
        id: u32,
        /// Spelling in the file.
        found: String,
        /// Required spelling.
        expected: String,
    },
    /// The file uses a component that this tokenizer does not have, so it would encode texts differently.
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
    /// Reads the text of a `tokenizer.json` that [`build()`] wrote.
    ///
    /// # Errors
    /// The text is not a tokenizer, or its tokenizer encodes texts differently.
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

    /// The tokens of `text`. A text never yields control tokens: `<|end|>` in a product's name or a shopper's reply
    /// becomes bytes, so that no observation can end or start an action.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let encoding = self.inner.encode_fast(text, false);
        encoding.expect("a BPE over all 256 bytes covers every text").get_ids().to_vec()
    }

    /// The text of `tokens`, with the spelling of control tokens. Bytes that are not UTF-8 (a policy may sample
    /// any) become U+FFFD. For every text, `decode(&encode(text)) == text`.
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

    /// The token that precedes every action.
    pub fn act(&self) -> u32 {
        ACT
    }

    /// The token that closes every action.
    pub fn end(&self) -> u32 {
        END
    }

    /// The padding token.
    pub fn pad(&self) -> u32 {
        PAD
    }

    /// The `tokenizer.json` that this tokenizer was read from.
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
