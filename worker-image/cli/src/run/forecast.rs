//! How long it will take yet.

use std::time::Duration;

/// Nothing is forecast before this share of the work was seen to be done.
const LEAST_SEEN: f64 = 0.01;
/// Nor before this time has passed: the first report of a continued run comes in the middle of something.
const LEAST_TIME: Duration = Duration::from_secs(5);

/// Forecasts from the pace since the first report: a continued run does not begin at nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Forecast {
    first: Option<(Duration, f64)>,
}

impl Forecast {
    /// Time left when the share `done` is done at `now`; `None` while there is too little to go by.
    pub(super) fn left(&mut self, now: Duration, done: f64) -> Option<Duration> {
        let (began, had) = *self.first.get_or_insert((now, done));
        let gained = done - had;
        let took = now.saturating_sub(began);
        if gained < LEAST_SEEN || took < LEAST_TIME || done >= 1.0 {
            return None;
        }
        let seconds = took.as_secs_f64() * (1.0 - done) / gained;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// A duration as one says it.
pub(super) fn spoken(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forecast_goes_by_the_pace_since_the_run_was_begun_or_continued() {
        let mut forecast = Forecast::default();
        let mut check = |seconds, done, expected: Option<u64>| {
            let left = forecast.left(Duration::from_secs(seconds), done);
            assert_eq!(left.map(|left| left.as_secs()), expected, "{seconds} s, {done}");
        };
        check(10, 0.5, None);
        check(11, 0.505, None);
        check(14, 0.6, None);
        check(20, 0.6, Some(40));
        check(30, 0.6, Some(80));
        check(40, 0.75, Some(30));
        check(60, 1.0, None);
        check(60, f64::NAN, None);
    }

    #[test]
    fn durations_are_said_in_two_units() {
        let check =
            |seconds, expected: &str| assert_eq!(spoken(Duration::from_secs(seconds)), expected);
        check(0, "0 s");
        check(59, "59 s");
        check(60, "1 min 00 s");
        check(754, "12 min 34 s");
        check(3600 * 26 + 61, "26 h 01 min");
    }
}
