//! Tests the rules on planted errors and by hand.

use std::collections::BTreeSet;

use super::planting::{Planted, confusion, plant, score};
use super::*;
use crate::mall::difficulty::play;
use crate::mall::task::Task;
use crate::mall::tests::MALL;
use crate::mall::{Session, agent};
use crate::task::{Scenario, Split};

/// Precision and recall on 200 episodes with each error and 200 without; `docs/benchmarks/analysis.md` has more.
#[test]
fn every_class_is_found_where_it_was_planted_and_not_elsewhere() {
    let table = confusion(&MALL, Split::HeldOut, 200).unwrap();
    for row in &table {
        assert_eq!(row.episodes, 200, "{row:?}");
    }
    for fault in Fault::ALL {
        let score = score(&table, fault);
        assert!(score.precision >= 0.95 && score.recall >= 0.95, "{fault:?}: {score:?}");
    }
}

/// A task with all facts stated, its goal in words, and rows of its first page.
struct Plain {
    key: TaskKey,
    /// The product type, and the product type with every attribute, brand and option.
    leaf: String,
    all: String,
    wrong: Vec<usize>,
    right: usize,
}

fn plain() -> Plain {
    let catalog = MALL.catalog();
    let mut keys =
        (0..200).map(|seed| TaskKey { split: Split::Train, scenario: Scenario::SingleTurn, seed });
    let found = keys.find_map(|key| {
        let goal = Task::new(&MALL, &key).goal;
        let leaf = catalog.word(catalog.path(goal.leaf)[2]).to_owned();
        let facts = goal.facts.iter().chain(&goal.options).map(|fact| fact.value);
        let words = facts.chain(goal.brand).map(|id| catalog.word(id));
        let all = words.fold(leaf.clone(), |all, word| all + " " + word);
        let found = MALL.search(&all, 60).ok()?;
        let meets = |id: &u32| goal.is_met_by(&catalog.at(*id));
        let right = found.iter().take(20).position(meets)? + 1;
        let plain = |row: &usize| {
            // A row of the wanted type that nothing on the page contradicts.
            let product = catalog.at(found[row - 1]);
            let kept = product.leaf() == goal.leaf && product.listed_price() <= goal.budget_fen();
            let opens = ["搜索", &all].concat();
            let actions = [opens, format!("打开#{row}")];
            let findings = analyse(&MALL, &key, &actions, None).ok();
            !meets(&product.id()) && kept && findings.is_some_and(|it| it.is_empty())
        };
        let wrong: Vec<usize> = (1..=20).filter(plain).collect();
        (wrong.len() > 2 && found.len() > 40).then_some(Plain { key, leaf, all, wrong, right })
    });
    found.unwrap()
}

#[test]
fn each_rule_knows_its_exceptions() {
    use Fault::*;
    let Plain { key, leaf, all, wrong, right } = plain();
    let (leaf, all) = (format!("搜索{leaf}"), format!("搜索{all}"));
    let open = |row: usize| format!("打开#{row}");
    let (first, second, right) = (open(wrong[0]), open(wrong[1]), open(right));
    let check = |actions: &[&str], expected: &[(Fault, usize)]| {
        let actions: Vec<String> = actions.iter().map(|it| (*it).to_owned()).collect();
        let findings = analyse(&MALL, &key, &actions, None).unwrap();
        let found: Vec<(Fault, usize)> = findings.iter().map(|it| (it.fault, it.action)).collect();
        assert_eq!(found, expected, "{actions:?}: {findings:?}");
    };
    check(&[], &[]);
    check(&[&all, &right], &[]);
    // A broad search is an error only if no narrower one follows.
    check(&[&leaf], &[(SearchDropsFact, 0)]);
    check(&[&leaf, &all, &right], &[]);
    check(&[&all, &leaf, &all, &right], &[]);
    // Searching again is a way back if it leads to something new.
    check(&[&all, &all, &right], &[(SearchRepeats, 1)]);
    check(&[&all, "翻页", &all, &right], &[]);
    check(&[&all, &right, "翻页", &all, &right], &[(SearchRepeats, 3)]);
    check(&[&all, &right, "翻页", &all, &right, &first], &[]);
    check(
        &[&all, &right, &leaf, &all, &leaf, &all],
        &[(SearchRepeats, 3), (SearchRepeats, 4), (SearchRepeats, 5)],
    );
    // A match may be left for a while, not forever.
    check(&[&all, "没有合适"], &[(SearchLeavesMatch, 1)]);
    check(&[&all, "翻页"], &[(SearchLeavesMatch, 1)]);
    check(&[&all, "翻页", &all, &right, "没有合适"], &[]);
    // Buying against the page is an error; a refused action is not.
    check(&[&all, &first, "购买"], &[(BuysUnverified, 2)]);
    check(&[&all, &right, "购买"], &[(BuysUnverified, 2)]);
    check(&[&all, "购买", "询问属性", &second, "推荐"], &[]);
}

#[test]
fn findings_are_ordered_repeatable_and_within_the_episode() {
    let mut kinds = BTreeSet::new();
    for seed in 0..100 {
        for scenario in Scenario::ALL {
            let key = TaskKey { split: Split::Train, scenario, seed };
            let (_, actions) = play(&MALL, &key, agent::random(seed)).unwrap();
            for length in [actions.len() / 2, actions.len()] {
                let findings = analyse(&MALL, &key, &actions[..length], None).unwrap();
                assert_eq!(analyse(&MALL, &key, &actions[..length], None).unwrap(), findings);
                assert!(findings.is_sorted_by_key(|it| it.action), "{findings:?}");
                for finding in findings {
                    assert!(finding.action < length && !finding.words.is_empty(), "{finding:?}");
                    kinds.insert(finding.fault);
                }
            }
        }
    }
    assert!(kinds.len() >= 6, "{kinds:?}");
    let after_the_end = ["没有合适", "没有合适"].map(str::to_owned);
    let key = TaskKey { split: Split::Train, scenario: Scenario::SingleTurn, seed: 0 };
    assert!(analyse(&MALL, &key, &after_the_end, None).is_err());
}

/// Planted episodes are valid and reproducible, and a successful purchase has no error.
#[test]
fn planted_episodes_are_episodes() {
    for (number, fault) in [None].into_iter().chain(Fault::ALL.map(Some)).enumerate() {
        for seed in 0..12 {
            let scenario = Scenario::ALL[(seed as usize + number) % 4];
            let key = TaskKey { split: Split::Train, scenario, seed };
            let planted = plant(&MALL, &key, fault);
            assert_eq!(plant(&MALL, &key, fault), planted);
            let Planted { actions, slip } = planted;
            let (mut session, _) = Session::start(Arc::clone(&MALL), &key);
            assert!(actions.iter().all(|action| session.step(action).is_ok()), "{fault:?} {key:?}");
            assert!(session.ended().is_some(), "{fault:?} {key:?}");
            assert!(slip.is_none_or(|at| fault.is_some() && at < actions.len()));
            let replay = crate::mall::replay(&MALL, &key, &actions).unwrap();
            if replay.outcome.success == 1.0 && replay.end == Some(crate::session::End::Bought) {
                let last = analyse(&MALL, &key, &actions, None).unwrap();
                let at_the_end = last.iter().filter(|it| it.action + 1 == actions.len());
                assert_eq!(at_the_end.count(), 0, "{last:?}");
            }
        }
    }
}
