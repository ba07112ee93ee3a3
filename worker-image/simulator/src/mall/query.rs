//! Parses search queries.

use crate::search::{QueryError, without_prices};

/// Maximum query length in characters; a whole instruction fits.
const LONGEST: usize = 200;

/// Text to search for, and a ceiling on the listed price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) text: String,
    /// In yuan; the lowest price mentioned.
    pub(super) ceiling: Option<u32>,
}

impl Query {
    /// Parses `text`: every `¥N` is a ceiling.
    pub(super) fn parse(text: &str) -> Result<Self, QueryError> {
        if text.chars().count() > LONGEST {
            return Err(QueryError::Long);
        }
        let (pieces, ceiling) = without_prices(text);
        let text = pieces.join(" ");
        if !text.chars().any(char::is_alphanumeric) {
            return Err(QueryError::Empty);
        }
        Ok(Self { text, ceiling })
    }
}
