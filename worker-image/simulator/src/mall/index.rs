//! The search index: tantivy's postings over our own terms, in one segment, scored by us.
//!
//! The ranked list is the same in every process: document ids are product ids, scores are summed in f64 in the order
//! of the query's terms and of the fields, no function of the platform's mathematics library is used, ties go to the
//! lower id.

use super::catalog::{Catalog, Product};
use super::segment::Segmenter;
use crate::search::{Bm25, best};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tantivy::directory::{Directory as _, RamDirectory};
use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::Postings as _;
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{
    DocSet as _, Index, InvertedIndexReader, ReloadPolicy, TERMINATED, TantivyDocument,
    TantivyError, Term,
};
use thiserror::Error;

/// What is indexed of a product, with what a match there weighs. The weights were chosen by measurement
/// (docs/benchmarks/search.md).
///
/// Attributes and options that the title leaves out are not indexed: that is why pages must be read.
pub(super) const FIELDS: [(&str, f64); 3] = [("title", 1.0), ("category", 1.0), ("brand", 1.0)];
/// Memory of the indexing buffer: everything fits, so it is written once.
const BUFFER_BYTES: usize = 64 << 20;
/// The engine's list of its files.
const MANAGED: &str = ".managed.json";

/// Failure to build an index or to read a stored one.
#[derive(Debug, Error)]
pub(super) enum IndexError {
    #[error("the search engine failed")]
    Engine(#[from] TantivyError),
    #[error("the search index could not be read")]
    Read(#[from] std::io::Error),
    #[error("the search index has {0} segments, not one")]
    Segments(usize),
    #[error("the search index holds {found} products, the catalog {expected}")]
    Products { found: u32, expected: usize },
}

/// One field of the single segment.
struct IndexedField {
    field: Field,
    postings: Arc<InvertedIndexReader>,
    lengths: FieldNormReader,
    bm25: Bm25,
}

/// What is needed to rank.
pub(super) struct ProductIndex {
    fields: Vec<IndexedField>,
    products: usize,
    files: RamDirectory,
}

/// A file of an index, to be stored.
pub(super) struct IndexFile {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
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
        Self::open(&writer.finalize()?, directory, catalog)
    }

    /// Takes up stored files.
    pub(super) fn from_files(files: Vec<IndexFile>, catalog: &Catalog) -> Result<Self, IndexError> {
        let directory = RamDirectory::create();
        for file in files {
            directory.atomic_write(&PathBuf::from(file.name), &file.bytes)?;
        }
        Self::open(&Index::open(directory.clone())?, directory, catalog)
    }

    /// The files to store, for [`ProductIndex::from_files`].
    pub(super) fn files(&self) -> Result<Vec<IndexFile>, IndexError> {
        let listed = self.files.atomic_read(Path::new(MANAGED)).map_err(TantivyError::from)?;
        let listed: Vec<PathBuf> = serde_json::from_slice(&listed).map_err(std::io::Error::from)?;
        let mut files = Vec::new();
        for path in listed {
            // The list names files that a segment may have and this one has not.
            if self.files.exists(&path).map_err(TantivyError::from)? {
                let bytes = self.files.atomic_read(&path).map_err(TantivyError::from)?;
                files.push(IndexFile { name: path.to_string_lossy().into_owned(), bytes });
            }
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(files)
    }

    fn open(index: &Index, files: RamDirectory, catalog: &Catalog) -> Result<Self, IndexError> {
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
        let mut fields = Vec::with_capacity(FIELDS.len());
        for (name, _) in FIELDS {
            let field = schema.get_field(name)?;
            let postings = segment.inverted_index(field)?;
            let bm25 = Bm25::new(u64::from(found), postings.total_num_tokens());
            let lengths = segment.get_fieldnorms_reader(field)?;
            fields.push(IndexedField { field, postings, lengths, bm25 });
        }
        Ok(Self { fields, products: expected, files })
    }

    /// The best `limit` products among those that `admits` and that hold a term, best first.
    pub(super) fn search(
        &self,
        terms: &[&str],
        weights: &[f64],
        limit: usize,
        admits: impl Fn(u32) -> bool,
    ) -> Result<Vec<u32>, IndexError> {
        let mut scores = vec![0.0; self.products];
        for term in terms {
            for (indexed, weight) in self.fields.iter().zip(weights) {
                indexed.add(term, *weight, &mut scores)?;
            }
        }
        let scored = (0u32..).zip(scores).filter(|&(id, score)| score > 0.0 && admits(id));
        Ok(best(scored.collect(), limit))
    }
}

impl IndexedField {
    /// Adds to each product what `term` contributes here.
    fn add(&self, term: &str, weight: f64, scores: &mut [f64]) -> Result<(), IndexError> {
        let term = Term::from_field_text(self.field, term);
        let Some(information) = self.postings.get_term_info(&term)? else {
            return Ok(());
        };
        let mut postings = self
            .postings
            .read_postings_from_terminfo(&information, IndexRecordOption::WithFreqs)?;
        let idf = weight * self.bm25.idf(u64::from(information.doc_freq));
        while postings.doc() != TERMINATED {
            let document = postings.doc();
            let length = self.lengths.fieldnorm(document);
            scores[document as usize] += idf * self.bm25.saturation(postings.term_freq(), length);
            postings.advance();
        }
        Ok(())
    }
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

/// The terms of every field, in the order of [`FIELDS`].
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
