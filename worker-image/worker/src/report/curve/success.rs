//! Success over the steps: on training tasks as it was sampled, on held-out tasks as it was measured,
//! and the scripts as lines to reach.

use plotters::style::RGBColor;
use shoprl_contract::run_folder::{Decoding, Subject};
use shoprl_rl::statistics::Interval;

use super::{
    super::{headline, number::percent, run::Run, summary::Report},
    canvas::{Anchor, Canvas},
    frame::{Frame, spread, step_ticks, ticks},
    palette, series,
    text::{self, Fonts},
};

/// Draws the panel.
pub(super) fn draw(canvas: &mut Canvas, fonts: &Fonts, run: &Run, report: &Report) {
    let frame = frame(super::steps(run));
    frame.title(canvas, fonts, ("Success", "over steps of reinforcement learning"), 44.0);
    legend(canvas, fonts);
    frame.rows(canvas, fonts, &ticks((0.0, 1.0), 5.0), |tick| format!("{:.0} %", tick * 100.0));
    frame.columns(canvas, fonts, &step_ticks(frame.x.1), |tick| format!("{tick:.0}"));
    reached(canvas, fonts, &frame, report);
    let training: Vec<_> = run.training.iter().map(|row| (row.step as f64, row.success)).collect();
    series::lines(canvas, &frame, &training, palette::SAMPLED);
    held_out(canvas, &frame, report, Decoding::Sampled, palette::SAMPLED);
    held_out(canvas, &frame, report, Decoding::Greedy, palette::GREEDY);
    if training.is_empty() && report.results.is_empty() {
        frame.say(canvas, fonts, "no measurement yet");
    }
}

/// Where the panel lies; `steps` is the right end of its axis.
pub(super) fn frame(steps: f64) -> Frame {
    Frame { left: 84.0, right: 660.0, top: 152.0, bottom: 444.0, x: (0.0, steps), y: (0.0, 1.0) }
}

/// What each subject reaches in the end, named at the right; scripts are lines all the way.
fn reached(canvas: &mut Canvas, fonts: &Fonts, frame: &Frame, report: &Report) {
    const APART: f64 = 17.0;
    let mut labels = Vec::new();
    for result in report.results.iter().filter(|result| result.subject != Subject::Warmup) {
        let rate = result.pooled.success.mean;
        let (_, y) = frame.place((0.0, rate));
        let (font, color) = match result.decoding {
            Decoding::Scripted => {
                canvas.dashed((frame.left, y), (frame.right, y), palette::FAINT, 1.2);
                (&fonts.regular, palette::MUTED)
            }
            Decoding::Greedy => (&fonts.bold, palette::GREEDY),
            Decoding::Sampled => (&fonts.bold, palette::SAMPLED),
        };
        let name = headline::name(result.subject, result.decoding);
        labels.push((y, format!("{name} {}", percent(rate)), font, color));
    }
    labels.sort_by(|a, b| a.0.total_cmp(&b.0));
    let wanted: Vec<f64> = labels.iter().map(|label| label.0).collect();
    let places = spread(&wanted, APART, frame.bottom);
    for ((_, words, font, color), y) in labels.into_iter().zip(places) {
        canvas.write(font, &words, (frame.right + 12.0, y + 4.0), 12.0, color, Anchor::Start);
    }
}

/// Measurements with their intervals, joined in the order of the steps.
fn held_out(
    canvas: &mut Canvas,
    frame: &Frame,
    report: &Report,
    decoding: Decoding,
    color: RGBColor,
) {
    let of_decoding = report.progress.iter().filter(|progress| progress.decoding == decoding);
    let marks: Vec<(f64, Interval)> =
        of_decoding.map(|progress| (progress.step as f64, progress.success)).collect();
    let path: Vec<_> = marks.iter().map(|mark| frame.place((mark.0, mark.1.mean))).collect();
    if decoding == Decoding::Greedy {
        canvas.line(&path, color, 2.4);
    }
    for ((step, interval), &center) in marks.iter().zip(&path) {
        let low = frame.place((*step, interval.low));
        let high = frame.place((*step, interval.high));
        canvas.line(&[low, high], color, 1.6);
        for (x, y) in [low, high] {
            canvas.line(&[(x - 3.5, y), (x + 3.5, y)], color, 1.6);
        }
        canvas.disc(center, 6.0, palette::PAPER);
        canvas.disc(center, 4.6, color);
    }
}

fn legend(canvas: &mut Canvas, fonts: &Fonts) {
    let (mut x, y) = (40.0, 132.0);
    let entries = [
        ("held-out tasks, greedy", palette::GREEDY, true),
        ("held-out tasks, sampled", palette::SAMPLED, true),
        ("training tasks, sampled", palette::SAMPLED, false),
    ];
    for (name, color, mark) in entries {
        if mark {
            canvas.disc((x + 6.0, y - 4.0), 4.6, color);
            x += 17.0;
        } else {
            canvas.line(&[(x, y - 4.0), (x + 18.0, y - 4.0)], color, 2.4);
            x += 24.0;
        }
        canvas.write(&fonts.regular, name, (x, y), 12.0, palette::INK, Anchor::Start);
        x += f64::from(text::width(&fonts.regular, name, 12.0)) + 22.0;
    }
}
