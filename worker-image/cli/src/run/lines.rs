//! The state of a job as one line, and how often a line is printed.

use std::time::Duration;

use shoprl_contract::TrainerPhase;
use shoprl_contract::v1::GetProgressResponse;
use shoprl_worker::report::duration;

use super::forecast::Forecast;

/// A wait is shown after this time. Every step has shorter waits.
const MIN_WAIT: Duration = Duration::from_secs(2);
/// Interval of lines in a pipe while only numbers change.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// The state of a job as texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Phase and step, for example `training 12/70`.
    pub(super) phase: String,
    /// What the job waits for.
    pub(super) waiting: Option<String>,
    /// The newest success rate.
    success: Option<String>,
    /// Share of the work that is done.
    share: String,
    /// Time since the run started.
    elapsed: String,
    /// Time left.
    left: Option<String>,
}

impl Line {
    /// A short form that fits next to the bar in a terminal of 80 columns.
    pub(super) fn short(&self) -> String {
        let waiting = self.waiting.as_ref().map(|waiting| format!("waiting for {waiting}"));
        let parts = [waiting, self.success.clone(), Some(self.share.clone()), self.left.clone()];
        let mut line = self.phase.clone();
        for part in parts.iter().flatten() {
            line += &format!(", {part}");
        }
        line
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.phase)?;
        if let Some(waiting) = &self.waiting {
            write!(f, ", waiting for {waiting}")?;
        }
        if let Some(success) = &self.success {
            write!(f, ", {success}")?;
        }
        write!(f, ", {} done after {}", self.share, self.elapsed)?;
        self.left.iter().try_for_each(|left| write!(f, ", {left}"))
    }
}

/// Turns progress reports into lines.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines {
    forecast: Forecast,
    waiting_since: Option<Duration>,
    printed: Option<(Duration, String)>,
}

impl Lines {
    /// The line for a report at `now`, measured from the start of the run.
    pub(super) fn line(&mut self, report: &GetProgressResponse, now: Duration) -> Line {
        let since = if report.waiting_for.is_empty() {
            None
        } else {
            Some(self.waiting_since.unwrap_or(now))
        };
        self.waiting_since = since;
        let waiting = since
            .filter(|since| now.saturating_sub(*since) >= MIN_WAIT)
            .map(|_| report.waiting_for.clone());
        let phase = match TrainerPhase::read(report) {
            Some(phase @ TrainerPhase::Training) => {
                format!("{} {}/{}", phase.name(), report.step, report.target_steps)
            }
            Some(phase) => phase.name().to_owned(),
            None => "unknown phase".to_owned(),
        };
        let left = self.forecast.left(now, report.done).filter(|_| waiting.is_none());
        Line {
            phase,
            waiting,
            success: (report.success >= 0.0).then(|| format!("success {:.2}", report.success)),
            share: format!("{:.0} %", (report.done * 100.0).floor()),
            elapsed: duration(now.as_secs_f64()),
            left: left.map(|left| format!("about {} left", duration(left.as_secs_f64()))),
        }
    }

    /// Whether a pipe gets this line: immediately if the phase or the wait changed, else every [`LINE_INTERVAL`].
    pub(super) fn is_due(
        &mut self,
        report: &GetProgressResponse,
        line: &Line,
        now: Duration,
    ) -> bool {
        // Before the colon is what the job waits for; the counts after it change all the time.
        let awaited = line.waiting.as_deref().and_then(|waiting| waiting.split(':').next());
        let phase = TrainerPhase::read(report).map_or("", TrainerPhase::name);
        let state = format!("{phase} {}", awaited.unwrap_or_default());
        let due = match &self.printed {
            Some((at, printed)) => *printed != state || now.saturating_sub(*at) >= LINE_INTERVAL,
            None => true,
        };
        if due {
            self.printed = Some((now, state));
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::BAR_WIDTH;
    use super::*;

    fn report(
        phase: &str,
        step: u64,
        done: f64,
        success: f64,
        waiting_for: &str,
    ) -> GetProgressResponse {
        GetProgressResponse {
            phase: phase.to_owned(),
            step,
            target_steps: 70,
            done,
            success,
            waiting_for: waiting_for.to_owned(),
            ..GetProgressResponse::default()
        }
    }

    #[test]
    fn a_line_has_phase_wait_success_share_and_time() {
        let mut lines = Lines::default();
        let mut check = |seconds, report: &GetProgressResponse, expected: &str| {
            assert_eq!(lines.line(report, Duration::from_secs(seconds)).to_string(), expected);
        };
        check(1, &report("warmup", 0, 0.0, -1.0, ""), "warmup, 0 % done after 1.0 s");
        check(
            61,
            &report("warmup", 0, 0.25, 0.41, ""),
            "warmup, success 0.41, 25 % done after 1 min 01 s, about 3 min 00 s left",
        );
        check(
            121,
            &report("training", 12, 0.5, 0.6, ""),
            "training 12/70, success 0.60, 50 % done after 2 min 01 s, about 2 min 00 s left",
        );
        let waiting =
            report("training", 12, 0.5, 0.6, "a reward worker: 128 trajectories have no score");
        check(
            122,
            &waiting,
            "training 12/70, success 0.60, 50 % done after 2 min 02 s, about 2 min 01 s left",
        );
        check(
            124,
            &waiting,
            "training 12/70, waiting for a reward worker: 128 trajectories have no score, success 0.60, 50 % done after 2 min 04 s",
        );
    }

    #[test]
    fn the_short_form_fits_next_to_the_bar_in_80_columns() {
        let mut lines = Lines::default();
        lines.line(&report("training", 1, 0.5, 0.4, ""), Duration::from_secs(1));
        let later = Duration::from_secs(3600);
        let short = lines.line(&report("training", 12, 0.8, 0.6, ""), later).short();
        assert_eq!(short, "training 12/70, success 0.60, 80 %, about 39 min 59 s left");
        assert!(short.len() < 80 - BAR_WIDTH, "{} columns", short.len());
    }

    #[test]
    fn a_pipe_gets_a_line_on_a_change_and_every_ten_seconds() {
        let mut lines = Lines::default();
        let mut check = |seconds, report: &GetProgressResponse, expected: bool| {
            let now = Duration::from_secs(seconds);
            let line = lines.line(report, now);
            assert_eq!(lines.is_due(report, &line, now), expected, "{seconds} s {line}");
        };
        check(0, &report("warmup", 0, 0.0, -1.0, ""), true);
        check(9, &report("warmup", 0, 0.1, 0.2, ""), false);
        check(10, &report("warmup", 0, 0.1, 0.2, ""), true);
        check(11, &report("training", 1, 0.2, 0.3, ""), true);
        check(12, &report("training", 2, 0.2, 0.3, "a rollout worker: 8 episodes"), false);
        check(14, &report("training", 2, 0.2, 0.3, "a rollout worker: 8 episodes"), true);
        check(15, &report("training", 2, 0.2, 0.3, "a rollout worker: 7 episodes"), false);
        check(16, &report("training", 2, 0.2, 0.3, ""), true);
    }
}
