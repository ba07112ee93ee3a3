//! Jobs on a modelled cluster, run by the real reconcile: every seed is another history of faults.

use shoprl_e2e::simulation::{Bug, campaign, hunt, replay_command, run};

/// A run is mostly small objects that come and go.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Seeds that the gate runs.
const SEEDS: u64 = 20_000;
/// Seeds within which every planted bug is found.
const HUNT: u64 = 20_000;

#[test]
fn whatever_goes_wrong_the_books_are_right_and_the_job_gets_where_it_was_to_go() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let done = campaign(0..SEEDS, threads);
    println!("{}", done.coverage);
    let failures: Vec<String> = done
        .violations
        .iter()
        .map(|(seed, what)| format!("{what}\n    {}", replay_command(*seed)))
        .collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    assert_eq!(done.runs, SEEDS);
    let holes = done.coverage.holes();
    assert!(holes.is_empty(), "never tried: {holes:#?}");
}

#[test]
fn a_seed_decides_every_byte() {
    for seed in 0..20 {
        let (one, two) = (run(seed, None, true), run(seed, None, true));
        assert_eq!(one.trace, two.trace, "seed {seed}");
        assert_eq!(one.digest, two.digest, "seed {seed}");
    }
    assert_ne!(run(0, None, false).digest, run(1, None, false).digest);
}

#[test]
fn every_planted_bug_is_found() {
    for bug in Bug::ALL {
        let found = hunt(bug, 0..HUNT);
        let (seed, what) =
            found.unwrap_or_else(|| panic!("{bug:?} is not found within {HUNT} seeds"));
        println!("{bug:?}: after {} seeds: {what}", seed + 1);
    }
}
