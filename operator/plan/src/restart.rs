//! When a failed worker is restarted, and how long a worker may take to stop. A cluster and `shoprl run` share the numbers.

use std::time::Duration;

/// How long the trainer may take to stop: it writes a checkpoint first.
pub const TRAINER_GRACE: Duration = Duration::from_secs(60);
/// How long any other worker may take to stop.
pub const WORKER_GRACE: Duration = Duration::from_secs(10);

/// How many failures within a window are answered with a restart, and the back-off before each restart.
///
/// A cluster counts the failures of all workers of a job together; `shoprl run` counts per process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestartBudget {
    /// Failures within the window; the next one ends the job.
    pub failures: usize,
    /// Older failures do not count.
    pub window: Duration,
    /// Back-off before the second restart within the window. The first restart is immediate.
    pub first_back_off: Duration,
    /// Upper limit of the back-off, which doubles with each failure.
    pub max_back_off: Duration,
}

impl RestartBudget {
    /// The budget of every job.
    pub const DEFAULT: Self = Self {
        failures: 6,
        window: Duration::from_secs(3600),
        first_back_off: Duration::from_secs(1),
        max_back_off: Duration::from_secs(30),
    };

    /// Back-off before the restart after a failure, given the number of earlier failures within the window. `None` if
    /// the budget is spent.
    pub(crate) fn back_off(&self, earlier: usize) -> Option<Duration> {
        if earlier >= self.failures {
            return None;
        }
        let Some(doublings) = earlier.checked_sub(1) else { return Some(Duration::ZERO) };
        let factor = 2_u32.saturating_pow(u32::try_from(doublings).unwrap_or(u32::MAX));
        Some(self.first_back_off.saturating_mul(factor).min(self.max_back_off))
    }
}

#[cfg(test)]
mod tests {
    use super::RestartBudget;

    #[test]
    fn the_back_off_doubles_up_to_its_maximum_until_the_budget_is_spent() {
        let seconds = |budget: RestartBudget| -> Vec<Option<u64>> {
            (0..9).map(|earlier| budget.back_off(earlier).map(|it| it.as_secs())).collect()
        };
        let of = |pauses: &[u64]| -> Vec<Option<u64>> {
            (0..9).map(|earlier| pauses.get(earlier).copied()).collect()
        };
        assert_eq!(seconds(RestartBudget::DEFAULT), of(&[0, 1, 2, 4, 8, 16]));
        let patient = RestartBudget { failures: 8, ..RestartBudget::DEFAULT };
        assert_eq!(seconds(patient), of(&[0, 1, 2, 4, 8, 16, 30, 30]));
    }
}
