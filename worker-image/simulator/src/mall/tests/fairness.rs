//! Tests non-interference, the splits, and the absence of six defects of the published environment (arXiv 2601.18225 and its
//! code), one test each.

use shoprl_rl::seed::{Purpose, Stream};

use super::*;
use crate::action::UNFINISHED;
use crate::mall::catalog::Fact;
use crate::mall::counts::counts;
use crate::mall::difficulty::play;
use crate::mall::storefront::Visit;
use crate::mall::task::{Brief, Goal, Task, brief_of};
use crate::score::Outcome;
use crate::session::End;
use crate::task::{Scenario, Split, TaskKey};

/// Topics; an action of the pair test must not ask about the changed one.
const TOPICS: [&str; 4] = ["属性", "品牌", "规格", "预算"];

/// The goal with the facts of one topic replaced by others of the same leaf.
fn with_other_facts(goal: &Goal, topic: usize, stream: &mut Stream) -> Goal {
    let mut changed = goal.clone();
    let leaf: Vec<Product<'_>> = catalog().in_leaf(goal.leaf).collect();
    let other = stream.choose(&leaf).unwrap();
    match topic {
        0 => changed.facts = other.facts().take(goal.facts.len()).collect(),
        1 => changed.brand = Some(other.brand_id()),
        2 => {
            let first = |(axis, mut values): (u32, _)| Fact {
                axis,
                value: Iterator::next(&mut values).unwrap(),
            };
            changed.options = other.axes().map(first).collect();
        }
        _ => changed.budget += 10 * (1 + stream.below(9) as u32),
    }
    changed
}

/// Any action except asking about `topic`, proposing or buying, which are questions to the shopper.
fn action(topic: usize, words: &[&str], stream: &mut Stream) -> String {
    match stream.below(9) {
        0 | 1 => {
            let count = 1 + stream.below(4);
            let query: Vec<&str> = (0..count).map(|_| *stream.choose(words).unwrap()).collect();
            ["搜索", &query.join(" ")].concat()
        }
        2..=4 => format!("打开#{}", stream.below(22)),
        5 => ["选择", stream.choose(words).unwrap()].concat(),
        6 => {
            let others: Vec<&str> = TOPICS
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != topic)
                .map(|(_, it)| *it)
                .collect();
            ["询问", stream.choose(&others).unwrap()].concat()
        }
        7 => (*stream.choose(&["详情", "翻页", "返回", "询问", "搜索"]).unwrap()).to_owned(),
        _ => ["打开", UNFINISHED].concat(),
    }
}

fn messages(brief: Brief, actions: &[String]) -> Vec<String> {
    let (mut session, opening) = Session::begin(Arc::clone(&MALL), brief, 40);
    let mut messages = vec![opening];
    messages.extend(actions.iter().map(|action| session.step(action).unwrap().observation));
    messages
}

/// Plays 1,500 pairs; `SHOPRL_PAIRS=10000` plays more.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the number of cases is a setting of the long command"
)]
fn what_was_not_asked_changes_no_page() {
    let pairs = std::env::var("SHOPRL_PAIRS").ok().and_then(|it| it.parse().ok()).unwrap_or(1500);
    let words: Vec<&str> = catalog().search_words().collect();
    let mut different = 0;
    for seed in 0..pairs {
        let mut stream = Stream::new(seed, Purpose::Fault, &[7]);
        let topic = (seed % 4) as usize;
        // A file may imply attributes and the brand, never options or the budget.
        let scenario = if topic >= 2 && stream.bernoulli(0.5) {
            Scenario::MultiTurnPersona
        } else {
            Scenario::MultiTurn
        };
        let key = TaskKey { split: Split::Train, scenario, seed };
        let goal = Task::new(&MALL, &key).goal;
        let changed = with_other_facts(&goal, topic, &mut stream);
        different += u32::from(goal != changed);
        let count = 1 + stream.below(12);
        let actions: Vec<String> = (0..count).map(|_| action(topic, &words, &mut stream)).collect();
        let [a, b] = [goal, changed].map(|goal| brief_of(&goal, &key, catalog()));
        assert_eq!(messages(a, &actions), messages(b, &actions), "{key:?} {actions:?}");
    }
    assert!(u64::from(different) > pairs * 8 / 10, "{different} pairs differ");
}

/// The property is not vacuous: a question distinguishes two tasks.
#[test]
fn what_was_asked_changes_the_answer() {
    let key = TaskKey { split: Split::Train, scenario: Scenario::MultiTurn, seed: 1 };
    let goal = Task::new(&MALL, &key).goal;
    let changed = Goal { budget: goal.budget + 10, ..goal.clone() };
    let actions = ["翻页", "询问预算"].map(str::to_owned);
    let [a, b] = [goal, changed].map(|it| messages(brief_of(&it, &key, catalog()), &actions));
    assert_eq!(a[..2], b[..2]);
    assert_ne!(a[2], b[2]);
}

/// A visit of `product` with the wanted options chosen as far as they are offered.
fn visit(goal: &Goal, product: &Product<'_>) -> Visit {
    let mut selection = product.open_selection();
    for option in &goal.options {
        if let Some((axis, value)) = product.option_position(*option) {
            selection[axis] = Some(value);
        }
    }
    Visit { product: product.id(), selection }
}

fn solvable(scenario: Scenario) -> (TaskKey, Goal) {
    let mut keys = (0..50).map(|seed| TaskKey { split: Split::HeldOut, scenario, seed });
    keys.find_map(|key| {
        let goal = Task::new(&MALL, &key).goal;
        goal.fits.then_some((key, goal))
    })
    .unwrap()
}

/// Defect 1: the goal's query was empty on both sides, so every purchase had the right category.
#[test]
fn defect_1_a_purchase_of_another_category_scores_less() {
    let (_, goal) = solvable(Scenario::SingleTurn);
    let score = |product: Product<'_>| {
        counts(Matcher::Canonical, &MALL, &goal, &visit(&goal, &product)).category
    };
    let path = |product: &Product<'_>| catalog().path(product.leaf());
    let wanted = catalog().path(goal.leaf);
    let find = |is: &dyn Fn(&Product<'_>) -> bool| catalog().products().find(|it| is(it)).unwrap();
    assert_eq!(score(catalog().at(goal.target)), 1.0);
    assert_eq!(score(find(&|it| path(it)[..2] == wanted[..2] && path(it) != wanted)), 0.5);
    assert_eq!(score(find(&|it| path(it)[0] == wanted[0] && path(it)[1] != wanted[1])), 0.0);
    assert_eq!(score(find(&|it| path(it)[0] != wanted[0])), 0.0);
}

/// Defect 2: the scored price was a random draw for the product, and so was the budget; neither was the displayed one.
#[test]
fn defect_2_the_price_of_the_chosen_variant_counts_against_the_stated_budget() {
    for seed in 0..200 {
        let key = TaskKey { split: Split::Train, scenario: Scenario::SingleTurn, seed };
        let task = Task::new(&MALL, &key);
        let goal = &task.goal;
        assert!(
            task.brief.opening.contains(&format!("{}元", goal.budget)),
            "{}",
            task.brief.opening
        );
        let product = catalog().at(goal.target);
        let chosen = visit(goal, &product);
        let open = Visit { product: goal.target, selection: product.open_selection() };
        for visit in [&chosen, &open] {
            let price = product.offer(&visit.selection).unwrap();
            assert_eq!(visit.price(&MALL), price);
            let counted = counts(Matcher::Canonical, &MALL, goal, visit).within_budget;
            assert_eq!(counted, price <= goal.budget * 100);
        }
        assert!(counts(Matcher::Canonical, &MALL, goal, &chosen).within_budget, "{key:?}");
    }
}

/// Defect 3: prices and budgets were drawn without a seed in every process.
#[test]
fn defect_3_a_reward_is_equal_in_another_shop_with_the_same_catalog() {
    let other = Arc::new(Mall::from_bytes(&MALL.to_bytes()).unwrap());
    for seed in 0..12 {
        let key =
            TaskKey { split: Split::HeldOut, scenario: Scenario::ALL[seed as usize % 4], seed };
        let (replay, actions) = play(&MALL, &key, agent::expert()).unwrap();
        assert_eq!(crate::mall::replay(&other, &key, &actions).unwrap(), replay);
    }
}

/// Defect 4: the reply to a reset contained the goal's options.
#[test]
fn defect_4_an_opening_contains_no_fact_that_must_be_asked_for() {
    for seed in 0..300 {
        let key = TaskKey { split: Split::Train, scenario: Scenario::MultiTurn, seed };
        let Task { brief, goal, .. } = Task::new(&MALL, &key);
        let leaf = catalog().word(catalog().path(goal.leaf)[2]);
        let said = brief.opening.replace(leaf, "");
        for fact in goal.facts.iter().chain(&goal.options) {
            assert!(!said.contains(catalog().word(fact.value)), "{said}");
        }
        assert!(!said.contains('元') && !said.contains(&goal.budget.to_string()), "{said}");
        assert!(goal.brand.is_none_or(|brand| !said.contains(catalog().word(brand))), "{said}");
    }
}

/// Defect 5: conversations were about another product than the goal.
#[test]
fn defect_5_file_instruction_and_goal_are_about_the_same_product() {
    for seed in 0..100 {
        for scenario in Scenario::ALL {
            let key = TaskKey { split: Split::Train, scenario, seed };
            let Task { brief, goal, .. } = Task::new(&MALL, &key);
            let leaf = catalog().word(catalog().path(goal.leaf)[2]);
            let (_, said) = brief.opening.rsplit_once('\n').unwrap_or(("", &brief.opening));
            assert!(said.contains(leaf), "{said}");
            if scenario.has_persona() {
                let same = (0..200)
                    .filter(|&it| catalog().path(it)[..2] == catalog().path(goal.leaf)[..2]);
                let names: Vec<&str> =
                    same.map(|it| catalog().word(catalog().path(it)[2])).collect();
                let records = brief.opening.lines().filter(|line| {
                    names.iter().any(|name| line.contains(&format!(" 订单 {name} ")))
                });
                assert!(records.count() >= 2, "{}", brief.opening);
            }
        }
    }
}

/// Defect 6: sessions were stored by task number, so two plays of one task shared their state.
#[test]
fn defect_6_two_sessions_of_one_task_share_no_state() {
    let (key, _) = solvable(Scenario::MultiTurn);
    let play = |actions: &[&str], session: &mut Session| -> Vec<String> {
        actions.iter().map(|it| session.step(it).unwrap().observation).collect()
    };
    let actions = ["询问属性", "搜索乳胶枕", "打开#1", "详情"];
    let (mut alone, _) = Session::start(Arc::clone(&MALL), &key);
    let expected = play(&actions, &mut alone);
    let (mut first, _) = Session::start(Arc::clone(&MALL), &key);
    let (mut second, _) = Session::start(Arc::clone(&MALL), &key);
    let mut found = Vec::new();
    for action in actions {
        found.push(first.step(action).unwrap().observation);
        second.step("搜索台灯").unwrap();
    }
    assert_eq!(found, expected);
    assert_eq!((first.ended(), second.step("没有合适").unwrap().end), (None, Some(End::Declined)));
}

/// A purchase succeeds only if it has everything, and declining is right only if nothing fits.
#[test]
fn a_purchase_succeeds_only_if_it_has_everything_wanted() {
    for seed in 0..150 {
        let key = TaskKey { split: Split::Train, scenario: Scenario::SingleTurn, seed };
        let goal = Task::new(&MALL, &key).goal;
        for product in catalog().in_leaf(goal.leaf).step_by(7) {
            let visit = visit(&goal, &product);
            if product.offer(&visit.selection).is_none() {
                continue;
            }
            let outcome = Outcome::of_counts(counts(Matcher::Canonical, &MALL, &goal, &visit));
            assert_eq!(outcome.success == 1.0, goal.is_met_by(&product), "{key:?}");
            assert!(outcome.strict <= outcome.loose + 1e-12 && outcome.loose <= 1.0);
        }
        assert_eq!(Outcome::of_decline(goal.fits).success == 1.0, !goal.fits);
    }
}
