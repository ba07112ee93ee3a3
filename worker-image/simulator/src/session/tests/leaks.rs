//! Non-interference: tasks that differ only in facts that were neither stated nor asked look the same.

use proptest::prelude::*;

use super::*;
use crate::lexicon;
use crate::task::{Goal, brief_of};

/// The goal with the facts of one topic replaced by those of another product of the category.
fn with_other_facts(goal: &Goal, topic: Topic, other: &Goal) -> Goal {
    let mut changed = goal.clone();
    match topic {
        Topic::Attributes => {
            changed.attributes.clone_from(&other.attributes);
            changed.brand = other.brand;
        }
        Topic::Options => changed.options.clone_from(&other.options),
        Topic::Budget => changed.budget = other.budget,
    }
    changed.fits = changed.is_met_in(catalog());
    changed
}

fn action(topic: Topic) -> impl Strategy<Value = String> {
    let words = lexicon::words();
    let known = prop::sample::select(words);
    let asked = [
        (Topic::Attributes, "询问属性"),
        (Topic::Options, "询问规格"),
        (Topic::Budget, "询问预算"),
    ];
    let allowed: Vec<&str> =
        asked.into_iter().filter(|(asked, _)| *asked != topic).map(|(_, action)| action).collect();
    prop_oneof![
        4 => prop::collection::vec(known.clone(), 1..6).prop_map(|words| format!("搜索{}", words.concat())),
        2 => prop::sample::select(vec!["枕头", "茶叶", "连衣裙"]).prop_map(|word| format!("搜索{word}")),
        4 => (0..10u8).prop_map(|row| format!("打开#{row}")),
        4 => prop::sample::select(&lexicon::vocabulary::COLOURS[..]).prop_map(|it| format!("选择{it}")),
        2 => known.prop_map(|word| format!("选择{word}")),
        2 => prop::sample::select(vec!["详情", "翻页", "返回", "打开", "枕头…"]).prop_map(str::to_owned),
        3 => prop::sample::select(allowed).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["购买", "没有合适"]).prop_map(str::to_owned),
    ]
}

fn case() -> impl Strategy<Value = (u64, u64, Topic, Vec<String>)> {
    prop::sample::select(vec![Topic::Attributes, Topic::Options, Topic::Budget]).prop_flat_map(
        |topic| {
            (any::<u64>(), any::<u64>(), Just(topic), prop::collection::vec(action(topic), 1..14))
        },
    )
}

fn messages(brief: Brief, actions: &[String]) -> Vec<String> {
    let (mut session, opening) = Session::begin(Arc::clone(&SHOP), brief, 12);
    let mut messages = vec![opening];
    for action in actions {
        match session.step(action) {
            Ok(turn) => messages.push(turn.observation),
            Err(_) => break,
        }
    }
    messages
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_was_not_asked_changes_no_page((seed, other_seed, topic, actions) in case()) {
        // A history may imply attributes and options, never the budget.
        let scenario = match topic {
            Topic::Budget => Scenario::MultiTurnPersona,
            Topic::Attributes | Topic::Options => Scenario::MultiTurn,
        };
        let key = |seed| TaskKey { split: crate::Split::Train, scenario, seed };
        let goal = Task::new(catalog(), &key(seed)).goal;
        let other = Task::new(catalog(), &key(other_seed)).goal;
        let changed = with_other_facts(&goal, topic, &other);
        let [a, b] = [goal, changed].map(|goal| brief_of(&goal, &key(seed), catalog()));
        prop_assert_eq!(messages(a, &actions), messages(b, &actions));
    }
}

/// The property is not vacuous: a question distinguishes the two tasks.
#[test]
fn what_was_asked_changes_the_answer() {
    let key = TaskKey { split: crate::Split::Train, scenario: Scenario::MultiTurn, seed: 1 };
    let goal = Task::new(catalog(), &key).goal;
    let changed = Goal { budget: if goal.budget == 99 { 89 } else { 99 }, ..goal.clone() };
    let [a, b] = [goal, changed].map(|goal| {
        messages(brief_of(&goal, &key, catalog()), &["搜索枕头".to_owned(), "询问预算".to_owned()])
    });
    assert_eq!(a[..2], b[..2]);
    assert_ne!(a[2], b[2]);
}
