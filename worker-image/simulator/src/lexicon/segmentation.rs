//! Longest match, which recovers the words of any printed text.

use std::sync::LazyLock;

use super::{Word, word, words};

/// Length in bytes of the longest word.
static LONGEST: LazyLock<usize> =
    LazyLock::new(|| words().iter().map(|word| word.len()).max().unwrap_or(0));

/// The lexicon words of `text`, each the longest that starts where the previous one ended. Characters that start no word
/// are skipped; [`segment`] keeps them.
pub(crate) fn known_words(text: &str) -> Vec<Word> {
    let mut found = Vec::with_capacity(text.len() / 6);
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(word) = longest_prefix(rest) {
            found.push(word);
            rest = &rest[word.len()..];
        } else {
            rest = skip_one(rest);
        }
    }
    found
}

/// Cuts `text` into lexicon words by longest match from the left. Other text is returned character by character. The
/// concatenated pieces equal `text`.
#[must_use]
pub fn segment(text: &str) -> Vec<&str> {
    let mut pieces = Vec::with_capacity(text.len() / 6);
    let mut rest = text;
    while !rest.is_empty() {
        let length =
            longest_prefix(rest).map_or_else(|| rest.len() - skip_one(rest).len(), str::len);
        let (piece, tail) = rest.split_at(length);
        pieces.push(piece);
        rest = tail;
    }
    pieces
}

/// The longest word that is a prefix of `text`.
pub(crate) fn longest_prefix(text: &str) -> Option<Word> {
    (1..=text.len().min(*LONGEST))
        .rev()
        .filter(|&length| text.is_char_boundary(length))
        .find_map(|length| word(&text[..length]))
}

fn skip_one(text: &str) -> &str {
    let mut characters = text.chars();
    characters.next();
    characters.as_str()
}
