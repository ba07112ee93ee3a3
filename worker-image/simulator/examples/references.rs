//! Measures the scripted agents on held-out tasks, the length of episodes in tokens, and the speed of the shop.
//!
//! `cargo run --release -p shoprl-simulator --example references [TASKS]`

#![allow(clippy::disallowed_methods, reason = "an example that measures time")]

use std::sync::Arc;
use std::time::Instant;

use shoprl_simulator::agent::{self, Actor};
use shoprl_simulator::{Limits, Preset, Replay, Scenario, Session, Shop, Split, TaskKey};
use shoprl_simulator::{replay, segment};

type MakeActor = fn(u64) -> Box<dyn Actor>;

const AGENTS: [(&str, MakeActor); 5] = [
    ("random", agent::random),
    ("search first", |_| agent::search_first()),
    ("expert", agent::expert),
    ("demonstrator .25", |seed| agent::demonstrator(seed, 0.25)),
    ("demonstrator .40", |seed| agent::demonstrator(seed, 0.4)),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tasks = std::env::args().nth(1).map_or(Ok(400), |count| count.parse())?;
    let opening = Instant::now();
    let shop = Arc::new(Shop::open(Preset::Mini, 0)?);
    let catalog = shop.catalog();
    println!(
        "{} products, {} families, {} categories, {} words; opened in {:.0?}; digest {}",
        catalog.len(),
        catalog.families(),
        catalog.categories(),
        shoprl_simulator::lexicon().len(),
        opening.elapsed(),
        catalog.digest()
    );
    for scenario in Scenario::ALL {
        println!("{scenario:?}");
        for (name, make) in AGENTS {
            println!("  {name:18}{}", measure(&shop, scenario, tasks, make)?);
        }
    }
    speed(&shop, tasks)
}

fn measure(
    shop: &Arc<Shop>,
    scenario: Scenario,
    tasks: u64,
    make: MakeActor,
) -> Result<String, Box<dyn std::error::Error>> {
    let mut sums = [0.0; 11];
    let mut longest = 0.0f64;
    for seed in 0..tasks {
        let key = TaskKey { split: Split::HeldOut, scenario, seed };
        let actions = play(shop, &key, &mut *make(seed))?;
        let replay = replay(shop, &key, Limits::default(), &actions)?;
        let figures = figures(&replay, &actions);
        longest = longest.max(figures[9]);
        for (sum, value) in sums.iter_mut().zip(figures) {
            *sum += value;
        }
    }
    let [
        success,
        strict,
        loose,
        finish,
        attribute,
        option,
        price,
        turns,
        refused,
        tokens,
        declined,
    ] = sums.map(|sum| sum / tasks as f64);
    Ok(format!(
        "success {:5.1} %  strict {strict:.3} loose {loose:.3} finish {finish:.3} attribute {attribute:.3} \
         option {option:.3} price {price:.3}  turns {turns:.2} refused {refused:.2} tokens {tokens:.0} (longest {longest:.0}) declined {declined:.3}",
        success * 100.0
    ))
}

/// One token per word, and one control token before and after each action.
fn figures(replay: &Replay, actions: &[String]) -> [f64; 11] {
    let words = |text: &String| segment(text).len();
    let observed: usize = replay.observations.iter().map(words).sum();
    let written: usize = actions.iter().map(words).sum();
    let outcome = replay.outcome;
    let declined = replay.end == Some(shoprl_simulator::End::Declined);
    [
        outcome.success,
        outcome.strict,
        outcome.loose,
        outcome.finish,
        outcome.attribute,
        outcome.option,
        outcome.price,
        actions.len() as f64,
        replay.refused.iter().filter(|refused| **refused).count() as f64,
        (observed + written + 2 * actions.len()) as f64,
        f64::from(u8::from(declined)),
    ]
}

fn play(
    shop: &Arc<Shop>,
    key: &TaskKey,
    actor: &mut dyn Actor,
) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let (mut session, mut observation) = Session::start(Arc::clone(shop), key, Limits::default())?;
    let mut actions = Vec::new();
    while session.ended().is_none() {
        let action = actor.act(&observation);
        observation = session.step(&action)?.observation;
        actions.push(action);
    }
    Ok(actions)
}

fn speed(shop: &Arc<Shop>, episodes: u64) -> Result<(), Box<dyn std::error::Error>> {
    let mut steps = 0;
    let start = Instant::now();
    for seed in 0..episodes * 4 {
        let scenario = Scenario::ALL[(seed % 4) as usize];
        let key = TaskKey { split: Split::Train, scenario, seed };
        steps += play(shop, &key, &mut *agent::expert(seed))?.len();
    }
    let rate = steps as f64 / start.elapsed().as_secs_f64();
    println!("{steps} steps of whole expert episodes, {rate:.0} steps/s on one thread");
    Ok(())
}
