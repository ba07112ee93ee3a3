//! The view of a run: a bar on a terminal, plain lines in a pipe.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use shoprl_contract::v1::GetProgressResponse;

use super::lines::Lines;

/// Width of the bar: the longest line fits next to it in 80 columns.
pub(super) const BAR_WIDTH: usize = 16;
/// Positions of the full bar.
const FULL: u64 = 1000;

/// The view of one run.
pub(super) struct View {
    lines: Lines,
    bar: Option<ProgressBar>,
    out: Box<dyn Write>,
}

impl View {
    /// A view on standard output.
    pub(super) fn on_stdout() -> Self {
        Self::new(std::io::stdout().is_terminal(), Box::new(std::io::stdout()))
    }

    /// A view that writes plain lines to `out`, or draws a bar if `terminal`.
    pub(super) fn new(terminal: bool, out: Box<dyn Write>) -> Self {
        let bar = terminal.then(|| {
            let bar = ProgressBar::with_draw_target(Some(FULL), ProgressDrawTarget::stdout());
            let template = format!("{{bar:{BAR_WIDTH}.green/dim}} {{wide_msg}}");
            let style = ProgressStyle::with_template(&template);
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
                .with_message("starting")
        });
        Self { lines: Lines::default(), bar, out }
    }

    /// Shows the newest report, `now` after the start of the run.
    pub(super) fn show(&mut self, report: Option<&GetProgressResponse>, now: Duration) {
        let Some(report) = report else {
            self.bar.iter().for_each(ProgressBar::tick);
            return;
        };
        let line = self.lines.line(report, now);
        if let Some(bar) = &self.bar {
            bar.set_position((report.done.clamp(0.0, 1.0) * FULL as f64) as u64);
            bar.set_message(line.short());
        } else if self.lines.is_due(report, &line, now) {
            self.print(&line.to_string());
        }
    }

    /// Prints a line.
    pub(super) fn note(&mut self, text: &str) {
        match &self.bar {
            Some(bar) if !bar.is_finished() => bar.println(text),
            _ => self.print(text),
        }
    }

    /// Removes the bar.
    pub(super) fn close(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Ignores errors: a closed pipe does not end the run.
    fn print(&mut self, text: &str) {
        let _ = writeln!(self.out, "{text}").and_then(|()| self.out.flush());
    }
}
