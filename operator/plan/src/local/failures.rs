//! The recent failures of one process.

use std::collections::VecDeque;
use std::time::Duration;

use crate::restart::RestartBudget;

/// Times of the failures of one process within the budget's window, since the run began.
#[derive(Debug, Clone, Default)]
pub(super) struct RecentFailures {
    times: VecDeque<Duration>,
}

impl RecentFailures {
    /// Records a failure at `now`. Returns the time of the restart, or `None` if the budget is spent.
    pub(super) fn record(&mut self, budget: &RestartBudget, now: Duration) -> Option<Duration> {
        while self.times.front().is_some_and(|oldest| *oldest + budget.window <= now) {
            self.times.pop_front();
        }
        let back_off = budget.back_off(self.times.len())?;
        self.times.push_back(now);
        Some(now + back_off)
    }
}
