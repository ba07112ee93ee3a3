//! Prints whole episodes of scripted agents as JSON lines: task, actions and observations.
//!
//! `cargo run --release -p shoprl-simulator --example episodes -- mini|fine expert|random EPISODES`

use std::io::{BufWriter, Write as _};
use std::sync::Arc;

use serde_json::json;
use shoprl_simulator::agent::{self, Actor};
use shoprl_simulator::mall::{self, Mall};
use shoprl_simulator::{Limits, Preset, Scenario, Session, Shop, Split, TaskKey};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [catalog, name, episodes] = arguments.as_slice() else {
        return Err("usage: mini|fine expert|random EPISODES".into());
    };
    let (large, expert) = (catalog == "fine", name == "expert");
    if !large && catalog != "mini" || !expert && name != "random" {
        return Err(format!("{catalog} {name}: write mini or fine, expert or random").into());
    }
    let make = |seed| match (large, expert) {
        (true, true) => mall::agent::expert(),
        (true, false) => mall::agent::random(seed),
        (false, true) => agent::expert(seed),
        (false, false) => agent::random(seed),
    };
    let play: Play = if large {
        let mall = Arc::new(Mall::generate(mall::Preset::Fine, 0)?);
        Box::new(move |key, mut actor| {
            let (mut session, opening) = mall::Session::start(Arc::clone(&mall), key);
            follow(opening, actor.as_mut(), |action| {
                Ok(session.step(action).map(|turn| (turn.observation, turn.end.is_some()))?)
            })
        })
    } else {
        let shop = Arc::new(Shop::open(Preset::Mini, 0)?);
        Box::new(move |key, mut actor| {
            let (mut session, opening) = Session::start(Arc::clone(&shop), key, Limits::default())?;
            follow(opening, actor.as_mut(), |action| {
                Ok(session.step(action).map(|turn| (turn.observation, turn.end.is_some()))?)
            })
        })
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    for seed in 0..episodes.parse()? {
        let scenario = Scenario::ALL[(seed % 4) as usize];
        let key = TaskKey { split: Split::Train, scenario, seed };
        let (actions, observations) = play(&key, make(seed))?;
        let line = json!({"task": key, "actions": actions, "observations": observations});
        writeln!(out, "{line}")?;
    }
    Ok(out.flush()?)
}

/// Actions and observations; there is one more observation than actions.
type Episode = Result<(Vec<String>, Vec<String>), Box<dyn std::error::Error>>;

/// Plays the task of a key with an agent.
type Play = Box<dyn Fn(&TaskKey, Box<dyn Actor>) -> Episode>;

/// Lets `actor` act until a step ends the episode.
fn follow(
    opening: String,
    actor: &mut dyn Actor,
    mut step: impl FnMut(&str) -> Result<(String, bool), Box<dyn std::error::Error>>,
) -> Episode {
    let (mut actions, mut observations) = (Vec::new(), vec![opening]);
    loop {
        let action = actor.act(&observations[actions.len()]);
        let (observation, over) = step(&action)?;
        actions.push(action);
        observations.push(observation);
        if over {
            return Ok((actions, observations));
        }
    }
}
