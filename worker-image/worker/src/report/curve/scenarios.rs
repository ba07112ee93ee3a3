//! Each scenario before and after reinforcement learning.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;
use shoprl_contract::run_folder::{Decoding, Subject};

use super::panel::{self, Mark, Place, Text, disc, pixel, stroke, write};
use super::{Area, Failure, GREEDY, GRID, INK};
use crate::report::document::{Report, SubjectResult};
use crate::report::headline;
use crate::report::number::percent;

const PLACE: Place = Place { left: 908.0, right: 1170.0, top: 152.0, bottom: 444.0 };
/// Radius of a mark and of the hole in an open one, pixels.
const MARK: (f64, f64) = (5.4, 3.6);

/// Draws the panel.
pub(super) fn draw(area: &Area<'_>, report: &Report) -> Result<(), Failure> {
    panel::title(area, PLACE, ("By scenario", "held-out tasks, greedy"), 44.0)?;
    let legend = [("after warm-up", GREEDY, Mark::Ring), ("after RL", GREEDY, Mark::Disc)];
    panel::legend(area, PLACE, &legend)?;
    let mut chart = panel::chart(area, PLACE, 0.0..1.0, 0.0..1.0)?;
    panel::x_axis(area, &chart, &[0.0, 0.5, 1.0], |tick| format!("{:.0} %", tick * 100.0))?;
    let before = report.result(Subject::Warmup, Decoding::Greedy);
    let after = report.result(Subject::Trained, Decoding::Greedy);
    let Some(measured) = after.or(before) else {
        return panel::notice(area, PLACE, "not measured yet");
    };
    let count = measured.scenarios.len() as f64;
    for (number, scenario) in measured.scenarios.keys().enumerate() {
        let y = 1.0 - (number as f64 + 0.65) / count;
        let rate = |result: Option<&SubjectResult>| Some(result?.scenarios.get(scenario)?.success);
        let (before, after) = (rate(before), rate(after));
        let rates = || [before, after].into_iter().flatten();
        let words = rates().map(|rate| percent(rate.mean)).collect::<Vec<_>>().join(" → ");
        let above = pixel(&chart, (0.0, y)).1 - 14.0;
        let name = headline::scenario(*scenario);
        write(area, name, (PLACE.left, above), HPos::Left, Text::plain(INK))?;
        write(area, &words, (PLACE.right, above), HPos::Right, Text::bold(GREEDY))?;

        let line = |from: f64, to: f64, style| PathElement::new([(from, y), (to, y)], style);
        let tick = |x: f64| PathElement::new([(x, y - 0.016), (x, y + 0.016)], stroke(GRID, 1.0));
        chart.draw_series([line(0.0, 1.0, stroke(GRID, 1.0)), tick(0.0), tick(0.5), tick(1.0)])?;
        chart.draw_series(rates().map(|rate| line(rate.low, rate.high, stroke(GREEDY, 1.2))))?;
        if let (Some(before), Some(after)) = (before, after) {
            chart.draw_series([line(before.mean, after.mean, stroke(GREEDY, 3.0))])?;
        }
        if let Some(before) = before {
            let center = (before.mean, y);
            chart.draw_series([disc(center, MARK.0, GREEDY), disc(center, MARK.1, WHITE)])?;
        }
        chart.draw_series(after.map(|after| disc((after.mean, y), MARK.0, GREEDY)))?;
    }
    Ok(())
}
