use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use expect_test::expect;

use super::*;

mod episodes;
mod fairness;
mod voice;

pub(super) static MALL: LazyLock<Arc<Mall>> =
    LazyLock::new(|| Arc::new(Mall::generate(Preset::Fine, 0).unwrap()));

fn catalog() -> &'static Catalog {
    &MALL.catalog
}

#[test]
fn the_same_seed_gives_the_same_catalog_on_every_machine() {
    assert_eq!(Catalog::generate(Preset::Fine, 0).digest(), catalog().digest());
    assert_ne!(Catalog::generate(Preset::Fine, 1).digest(), catalog().digest());
    // A change of this digest invalidates all recorded episodes. UPDATE_EXPECT=1 rewrites it.
    expect!["a9f0ec01923f9ca64ece414684061d862222707e182e687fd4382e72313527ae"]
        .assert_eq(catalog().digest());
}

#[test]
fn fine_has_the_promised_size_and_shape() {
    let catalog = catalog();
    assert_eq!((catalog.len(), catalog.leaves()), (24_000, 200));
    let domains: BTreeSet<_> = (0..200).map(|leaf| catalog.path(leaf)[0]).collect();
    assert_eq!(domains.len(), 10);
    let counts: Vec<usize> = catalog.products().map(|it| it.attributes().len()).collect();
    let mean = counts.iter().sum::<usize>() as f64 / counts.len() as f64;
    assert!((4.3..4.7).contains(&mean), "{mean} attributes");
    assert_eq!((counts.iter().min(), counts.iter().max()), (Some(&1), Some(&8)));
    let axes: BTreeSet<usize> = catalog.products().map(|it| it.options().len()).collect();
    assert!(axes.contains(&2) && axes.contains(&3), "{axes:?}");
    let own_prices = catalog.products().filter(|it| {
        let prices: BTreeSet<u32> = it.variants().map(|(price, _)| price).collect();
        prices.len() > 1
    });
    assert!(own_prices.count() > 16_000, "variants have prices of their own");
    let short = catalog.products().filter(|it| it.variants().any(|(_, stock)| stock == 0));
    assert!(short.count() > 8_000, "variants are out of stock by themselves");
}

#[test]
fn members_of_a_family_differ_in_few_facts_from_its_prototype() {
    for leaf in (0..200).step_by(17) {
        let products: Vec<Product<'_>> = catalog().in_leaf(leaf).collect();
        for family in products.chunk_by(|a, b| a.family() == b.family()) {
            let facts = |it: &Product<'_>| it.facts().collect::<BTreeSet<_>>();
            // A fact of most members is the prototype's; a member lacks at most one of them.
            let all: BTreeSet<_> = family.iter().flat_map(facts).collect();
            let common = all.into_iter().filter(|fact| {
                2 * family.iter().filter(|it| it.has_fact(*fact)).count() > family.len()
            });
            let common: BTreeSet<_> = common.collect();
            for member in family {
                let missing = common.difference(&facts(member)).count();
                assert!(missing <= 1, "{}: {missing}", member.title());
            }
        }
    }
}

#[test]
fn every_leaf_offers_families_to_both_splits() {
    for leaf in 0..200 {
        let held_out = catalog().in_leaf(leaf).filter(|it| catalog().is_held_out(it.family()));
        let count = held_out.count();
        assert!(count > 0 && count < 120, "{}", catalog().word(catalog().path(leaf)[2]));
    }
}

#[test]
fn an_offer_is_the_cheapest_variant_in_stock_with_the_selection() {
    for product in catalog().products().step_by(97) {
        let sizes: Vec<usize> = product.options().map(|(_, values)| values.len()).collect();
        let variants: Vec<(u32, u32)> = product.variants().collect();
        assert_eq!(variants.len(), sizes.iter().product::<usize>());
        for (at, &(price, stock)) in variants.iter().enumerate() {
            let mut rest = at;
            let mut selection: Vec<Option<usize>> = Vec::new();
            for size in sizes.iter().rev() {
                selection.insert(0, Some(rest % size));
                rest /= size;
            }
            assert_eq!(product.offer(&selection), (stock > 0).then_some(price));
            let mut open = selection.clone();
            open[0] = None;
            assert!(product.offer(&open).is_none_or(|open| stock == 0 || open <= price));
        }
        assert_eq!(product.offer(&product.open_selection()), Some(product.listed_price()));
    }
}

#[test]
fn a_stored_shop_is_read_back_and_damage_is_refused() {
    let bytes = MALL.to_bytes();
    let again = Mall::from_bytes(&bytes).unwrap();
    assert_eq!(again.catalog().digest(), catalog().digest());
    again.verify().unwrap();
    for position in (0..bytes.len()).step_by(bytes.len() / 50) {
        let mut damaged = bytes.clone();
        damaged[position] ^= 1;
        assert!(Mall::from_bytes(&damaged).is_err(), "bit at {position}");
    }
}

/// A valid checksum does not imply consistency: inconsistent columns are refused without a panic.
#[test]
fn columns_that_do_not_fit_are_refused() {
    let bytes = catalog().bytes();
    let mut stream = shoprl_rl::seed::Stream::new(0, shoprl_rl::seed::Purpose::Fault, &[1]);
    let mut refused = 0;
    for _ in 0..60 {
        let mut damaged = bytes.to_vec();
        let at = stream.below(bytes.len() as u64) as usize;
        damaged[at] ^= 1 << stream.below(8);
        let layout = layout::Layout::new(OwnedBytes::new(damaged));
        match layout.map(|layout| Catalog::new(layout, [0; 32])) {
            Ok(Ok(catalog)) => {
                let total: usize = catalog.products().step_by(31).map(|it| it.title().len()).sum();
                assert!(total > 0);
            }
            _ => refused += 1,
        }
    }
    assert!(refused > 0);
}

/// Queries like those of agents: facts of a product in random order, some with a price ceiling.
fn queries(count: u64) -> impl Iterator<Item = String> {
    (0..count).map(|seed| {
        let mut stream = shoprl_rl::seed::Stream::new(seed, shoprl_rl::seed::Purpose::Task, &[9]);
        let product = catalog().at(stream.below(24_000) as u32);
        let mut words: Vec<String> =
            product.attributes().map(|(_, value)| value.to_owned()).collect();
        words.push(product.category().rsplit('›').next().unwrap().to_owned());
        words.push(product.brand().to_owned());
        stream.shuffle(&mut words);
        words.truncate(1 + stream.below(6) as usize);
        if stream.bernoulli(0.3) {
            words.push(format!("¥{}", 1 + product.listed_price() / 100));
        }
        words.join(" ")
    })
}

/// A sample of the 10,000 queries of `docs/benchmarks/search.sh`.
#[test]
fn the_ranked_list_is_the_same_from_the_cache_and_in_every_thread() {
    let stored = Mall::from_bytes(&MALL.to_bytes()).unwrap();
    let built = Mall::generate(Preset::Fine, 0).unwrap();
    let queries: Vec<String> = queries(600).collect();
    let ranked = |mall: &Mall, queries: &[String]| -> Vec<Vec<u32>> {
        queries.iter().map(|query| mall.search(query, 100).unwrap()).collect()
    };
    let expected = ranked(&MALL, &queries);
    assert_eq!(ranked(&stored, &queries), expected);
    let halves = queries.split_at(queries.len() / 2);
    let (first, second) = std::thread::scope(|scope| {
        let second = scope.spawn(|| ranked(&built, halves.1));
        (ranked(&built, halves.0), second.join().unwrap())
    });
    assert_eq!([first, second].concat(), expected);
    assert!(expected.iter().filter(|found| found.is_empty()).count() < 6);
}

#[test]
fn a_query_without_words_or_with_too_many_characters_is_refused() {
    assert!(matches!(MALL.search("", 1), Err(MallError::EmptyQuery(_))));
    assert!(matches!(MALL.search("¥20", 1), Err(MallError::EmptyQuery(_))));
    assert!(matches!(MALL.search(&"枕".repeat(201), 1), Err(MallError::LongQuery(201))));
    assert!(MALL.search("火星", 9).unwrap().is_empty());
    for id in MALL.search("乳胶枕 ¥200", 50).unwrap() {
        assert!(catalog().at(id).listed_price() <= 20_000);
    }
}
