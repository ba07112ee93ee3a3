//! Measures how fast one process plays whole episodes in the large shop. The agent's own time counts in the rates, not in
//! the step latencies.
//!
//! `cargo run --release -p shoprl-simulator --example speed [SECONDS [THREADS]]`

#![allow(clippy::disallowed_methods, reason = "an example that measures time")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use shoprl_simulator::agent::Actor;
use shoprl_simulator::mall::{Mall, Preset, Session, agent};
use shoprl_simulator::{Scenario, Split, TaskKey};

type Make = fn(u64) -> Box<dyn Actor>;

/// Measurements of one thread: latencies in nanoseconds, characters read.
#[derive(Default)]
struct Measured {
    steps: Vec<u64>,
    starts: Vec<u64>,
    characters: usize,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let argument =
        |index, default| std::env::args().nth(index).map_or(Ok(default), |it| it.parse());
    let (seconds, threads): (u64, u64) = (argument(1, 5)?, argument(2, 1)?);
    let mall = Arc::new(Mall::generate(Preset::Fine, 0)?);
    // Runs first: memory freed by the agents would be reused by the sessions and hide their size.
    sessions(&mall);
    println!(
        "| agent | threads | episodes/s | steps/s | steps a processor's second | p50 µs | p99 µs | start p50 µs | characters a step |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let agents: [(&str, Make); 2] = [("expert", |_| agent::expert()), ("random", agent::random)];
    for (name, make) in agents {
        let length = Duration::from_secs(seconds);
        let (start, processor) = (Instant::now(), processor_seconds());
        let measured: Vec<Measured> = std::thread::scope(|scope| {
            let players: Vec<_> = (0..threads)
                .map(|thread| {
                    scope.spawn({
                        let mall = Arc::clone(&mall);
                        move || play(&mall, make, thread, threads, length)
                    })
                })
                .collect();
            players.into_iter().filter_map(|player| player.join().ok()).collect()
        });
        report(name, threads, &measured, start.elapsed(), processor_seconds() - processor);
    }
    Ok(())
}

/// Plays episodes of all scenarios in rotation until the time is over. Times only the shop, not the agent.
fn play(mall: &Arc<Mall>, make: Make, first: u64, stride: u64, length: Duration) -> Measured {
    let (mut measured, begin) = (Measured::default(), Instant::now());
    let mut seed = first;
    while begin.elapsed() < length {
        let scenario = Scenario::ALL[(seed / stride) as usize % 4];
        let key = TaskKey { split: Split::Train, scenario, seed };
        let start = Instant::now();
        let (mut session, mut observation) = Session::start(Arc::clone(mall), &key);
        measured.starts.push(start.elapsed().as_nanos() as u64);
        let mut actor = make(seed);
        while session.ended().is_none() {
            let action = actor.act(&observation);
            let start = Instant::now();
            let Ok(turn) = session.step(&action) else {
                break;
            };
            measured.steps.push(start.elapsed().as_nanos() as u64);
            observation = turn.observation;
            measured.characters += observation.chars().count();
        }
        seed += stride;
    }
    measured
}

fn report(name: &str, threads: u64, measured: &[Measured], elapsed: Duration, processor: f64) {
    let gather = |of: fn(&Measured) -> &Vec<u64>| {
        let mut all: Vec<u64> = measured.iter().flat_map(of).copied().collect();
        all.sort_unstable();
        all
    };
    let (steps, starts) = (gather(|it| &it.steps), gather(|it| &it.starts));
    let at = |times: &[u64], share: usize| {
        times.get(times.len() * share / 100).map_or(0.0, |nanos| *nanos as f64 / 1000.0)
    };
    let characters: usize = measured.iter().map(|it| it.characters).sum();
    println!(
        "| {name} | {threads} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} |",
        starts.len() as f64 / elapsed.as_secs_f64(),
        steps.len() as f64 / elapsed.as_secs_f64(),
        steps.len() as f64 / processor.max(0.01),
        at(&steps, 50),
        at(&steps, 99),
        at(&starts, 50),
        characters as f64 / steps.len().max(1) as f64
    );
}

/// Resident bytes of 10,000 sessions that each hold a listing and an open product.
fn sessions(mall: &Arc<Mall>) {
    const COUNT: u64 = 10_000;
    let before = resident();
    let sessions: Vec<Session> = (0..COUNT)
        .map(|seed| {
            let key = TaskKey { split: Split::Train, scenario: Scenario::MultiTurnPersona, seed };
            let (mut session, _) = Session::start(Arc::clone(mall), &key);
            for action in ["搜索乳胶枕", "打开#1"] {
                let _ = session.step(action);
            }
            session
        })
        .collect();
    let bytes = resident().saturating_sub(before) / COUNT;
    println!(
        "{bytes} bytes a session, {} sessions open; {} MiB in all\n",
        sessions.len(),
        resident() >> 20
    );
}

/// Resident memory of this process in bytes; 0 if `/proc` is not readable.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|it| it.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// CPU time of this process in seconds, with a resolution of 1/100 s; 0 if `/proc` is not readable. Less affected by other
/// processes than wall time.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The process name in parentheses may contain spaces, so skip it. User and system time are fields 12 and 13 after it.
    let (_, fields) = stat.rsplit_once(") ").unwrap_or_default();
    let ticks = fields.split(' ').skip(11).take(2).filter_map(|it| it.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}
