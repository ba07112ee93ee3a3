//! A shop: one catalog and its search index, read-only and shared by all sessions of a process.

use std::sync::Arc;

use thiserror::Error;

use crate::catalog::{Catalog, Preset};
use crate::search::{OpenIndexError, ProductIndex, Query};

/// Rows on a result page.
pub(crate) const ROWS_PER_PAGE: usize = 8;
/// Reachable result pages.
pub(crate) const PAGES: usize = 4;

/// A catalog with its search index. Open it once and share it behind [`Arc`].
pub struct Shop {
    catalog: Catalog,
    index: ProductIndex,
}

/// Why a shop could not be opened or a session could not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ShopError {
    /// The search index could not be built; the source is the engine's error.
    #[error("the shop could not be opened")]
    Index(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A turn limit outside the range of the turn counter.
    #[error("limits.{field} is {value}: set it between 1 and {highest}")]
    Limit {
        /// `singleTurn` or `multiTurn`.
        field: &'static str,
        /// The requested limit.
        value: u32,
        /// The highest turn counter of the lexicon.
        highest: u32,
    },
}

impl From<OpenIndexError> for ShopError {
    fn from(error: OpenIndexError) -> Self {
        Self::Index(Box::new(error))
    }
}

impl Shop {
    /// Generates the catalog and builds the index; takes well under half a second for `mini`.
    ///
    /// # Errors
    /// [`ShopError::Index`] if the search engine fails, which means that memory ran out.
    pub fn open(preset: Preset, seed: u64) -> Result<Self, ShopError> {
        let catalog = Catalog::generate(preset, seed);
        let index = ProductIndex::build(&catalog)?;
        Ok(Self { catalog, index })
    }

    /// The catalog.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Ranked product ids for a query.
    pub(crate) fn search(&self, query: &Query) -> Vec<u32> {
        self.index
            .search(query, ROWS_PER_PAGE * PAGES)
            .expect("postings of an index in memory are read without input or output")
    }
}

impl std::fmt::Debug for Shop {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Shop")
            .field("products", &self.catalog.len())
            .field("digest", &self.catalog.digest())
            .finish_non_exhaustive()
    }
}

/// A shop shared by sessions.
pub(crate) type SharedShop = Arc<Shop>;
