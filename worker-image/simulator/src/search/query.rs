//! Parses the query after 搜索.

use super::tokenizer;

/// Maximum query length in characters; a goal has at most seven words of at most four characters.
const LONGEST: usize = 48;

/// Words to search for, and a ceiling on the listed price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    /// Distinct words in order of first mention.
    pub(crate) words: Vec<String>,
    /// In yuan; the lowest price mentioned.
    pub(crate) ceiling: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueryError {
    /// No word to search for.
    Empty,
    /// More than [`LONGEST`] characters.
    Long,
}

impl Query {
    /// Parses `text`: every `¥N` is a ceiling, the rest is cut into words.
    pub(crate) fn parse(text: &str) -> Result<Self, QueryError> {
        if text.chars().count() > LONGEST {
            return Err(QueryError::Long);
        }
        let (pieces, ceiling) = without_prices(text);
        let mut words: Vec<String> = Vec::new();
        pieces.into_iter().for_each(|piece| add_words(&mut words, piece));
        if words.is_empty() {
            return Err(QueryError::Empty);
        }
        Ok(Self { words, ceiling })
    }
}

/// The pieces of `text` around each `¥N`, and the lowest of these prices.
pub(crate) fn without_prices(text: &str) -> (Vec<&str>, Option<u32>) {
    let mut parts = text.split('¥');
    let mut pieces = vec![parts.next().unwrap_or_default()];
    let mut ceiling: Option<u32> = None;
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = part.split_at(digits);
        if let Ok(yuan) = number.parse() {
            ceiling = Some(ceiling.map_or(yuan, |lowest| lowest.min(yuan)));
        }
        pieces.push(rest);
    }
    (pieces, ceiling)
}

fn add_words(words: &mut Vec<String>, text: &str) {
    for word in tokenizer::cut(text) {
        if !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    }
}
