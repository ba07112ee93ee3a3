use std::path::Path;

use super::observation::{Observation, Page};
use super::request::Request;

/// Agents may use the language and nothing of the shop: catalog, tasks, sessions and goals are out of reach.
#[test]
fn agents_compile_against_words_alone() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/agent");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("tests.rs") {
            continue;
        }
        files += 1;
        let source = std::fs::read_to_string(&path).unwrap();
        for (before, after) in source.match_indices("crate::").map(|(at, _)| source.split_at(at)) {
            let outside = after.starts_with("crate::lexicon");
            assert!(outside, "{}: {}", path.display(), after.lines().next().unwrap());
            assert!(!before.ends_with("pub use "));
        }
        assert!(!source.contains("super::super"), "{}", path.display());
    }
    assert_eq!(files, 5);
}

fn read(text: &str) -> Page {
    Observation::read(text, false).page
}

#[test]
fn a_page_is_read_back_from_its_words() {
    let Page::Results(results) = read("结果澜栖乳胶护颈枕头¥199#1禾朵纯棉简约枕头¥99#2末页剩9轮")
    else {
        panic!("not a result page");
    };
    assert!(results.last);
    let rows: Vec<_> = results.rows.iter().map(|row| (row.number, row.price)).collect();
    assert_eq!(rows, [(1, 199), (2, 99)]);
    assert_eq!(results.rows[1].title, ["禾朵", "纯棉", "简约", "枕头"]);

    let Page::Item(item) = read("商品澜栖枕头乳胶泰国护颈简约颜色白色黑色尺寸1.5米1.8米¥199剩9轮")
    else {
        panic!("not an item page");
    };
    assert_eq!(item.facts, ["澜栖", "枕头", "乳胶", "泰国", "护颈", "简约"]);
    assert_eq!((item.options, item.price), (vec!["白色", "黑色", "1.5米", "1.8米"], 199));

    assert_eq!(read("已选白色1.8米¥229剩3轮"), Page::Chosen { price: Some(229) });
    assert_eq!(read("无效售罄请换规格或商品剩3轮"), Page::Refused);
    assert_eq!(Observation::read("列表剩40轮", false).remaining, 40);
    assert_eq!(Observation::read("成交¥99结束", false).remaining, 0);
    assert_eq!(read(""), Page::Other);
}

#[test]
fn details_show_which_variants_are_in_stock() {
    let Page::Stock(stock) =
        read("卖家新款床品›枕头颜色白色黑色售罄灰色尺寸1.5米¥199 1.8米¥229缺货白色1.5米剩9轮")
    else {
        panic!("not a details page");
    };
    for (options, budget, expected) in [
        (&["白色"][..], None, true),
        (&["黑色"], None, false),
        (&["白色", "1.5米"], None, false),
        (&["灰色", "1.5米"], Some(199), true),
        (&["白色", "1.8米"], Some(199), false),
        (&["白色", "1.8米"], Some(229), true),
    ] {
        assert_eq!(stock.offers(options, budget), expected, "{options:?} {budget:?}");
    }
}

#[test]
fn a_request_has_facts_that_were_read_and_those_of_the_history() {
    let text =
        "最近搜索台灯静音红色；枕头乳胶白色；任务想买枕头要护颈品牌澜栖规格1.8米预算¥199以内剩12轮";
    let Page::Brief(brief) = Observation::read(text, true).page else {
        panic!("not a brief");
    };
    assert!(!brief.shopper);
    let mut request = Request::default();
    request.hear(&brief.words);
    assert_eq!((request.colour, request.size, request.budget), (None, Some("1.8米"), Some(199)));
    assert_eq!(request.features, ["护颈", "澜栖"]);
    request.infer(&brief.records);
    assert_eq!(request.features, ["护颈", "澜栖", "乳胶"]);
    assert_eq!(request.options(), ["白色", "1.8米"]);
}

#[test]
fn a_row_promises_what_it_shows_unless_it_contradicts() {
    let mut request = Request::default();
    request.hear(&["枕头", "乳胶", "护颈", "澜栖", "¥199"]);
    let check = |row: &str, expected: Option<usize>| {
        let Page::Results(results) = read(&format!("结果{row}#1剩9轮")) else {
            panic!("not a result page");
        };
        assert_eq!(request.promise(&results.rows[0]), expected, "{row}");
    };
    check("澜栖乳胶护颈枕头¥199", Some(3));
    check("澜栖泰国简约枕头¥99", Some(1));
    check("澜栖乳胶护颈枕头¥229", None);
    check("禾朵乳胶护颈枕头¥199", None);
    check("澜栖纯棉护颈枕头¥199", None);
    check("澜栖乳胶护颈被子¥199", None);
}

#[test]
fn an_actor_is_a_function_of_its_seed_and_what_it_reads() {
    let openings = "任务想买枕头要护颈规格白色预算¥199以内剩12轮";
    for make in [super::expert, |seed| super::demonstrator(seed, 0.5), super::random] {
        for seed in 0..20 {
            assert_eq!(make(seed).act(openings), make(seed).act(openings));
        }
    }
}

#[test]
fn no_text_makes_an_actor_panic() {
    for text in ["", "结束", "你好", "结果", "商品剩1轮", "顾客", "无效", "#1¥19", "已选"]
    {
        for seed in 0..20 {
            for mut actor in [
                super::expert(seed),
                super::demonstrator(seed, 0.6),
                super::random(seed),
                super::search_first(),
            ] {
                for _ in 0..4 {
                    assert!(!actor.act(text).is_empty());
                }
            }
        }
    }
}
