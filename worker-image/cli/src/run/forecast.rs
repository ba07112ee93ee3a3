//! Forecast of the time left.

use std::time::Duration;

/// Share of the work that must be done since the first report before a forecast.
const MIN_PROGRESS: f64 = 0.01;
/// Time that must pass before a forecast: the first report of a continued run comes in the middle of its work.
const MIN_TIME: Duration = Duration::from_secs(5);

/// Forecasts from the pace since the first report, because a continued run does not begin at 0.
#[derive(Debug, Clone, Default)]
pub(super) struct Forecast {
    first: Option<(Duration, f64)>,
}

impl Forecast {
    /// Time left when the share `done` is done at `now`; `None` without enough data.
    pub(super) fn left(&mut self, now: Duration, done: f64) -> Option<Duration> {
        let (first_time, first_done) = *self.first.get_or_insert((now, done));
        let gained = done - first_done;
        let took = now.saturating_sub(first_time);
        if gained < MIN_PROGRESS || took < MIN_TIME || done >= 1.0 {
            return None;
        }
        let seconds = took.as_secs_f64() * (1.0 - done) / gained;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forecast_uses_the_pace_since_the_first_report() {
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
}
