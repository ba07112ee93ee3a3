//! Tests that every observation, whatever the action, is a page of the grammar in lexicon words with a counter.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use shoprl_simulator::{Limits, Preset, Scenario, Session, Shop, Split, TaskKey, agent};
use shoprl_simulator::{action_kind, lexicon, replay, segment};

static SHOP: LazyLock<Arc<Shop>> = LazyLock::new(|| Arc::new(Shop::open(Preset::Mini, 0).unwrap()));
static WORDS: LazyLock<BTreeSet<String>> = LazyLock::new(|| lexicon().into_iter().collect());

/// Checks the words of an observation against the productions of the grammar.
fn assert_grammatical(observation: &str, ended: bool) {
    let words = segment(observation);
    for word in &words {
        assert!(WORDS.contains(*word), "{word} of {observation} is not a word");
    }
    let (last, body) = words.split_last().unwrap();
    if ended {
        assert_eq!(*last, "结束", "{observation}");
    } else {
        assert!(last.starts_with('剩') && last.ends_with('轮'), "{observation}");
    }
    let count = |word: &str| body.iter().filter(|it| **it == word).count();
    let rows = body.iter().filter(|word| word.starts_with('#')).count();
    match body[0] {
        "结果" => assert_eq!(body.len(), 1 + 6 * rows + count("末页"), "{observation}"),
        "商品" => assert!(body.len() == 17 && count("颜色") == 1 && count("尺寸") == 1),
        "已选" => assert!((3..=4).contains(&body.len()), "{observation}"),
        "卖家" => assert_eq!(count("›"), 1, "{observation}"),
        "无效" => assert_eq!(body.len(), 3, "{observation}"),
        "成交" => assert!(ended && body.len() == 2, "{observation}"),
        "未成交" => assert!(ended && body.len() == 1, "{observation}"),
        "列表" => assert_eq!(body.len(), 1, "{observation}"),
        "顾客" | "任务" | "最近搜索" => assert!(body.len() > 1, "{observation}"),
        other => panic!("{other} begins no observation: {observation}"),
    }
}

/// Plays an episode and checks each observation.
fn check_episode(key: &TaskKey, mut act: impl FnMut(&str) -> String) {
    let (mut session, mut observation) =
        Session::start(Arc::clone(&SHOP), key, Limits::default()).unwrap();
    assert_grammatical(&observation, false);
    while session.ended().is_none() {
        let turn = session.step(&act(&observation)).unwrap();
        assert_grammatical(&turn.observation, turn.end.is_some());
        observation = turn.observation;
    }
}

#[test]
fn observations_of_scripted_episodes_are_grammatical() {
    for seed in 0..60 {
        for scenario in Scenario::ALL {
            for split in [Split::Train, Split::HeldOut] {
                let key = TaskKey { split, scenario, seed };
                for mut actor in [
                    agent::expert(seed),
                    agent::demonstrator(seed, 0.4),
                    agent::search_first(),
                    agent::random(seed),
                ] {
                    check_episode(&key, |observation| actor.act(observation));
                }
            }
        }
    }
}

#[test]
fn actions_of_scripted_agents_consist_of_words() {
    for seed in 0..60 {
        let key = TaskKey { split: Split::Train, scenario: Scenario::MultiTurnPersona, seed };
        for mut actor in [agent::demonstrator(seed, 0.25), agent::random(seed)] {
            check_episode(&key, |observation| {
                let action = actor.act(observation);
                let words = segment(&action);
                assert!(words.len() <= 9, "{action} is too long");
                assert!(words.iter().all(|word| WORDS.contains(*word)), "{action}");
                action
            });
        }
    }
}

/// Noise, words in any order, and verbs with any text after them.
fn action() -> impl Strategy<Value = String> {
    let word = prop::sample::select(lexicon());
    let verbs = prop::sample::select(vec![
        "搜索",
        "打开",
        "打开#",
        "选择",
        "询问",
        "详情",
        "翻页",
        "返回",
        "搜索枕头",
        "打开#1",
        "搜索¥",
    ]);
    let noise = prop_oneof![
        any::<String>(),
        prop::collection::vec(any::<char>(), 0..80).prop_map(String::from_iter),
        prop::collection::vec(word.clone(), 0..12).prop_map(|words| words.concat()),
        word,
        any::<i64>().prop_map(|number| number.to_string()),
    ];
    (prop::option::weighted(0.7, verbs), noise, prop::option::weighted(0.05, Just("…"))).prop_map(
        |(verb, noise, cut)| [verb.unwrap_or_default(), &noise, cut.unwrap_or_default()].concat(),
    )
}

proptest! {
    // 1,700 episodes of 12 actions: more than 20,000 actions.
    #![proptest_config(ProptestConfig::with_cases(1700))]

    #[test]
    fn no_action_causes_a_panic_or_a_malformed_page(
        seed: u64,
        scenario in prop::sample::select(&Scenario::ALL[..]),
        actions in prop::collection::vec(action(), 12),
    ) {
        let key = TaskKey { split: Split::Train, scenario, seed };
        let (mut session, opening) =
            Session::start(Arc::clone(&SHOP), &key, Limits::default()).unwrap();
        assert_grammatical(&opening, false);
        let mut played = Vec::new();
        for action in actions {
            if session.ended().is_some() {
                break;
            }
            let turn = session.step(&action).unwrap();
            assert_grammatical(&turn.observation, turn.end.is_some());
            let _ = action_kind(&action);
            played.push(action);
        }
        let replay = replay(&SHOP, &key, Limits::default(), &played).unwrap();
        prop_assert_eq!(replay.end, session.ended());
        for (verdict, refused) in replay.verdicts.iter().zip(&replay.refused) {
            prop_assert!(!refused || *verdict == -1.0);
        }
    }
}
