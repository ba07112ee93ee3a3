//! The operator's real reconcile in a model cluster: each seed gives another sequence of faults.

use shoprl_e2e::simulation::{Bug, campaign, hunt, replay_command, run};

/// Seeds without a planted bug.
const SEEDS: u64 = 20_000;
/// Seeds within which each planted bug must be found.
const HUNT: u64 = 20_000;

#[test]
fn under_all_faults_the_invariants_hold_and_the_job_reaches_its_goal() {
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
    assert!(holes.is_empty(), "never exercised: {holes:#?}");
}

#[test]
fn a_seed_determines_every_byte_of_a_run() {
    for seed in 0..20 {
        let (first, second) = (run(seed, None, true), run(seed, None, true));
        assert_eq!(first.trace, second.trace, "seed {seed}");
        assert_eq!(first.digest, second.digest, "seed {seed}");
    }
    assert_ne!(run(0, None, false).digest, run(1, None, false).digest);
}

#[test]
fn every_planted_bug_is_found() {
    for bug in Bug::ALL {
        let found = hunt(bug, 0..HUNT);
        let (seed, what) =
            found.unwrap_or_else(|| panic!("{bug:?} was not found within {HUNT} seeds"));
        println!("{bug:?}: after {} seeds: {what}", seed + 1);
    }
}
