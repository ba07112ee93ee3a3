//! Tests properties of rewards over random actions, and the formula by hand.

use proptest::prelude::*;

use super::*;
use crate::mall::tests::MALL;
use crate::mall::{Session, agent};
use crate::score::Outcome;
use crate::task::{Scenario, Split};

fn metrics(outcome: &Outcome) -> [f64; 8] {
    let Outcome { success, strict, loose, finish, category, attribute, option, price } = *outcome;
    [success, strict, loose, finish, category, attribute, option, price]
}

/// Verbs followed by words of the shop in any order, and some noise.
fn action() -> impl Strategy<Value = String> {
    let words = MALL.catalog().search_words().map(str::to_owned).collect::<Vec<_>>();
    let word = proptest::sample::select(words);
    let verbs = [
        "搜索",
        "搜索",
        "打开#1",
        "打开#2",
        "打开#9",
        "选择",
        "选择白色",
        "选择黑色",
        "详情",
        "翻页",
        "返回",
        "询问属性",
        "询问品牌",
        "询问规格",
        "询问预算",
        "推荐",
        "购买",
        "购买",
        "没有合适",
        "¥9",
        "",
    ];
    let verb = proptest::sample::select(verbs.to_vec());
    (verb, word, any::<bool>()).prop_map(|(verb, word, bare)| {
        if bare && !verb.starts_with("搜索") { verb.to_owned() } else { [verb, &word].concat() }
    })
}

fn key() -> impl Strategy<Value = TaskKey> {
    let scenario = proptest::sample::select(Scenario::ALL.to_vec());
    let split = proptest::sample::select(vec![Split::Train, Split::HeldOut]);
    (scenario, split, 0u64..500).prop_map(|(scenario, split, seed)| TaskKey {
        split,
        scenario,
        seed,
    })
}

/// The actions that a session accepts, with its observations.
fn played(key: &TaskKey, actions: Vec<String>) -> (Vec<String>, Vec<String>) {
    let (mut session, opening) = Session::start(Arc::clone(&MALL), key);
    let (mut taken, mut said) = (Vec::new(), vec![opening]);
    for action in actions {
        if let Ok(turn) = session.step(&action) {
            taken.push(action);
            said.push(turn.observation);
        }
    }
    (taken, said)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn rewards_are_bounded_and_pure_and_charges_only_reduce_them(
        key in key(),
        actions in proptest::collection::vec(action(), 0..45),
        weights in proptest::array::uniform6(0.0..=1.0f64),
    ) {
        let (actions, said) = played(&key, actions);
        let [success, strict, loose, after_refusal, unverified, turns] = weights;
        let free = Terms { success, strict, loose: loose.max(0.01), ..Terms::default() };
        let charged = Terms { after_refusal, unverified, turns, ..free };
        let score = |terms: &Terms| super::score(&MALL, &key, &actions, None, Some(&said), terms).unwrap();
        let (plain, charged_for) = (score(&free), score(&charged));
        prop_assert_eq!(&score(&charged), &charged_for);
        let outcome = plain.replay.outcome;
        for metric in metrics(&outcome) {
            prop_assert!((0.0..=1.0).contains(&metric), "{:?}", outcome);
        }
        prop_assert!(outcome.success <= outcome.strict && outcome.strict <= outcome.loose + 1e-12);
        prop_assert!(outcome.success <= outcome.finish);
        prop_assert!((0.0..=success + strict + free.loose + 1e-12).contains(&plain.reward));
        let most = after_refusal + unverified + turns;
        prop_assert!(charged_for.reward <= plain.reward);
        prop_assert!(charged_for.reward >= plain.reward - most - 1e-12);
        // Equal facts are also similar.
        let alike = score(&Terms { matcher: Some(Matcher::Published), ..free }).replay.outcome;
        for (alike, same) in metrics(&alike).into_iter().zip(metrics(&outcome)) {
            prop_assert!((same..=1.0).contains(&alike), "{:?} {:?}", alike, outcome);
        }
    }
}

#[test]
fn terms_out_of_range_are_refused_by_name() {
    let check = |change: fn(&mut Terms), expected: &str| {
        let mut terms = Terms::default();
        change(&mut terms);
        let error = terms.check().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(|it| it.turns = -0.1, "turns: -0.1 is out of range; write a number from 0 to 1");
    check(|it| it.after_refusal = 1.5, "afterRefusal: 1.5");
    check(|it| it.unverified = f64::NAN, "unverified: NaN");
    check(|it| it.success = 0.0, "one of success, strict and loose");
    assert_eq!(Terms::default().check(), Ok(()));
    let read = |text| serde_json::from_str::<Terms>(text);
    assert_eq!(read("{}").unwrap(), Terms::default());
    assert_eq!(read(r#"{"matcher": "published"}"#).unwrap().matcher, Some(Matcher::Published));
    assert!(read(r#"{"turn": 1}"#).is_err());
}

#[test]
fn a_careless_expert_is_charged_what_the_formula_says() {
    use crate::mall::analysis::planting::plant;
    let terms = Terms { after_refusal: 0.5, unverified: 0.25, turns: 0.1, ..Terms::default() };
    for (fault, charge) in
        [(None, 0.0), (Some(Fault::BuysAfterRefusal), 0.5), (Some(Fault::BuysUnverified), 0.25)]
    {
        let mut planted = 0;
        for seed in 0..40 {
            let key = TaskKey { split: Split::Train, scenario: Scenario::MultiTurn, seed };
            let it = plant(&MALL, &key, fault);
            if fault.is_some() && it.slip.is_none() {
                continue;
            }
            planted += 1;
            let scored = score(&MALL, &key, &it.actions, None, None, &terms).unwrap();
            let turns = 0.1 * it.actions.len() as f64 / 40.0;
            let expected = scored.replay.outcome.success - charge - turns;
            assert!((scored.reward - expected).abs() < 1e-12, "{fault:?} {key:?}");
        }
        assert!(planted > 5, "{fault:?}");
    }
}

#[test]
fn records_of_another_shop_are_refused_where_they_differ() {
    let key = TaskKey { split: Split::Train, scenario: Scenario::SingleTurn, seed: 3 };
    let (replay, actions) = crate::mall::difficulty::play(&MALL, &key, agent::expert()).unwrap();
    let score = |recorded: &[String]| {
        super::score(&MALL, &key, &actions, None, Some(recorded), &Terms::default())
    };
    let said = replay.observations;
    assert!(score(&said).is_ok());
    let mut other = said.clone();
    other[1].push('?');
    assert!(matches!(score(&other), Err(ScoreError::Diverged(1))));
    assert!(matches!(score(&said[..2]), Err(ScoreError::Diverged(2))));
    let after = [actions.clone(), vec!["购买".to_owned()]].concat();
    let error = super::score(&MALL, &key, &after, None, None, &Terms::default()).unwrap_err();
    assert!(matches!(error, ScoreError::Replay(_)), "{error}");
}
