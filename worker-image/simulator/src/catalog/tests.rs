use expect_test::expect;

use super::*;

fn mini() -> Catalog {
    Catalog::generate(Preset::Mini, 0)
}

#[test]
fn the_same_seed_gives_the_same_catalog_on_every_machine() {
    assert_eq!(mini().digest(), mini().digest());
    assert_ne!(mini().digest(), Catalog::generate(Preset::Mini, 1).digest());
    // A change of this digest invalidates all recorded runs. UPDATE_EXPECT=1 rewrites it.
    expect!["04f4a4c6efacac0a172938ce55fedbd0e6b05ed8e9054ba340f7010e0aabb88a"]
        .assert_eq(mini().digest());
}

#[test]
fn mini_has_the_promised_size() {
    let catalog = mini();
    assert_eq!((catalog.len(), catalog.categories()), (2400, 32));
    assert!((290..=335).contains(&catalog.families()), "{} families", catalog.families());
    let held_out = (0..catalog.families()).filter(|&family| catalog.is_held_out(family as u32));
    let share = held_out.count() as f64 / catalog.families() as f64;
    assert!((0.17..=0.25).contains(&share), "{share} of the families are held out");
}

#[test]
fn every_category_offers_targets_to_both_splits() {
    let catalog = mini();
    for chunk in catalog.products().chunk_by(|a, b| a.category == b.category) {
        let held_out = chunk.iter().filter(|it| catalog.is_held_out(it.family)).count();
        assert!(held_out > 0 && held_out < chunk.len(), "{}", chunk[0].category.leaf);
    }
}

#[test]
fn members_of_a_family_are_near_identical() {
    let shared = |a: &Product, b: &Product| {
        a.attributes.iter().filter(|attribute| b.attributes.contains(attribute)).count()
    };
    let (mut sum, mut pairs) = (0, 0);
    for family in mini().products().chunk_by(|a, b| a.family == b.family) {
        assert!(family.len() <= 10);
        for neighbours in family.windows(2) {
            sum += shared(&neighbours[0], &neighbours[1]);
            pairs += 1;
        }
    }
    let mean = f64::from(sum as u32) / f64::from(pairs);
    assert!(mean > 3.0, "two members share {mean} of 4 attributes");
}

#[test]
fn a_title_shows_the_brand_two_attributes_and_the_category() {
    for product in mini().products() {
        let [brand, first, second, leaf] = product.title[..] else {
            panic!("{:?}", product.title);
        };
        assert_eq!((brand, leaf), (product.brand, product.category.leaf));
        assert!(first != second);
        assert!([first, second].iter().all(|word| product.attributes.contains(word)));
    }
}

#[test]
fn an_offer_is_the_cheapest_variant_in_stock_with_the_selection() {
    for product in mini().products() {
        let [colours, sizes] = [0, 1].map(|axis| product.options[axis].values.len());
        let mut cheapest = None;
        for variant in (0..colours).flat_map(|colour| (0..sizes).map(move |size| [colour, size])) {
            let sold_out = product.sold_out.iter().any(|pattern| pattern.covers(&variant));
            let offer = product.offer(&variant.map(Some));
            assert_eq!(offer.is_none(), sold_out);
            let surcharge = product.options[1].values[variant[1]].surcharge;
            let price = price::yuan(product.base + surcharge);
            assert!(offer.is_none_or(|yuan| yuan == price));
            cheapest = cheapest.into_iter().chain(offer).min();
        }
        assert!(cheapest.is_some(), "everything is sold out");
        assert_eq!(product.offer(&product.open_selection()), cheapest);
        assert_eq!(Some(product.listed_price()), cheapest);
    }
}

#[test]
fn variants_differ_in_price_and_some_are_refused() {
    let catalog = mini();
    let count = |is: fn(&Product) -> bool| catalog.products().iter().filter(|it| is(it)).count();
    let priced = count(|it| it.options[1].values[1].surcharge > 0);
    let short = count(|it| !it.sold_out.is_empty());
    assert!((600..1000).contains(&priced), "{priced} products charge for size");
    assert!((250..500).contains(&short), "{short} products lack a variant");
}

#[test]
fn the_ladder_of_prices_ends_at_its_top() {
    for (yuan, expected) in [(19, 29), (20, 29), (1999, 2499), (2499, 2499), (9999, 2499)] {
        assert_eq!(price::step_above(yuan), expected, "above {yuan}");
    }
    assert_eq!(price::yuan(price::TOP + 1), 2499);
}
