//! Invalid input against both shops: actions, task keys, sessions that are opened and dropped, stored catalogs. This is a
//! program of its own, because it measures the memory of its process.
//!
//! By default it plays 20,000 cases. To play more or others:
//! `SHOPRL_CASES=1000000 SHOPRL_SEED=7 cargo test --release -p shoprl-simulator --test fuzz -- --nocapture`
//! (results: docs/benchmarks/fuzz.md). A case is a function of (seed, number), and a failure prints both.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod actions;
mod files;
mod sessions;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use shoprl_rl::seed::{Purpose, Stream};
use shoprl_simulator::mall::Mall;
use shoprl_simulator::{Preset, Shop, TaskKey, mall};

use sessions::Sessions;

/// One case in 250 is a stored catalog of 7 MB.
const FILES: u64 = 250;
/// One case in 10 is the text of a task key.
const KEYS: u64 = 10;
/// Allowed growth of the process in bytes after warm-up: slack of the allocator.
const GROWTH: u64 = 32 << 20;

/// Resident memory of this process in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[expect(
    clippy::disallowed_methods,
    reason = "the number of cases is a setting of the long command"
)]
fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn bad_input_is_answered_and_costs_no_memory() {
    let (cases, seed) = (setting("SHOPRL_CASES", 20_000), setting("SHOPRL_SEED", 0));
    let mall = Arc::new(Mall::generate(mall::Preset::Fine, 0).unwrap());
    let mini = Arc::new(Shop::open(Preset::Mini, 0).unwrap());
    let stored = mall.to_bytes();
    let mut sessions = Sessions::new(Arc::clone(&mall), mini);
    let (mut settled, mut counts) = (0, [0u64; 4]);
    for case in 0..cases {
        if case == cases / 4 {
            settled = resident();
        }
        let mut stream = Stream::new(seed, Purpose::Fault, &[2, case]);
        let play = catch_unwind(AssertUnwindSafe(|| {
            if case % FILES == 0 {
                files::play(&stored, &mut stream)
            } else if case % KEYS == 1 {
                key(&mut stream)
            } else {
                sessions.play(&mut stream)
            }
        }));
        let outcome = play.unwrap_or_else(|_| panic!("seed {seed}, case {case} panicked"));
        counts[outcome as usize] += 1;
    }
    let grown = resident().saturating_sub(settled);
    println!(
        "{cases} cases, seed {seed}: {} steps, {} of them refused; {} files and keys taken, {} refused; \
         resident {} kB after a quarter, {} kB more at the end",
        counts[Outcome::Done as usize] + counts[Outcome::Refused as usize],
        counts[Outcome::Refused as usize],
        counts[Outcome::Taken as usize],
        counts[Outcome::NotTaken as usize],
        settled / 1024,
        grown / 1024
    );
    assert!(grown < GROWTH, "{grown} bytes more");
    assert!(counts.iter().all(|count| *count > 0), "some kind of answer did not occur: {counts:?}");
}

/// How a case was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// An accepted action.
    Done,
    /// A refused action, with a reason.
    Refused,
    /// Valid bytes or text.
    Taken,
    /// Bytes or text refused with a reason.
    NotTaken,
}

/// The text of a task key with some characters changed.
fn key(stream: &mut Stream) -> Outcome {
    let key = sessions::key(stream);
    let text = actions::mutated(stream, &serde_json::to_string(&key).unwrap());
    match serde_json::from_str::<TaskKey>(&text) {
        Ok(_) => Outcome::Taken,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            Outcome::NotTaken
        }
    }
}
