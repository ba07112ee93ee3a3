//! The search index: tantivy's postings over the shop's own terms in one segment, with its own scoring.
//!
//! The ranked list is identical in every process: document ids equal product ids, scores are summed in f64 in the order of
//! the query's terms and of the fields, no platform math library is used, and ties go to the lower id.

mod files;
mod rank;

pub(super) use files::Files;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tantivy::directory::{Directory as _, OwnedBytes, RamDirectory};
use tantivy::fieldnorm::FieldNormReader;
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{
    Index, InvertedIndexReader, ReloadPolicy, SegmentReader, TantivyDocument, TantivyError, Term,
};
use thiserror::Error;

use super::catalog::{Catalog, Product};
use super::segment::Segmenter;
use crate::search::Bm25;
use rank::Postings;

/// Indexed fields of a product with their weights. The weights were chosen by measurement (docs/benchmarks/search.md).
///
/// Attributes and options missing from the title are not indexed, so agents must read pages.
pub(super) const FIELDS: [(&str, f64); 3] = [("title", 1.0), ("category", 1.0), ("brand", 1.0)];
/// Initial size of the indexing buffer in bytes. It grows until all products are in it, so one segment is written.
const BUFFER_BYTES: usize = 64 << 20;
/// The file in which the engine lists its files.
const MANAGED: &str = ".managed.json";

/// Why an index could not be built or opened.
#[derive(Debug, Error)]
pub(super) enum IndexError {
    #[error("the search engine failed")]
    Engine(#[from] TantivyError),
    #[error("the search index could not be read")]
    Read(#[from] std::io::Error),
    #[error("the search index has {0} segments instead of one")]
    Segments(usize),
    #[error("the search index holds {found} products, the catalog {expected}")]
    Products { found: u32, expected: usize },
}

/// Term counts and document lengths for which the saturation is tabulated.
const COUNTS: usize = 4;
const LENGTHS: usize = 256;

/// The postings of a term, if it occurs.
type Found<F> = Option<Postings<F>>;

/// One field of the single segment.
struct IndexedField {
    field: Field,
    postings: Arc<InvertedIndexReader>,
    lengths: FieldNormReader,
    bm25: Bm25,
    /// The smallest document length.
    shortest: u32,
    /// BM25 saturations by count minus one and by tantivy's length id, as [`Bm25::saturation`] returns them.
    saturations: Box<[[f64; LENGTHS]; COUNTS]>,
}

/// The data for ranking.
pub(super) struct ProductIndex {
    fields: Vec<IndexedField>,
    products: usize,
    files: Files,
}

impl ProductIndex {
    /// Indexes `catalog`.
    pub(super) fn build(catalog: &Catalog, segmenter: &Segmenter) -> Result<Self, IndexError> {
        let (schema, fields) = schema();
        let directory = RamDirectory::create();
        let mut writer = Index::builder()
            .schema(schema)
            .single_segment_index_writer::<TantivyDocument>(directory.clone(), BUFFER_BYTES)?;
        for product in catalog.products() {
            let mut document = TantivyDocument::default();
            for (field, terms) in fields.iter().zip(terms(catalog, &product, segmenter)) {
                document.add_pre_tokenized_text(*field, pre_tokenized(terms));
            }
            writer.add_document(document)?;
        }
        writer.finalize()?;
        Self::open(written(&directory)?, catalog)
    }

    /// Opens an index from its files without copying them.
    pub(super) fn open(files: Files, catalog: &Catalog) -> Result<Self, IndexError> {
        let index = Index::open(files.clone())?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let searcher = reader.searcher();
        let [segment] = searcher.segment_readers() else {
            return Err(IndexError::Segments(searcher.segment_readers().len()));
        };
        let (found, expected) = (segment.max_doc(), catalog.len());
        if found as usize != expected {
            return Err(IndexError::Products { found, expected });
        }
        let schema = index.schema();
        let fields =
            FIELDS.iter().map(|(name, _)| IndexedField::open(schema.get_field(name)?, segment));
        let fields = fields.collect::<Result<_, TantivyError>>()?;
        Ok(Self { fields, products: expected, files })
    }

    /// The files to store, for [`ProductIndex::open`].
    pub(super) fn files(&self) -> &Files {
        &self.files
    }

    /// The best `limit` products that contain a term and that `admits` accepts, best first. A field whose weight is not
    /// above 0 is ignored.
    pub(super) fn search(
        &self,
        terms: &[&str],
        weights: &[f64],
        limit: usize,
        admits: impl Fn(u32) -> bool,
    ) -> Result<Vec<u32>, IndexError> {
        let mut postings = Vec::with_capacity(terms.len() * self.fields.len());
        for term in terms {
            for (field, weight) in
                self.fields.iter().zip(weights).filter(|(_, weight)| **weight > 0.0)
            {
                postings.extend(field.postings(term, *weight)?);
            }
        }
        Ok(rank::best(&postings, self.products, limit, admits))
    }
}

impl IndexedField {
    fn open(field: Field, segment: &SegmentReader) -> Result<Self, TantivyError> {
        let postings = segment.inverted_index(field)?;
        let bm25 = Bm25::new(u64::from(segment.max_doc()), postings.total_num_tokens());
        let lengths = segment.get_fieldnorms_reader(field)?;
        // tantivy's length ids are in ascending order of length.
        let shortest = (0..segment.max_doc()).map(|product| lengths.fieldnorm_id(product)).min();
        let shortest = FieldNormReader::id_to_fieldnorm(shortest.unwrap_or_default());
        let mut saturations = Box::new([[0.0; LENGTHS]; COUNTS]);
        for (count, row) in (1..).zip(saturations.iter_mut()) {
            for (length, saturation) in (0..=u8::MAX).zip(row) {
                *saturation = bm25.saturation(count, FieldNormReader::id_to_fieldnorm(length));
            }
        }
        Ok(Self { field, postings, lengths, bm25, shortest, saturations })
    }

    /// The postings of `term` in this field, if any.
    fn postings(
        &self,
        term: &str,
        weight: f64,
    ) -> Result<Found<impl Fn(u32, u32) -> f64>, IndexError> {
        let term = Term::from_field_text(self.field, term);
        let Some(information) = self.postings.get_term_info(&term)? else {
            return Ok(None);
        };
        let mut block = self
            .postings
            .read_block_postings_from_terminfo(&information, IndexRecordOption::WithFreqs)?;
        let size = information.doc_freq as usize;
        let (mut products, mut counts) = (Vec::with_capacity(size), Vec::with_capacity(size));
        while !block.docs().is_empty() {
            products.extend_from_slice(block.docs());
            counts.extend_from_slice(block.freqs());
            block.advance();
        }
        let weight = weight * self.bm25.idf(u64::from(information.doc_freq));
        let most = counts.iter().copied().max().unwrap_or_default();
        let bound = weight * self.bm25.saturation(most, self.shortest);
        let contribution = move |product, count| weight * self.saturation(product, count);
        Ok(Some(Postings { products, counts, contribution, bound }))
    }

    fn saturation(&self, product: u32, count: u32) -> f64 {
        let length = self.lengths.fieldnorm_id(product);
        let row = (count as usize).checked_sub(1).and_then(|row| self.saturations.get(row));
        row.map_or_else(
            || self.bm25.saturation(count, FieldNormReader::id_to_fieldnorm(length)),
            |row| row[usize::from(length)],
        )
    }
}

/// The files that the engine wrote.
fn written(directory: &RamDirectory) -> Result<Files, IndexError> {
    let listed = directory.atomic_read(Path::new(MANAGED)).map_err(TantivyError::from)?;
    let listed: Vec<PathBuf> = serde_json::from_slice(&listed).map_err(std::io::Error::from)?;
    let mut files = Vec::new();
    for path in listed {
        // The list includes files that a segment may have and this one lacks.
        if directory.exists(&path).map_err(TantivyError::from)? {
            let bytes = directory.atomic_read(&path).map_err(TantivyError::from)?;
            files.push((path, OwnedBytes::new(bytes)));
        }
    }
    Ok(files.into_iter().collect())
}

fn schema() -> (Schema, Vec<Field>) {
    let mut schema = Schema::builder();
    let indexing = TextFieldIndexing::default()
        .set_tokenizer("raw")
        .set_index_option(IndexRecordOption::WithFreqs)
        .set_fieldnorms(true);
    let text = TextOptions::default().set_indexing_options(indexing);
    let fields = FIELDS.map(|(name, _)| schema.add_text_field(name, text.clone())).to_vec();
    (schema.build(), fields)
}

/// The terms of each field, in the order of [`FIELDS`].
fn terms<'a>(
    catalog: &'a Catalog,
    product: &Product<'a>,
    segmenter: &'a Segmenter,
) -> [Vec<&'a str>; 3] {
    let path = catalog.path(product.leaf()).into_iter().map(|word| catalog.word(word));
    let names = path.chain(product.aliases());
    [
        segmenter.terms(product.title()),
        names.flat_map(|name| segmenter.terms(name)).collect(),
        vec![product.brand()],
    ]
}

fn pre_tokenized(terms: Vec<&str>) -> PreTokenizedString {
    let tokens = terms
        .into_iter()
        .enumerate()
        .map(|(position, term)| Token {
            offset_from: 0,
            offset_to: 0,
            position,
            text: term.to_owned(),
            position_length: 1,
        })
        .collect();
    PreTokenizedString { text: String::new(), tokens }
}

#[cfg(test)]
mod tests;
