//! Imports catalogs of other environments: product files of ShopSimulator (arXiv 2601.18225) and WebShop (Yao et al., 2022).
//!
//! `docs/concepts/shop.md` describes the file formats and the conversion. This project includes no such data. Facts of imported
//! catalogs are free text, so they are compared by [`Matcher::Published`](super::Matcher) unless the terms of a reward name
//! another matcher.

mod columns;
mod product;
mod records;
mod report;

pub use report::{Dropped, Reason, Report};

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::index::ProductIndex;
use super::segment::Segmenter;
use super::{Catalog, Mall, MallError, engine};
use columns::ColumnWriter;
use product::{Imported, Notes};

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Format {
    /// Products with `title`, `category`, `attribute`, `pricing` and `customization_options`, as a JSON array or one object
    /// per line.
    ShopSimulator,
    /// The same with `name`, `product_category` and `attributes`.
    WebShop,
}

/// Why a file could not be imported.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file is compressed.
    #[error("the file is compressed; unpack it first")]
    Compressed,
    /// The file is neither a JSON array nor JSON objects, or the array is truncated.
    #[error("not a JSON array or one JSON object per line")]
    Json(#[source] serde_json::Error),
    /// No record was kept.
    #[error("no product can be used: {0}")]
    Nothing(Box<Report>),
    /// No task can be drawn.
    #[error(
        "no {split} product has both attributes and options, so no task could be drawn: {report}"
    )]
    NoTasks {
        /// The split without products.
        split: &'static str,
        /// What happened to the records.
        report: Box<Report>,
    },
    /// The file has more products or text than a catalog can hold.
    #[error("more than {0} products or 4 GiB of text; import a part of the file")]
    Large(usize),
    /// The search engine failed.
    #[error(transparent)]
    Mall(#[from] MallError),
}

/// Maximum number of products in a catalog.
const MOST_PRODUCTS: usize = 2_000_000;
/// Of products without a split, every fifth is held out.
const HELD_OUT_EVERY: usize = 5;

/// Reads the products of `bytes` and builds the catalog and its index; a function of its arguments.
///
/// Unusable records are dropped; the report counts them and names examples.
///
/// # Errors
/// If the file is malformed as a whole, leaves no product, or leaves none for the tasks of a split.
pub fn import(format: Format, bytes: &[u8]) -> Result<(Mall, Report), ImportError> {
    let mut report = Report::new(format);
    let mut notes = Notes::default();
    let mut products: Vec<Imported> = Vec::new();
    let mut ids = HashSet::new();
    records::each(bytes, |number, record| {
        report.read += 1;
        let taken = record.and_then(|record| product::read(format, &record, &mut notes));
        let product = match taken {
            Ok(product) if ids.contains(&product.id) => Err((Some(product.id), Reason::TwiceTheId)),
            other => other,
        };
        match product {
            Ok(product) => {
                ids.insert(product.id.clone());
                products.push(product);
            }
            Err((id, reason)) => {
                report.drop(reason, id.unwrap_or_else(|| format!("record {number}")));
            }
        }
    })?;
    report.notes = notes;
    report.kept = products.len();
    if products.is_empty() {
        return Err(ImportError::Nothing(Box::new(report)));
    }
    if products.len() > MOST_PRODUCTS || text(&products) > u32::MAX as usize {
        return Err(ImportError::Large(MOST_PRODUCTS));
    }
    split(&mut products);
    for (held_out, count) in [(false, &mut report.train), (true, &mut report.held_out)] {
        *count = products
            .iter()
            .filter(|it| it.can_be_wanted() && it.held_out == Some(held_out))
            .count();
    }
    for (split, count) in [("training", report.train), ("held-out", report.held_out)] {
        if count == 0 {
            return Err(ImportError::NoTasks { split, report: Box::new(report) });
        }
    }
    let catalog = ColumnWriter::catalog(products)
        .map_err(|error| ImportError::Mall(MallError::Stored(Box::new(error))))?;
    report.digest = catalog.digest().to_owned();
    Ok((open(catalog)?, report))
}

fn open(catalog: Catalog) -> Result<Mall, MallError> {
    let segmenter = Segmenter::new(catalog.search_words());
    let index = ProductIndex::build(&catalog, &segmenter).map_err(engine)?;
    Ok(Mall::new(catalog, segmenter, index))
}

/// Upper bound of the bytes of text, and of the entries of any column.
fn text(products: &[Imported]) -> usize {
    products.iter().map(Imported::size).sum()
}

/// Holds out every fifth product without a split; products that can be wanted are counted separately.
fn split(products: &mut [Imported]) {
    let mut counts = [0usize; 2];
    for product in products.iter_mut().filter(|product| product.held_out.is_none()) {
        let count = &mut counts[usize::from(product.can_be_wanted())];
        *count += 1;
        product.held_out = Some(count.is_multiple_of(HELD_OUT_EVERY));
    }
}

#[cfg(test)]
mod tests;
