//! Search: tantivy's index over the shop's own segmentation, ranked by BM25 plus popularity.
//!
//! The ranked list is identical in every process: one segment written by one thread, document ids equal product ids, sums
//! in the order of the query's terms, no platform math library, ties by product id.

mod index;
mod query;
mod rank;
mod tokenizer;

pub(crate) use index::{OpenIndexError, ProductIndex};
pub(crate) use query::{Query, QueryError, without_prices};
pub(crate) use rank::Bm25;

#[cfg(test)]
mod tests;
