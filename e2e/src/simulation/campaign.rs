//! Runs over many seeds.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Bug, Coverage, run};

/// The results of many runs.
#[derive(Debug, Default)]
pub struct Campaign {
    /// Number of runs.
    pub runs: u64,
    /// Seeds with a violated invariant, and which.
    pub violations: Vec<(u64, String)>,
    /// The faults and events that occurred.
    pub coverage: Coverage,
    /// Combined digest of all traces.
    pub digest: u64,
}

/// Violations of one thread after which the campaign stops.
const MAX_VIOLATIONS: usize = 10;

/// Runs all seeds on `threads` threads.
///
/// # Panics
/// When a run panics.
pub fn campaign(seeds: Range<u64>, threads: usize) -> Campaign {
    let next = AtomicU64::new(seeds.start);
    let all = Mutex::new(Campaign::default());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                let mut own = Campaign::default();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    own.add(seed, run(seed, None, false));
                    if own.violations.len() >= MAX_VIOLATIONS {
                        next.fetch_max(seeds.end, Ordering::Relaxed);
                    }
                }
                let mut all = all.lock().expect("a thread that panics ends the campaign");
                all.merge(own);
            });
        }
    });
    let mut all = all.into_inner().expect("a thread that panics ends the campaign");
    all.violations.sort();
    all
}

/// The first of `seeds` at which a planted bug is found, with the violated invariant.
pub fn hunt(bug: Bug, seeds: Range<u64>) -> Option<(u64, String)> {
    seeds.into_iter().find_map(|seed| Some((seed, run(seed, Some(bug), false).violation?)))
}

impl Campaign {
    fn add(&mut self, seed: u64, outcome: super::Outcome) {
        self.runs += 1;
        self.coverage.add(&outcome.coverage);
        // XOR is independent of the order of the threads.
        self.digest ^= outcome.digest.rotate_left(u32::try_from(seed % 64).unwrap_or_default());
        self.violations.extend(outcome.violation.map(|what| (seed, what)));
    }

    fn merge(&mut self, other: Self) {
        self.runs += other.runs;
        self.coverage.add(&other.coverage);
        self.digest ^= other.digest;
        self.violations.extend(other.violations);
    }
}
