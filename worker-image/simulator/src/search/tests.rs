use std::collections::BTreeSet;

use super::query::QueryError;
use super::*;
use crate::catalog::{Catalog, Preset, Product};
use crate::lexicon::Word;

const PAGES_OF_RESULTS: usize = 32;

fn query(text: &str) -> Query {
    Query::parse(text).unwrap()
}

#[test]
fn a_query_is_words_and_a_ceiling() {
    let check = |text: &str, words: &[&str], ceiling: Option<u32>| {
        let query = query(text);
        assert_eq!(
            (query.words.iter().map(String::as_str).collect::<Vec<_>>(), query.ceiling),
            (words.to_vec(), ceiling),
            "{text}"
        );
    };
    check("枕头", &["枕头"], None);
    check("枕头乳胶¥199", &["枕头", "乳胶"], Some(199));
    check("¥199枕头¥99乳胶", &["枕头", "乳胶"], Some(99));
    check("枕头枕头", &["枕头"], None);
    check("枕头，乳胶 枕头", &["枕头", "乳胶"], None);
    check("枕头¥", &["枕头"], None);
    check("枕头¥99999999999", &["枕头"], None);
    check("食品级硅胶奶瓶1.2米", &["食品级", "硅胶", "奶瓶", "1.2米"], None);
    check("外星枕头", &["外", "星", "枕头"], None);
}

#[test]
fn a_query_without_words_or_with_too_many_is_refused() {
    for (text, expected) in [
        ("", QueryError::Empty),
        ("¥199", QueryError::Empty),
        ("，。 ", QueryError::Empty),
        (&"枕头".repeat(25), QueryError::Long),
    ] {
        assert_eq!(Query::parse(text), Err(expected), "{text}");
    }
}

#[test]
fn segmentation_finds_the_words_of_every_title() {
    for product in Catalog::generate(Preset::Mini, 0).products() {
        assert_eq!(tokenizer::cut(&product.title.concat()), product.title);
    }
}

/// Scores every product from scratch.
fn reference(catalog: &Catalog, query: &Query) -> Vec<u32> {
    let words = |product: &Product| -> Vec<Word> {
        let extra = [product.flourish, product.stray];
        [&product.title[..], &product.title[..], &extra[..]].concat()
    };
    let documents: Vec<Vec<Word>> = catalog.products().iter().map(words).collect();
    let tokens: usize = documents.iter().map(Vec::len).sum();
    let bm25 = rank::Bm25::new(documents.len() as u64, tokens as u64);
    let count = |document: &[Word], word: &str| document.iter().filter(|it| **it == word).count();
    let mut scored = Vec::new();
    for (document, product) in documents.iter().zip(catalog.products()) {
        let dear = query.ceiling.is_some_and(|ceiling| product.listed_price() > ceiling);
        if dear || !query.words.iter().any(|word| count(document, word) > 0) {
            continue;
        }
        let mut score = f64::from(product.popularity) / 1000.0;
        for word in query.words.iter().filter(|word| count(document, word) > 0) {
            let frequency = documents.iter().filter(|it| count(it, word) > 0).count() as u64;
            let found = count(document, word) as u32;
            score += bm25.idf(frequency) * bm25.saturation(found, document.len() as u32);
        }
        scored.push((scored_id(catalog, product), score));
    }
    scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    scored.into_iter().map(|(id, _)| id).take(PAGES_OF_RESULTS).collect()
}

fn scored_id(catalog: &Catalog, product: &Product) -> u32 {
    let same = |it: &&Product| std::ptr::eq::<Product>(*it, product);
    let position = catalog.products().iter().collect::<Vec<_>>();
    position.iter().position(same).unwrap() as u32
}

#[test]
fn the_index_ranks_as_scoring_every_product_would() {
    let catalog = Catalog::generate(Preset::Mini, 3);
    let index = ProductIndex::build(&catalog).unwrap();
    let again = ProductIndex::build(&catalog).unwrap();
    let targets = catalog.products().iter().step_by(241);
    let mut queries: Vec<Query> = targets
        .map(|it| {
            query(&format!("{}{}¥{}", it.title.concat(), it.attributes.concat(), it.listed_price()))
        })
        .collect();
    queries.extend(["枕头", "乳胶", "新款", "连衣裙真丝蓝色", "没有的东西"].map(query));
    for query in &queries {
        let found = index.search(query, PAGES_OF_RESULTS).unwrap();
        assert_eq!(found, reference(&catalog, query), "{query:?}");
        assert_eq!(found, again.search(query, PAGES_OF_RESULTS).unwrap(), "{query:?}");
    }
}

#[test]
fn equal_scores_are_ranked_by_product() {
    let scored = vec![(4, 1.0), (2, 3.0), (1, 1.0), (3, 3.0), (0, 0.5)];
    assert_eq!(rank::best(scored.clone(), 3), [2, 3, 1]);
    assert_eq!(rank::best(scored, 9), [2, 3, 1, 4, 0]);
}

/// Every product is found by the words of its title with its price as ceiling, so every task is solvable.
#[test]
fn every_product_is_found_by_its_title_and_price() {
    let catalog = Catalog::generate(Preset::Mini, 0);
    let index = ProductIndex::build(&catalog).unwrap();
    for (id, product) in catalog.products().iter().enumerate() {
        let text = format!("{}¥{}", product.title.concat(), product.listed_price());
        let found: BTreeSet<u32> =
            index.search(&query(&text), PAGES_OF_RESULTS).unwrap().into_iter().collect();
        assert!(found.contains(&(id as u32)), "{text}");
    }
}
