//! The in-memory index over a catalog.

use std::sync::Arc;

use tantivy::columnar::Column;
use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::{Postings, SegmentPostings};
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::{
    DocSet, Index, InvertedIndexReader, ReloadPolicy, TERMINATED, TantivyDocument, TantivyError,
    Term,
};
use thiserror::Error;

use super::query::Query;
use super::rank::{Bm25, best};
use super::tokenizer::LexiconTokenizer;
use crate::catalog::{Catalog, Product};

const TOKENIZER: &str = "lexicon";
const POPULARITY: &str = "popularity";
const PRICE: &str = "price";
/// Indexing buffer in bytes; far above what `mini` needs, so that one segment is written.
const BUFFER_BYTES: usize = 64 << 20;
/// Repetitions of the title; flourish and stray word are indexed once.
const TITLE_WEIGHT: usize = 2;

/// Why the index could not be built or opened.
#[derive(Debug, Error)]
pub(crate) enum OpenIndexError {
    #[error("the search index could not be built in memory; free memory and open the shop again")]
    Engine(#[from] TantivyError),
    #[error("the search index could not be read back; free memory and open the shop again")]
    Read(#[from] std::io::Error),
    #[error(
        "the search index has {found} segments instead of one, so ranks would depend on merge order; \
         index with a single-segment writer"
    )]
    Segments { found: usize },
}

/// Postings, lengths and columns of the single segment.
pub(crate) struct ProductIndex {
    field: Field,
    postings: Arc<InvertedIndexReader>,
    lengths: FieldNormReader,
    popularity: Column<u64>,
    price: Column<u64>,
    bm25: Bm25,
}

impl ProductIndex {
    /// Indexes `catalog`; document ids are product ids.
    pub(crate) fn build(catalog: &Catalog) -> Result<Self, OpenIndexError> {
        let (schema, field) = schema();
        let [popularity, price] = [POPULARITY, PRICE].map(|name| schema.get_field(name));
        let (popularity, price) = (popularity?, price?);
        // Fast fields and default tokenizers are unused; only the lexicon's is registered.
        let tokenizers = tantivy::tokenizer::TokenizerManager::default();
        tokenizers.register(TOKENIZER, LexiconTokenizer);
        let builder = Index::builder().schema(schema).tokenizers(tokenizers);
        let directory = tantivy::directory::RamDirectory::create();
        let mut writer =
            builder.single_segment_index_writer::<TantivyDocument>(directory, BUFFER_BYTES)?;
        for product in catalog.products() {
            let mut document = TantivyDocument::default();
            for text in texts(product) {
                document.add_text(field, text);
            }
            document.add_u64(popularity, u64::from(product.popularity));
            document.add_u64(price, u64::from(product.listed_price()));
            writer.add_document(document)?;
        }
        Self::open(&writer.finalize()?, field)
    }

    fn open(index: &Index, field: Field) -> Result<Self, OpenIndexError> {
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let searcher = reader.searcher();
        let [segment] = searcher.segment_readers() else {
            return Err(OpenIndexError::Segments { found: searcher.segment_readers().len() });
        };
        let postings = segment.inverted_index(field)?;
        let bm25 = Bm25::new(u64::from(segment.max_doc()), postings.total_num_tokens());
        Ok(Self {
            field,
            lengths: segment.get_fieldnorms_reader(field)?,
            popularity: segment.fast_fields().u64(POPULARITY)?,
            price: segment.fast_fields().u64(PRICE)?,
            postings,
            bm25,
        })
    }

    /// The ids of the best `limit` products that contain a word of the query and cost at most its ceiling, best first; equal
    /// scores by id.
    pub(crate) fn search(&self, query: &Query, limit: usize) -> Result<Vec<u32>, std::io::Error> {
        let mut cursors = Vec::with_capacity(query.words.len());
        for word in &query.words {
            let term = Term::from_field_text(self.field, word);
            let Some(information) = self.postings.get_term_info(&term)? else {
                continue;
            };
            let postings = self
                .postings
                .read_postings_from_terminfo(&information, IndexRecordOption::WithFreqs)?;
            let idf = self.bm25.idf(u64::from(information.doc_freq));
            cursors.push((postings, idf));
        }
        Ok(best(self.scored(&mut cursors, query.ceiling), limit))
    }

    /// Scores document by document: (product id, score), by id.
    fn scored(
        &self,
        cursors: &mut [(SegmentPostings, f64)],
        ceiling: Option<u32>,
    ) -> Vec<(u32, f64)> {
        let mut scored = Vec::new();
        loop {
            let next = cursors.iter().map(|(postings, _)| postings.doc()).min();
            let Some(document) = next.filter(|&document| document != TERMINATED) else {
                return scored;
            };
            let length = self.lengths.fieldnorm(document);
            let mut score = self.popularity.first(document).unwrap_or(0) as f64 / 1000.0;
            for (postings, idf) in cursors.iter_mut() {
                if postings.doc() == document {
                    score += *idf * self.bm25.saturation(postings.term_freq(), length);
                    postings.advance();
                }
            }
            let price = self.price.first(document).unwrap_or(u64::MAX);
            if ceiling.is_none_or(|ceiling| price <= u64::from(ceiling)) {
                scored.push((document, score));
            }
        }
    }
}

fn schema() -> (Schema, Field) {
    let mut schema = Schema::builder();
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(TOKENIZER)
        .set_index_option(IndexRecordOption::WithFreqs)
        .set_fieldnorms(true);
    let text = TextOptions::default().set_indexing_options(indexing);
    let field = schema.add_text_field("text", text);
    schema.add_u64_field(POPULARITY, tantivy::schema::FAST);
    schema.add_u64_field(PRICE, tantivy::schema::FAST);
    (schema.build(), field)
}

/// The indexed texts of a product. Attributes missing from the title are not indexed, so agents must read pages.
fn texts(product: &Product) -> Vec<String> {
    let mut texts = vec![product.title.concat(); TITLE_WEIGHT];
    texts.push(format!("{}{}", product.flourish, product.stray));
    texts
}
