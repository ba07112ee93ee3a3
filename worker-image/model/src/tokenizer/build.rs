//! Writing `tokenizer.json`.

use std::collections::BTreeSet;

use thiserror::Error;
use tokenizers::decoders::byte_fallback::ByteFallback;
use tokenizers::models::bpe::BPE;
use tokenizers::{AddedToken, Tokenizer};

use super::CONTROL;

/// Why a lexicon cannot become a vocabulary.
#[derive(Debug, Error)]
pub enum LexiconError {
    /// A word is empty.
    #[error("word {0} of the lexicon is empty")]
    Empty(usize),
    /// A word occurs twice.
    #[error("word {0} of the lexicon, `{1}`, occurs twice")]
    Twice(usize, String),
    /// A word has the spelling of a control or byte token.
    #[error("word {0} of the lexicon, `{1}`, has the spelling of a control or byte token")]
    Reserved(usize, String),
    /// The `tokenizers` crate refused the vocabulary.
    #[error("the vocabulary cannot be built: {0}")]
    Library(String),
}

/// The name of a byte in a vocabulary with byte fallback.
pub(super) fn byte_token(byte: u8) -> String {
    format!("<0x{byte:02X}>")
}

/// The text of a `tokenizer.json`: bytes, control tokens, then the words of `lexicon` in their order.
///
/// # Errors
/// A word is empty, occurs twice or has the spelling of a control or byte token.
pub fn build(lexicon: &[String]) -> Result<String, LexiconError> {
    check(lexicon)?;
    let library = |error: tokenizers::Error| LexiconError::Library(error.to_string());
    let bytes: [(String, u32); 256] =
        std::array::from_fn(|byte| (byte_token(byte as u8), byte as u32));
    let model = BPE::builder()
        .vocab_and_merges(bytes, vec![])
        .byte_fallback(true)
        .build()
        .map_err(library)?;
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_decoder(Some(ByteFallback::new()));
    let controls = CONTROL.iter().map(|(_, name)| AddedToken::from(*name, true));
    tokenizer.add_special_tokens(controls).map_err(library)?;
    let words = lexicon.iter().map(|word| AddedToken::from(word.as_str(), false).normalized(false));
    tokenizer.add_tokens(words).map_err(library)?;
    Ok(tokenizer.to_string(true).map_err(library)? + "\n")
}

fn check(lexicon: &[String]) -> Result<(), LexiconError> {
    let mut reserved: BTreeSet<String> = (0..=255u8).map(byte_token).collect();
    reserved.extend(CONTROL.iter().map(|(_, name)| (*name).to_owned()));
    let mut words = BTreeSet::new();
    for (number, word) in lexicon.iter().enumerate() {
        if word.is_empty() {
            return Err(LexiconError::Empty(number));
        }
        if reserved.contains(word) {
            return Err(LexiconError::Reserved(number, word.clone()));
        }
        if !words.insert(word) {
            return Err(LexiconError::Twice(number, word.clone()));
        }
    }
    Ok(())
}
