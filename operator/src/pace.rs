//! How often something may be done: a bucket of tokens.

use std::sync::{Mutex, PoisonError};

use k8s_openapi::jiff::Timestamp;

/// Lets a number of things happen a second; so many at once when nothing happened for a while.
#[derive(Debug)]
pub struct Pace {
    a_second: u32,
    state: Mutex<Option<(f64, Timestamp)>>,
}

impl Pace {
    /// At most this many a second.
    pub const fn a_second(a_second: u32) -> Self {
        Self { a_second, state: Mutex::new(None) }
    }

    /// Whether it may be done at `now`; if so, it counts.
    pub fn may(&self, now: Timestamp) -> bool {
        let most = f64::from(self.a_second);
        // Two numbers: whole at every moment, also after a panic beside them.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (tokens, before) = state.unwrap_or((most, now));
        // A clock that went back gives nothing.
        let passed = now.duration_since(before).as_secs_f64().max(0.0);
        let tokens = passed.mul_add(most, tokens).min(most);
        let may = tokens >= 1.0;
        *state = Some((if may { tokens - 1.0 } else { tokens }, now.max(before)));
        may
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::jiff::{SignedDuration, Timestamp};

    use super::Pace;

    #[test]
    fn a_bucket_gives_its_rate_and_no_more_whatever_the_clock_does() {
        let pace = Pace::a_second(10);
        let at = |milliseconds| Timestamp::UNIX_EPOCH + SignedDuration::from_millis(milliseconds);
        let given = |from: i64, to: i64| (from..to).filter(|now| pace.may(at(*now))).count();
        // A full bucket and a second's worth.
        assert_eq!(given(0, 1_000), 19);
        assert_eq!(given(1_000, 11_000), 100);
        assert_eq!(given(0, 1_000), 0, "the clock went back");
        // A pause saves up no more than the bucket holds.
        let burst = (0..100).filter(|_| pace.may(at(3_600_000))).count();
        assert_eq!(burst, 10);
    }
}
