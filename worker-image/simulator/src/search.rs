//! Search: tantivy's index over our own segmentation, ranked by BM25 plus popularity.
//!
//! The ranked list is the same in every process: one segment written by one thread, document ids equal to product
//! ids, sums in the order of the query's terms, no function of the platform's mathematics library, ties by product id.

mod index;
mod query;
mod rank;
mod tokenizer;

pub(crate) use index::{OpenIndexError, ProductIndex};
pub(crate) use query::{Query, QueryError, without_prices};
pub(crate) use rank::Bm25;

#[cfg(test)]
mod tests;
