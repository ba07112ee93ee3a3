//! Tests the difficulty that the learning recipe was tuned on: success of scripted agents on held-out tasks.

use std::sync::{Arc, LazyLock};

use shoprl_simulator::agent::{self, Actor};
use shoprl_simulator::{Limits, Preset, Replay, Scenario, Session, Shop, Split, TaskKey};
use shoprl_simulator::{replay, segment};

static SHOP: LazyLock<Arc<Shop>> = LazyLock::new(|| Arc::new(Shop::open(Preset::Mini, 0).unwrap()));
const TASKS: u64 = 400;

fn episodes(
    scenario: Scenario,
    make: impl Fn(u64) -> Box<dyn Actor>,
) -> Vec<(Replay, Vec<String>)> {
    (0..TASKS)
        .map(|seed| {
            let key = TaskKey { split: Split::HeldOut, scenario, seed };
            let (mut session, mut observation) =
                Session::start(Arc::clone(&SHOP), &key, Limits::default()).unwrap();
            let (mut actor, mut actions) = (make(seed), Vec::new());
            while session.ended().is_none() {
                actions.push(actor.act(&observation));
                observation = session.step(&actions[actions.len() - 1]).unwrap().observation;
            }
            (replay(&SHOP, &key, Limits::default(), &actions).unwrap(), actions)
        })
        .collect()
}

/// Checks success in percent per scenario. The bounds are about two standard errors around the pilot's figures.
#[track_caller]
fn check(make: impl Fn(u64) -> Box<dyn Actor>, bounds: [(f64, f64); 4]) {
    for (scenario, (low, high)) in Scenario::ALL.into_iter().zip(bounds) {
        let episodes = episodes(scenario, &make);
        let successes: f64 = episodes.iter().map(|(replay, _)| replay.outcome.success).sum();
        let percent = 100.0 * successes / TASKS as f64;
        assert!((low..=high).contains(&percent), "{scenario:?}: {percent} %");
    }
}

#[test]
fn random_actions_rarely_succeed() {
    check(agent::random, [(0.0, 1.0); 4]);
}

#[test]
fn buying_the_first_result_rarely_succeeds() {
    check(|_| agent::search_first(), [(32.0, 43.0), (3.0, 9.0), (0.0, 0.5), (0.0, 4.0)]);
}

#[test]
fn the_expert_solves_most_tasks() {
    check(agent::expert, [(91.0, 98.0), (91.0, 98.0), (85.0, 95.0), (85.0, 95.0)]);
}

#[test]
fn a_hasty_demonstrator_fails_as_often_as_the_recipe_needs() {
    let make = |seed| agent::demonstrator(seed, 0.25);
    check(make, [(56.0, 67.0), (48.0, 60.0), (26.0, 38.0), (28.0, 40.0)]);
}

/// Demonstrations contain all verbs, and recoveries from refusals.
#[test]
fn demonstrations_show_every_verb_and_recovery() {
    use shoprl_simulator::ActionKind::{Ask, Buy, Decline, Details, Open, Option, Page, Search};
    let episodes = episodes(Scenario::MultiTurn, |seed| agent::demonstrator(seed, 0.25));
    for kind in [Search, Open, Details, Option, Page, Ask, Buy, Decline] {
        let shown = episodes.iter().filter(|(replay, _)| replay.kinds.contains(&kind)).count();
        assert!(shown >= 8, "{kind:?} in {shown} of {TASKS} demonstrations");
    }
    let recovers = |replay: &Replay| {
        let refused = replay.refused.iter().position(|refused| *refused);
        refused.is_some_and(|at| replay.kinds[at + 1..].contains(&Open))
    };
    let recoveries = episodes.iter().filter(|(replay, _)| recovers(replay)).count();
    assert!(recoveries >= 20, "{recoveries} demonstrations open another product after a refusal");
}

#[test]
fn an_episode_costs_about_as_many_tokens_as_in_the_pilot() {
    let mut tokens = 0;
    for scenario in Scenario::ALL {
        for (replay, actions) in episodes(scenario, |seed| agent::demonstrator(seed, 0.25)) {
            let texts = replay.observations.iter().chain(&actions);
            // One control token before and after each action.
            tokens += texts.map(|text| segment(text).len()).sum::<usize>() + 2 * actions.len();
        }
    }
    let mean = tokens as f64 / (4 * TASKS) as f64;
    assert!((120.0..160.0).contains(&mean), "{mean} tokens");
}
