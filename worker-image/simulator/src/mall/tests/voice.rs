//! Tests the voiced shopper: the rules decide, a model words the answer, and the replay uses the recorded words.

use std::error::Error as _;

use super::*;
use crate::agent::Actor;
use crate::mall::difficulty::play;
use crate::mall::task::{Goal, Task, brief_of};
use crate::mall::voice::{Cue, Line, Unfit};
use crate::replay::ReplayError;
use crate::task::{Scenario, Split, TaskKey};

fn key(scenario: Scenario, seed: u64) -> TaskKey {
    TaskKey { split: Split::Train, scenario, seed }
}

/// Plays an episode whose shopper words each cue by `say`.
fn speak(
    key: &TaskKey,
    mut actor: Box<dyn Actor>,
    say: impl Fn(&Cue) -> String,
) -> (Vec<String>, Vec<String>, Words) {
    let (mut session, opening) = Session::start_voiced(Arc::clone(&MALL), key);
    let (mut actions, mut observations, mut words) = (Vec::new(), vec![opening], Words::new());
    while session.ended().is_none() {
        let action = actor.act(observations.last().unwrap());
        let turn = match session.cue(&action) {
            None => session.step(&action).unwrap(),
            Some(cue) => {
                words.insert(actions.len(), say(&cue));
                session.step_voiced(&action, &words[&actions.len()]).unwrap()
            }
        };
        actions.push(action);
        observations.push(turn.observation);
    }
    (actions, observations, words)
}

/// A voice changes the words and nothing else.
#[test]
fn a_voice_that_says_the_rules_sentences_changes_nothing() {
    for seed in 0..40 {
        for scenario in [Scenario::MultiTurn, Scenario::MultiTurnPersona] {
            let key = key(scenario, seed);
            let (expected, asked) = play(&MALL, &key, agent::expert()).unwrap();
            let (actions, observations, words) = speak(&key, agent::expert(), |cue| {
                cue.check(cue.plain()).unwrap_or_else(|why| panic!("{}: {why}", cue.plain()));
                cue.plain().to_owned()
            });
            assert_eq!((&actions, &observations), (&asked, &expected.observations), "{key:?}");
            assert!(!words.is_empty());
            assert_eq!(replay_voiced(&MALL, &key, &actions, &words).unwrap(), expected);
        }
    }
}

#[test]
fn recorded_words_are_replayed_unchanged() {
    let key = key(Scenario::MultiTurn, 3);
    let say = |cue: &Cue| ["嗯，", cue.plain()].concat();
    let (actions, observations, words) = speak(&key, agent::expert(), say);
    let replay = replay_voiced(&MALL, &key, &actions, &words).unwrap();
    assert_eq!(replay.observations, observations);
    assert!(observations.iter().any(|it| it.starts_with("顾客 嗯，")), "{observations:?}");
    // Without recorded words the rules speak.
    let silent = replay_voiced(&MALL, &key, &actions, &Words::new()).unwrap();
    assert_eq!(silent.outcome, replay.outcome);
}

/// A goal with an attribute, and a value of its axis that it does not want.
fn goal_and_rival() -> (TaskKey, Goal, String) {
    (0..)
        .find_map(|seed| {
            let key = key(Scenario::MultiTurn, seed);
            let goal = Task::new(&MALL, &key).goal;
            let wanted = catalog().word(goal.facts.first()?.value);
            let mut others = catalog().in_leaf(goal.leaf).flat_map(|it| it.attributes());
            let other = others.find(|(axis, value)| {
                *axis == catalog().word(goal.facts[0].axis)
                    && *value != wanted
                    && value.chars().count() > 1
                    && !value.contains(wanted)
                    && !wanted.contains(*value)
            })?;
            (goal.fits && wanted.chars().count() > 1)
                .then(|| (key, goal.clone(), other.1.to_owned()))
        })
        .unwrap()
}

#[test]
fn words_must_contain_exactly_the_facts_of_the_answer() {
    let (key, goal, other) = goal_and_rival();
    let (session, _) = Session::start_voiced(Arc::clone(&MALL), &key);
    let axis = catalog().word(goal.facts[0].axis);
    let wanted = catalog().word(goal.facts[0].value);
    let cue = session.cue(&format!("询问您对{axis}有什么要求？")).unwrap();
    assert_eq!(cue.plain(), format!("要{wanted}。"));
    let budget = session.cue("询问大概多少预算呢").unwrap();
    let sum = goal.budget;
    let check = |cue: &Cue, words: &str, expected: Result<(), Unfit>| {
        assert_eq!(cue.check(words), expected, "{words}");
    };
    check(&cue, &format!("我想要{wanted}的那种"), Ok(()));
    check(&cue, &format!("{axis}的话，{wanted}就好，谢谢"), Ok(()));
    check(&cue, " ", Err(Unfit::Empty));
    check(&cue, &"好".repeat(81), Err(Unfit::Long(81)));
    check(&cue, &format!("{wanted}\n剩余40轮"), Err(Unfit::Long(wanted.chars().count() + 6)));
    check(&cue, "都可以", Err(Unfit::Omits(wanted.to_owned())));
    check(&cue, &format!("{wanted}或者{other}都行"), Err(Unfit::Leaks(other)));
    check(&cue, &format!("{wanted}，预算88元"), Err(Unfit::Leaks("88".to_owned())));
    check(&cue, &format!("{wanted}，最多三百元"), Err(Unfit::Leaks("三百".to_owned())));
    check(&budget, &format!("{sum}以内吧"), Ok(()));
    check(&budget, "随便", Err(Unfit::Omits(sum.to_string())));
    check(&budget, &format!("{sum}，{wanted}"), Err(Unfit::Leaks(wanted.to_owned())));
}

#[test]
fn a_question_in_free_words_is_answered_about_the_topics_it_names_only() {
    let (key, goal, _) = goal_and_rival();
    let (session, _) = Session::start_voiced(Arc::clone(&MALL), &key);
    let said = |question: &str| session.cue(question).unwrap().plain().to_owned();
    assert_eq!(said("询问您好"), "想问哪方面？属性、品牌、规格、预算都可以问。");
    assert!(said("询问预算是多少，想要什么品牌").contains(&goal.budget.to_string()));
    assert!(!said("询问想要什么品牌").contains(&goal.budget.to_string()));
    // By rules alone the same question is refused; without a shopper there is no cue.
    let (mut ruled, _) = Session::start(Arc::clone(&MALL), &key);
    assert!(ruled.cue("询问预算").is_none());
    assert!(ruled.step("询问您好").unwrap().observation.starts_with("无效 问题不明"));
    let (alone, _) = Session::start_voiced(Arc::clone(&MALL), &self::key(Scenario::SingleTurn, 3));
    assert!(alone.cue("询问预算").is_none());
}

#[test]
fn a_shopper_agrees_and_objects_as_the_rules_do() {
    let (key, goal, _) = goal_and_rival();
    let (mut session, _) = Session::start_voiced(Arc::clone(&MALL), &key);
    let title = catalog().at(goal.target).title().to_owned();
    session.step(&["搜索", &title].concat()).unwrap();
    session.step("打开#1").unwrap();
    let held = session.cue("购买").unwrap();
    assert!(held.plain().starts_with("先别买"), "{}", held.plain());
    assert_eq!(held.check("好的，买吧，属性、品牌、规格、预算都没问题"), Err(Unfit::Turned));
    assert_eq!(held.check("先别买"), Err(Unfit::Omits("属性".to_owned())));
    assert_eq!(held.check("先别急，属性、品牌、规格、预算你都没问过我"), Ok(()));
    let unasked = session.step_voiced("详情", "嗯").unwrap_err();
    assert_eq!(unasked, VoiceError::Unasked);
}

/// Words that a shopper cannot have said are refused: a reward must not depend on them.
#[test]
fn impossible_recorded_words_are_refused_by_their_position() {
    let (key, goal, other) = goal_and_rival();
    let axis = catalog().word(goal.facts[0].axis);
    let actions = [format!("询问{axis}"), "没有合适".to_owned()];
    let check = |index: usize, words: &str, expected: &str| {
        let words = Words::from([(index, words.to_owned())]);
        let refused = replay_voiced(&MALL, &key, &actions, &words).unwrap_err();
        let ReplayError::Words { index: at, source } = &refused else { panic!("{refused:?}") };
        let reason = source.source().map_or_else(|| source.to_string(), ToString::to_string);
        assert_eq!((*at, reason.as_str()), (index, expected));
    };
    let leak = format!("it says {other:?}, which is not part of the answer");
    let wanted = catalog().word(goal.facts[0].value);
    check(0, &format!("{wanted}或{other}"), &leak);
    check(1, "再见", "there are words of the shopper for an action that no shopper answers");
    check(7, "再见", "there are words of the shopper for an action that no shopper answers");
}

/// The prompt contains nothing that the agent may not know, so the model cannot reveal it.
#[test]
fn prompts_contain_only_facts_that_were_asked_for() {
    for seed in 0..300 {
        let key = key(Scenario::MultiTurn, seed);
        let goal = Task::new(&MALL, &key).goal;
        let changed = Goal { budget: goal.budget + 10, brand: None, ..goal.clone() };
        let prompts = |goal: &Goal| -> Vec<Vec<Line>> {
            let brief = brief_of(goal, &key, catalog());
            let (mut session, _) = Session::begin_voiced(Arc::clone(&MALL), brief, 40);
            let questions = ["询问属性", "询问规格", "询问您好"];
            questions
                .map(|question| {
                    let cue = session.cue(question).unwrap();
                    session.step_voiced(question, cue.plain()).unwrap();
                    cue.prompt()
                })
                .into()
        };
        assert_eq!(prompts(&goal), prompts(&changed), "{key:?}");
    }
}
