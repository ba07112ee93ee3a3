//! Tests that the served grammar equals the documented one.

use std::path::Path;
use std::sync::Arc;

use shoprl_simulator::{GRAMMAR, Limits, Preset, Scenario, Session, Shop, Split, TaskKey, mall};

const KEY: TaskKey = TaskKey { split: Split::Train, scenario: Scenario::MultiTurn, seed: 3 };

/// The block of the documentation that begins with `first`, without its fences.
fn documented(first: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/concepts");
    let texts = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts = texts.filter(|path| path.extension().is_some_and(|it| it == "md"));
    let blocks = texts.flat_map(|path| {
        let text = std::fs::read_to_string(path).unwrap();
        text.split("```\n").map(str::to_owned).collect::<Vec<_>>()
    });
    let mut found = blocks.filter(|block| block.starts_with(first));
    found.next().unwrap_or_else(|| panic!("no block of docs/concepts begins with {first}"))
}

#[test]
fn the_served_observations_are_the_documented_ones() {
    for (served, first) in
        [(GRAMMAR, "observation = page counter\n"), (mall::GRAMMAR, "observation = page NEWLINE")]
    {
        assert!(served.ends_with(&documented(first)), "{first}\n{served}");
    }
}

/// Both shops list the actions in reply to an unknown one; the grammar must explain each of them.
#[test]
fn every_action_that_a_refusal_offers_is_explained() {
    let shop = Arc::new(Shop::open(Preset::Mini, 0).expect("the shop opens"));
    let (mut small, _) = Session::start(shop, &KEY, Limits::default()).expect("starts");
    let large = Arc::new(mall::Mall::generate(mall::Preset::Fine, 0).expect("the shop opens"));
    let (mut large, _) = mall::Session::start(large, &KEY);
    for (grammar, refusal) in [(GRAMMAR, small.step("走开")), (mall::GRAMMAR, large.step("走开"))]
    {
        let refusal = refusal.expect("answers").observation;
        assert!(refusal.starts_with("无效"), "{refusal}");
        let verbs =
            ["搜索", "打开", "详情", "选择", "翻页", "返回", "询问", "推荐", "购买", "没有合适"];
        for verb in verbs.into_iter().filter(|verb| refusal.contains(verb)) {
            let explained = grammar.lines().any(|line| line.starts_with(verb));
            assert!(explained, "{verb} of {refusal}");
        }
    }
}
