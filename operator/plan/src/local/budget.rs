//! How often a process may fail, and how long it waits before it is started again.

use std::collections::VecDeque;
use std::time::Duration;

/// How failures are answered. Times are durations since the run began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestartPolicy {
    /// Restarts of one process within `window`; the next failure ends the job.
    pub restarts: usize,
    /// Failures older than this are forgotten.
    pub window: Duration,
    /// Pause before the second restart within the window; the first is at once, each later one waits twice as long.
    pub pause: Duration,
    /// Longest pause.
    pub longest_pause: Duration,
    /// How long the trainer may take for its last checkpoint.
    pub checkpoint_grace: Duration,
    /// How long any other process may take to leave.
    pub grace: Duration,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            restarts: 6,
            window: Duration::from_secs(3600),
            pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(30),
            checkpoint_grace: Duration::from_secs(60),
            grace: Duration::from_secs(10),
        }
    }
}

/// The failures of one process within the window.
#[derive(Debug, Clone, Default)]
pub(super) struct Budget {
    failures: VecDeque<Duration>,
}

impl Budget {
    /// Notes a failure at `now`. `Some(when to start again)`, or `None` when the budget is spent.
    pub(super) fn fail(&mut self, policy: &RestartPolicy, now: Duration) -> Option<Duration> {
        while self.failures.front().is_some_and(|first| *first + policy.window <= now) {
            self.failures.pop_front();
        }
        let earlier = self.failures.len();
        if earlier >= policy.restarts {
            return None;
        }
        self.failures.push_back(now);
        let pause = match u32::try_from(earlier) {
            Ok(0) => Duration::ZERO,
            Ok(n) => {
                policy.pause.saturating_mul(2_u32.saturating_pow(n - 1)).min(policy.longest_pause)
            }
            Err(_) => policy.longest_pause,
        };
        Some(now + pause)
    }
}
