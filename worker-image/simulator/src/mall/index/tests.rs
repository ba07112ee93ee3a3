use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::mall::query::Query;
use crate::mall::{Catalog, Mall, Preset};

static MALL: LazyLock<Mall> = LazyLock::new(|| Mall::generate(Preset::Fine, 0).unwrap());

/// The reference: adds up all postings of all products, in the order of terms and fields, and sorts.
fn exhaustive(
    index: &ProductIndex,
    terms: &[&str],
    weights: &[f64],
    limit: usize,
    admits: impl Fn(u32) -> bool,
) -> Vec<u32> {
    let mut scores = vec![0.0; index.products];
    for term in terms {
        for (field, weight) in index.fields.iter().zip(weights) {
            let term = Term::from_field_text(field.field, term);
            let Some(information) = field.postings.get_term_info(&term).unwrap() else {
                continue;
            };
            let idf = weight * field.bm25.idf(u64::from(information.doc_freq));
            let mut block = field
                .postings
                .read_block_postings_from_terminfo(&information, IndexRecordOption::WithFreqs)
                .unwrap();
            while block.block_len() > 0 {
                for (&product, &count) in block.docs().iter().zip(block.freqs()) {
                    let length = field.lengths.fieldnorm(product);
                    scores[product as usize] += idf * field.bm25.saturation(count, length);
                }
                block.advance();
            }
        }
    }
    let scored = (0u32..).zip(scores).filter(|&(id, score)| score > 0.0 && admits(id));
    let mut scored: Vec<(u32, f64)> = scored.collect();
    scored.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    scored.into_iter().map(|(id, _)| id).take(limit).collect()
}

fn words(catalog: &Catalog) -> Vec<&str> {
    catalog.search_words().collect()
}

/// Some words of one product, so that a product contains several of them, and some of any leaf.
fn query() -> impl Strategy<Value = (u32, Vec<prop::sample::Index>, Vec<prop::sample::Index>)> {
    let some = |most| prop::collection::vec(any::<prop::sample::Index>(), 0..most);
    (0..24_000u32, some(8), some(4))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The pruned list equals the exhaustive one.
    #[test]
    fn pruning_does_not_change_the_ranked_list(
        (product, own, stray) in query(),
        ceiling in prop::option::of(5u32..3_000),
        limit in prop::sample::select(vec![0, 1, 20, 100, 3_000, 30_000]),
        weights in prop::array::uniform3(prop::sample::select(vec![0.0, 0.25, 1.0, 2.0])),
    ) {
        let (catalog, index) = (&MALL.catalog, &MALL.index);
        let all = words(catalog);
        let title = MALL.segmenter.terms(catalog.at(product).title());
        let mut terms: Vec<&str> = own.iter().map(|it| *it.get(&title)).collect();
        terms.extend(stray.iter().map(|it| *it.get(&all)));
        let mut distinct = std::collections::BTreeSet::new();
        terms.retain(|term| distinct.insert(*term));
        let admits = |id| ceiling.is_none_or(|yuan| catalog.at(id).listed_price() <= 100 * yuan);
        let found = index.search(&terms, &weights, limit, admits).unwrap();
        prop_assert_eq!(found, exhaustive(index, &terms, &weights, limit, admits));
    }
}

/// The most frequent words together have the longest postings and the most ties.
#[test]
fn queries_of_frequent_words_are_ranked_as_by_scoring_everything() {
    let weights = FIELDS.map(|(_, weight)| weight);
    for text in ["家居家装", "新款 包邮 正品", "家居家装 枕头被褥 家用 北欧 ¥300", "正品"]
    {
        let query = Query::parse(text).unwrap();
        let terms = MALL.segmenter.terms(&query.text);
        let admits = |_| true;
        let found = MALL.index.search(&terms, &weights, 100, admits).unwrap();
        assert_eq!(found, exhaustive(&MALL.index, &terms, &weights, 100, admits), "{text}");
        assert_eq!(found.len(), 100, "{text}");
    }
}
