//! Success over the steps: training tasks as sampled, held-out tasks as measured, and the baselines' rates as lines.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;
use shoprl_contract::run_folder::{Decoding, Subject};

use super::panel::{self, Chart, Mark, Place, Text, disc, stroke, write};
use super::{Area, FAINT, Failure, GREEDY, MUTED, SAMPLED, SCALE};
use crate::report::document::Report;
use crate::report::headline;
use crate::report::number::percent;
use crate::report::run::Run;

/// Place of the panel.
pub(super) const PLACE: Place = Place { left: 84.0, right: 660.0, top: 152.0, bottom: 444.0 };

/// Draws the panel.
pub(super) fn draw(area: &Area<'_>, run: &Run, report: &Report) -> Result<(), Failure> {
    panel::title(area, PLACE, ("Success", "over steps of reinforcement learning"), 44.0)?;
    let legend = [
        ("held-out tasks, greedy, with 95 % interval", GREEDY, Mark::Disc),
        ("held-out tasks, sampled", SAMPLED, Mark::Disc),
        ("training tasks, sampled", SAMPLED, Mark::Line),
    ];
    panel::legend(area, PLACE, &legend)?;
    let mut chart = panel::chart(area, PLACE, 0.0..super::steps(run), 0.0..1.0)?;
    panel::grid(area, &mut chart, 6, |tick| format!("{:.0} %", tick * 100.0))?;
    panel::x_axis(area, &chart, &super::step_ticks(run), |tick| format!("{tick:.0}"))?;
    band(&mut chart, report)?;
    final_rates(area, &mut chart, report)?;
    let training: Vec<_> = run.training.iter().map(|row| (row.step as f64, row.success)).collect();
    panel::curve(&mut chart, &training, SAMPLED)?;
    held_out(&mut chart, report, Decoding::Sampled, SAMPLED)?;
    held_out(&mut chart, report, Decoding::Greedy, GREEDY)?;
    if training.is_empty() && report.results.is_empty() {
        panel::notice(area, PLACE, "no measurement yet")?;
    }
    Ok(())
}

/// The 95 % interval of the greedy policy.
fn band(chart: &mut Chart<'_, '_>, report: &Report) -> Result<(), Failure> {
    let marks = || report.progress.iter().filter(|mark| mark.decoding == Decoding::Greedy);
    let upper = marks().map(|mark| (mark.step as f64, mark.success.high));
    let lower = marks().map(|mark| (mark.step as f64, mark.success.low));
    let outline: Vec<_> = upper.chain(lower.collect::<Vec<_>>().into_iter().rev()).collect();
    chart.draw_series([Polygon::new(outline, GREEDY.mix(0.1).filled())])?;
    Ok(())
}

/// The final rate of each subject, named at the right; baselines are lines across the panel.
fn final_rates(area: &Area<'_>, chart: &mut Chart<'_, '_>, report: &Report) -> Result<(), Failure> {
    let mut labels = Vec::new();
    let end = chart.x_range().end;
    for result in report.results.iter().filter(|result| result.subject != Subject::Warmup) {
        let rate = result.pooled.success.mean;
        let text = match result.decoding {
            Decoding::Scripted => {
                let (line, style) = ([(0.0, rate), (end, rate)], stroke(FAINT, 1.2));
                chart.draw_series(DashedLineSeries::new(line, 6 * SCALE, 4 * SCALE, style))?;
                Text::plain(MUTED)
            }
            Decoding::Greedy => Text::bold(GREEDY),
            Decoding::Sampled => Text::bold(SAMPLED),
        };
        let name = headline::name(result.subject, result.decoding);
        labels.push((
            panel::pixel(chart, (end, rate)).1,
            format!("{name} {}", percent(rate)),
            text,
        ));
    }
    labels.sort_by(|a, b| a.0.total_cmp(&b.0));
    let wanted: Vec<f64> = labels.iter().map(|label| label.0).collect();
    let places = panel::spread(&wanted, 17.0, PLACE.bottom);
    for ((_, words, text), y) in labels.into_iter().zip(places) {
        write(area, &words, (PLACE.right + 12.0, y + 4.0), HPos::Left, text)?;
    }
    Ok(())
}

/// Measurements on held-out tasks with their intervals.
fn held_out(
    chart: &mut Chart<'_, '_>,
    report: &Report,
    decoding: Decoding,
    color: RGBColor,
) -> Result<(), Failure> {
    let marks = || report.progress.iter().filter(|mark| mark.decoding == decoding);
    if decoding == Decoding::Greedy {
        let path = marks().map(|mark| (mark.step as f64, mark.success.mean));
        chart.draw_series(LineSeries::new(path, stroke(color, 2.4)))?;
    }
    for mark in marks() {
        let (step, interval) = (mark.step as f64, mark.success);
        let (width, line) = (7 * SCALE, stroke(color, 1.6));
        let bar =
            ErrorBar::new_vertical(step, interval.low, interval.mean, interval.high, line, width);
        chart.draw_series([bar])?;
        chart.draw_series([
            disc((step, interval.mean), 6.0, WHITE),
            disc((step, interval.mean), 4.6, color),
        ])?;
    }
    Ok(())
}
