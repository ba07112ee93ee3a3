use std::sync::LazyLock;

use super::*;
use crate::catalog::Preset;
use crate::lexicon::{self, Class, phrase};

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::generate(Preset::Mini, 0));

fn keys(count: u64) -> impl Iterator<Item = TaskKey> {
    (0..count).flat_map(|seed| {
        [Split::Train, Split::HeldOut].into_iter().flat_map(move |split| {
            Scenario::ALL.map(move |scenario| TaskKey { split, scenario, seed })
        })
    })
}

fn is_option(word: &str) -> bool {
    matches!(lexicon::class(word), Some(Class::Colour | Class::Size))
}

#[test]
fn a_goal_knows_whether_any_product_fits() {
    let mut nothing_fits = 0;
    for key in keys(150) {
        let goal = Task::new(&CATALOG, &key).goal;
        assert_eq!(goal.fits, goal.is_met_in(&CATALOG), "{key:?}");
        nothing_fits += u32::from(!goal.fits);
        assert!((2..=3).contains(&goal.attributes.len()));
        assert!(!goal.options.is_empty() && goal.options.iter().all(|word| is_option(word)));
    }
    assert!((18..=60).contains(&nothing_fits), "{nothing_fits} of 1,200");
}

#[test]
fn a_fitting_product_is_in_the_split_of_the_task() {
    for key in keys(50) {
        let goal = Task::new(&CATALOG, &key).goal;
        let wanted = |held_out: bool| {
            let products = CATALOG.products().iter();
            products
                .filter(|it| CATALOG.is_held_out(it.family) == held_out)
                .any(|it| goal.is_met_by(it))
        };
        assert!(!goal.fits || wanted(key.split == Split::HeldOut), "{key:?}");
    }
}

#[test]
fn an_instruction_without_persona_states_every_fact() {
    for key in keys(40).filter(|key| key.scenario == Scenario::SingleTurn) {
        let Task { brief, goal } = Task::new(&CATALOG, &key);
        let words = lexicon::segment(&brief.opening);
        let price = crate::page::price(goal.budget);
        for fact in goal.features().chain(goal.options.clone()).chain([goal.category.leaf, price]) {
            assert!(words.contains(&fact), "{fact} is missing in {}", brief.opening);
        }
        assert_eq!(brief.answers, None);
    }
}

#[test]
fn a_history_implies_exactly_the_facts_that_are_not_stated() {
    for key in keys(60).filter(|key| key.scenario.has_persona()) {
        let Task { brief, goal } = Task::new(&CATALOG, &key);
        let marker = if key.scenario.has_shopper() { phrase::SHOPPER } else { phrase::TASK };
        let (history, opening) = brief.opening.split_once(marker).unwrap();
        let answers = brief.answers.clone();
        let said = opening.to_owned()
            + &answers.map(|it| it.attributes + &it.options + &it.budget).unwrap_or_default();
        let said = lexicon::segment(&said);
        let records: Vec<Vec<&str>> = history
            .strip_prefix(phrase::PERSONA)
            .unwrap()
            .split_terminator(phrase::RECORD_END)
            .map(lexicon::segment)
            .collect();
        let (own, others): (Vec<_>, Vec<_>) =
            records.iter().partition(|record| record[0] == goal.category.leaf);
        assert_eq!((own.len(), others.len()), (1, 2), "{history}");
        let implied = &own[0][1..];
        assert!((1..=2).contains(&implied.len()));
        for fact in goal.features().chain(goal.options.clone()) {
            assert!(said.contains(&fact) != implied.contains(&fact), "{fact} in {}", brief.opening);
        }
        let refers = said.contains(&phrase::AS_USUAL);
        assert_eq!(refers, key.scenario.has_shopper(), "{said:?}");
    }
}

#[test]
fn a_shopper_opens_with_the_category_and_answers_one_topic_per_question() {
    for key in keys(40).filter(|key| key.scenario.has_shopper()) {
        let Task { brief, goal } = Task::new(&CATALOG, &key);
        let (_, opening) = brief.opening.split_once(phrase::SHOPPER).unwrap();
        let opening = lexicon::segment(opening);
        assert!(opening.len() == 2 && opening[1] == goal.category.leaf, "{opening:?}");
        let answers = brief.answers.unwrap();
        let facts = |text: &str, is: fn(Class) -> bool| {
            let words = lexicon::known_words(text);
            words.iter().filter_map(|word| lexicon::class(word)).filter(|class| is(*class)).count()
        };
        let feature = |class| matches!(class, Class::Attribute | Class::Brand);
        let option = |class| matches!(class, Class::Colour | Class::Size);
        let price = |class| matches!(class, Class::Price(_));
        let counts = [&answers.attributes, &answers.options, &answers.budget]
            .map(|text| [facts(text, feature), facts(text, option), facts(text, price)]);
        assert!(counts[0][1..] == [0, 0] && counts[0][0] >= 1, "{}", answers.attributes);
        assert!(counts[1][0] == 0 && counts[1][2] == 0, "{}", answers.options);
        assert_eq!(counts[2], [0, 0, 1], "{}", answers.budget);
    }
}

#[test]
fn tasks_differ_by_seed_scenario_split_and_catalog() {
    let key = TaskKey { split: Split::Train, scenario: Scenario::SingleTurn, seed: 1 };
    let opening = |catalog: &Catalog, key: &TaskKey| Task::new(catalog, key).brief.opening;
    let base = opening(&CATALOG, &key);
    assert_eq!(base, opening(&CATALOG, &key));
    let other = Catalog::generate(Preset::Mini, 1);
    for different in [
        opening(&CATALOG, &TaskKey { seed: 2, ..key }),
        opening(&CATALOG, &TaskKey { split: Split::HeldOut, ..key }),
        opening(&CATALOG, &TaskKey { scenario: Scenario::MultiTurn, ..key }),
        opening(&other, &key),
    ] {
        assert_ne!(base, different);
    }
}

#[test]
fn a_key_is_written_in_camel_case() {
    let key = TaskKey { split: Split::HeldOut, scenario: Scenario::SingleTurnPersona, seed: 7 };
    let text = serde_json::to_string(&key).unwrap();
    assert_eq!(text, r#"{"split":"heldOut","scenario":"singleTurnPersona","seed":7}"#);
    assert_eq!(serde_json::from_str::<TaskKey>(&text).unwrap(), key);
}
