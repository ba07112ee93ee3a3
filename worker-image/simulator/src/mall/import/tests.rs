//! All files here are written for these tests; none contains published data.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::mall::analysis::planting::plant;
use crate::mall::difficulty::play;
use crate::mall::reward::{Terms, score};
use crate::mall::{Matcher, agent};
use crate::task::{Scenario, Split, TaskKey};

fn pillow(number: usize) -> Value {
    let colours = ["米白", "雾蓝", "浅灰"];
    let sizes: Vec<Value> = [("单只", 89.0), ("两只", 159.5)]
        .iter()
        .map(|(value, price)| json!({"value": value, "price": price + number as f64}))
        .collect();
    json!({
        "asin": format!("p{number}"),
        "domain_zh": "家居",
        "title": format!("云眠 乳胶枕头\t第{number}款 Soft"),
        "shop_name": format!("云眠{}店", number % 3),
        "category": if number.is_multiple_of(2) { "床品›枕头›乳胶枕" } else { "床品›枕头›记忆棉枕" },
        "attribute": ["护颈", format!("弹性{}级", number % 4), "泰国 进口", "护颈"],
        "customization_options": {"颜色": [{"value": colours[number % 3]}, {"value": "黑/白"}], "数量": sizes},
        "pricing": [89.0, 300.0],
        "images": ["none.jpg"],
    })
}

fn shop(products: &[Value]) -> Vec<u8> {
    serde_json::to_vec(products).unwrap()
}

fn pillows() -> Vec<Value> {
    (0..40).map(pillow).collect()
}

#[test]
fn an_imported_catalog_is_stored_searched_and_played() {
    let (mall, report) = import(Format::ShopSimulator, &shop(&pillows())).unwrap();
    assert_eq!((report.read, report.kept, report.train, report.held_out), (40, 40, 32, 8));
    assert_eq!(report.notes.0.get("attribute that occurs twice"), Some(&40));
    let lines: Vec<String> = pillows().iter().map(Value::to_string).collect();
    let again = import(Format::ShopSimulator, lines.join("\n").as_bytes()).unwrap().0;
    assert_eq!(again.catalog().digest(), mall.catalog().digest());
    let mall = Arc::new(Mall::from_bytes(&mall.to_bytes()).unwrap());
    assert_eq!(mall.catalog().digest(), report.digest);
    let first = mall.search("乳胶枕 护颈 第7款 soft", 3).unwrap()[0];
    let product = mall.catalog().product(first).unwrap();
    assert_eq!(product.title(), "云眠 乳胶枕头 第7款 soft");
    assert_eq!((product.category().as_str(), product.shop()), ("床品›枕头›记忆棉枕", "云眠1店"));
    // The price of a combination is that of its most expensive value.
    let variants: Vec<u32> = product.variants().map(|(fen, _)| fen).collect();
    assert_eq!(variants, [9600, 9600, 16650, 16650]);
    for seed in 0..10 {
        for scenario in Scenario::ALL {
            for split in [Split::Train, Split::HeldOut] {
                let key = TaskKey { split, scenario, seed };
                let (_, actions) = play(&mall, &key, agent::random(seed)).unwrap();
                let scored = score(&mall, &key, &actions, None, None, &Terms::default()).unwrap();
                assert!((0.0..=1.0).contains(&scored.reward));
                assert!(!plant(&mall, &key, None).actions.is_empty());
            }
        }
    }
}

/// Imported catalogs are compared by the published matcher, generated ones by identity, unless the terms name a matcher.
#[test]
fn imported_catalogs_are_compared_by_the_published_matcher() {
    let generated = &crate::mall::tests::MALL;
    assert_eq!(generated.catalog().matcher(), Matcher::Canonical);
    let (mall, _) = import(Format::ShopSimulator, &shop(&pillows())).unwrap();
    assert_eq!(mall.catalog().matcher(), Matcher::Published);
    // The matcher is stored in the file.
    let mall = Arc::new(Mall::from_bytes(&mall.to_bytes()).unwrap());
    let mut differing = 0;
    for seed in 0..20 {
        let key = TaskKey { split: Split::Train, scenario: Scenario::SingleTurn, seed };
        let actions = ["搜索枕头".to_owned(), format!("打开#{}", 1 + seed), "购买".to_owned()];
        let by = |matcher| {
            let terms = Terms { matcher, ..Terms::default() };
            score(&mall, &key, &actions, None, None, &terms).unwrap().replay
        };
        let [canonical, published, own] =
            [Some(Matcher::Canonical), Some(Matcher::Published), None].map(by);
        assert_eq!(own, published);
        assert_eq!(own, crate::mall::replay(&mall, &key, &actions).unwrap());
        assert_eq!((canonical.matcher.name(), own.matcher.name()), ("canonical", "published"));
        // Two equal nodes of the path satisfy the published matcher, not the canonical one.
        differing += u32::from((canonical.outcome.category, own.outcome.category) == (0.5, 1.0));
    }
    assert!(differing > 5, "{differing}");
}

#[test]
fn products_of_webshop_are_imported() {
    let mug = |number: usize| {
        json!({
            "asin": format!("B{number:03}"),
            "name": format!("Blue Stoneware Mug no{number}"),
            "category": "kitchen",
            "product_category": "Home › Kitchen › Mugs › Stoneware Mugs",
            "attributes": ["dishwasher safe", format!("{number} oz")],
            "pricing": "$12.99 to $1,020",
            "customization_options": {"color": [{"value": "Blue"}, "White"], "size": null},
        })
    };
    let mugs: Vec<Value> = (0..10).map(mug).collect();
    let (mall, report) = import(Format::WebShop, &shop(&mugs)).unwrap();
    assert_eq!((report.kept, report.train, report.held_out), (10, 8, 2));
    let found = mall.search("stoneware mug no3", 1).unwrap();
    let product = mall.catalog().product(found[0]).unwrap();
    assert_eq!(product.title(), "blue stoneware mug no3");
    assert_eq!(product.category(), "home›kitchen›mugs›stoneware mugs");
    assert_eq!(product.listed_price(), 1299);
    let options: Vec<_> = product.options().collect();
    assert_eq!(options, [("color", vec!["blue", "white"])]);
}

#[test]
fn an_unusable_record_is_counted_and_named() {
    let check = |field: &str, value: Value, expected: Reason| {
        let mut bad = pillow(99);
        bad[field] = value.clone();
        let mut products = pillows();
        products.push(bad);
        let (_, report) = import(Format::ShopSimulator, &shop(&products)).unwrap();
        let dropped = &report.dropped[&expected];
        assert_eq!((report.kept, dropped.count), (40, 1), "{field}: {value}");
        assert_eq!(
            dropped.examples,
            [if field == "asin" && expected == Reason::NoId {
                "record 41"
            } else if field == "asin" {
                "p7"
            } else {
                "p99"
            }]
        );
        assert!(report.to_string().contains("41 records read, 40 kept"), "{report}");
    };
    check("asin", json!(null), Reason::NoId);
    check("asin", json!("P7"), Reason::TwiceTheId);
    check("title", json!(" \n"), Reason::NoTitle);
    check("title", json!(["a"]), Reason::NoTitle);
    check("title", json!("枕".repeat(501)), Reason::LongTitle);
    check("category", json!("››"), Reason::NoCategory);
    check("category", json!(null), Reason::NoCategory);
    check("attribute", json!("护颈"), Reason::WrongType);
    check(
        "attribute",
        json!((0..65).map(|it| it.to_string()).collect::<Vec<_>>()),
        Reason::TooMuch,
    );
    check("customization_options", json!(["a"]), Reason::WrongType);
    check("customization_options", json!({"a": 1}), Reason::WrongType);
    let wide: Value = (0..9).map(|it| (it.to_string(), json!([format!("v{it}")]))).collect();
    check("customization_options", wide, Reason::TooMuch);
    let axis = |name: &str| json!((0..50).map(|it| format!("{name}{it}")).collect::<Vec<_>>());
    check("customization_options", json!({"a": axis("a"), "b": axis("b")}), Reason::TooMuch);
    check(
        "customization_options",
        json!({"a": [{"value": "x", "price": -1}]}),
        Reason::ImpossiblePrice,
    );
    for price in
        [json!([0.0]), json!([1e300]), json!("free"), json!("-5"), json!([{}]), json!([0.001])]
    {
        check("pricing", price, Reason::ImpossiblePrice);
    }
    let mut unpriced = pillow(99);
    unpriced["pricing"] = json!([]);
    unpriced["customization_options"] = json!(null);
    let products = [pillows(), vec![unpriced, json!(7)]].concat();
    let (_, report) = import(Format::ShopSimulator, &shop(&products)).unwrap();
    assert_eq!(report.dropped[&Reason::NoPrice].examples, ["p99"]);
    assert_eq!(report.dropped[&Reason::NotAnObject].examples, ["record 42"]);
    let lines: Vec<String> = pillows().iter().map(Value::to_string).collect();
    let lines = format!("{}\n\n{{\"asin\":\n", lines.join("\n"));
    let (_, report) = import(Format::ShopSimulator, lines.as_bytes()).unwrap();
    assert_eq!(report.dropped[&Reason::NotJson].examples, ["record 42"]);
}

#[test]
fn an_unusable_file_is_refused_with_one_error() {
    let check = |bytes: &[u8], expected: &str| {
        let error = import(Format::ShopSimulator, bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let whole = shop(&pillows());
    check(&[0x1f, 0x8b, 8], "unpack it first");
    check(b"", "0 records read");
    check(b"[]", "no product can be used");
    check(b"\xff\xfe", "the line is not JSON (record 1)");
    check(&whole[..whole.len() / 2], "not a JSON array");
    check(&[&whole[..], &b"]"[..]].concat(), "not a JSON array");
    check(&b"[".repeat(100_000), "not a JSON array");
    check(&shop(&[pillow(1)]), "no held-out product has both attributes and options");
    let mut plain = pillows();
    plain.iter_mut().for_each(|it| it["attribute"] = json!([]));
    check(&shop(&plain), "no training product");
    plain.iter_mut().for_each(|it| it["tag"] = json!("eval"));
    check(&shop(&plain), "40 records read, 40 kept");
}

/// A JSON value of any shape.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[\\PC\n]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("value|price|[a-z/]{0,4}", inner, 0..4)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn no_record_panics_and_all_are_accounted_for(
        changes in proptest::collection::vec((0usize..7, any_value()), 0..20),
        noise in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let fields = ["asin", "title", "category", "attribute", "customization_options", "pricing", "tag"];
        let mut products = pillows();
        for (number, (field, value)) in changes.into_iter().enumerate() {
            products[number][fields[field]] = value;
        }
        let (mall, report) = import(Format::ShopSimulator, &shop(&products)).unwrap();
        let dropped: usize = report.dropped.values().map(|it| it.count).sum();
        prop_assert_eq!((report.read, report.kept + dropped), (40, 40));
        prop_assert_eq!(mall.catalog().len(), report.kept);
        prop_assert!(Mall::from_bytes(&mall.to_bytes()).is_ok());
        let _ = import(Format::WebShop, &noise);
    }
}
