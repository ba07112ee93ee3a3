//! Measures how hard the tasks of the large shop are, per scenario and split, and prints the episodes of the first seeds
//! in which the expert fails.
//!
//! `cargo run --release -p shoprl-simulator --example difficulty [TASKS [SEEDS [FILE]]]`. FILE is a shop written by
//! `shoprl catalog build`; default: the preset `fine`.

#![allow(clippy::disallowed_methods, reason = "an example that measures time")]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use shoprl_simulator::mall::difficulty::{difficulty, play};
use shoprl_simulator::mall::{Mall, Preset, agent};
use shoprl_simulator::{Scenario, Split, TaskKey};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let argument =
        |index, default| std::env::args().nth(index).map_or(Ok(default), |it| it.parse());
    let (tasks, seeds): (u64, u64) = (argument(1, 400)?, argument(2, 0)?);
    let opening = Instant::now();
    let mall = Arc::new(match std::env::args().nth(3) {
        Some(path) => Mall::open(Path::new(&path))?,
        None => Mall::generate(Preset::Fine, 0)?,
    });
    println!("opened in {:.0?}; digest {}", opening.elapsed(), mall.catalog().digest());
    println!(
        "| scenario | split | first | within 20 | reciprocal rank | search once | random | expert | turns | nothing fits |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for scenario in Scenario::ALL {
        for split in [Split::Train, Split::HeldOut] {
            let it = difficulty(&mall, split, scenario, tasks)?;
            let percent = |share: f64| format!("{:.1}", 100.0 * share);
            println!(
                "| {scenario:?} | {split:?} | {} | {} | {:.3} | {} | {} | {} | {:.1} | {} |",
                percent(it.first),
                percent(it.within_20),
                it.reciprocal_rank,
                percent(it.search_first),
                percent(it.random),
                percent(it.expert),
                it.turns,
                percent(it.nothing_fits)
            );
        }
    }
    for seed in 0..seeds {
        for scenario in Scenario::ALL {
            let key = TaskKey { split: Split::HeldOut, scenario, seed };
            let (replay, actions) = play(&mall, &key, agent::expert())?;
            if replay.outcome.success == 1.0 {
                continue;
            }
            println!("\n== {scenario:?} {seed}");
            for (index, observation) in replay.observations.iter().enumerate() {
                println!("{observation}");
                if let Some(action) = actions.get(index) {
                    println!("> {action}");
                }
            }
        }
    }
    Ok(())
}
