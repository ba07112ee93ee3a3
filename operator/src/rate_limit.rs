//! A token bucket that takes the time as an argument.

use std::sync::{Mutex, PoisonError};

use k8s_openapi::jiff::Timestamp;

/// A token bucket that holds one second's worth of tokens.
#[derive(Debug)]
pub struct RateLimit {
    per_second: u32,
    /// The tokens, and when they were counted.
    state: Mutex<Option<(f64, Timestamp)>>,
}

impl RateLimit {
    /// A full bucket with this rate.
    pub const fn per_second(per_second: u32) -> Self {
        Self { per_second, state: Mutex::new(None) }
    }

    /// Takes a token at `now`, if there is one.
    pub fn try_take(&self, now: Timestamp) -> bool {
        let capacity = f64::from(self.per_second);
        // The state is assigned in one step, so a panic elsewhere leaves it valid.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (tokens, counted) = state.unwrap_or((capacity, now));
        // A clock that went backwards adds no tokens.
        let elapsed = now.duration_since(counted).as_secs_f64().max(0.0);
        let tokens = elapsed.mul_add(capacity, tokens).min(capacity);
        let taken = tokens >= 1.0;
        *state = Some((if taken { tokens - 1.0 } else { tokens }, now.max(counted)));
        taken
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::jiff::{SignedDuration, Timestamp};

    use super::RateLimit;

    #[test]
    fn a_bucket_keeps_its_rate_even_if_the_clock_goes_backwards() {
        let limit = RateLimit::per_second(10);
        let at = |milliseconds| Timestamp::UNIX_EPOCH + SignedDuration::from_millis(milliseconds);
        let taken = |from: i64, to: i64| (from..to).filter(|now| limit.try_take(at(*now))).count();
        // A full bucket and a second's worth.
        assert_eq!(taken(0, 1_000), 19);
        assert_eq!(taken(1_000, 11_000), 100);
        assert_eq!(taken(0, 1_000), 0, "the clock went backwards");
        // A long pause saves no more than the bucket holds.
        let burst = (0..100).filter(|_| limit.try_take(at(3_600_000))).count();
        assert_eq!(burst, 10);
    }
}
