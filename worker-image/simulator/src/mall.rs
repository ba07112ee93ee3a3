//! The large shop: 24,000 to 1,300,000 products with natural titles, attributes and options that fit each category,
//! families of near-identical products, and search over all of them.
//!
//! `mini` is made for a policy whose tokens are the shop's words; this shop is made for language models and for
//! measurements. `docs/concepts/shop.md` describes both.

mod action;
pub mod agent;
pub mod analysis;
mod catalog;
mod check;
mod counts;
pub mod difficulty;
mod file;
mod generation;
pub mod import;
mod index;
mod layout;
mod mapped;
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
pub mod voice;

pub use crate::score::Outcome;
pub use catalog::{Catalog, Product};
pub use matcher::Matcher;
pub use replay::{Replay, Words, replay, replay_voiced};
pub use session::{Session, VoiceError};

use std::path::Path;

use serde::{Deserialize, Serialize};
use tantivy::directory::OwnedBytes;
use thiserror::Error;

use file::BuildError;
use index::ProductIndex;
use mapped::MapError;
use query::Query;
use segment::Segmenter;
use store::StoreError;
use voice::Speech;

/// The grammar of actions and observations, for readers and prompts.
pub const GRAMMAR: &str = include_str!("mall/grammar.txt");

/// A size of the large shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Preset {
    /// 24,000 products in 10 domains, 40 categories and 200 leaves.
    Fine,
    /// 1,300,000 products in the same leaves, from more brands and shops. Build it into a file and open that.
    Full,
}

impl Preset {
    /// The name used in commands.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Full => "full",
        }
    }

    const fn scale(self) -> generation::Scale {
        match self {
            Self::Fine => generation::Scale { products_per_leaf: 120, brands: 24, shops: 40 },
            Self::Full => generation::Scale { products_per_leaf: 6_500, brands: 240, shops: 600 },
        }
    }
}

impl Catalog {
    /// Generates the catalog of `preset`; a function of both arguments alone.
    #[must_use]
    pub fn generate(preset: Preset, seed: u64) -> Self {
        generation::generate(preset, seed)
    }

    /// The digest of the catalog that [`Catalog::generate`] makes, without keeping the catalog.
    #[must_use]
    pub fn digest_of(preset: Preset, seed: u64) -> String {
        let columns = generation::columns(preset, seed);
        let written = columns.write(layout::Origin::Generated, &mut std::io::sink());
        base16ct::lower::encode_string(&written.expect("writing to a sink cannot fail"))
    }
}

/// Why a large shop could not be opened, stored or searched.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MallError {
    /// The search engine failed, which means that memory ran out.
    #[error("the search index failed; free memory and try again")]
    Index(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The bytes are not a usable shop; the source says why.
    #[error("not a usable shop file; build it again")]
    Stored(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Other users could change the file while it is read; the source says how.
    #[error("only its owner may be able to change a shop file")]
    Exposed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The file cannot be read.
    #[error("the shop file cannot be read")]
    Read(#[source] std::io::Error),
    /// The file cannot be written.
    #[error("the shop file cannot be written")]
    Write(#[source] std::io::Error),
    /// The query has no words.
    #[error("query {0:?}: write what to look for; ¥N alone is only a ceiling")]
    EmptyQuery(String),
    /// The query is too long.
    #[error("query has {0} characters: write at most 200")]
    LongQuery(usize),
}

/// A catalog with its search index, read-only. Open it once and share it.
pub struct Mall {
    catalog: Catalog,
    segmenter: Segmenter,
    index: ProductIndex,
    speech: Speech,
}

impl Mall {
    fn new(catalog: Catalog, segmenter: Segmenter, index: ProductIndex) -> Self {
        let speech = Speech::new(catalog.leaves());
        Self { catalog, segmenter, index, speech }
    }

    /// Generates the catalog and builds the index.
    ///
    /// # Errors
    /// [`MallError::Index`] if the search engine fails.
    pub fn generate(preset: Preset, seed: u64) -> Result<Self, MallError> {
        let catalog = Catalog::generate(preset, seed);
        let segmenter = Segmenter::new(catalog.search_words());
        let index = ProductIndex::build(&catalog, &segmenter).map_err(engine)?;
        Ok(Self::new(catalog, segmenter, index))
    }

    /// Builds the shop of `preset` and `seed` into the file `path`, then opens it. The file is replaced as a whole or left
    /// as it was. The catalog is written to the disk before the index is built, so `full` takes some 400 MiB of memory.
    ///
    /// # Errors
    /// [`MallError::Write`] if the disk is full or the folder is not writable, otherwise as [`Mall::open`].
    pub fn build(preset: Preset, seed: u64, path: &Path) -> Result<Self, MallError> {
        file::build(preset, seed, path).map_err(built)?;
        Self::open(path)
    }

    /// Writes the shop to the file `path`, which is replaced as a whole or left as it was.
    ///
    /// # Errors
    /// [`MallError::Write`] if the disk is full or the folder is not writable.
    pub fn save(&self, path: &Path) -> Result<(), MallError> {
        file::save(&self.to_bytes(), path).map_err(built)
    }

    /// Opens a file written by [`Mall::build`]. The file is mapped, so processes that open the same file share its memory.
    /// All of it is read once to verify its checksum.
    ///
    /// # Errors
    /// [`MallError::Read`]; [`MallError::Exposed`] if another user can write the file; [`MallError::Stored`] if it is
    /// damaged, not a shop, or of another version.
    pub fn open(path: &Path) -> Result<Self, MallError> {
        let bytes = mapped::map(path).map_err(|error| match error {
            MapError::Read(error) => MallError::Read(error),
            error => MallError::Exposed(Box::new(error)),
        })?;
        Self::of(&bytes)
    }

    /// The shop as the bytes of a file, for [`Mall::from_bytes`].
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        store::to_bytes(&self.catalog, &self.index)
    }

    /// Opens stored bytes; several times faster than generating the shop.
    ///
    /// # Errors
    /// [`MallError::Stored`] if they are damaged or of another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MallError> {
        Self::of(&OwnedBytes::new(bytes.to_vec()))
    }

    fn of(bytes: &OwnedBytes) -> Result<Self, MallError> {
        let (catalog, index) = store::open(bytes).map_err(stored)?;
        let segmenter = Segmenter::new(catalog.search_words());
        Ok(Self::new(catalog, segmenter, index))
    }

    /// Verifies the catalog against its digest. [`Mall::open`] trusts the digest in the file.
    ///
    /// # Errors
    /// [`MallError::Stored`] if they differ.
    pub fn verify(&self) -> Result<(), MallError> {
        if self.catalog.is_what_its_digest_says() {
            Ok(())
        } else {
            Err(stored(StoreError::Digest))
        }
    }

    /// The catalog.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The ids of the best `limit` products for a query, best first, equal scores by id. Each `¥N` in it is a ceiling on
    /// the listed price.
    ///
    /// # Errors
    /// For a query without words or of more than 200 characters.
    pub fn search(&self, query: &str, limit: usize) -> Result<Vec<u32>, MallError> {
        self.search_weighted(query, limit, index::FIELDS.map(|(_, weight)| weight))
    }

    /// [`Mall::search`] with other weights for title, category and brand, for measuring the weights.
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

    /// The products that a visitor can page through.
    fn listing(&self, query: &Query) -> Vec<u32> {
        let weights = index::FIELDS.map(|(_, weight)| weight);
        self.ranked(query, storefront::ROWS * storefront::PAGES, &weights)
            .expect("postings in memory or in a mapped file are read without IO")
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

fn built(error: BuildError) -> MallError {
    match error {
        BuildError::Write(error) | BuildError::Map(MapError::Read(error)) => {
            MallError::Write(error)
        }
        BuildError::Map(error) => MallError::Exposed(Box::new(error)),
        error => MallError::Index(Box::new(error)),
    }
}

fn stored(error: StoreError) -> MallError {
    MallError::Stored(Box::new(error))
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
