//! The large shop: a catalog of tens of thousands of products in natural titles, with attributes and options that fit
//! each category, families of near-identical products, and search over all of it.
//!
//! `mini` is made for a policy whose tokens are the shop's words; this one is made for language models and for
//! measuring. `docs/concepts/shop.md` describes both.

mod action;
pub mod agent;
pub mod analysis;
mod catalog;
mod check;
pub mod difficulty;
mod generation;
pub mod import;
mod index;
mod layout;
mod matcher;
mod page;
mod query;
mod refusal;
mod replay;
pub mod reward;
mod segment;
mod session;
mod store;
mod storefront;
mod task;
mod vocabulary;

pub use crate::score::Outcome;
pub use catalog::{Catalog, Product};
pub use matcher::Matcher;
pub use replay::{Replay, replay};
pub use session::Session;

use index::ProductIndex;
use query::Query;
use segment::Segmenter;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A size of large shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Preset {
    /// 24,000 products in 10 domains, 40 categories and 200 leaves.
    Fine,
}

impl Preset {
    /// The name as it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fine => "fine",
        }
    }

    const fn products_per_leaf(self) -> usize {
        match self {
            Self::Fine => 120,
        }
    }
}

impl Catalog {
    /// Generates the catalog of `preset`; a function of both arguments alone.
    #[must_use]
    pub fn generate(preset: Preset, seed: u64) -> Self {
        generation::generate(preset, seed)
    }
}

/// Why a large shop could not be opened, stored or searched.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MallError {
    /// The search engine failed, which means that memory ran out.
    #[error("the search index failed; free memory and try again")]
    Index(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Bytes that are no stored shop; the cause says what is wrong with them.
    #[error("not a usable shop file; build it again")]
    Stored(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A query that looks for nothing.
    #[error("query {0:?}: write what to look for; ¥N alone is only a ceiling")]
    EmptyQuery(String),
    /// A query that is too long.
    #[error("query of {0} characters: write at most 200")]
    LongQuery(usize),
}

/// A catalog with its search index, read-only. Open it once and share it.
pub struct Mall {
    catalog: Catalog,
    segmenter: Segmenter,
    index: ProductIndex,
}

impl Mall {
    /// Generates the catalog and builds the index.
    ///
    /// # Errors
    /// [`MallError::Index`] if the search engine fails.
    pub fn generate(preset: Preset, seed: u64) -> Result<Self, MallError> {
        let catalog = Catalog::generate(preset, seed);
        let segmenter = Segmenter::new(catalog.search_words());
        let index = ProductIndex::build(&catalog, &segmenter).map_err(engine)?;
        Ok(Self { catalog, segmenter, index })
    }

    /// Everything as bytes that end in a checksum, for [`Mall::from_bytes`].
    ///
    /// # Errors
    /// [`MallError::Index`] if the search engine fails.
    pub fn to_bytes(&self) -> Result<Vec<u8>, MallError> {
        store::to_bytes(&self.catalog, &self.index).map_err(engine)
    }

    /// Takes up stored bytes; several times faster than generating.
    ///
    /// # Errors
    /// [`MallError::Stored`] if they are damaged or of another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MallError> {
        let (catalog, index) =
            store::from_bytes(bytes).map_err(|error| MallError::Stored(Box::new(error)))?;
        let segmenter = Segmenter::new(catalog.search_words());
        Ok(Self { catalog, segmenter, index })
    }

    /// The catalog.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The ids of the best `limit` products for a query, best first, equal scores by id. Every `¥N` in it is a
    /// ceiling on the listed price.
    ///
    /// # Errors
    /// For a query without words or of more than 200 characters.
    pub fn search(&self, query: &str, limit: usize) -> Result<Vec<u32>, MallError> {
        self.search_weighted(query, limit, index::FIELDS.map(|(_, weight)| weight))
    }

    /// [`Mall::search`] with other weights for title, category and brand: what their values were
    /// chosen with.
    ///
    /// # Errors
    /// As [`Mall::search`].
    pub fn search_weighted(
        &self,
        query: &str,
        limit: usize,
        weights: [f64; 3],
    ) -> Result<Vec<u32>, MallError> {
        use crate::search::QueryError;
        let parsed = Query::parse(query).map_err(|error| match error {
            QueryError::Empty => MallError::EmptyQuery(query.to_owned()),
            QueryError::Long => MallError::LongQuery(query.chars().count()),
        })?;
        self.ranked(&parsed, limit, &weights)
    }

    /// What a visitor can page through.
    fn listing(&self, query: &Query) -> Vec<u32> {
        let weights = index::FIELDS.map(|(_, weight)| weight);
        self.ranked(query, storefront::ROWS * storefront::PAGES, &weights)
            .expect("postings of an index in memory are read without input or output")
    }

    fn ranked(&self, query: &Query, limit: usize, weights: &[f64]) -> Result<Vec<u32>, MallError> {
        let mut terms: Vec<&str> = Vec::new();
        for term in self.segmenter.terms(&query.text) {
            if !terms.contains(&term) {
                terms.push(term);
            }
        }
        let ceiling = query.ceiling.map(|yuan| yuan.saturating_mul(100));
        let admits = |id| ceiling.is_none_or(|fen| self.catalog.at(id).listed_price() <= fen);
        self.index.search(&terms, weights, limit, admits).map_err(engine)
    }
}

fn engine(error: index::IndexError) -> MallError {
    MallError::Index(Box::new(error))
}

impl std::fmt::Debug for Mall {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Mall").field("catalog", &self.catalog).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
