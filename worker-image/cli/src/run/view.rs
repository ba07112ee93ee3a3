//! How a run looks: a bar on a terminal, plain lines in a pipe.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use shoprl_contract::v1::GetProgressResponse;

use super::lines::Lines;

/// Columns of the bar: beside it the longest line fits into 80.
pub(super) const BAR_WIDTH: usize = 16;
/// The bar's resolution.
const WHOLE: u64 = 1000;

/// A run's view.
pub(super) struct View {
    lines: Lines,
    bar: Option<ProgressBar>,
    out: Box<dyn Write>,
}

impl View {
    /// The view on the standard output.
    pub(super) fn on_stdout() -> Self {
        Self::new(std::io::stdout().is_terminal(), Box::new(std::io::stdout()))
    }

    /// A view that writes plain lines to `out`, but for the bar of a terminal.
    pub(super) fn new(terminal: bool, out: Box<dyn Write>) -> Self {
        let bar = terminal.then(|| {
            let bar = ProgressBar::with_draw_target(Some(WHOLE), ProgressDrawTarget::stdout());
            let template = format!("{{bar:{BAR_WIDTH}.green/dim}} {{wide_msg}}");
            let style = ProgressStyle::with_template(&template);
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
                .with_message("starting")
        });
        Self { lines: Lines::default(), bar, out }
    }

    /// Shows the newest report, `now` after the run began.
    pub(super) fn show(&mut self, report: Option<&GetProgressResponse>, now: Duration) {
        let Some(report) = report else {
            self.bar.iter().for_each(ProgressBar::tick);
            return;
        };
        let line = self.lines.line(report, now);
        if let Some(bar) = &self.bar {
            bar.set_position((report.done.clamp(0.0, 1.0) * WHOLE as f64) as u64);
            bar.set_message(line.short());
        } else if self.lines.is_due(report, &line, now) {
            self.print(&line.to_string());
        }
    }

    /// Says something once.
    pub(super) fn note(&mut self, text: &str) {
        match &self.bar {
            Some(bar) if !bar.is_finished() => bar.println(text),
            _ => self.print(text),
        }
    }

    /// Takes the bar away.
    pub(super) fn close(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// A reader that went away does not end the run.
    fn print(&mut self, text: &str) {
        let _ = writeln!(self.out, "{text}").and_then(|()| self.out.flush());
    }
}
