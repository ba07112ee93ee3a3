//! Each scenario before and after reinforcement learning.

use shoprl_contract::run_folder::{Decoding, Subject};
use shoprl_rl::statistics::Interval;

use super::{
    super::{
        headline,
        number::percent,
        summary::{Report, SubjectResult},
    },
    canvas::{Anchor, Canvas},
    frame::{Frame, ticks},
    palette,
    text::Fonts,
};

const ROW: f64 = 70.0;

/// Draws the panel.
pub(super) fn draw(canvas: &mut Canvas, fonts: &Fonts, report: &Report) {
    let frame = Frame {
        left: 908.0,
        right: 1170.0,
        top: 152.0,
        bottom: 444.0,
        x: (0.0, 1.0),
        y: (0.0, 1.0),
    };
    frame.title(canvas, fonts, ("By scenario", "held-out tasks, greedy"), 44.0);
    legend(canvas, fonts, &frame);
    let tick_label = |tick: f64| format!("{:.0} %", tick * 100.0);
    frame.columns(canvas, fonts, &ticks(frame.x, 4.0), tick_label);
    let before = report.result(Subject::Warmup, Decoding::Greedy);
    let after = report.result(Subject::Trained, Decoding::Greedy);
    let Some(any) = after.or(before) else {
        return frame.say(canvas, fonts, "not measured yet");
    };
    for (number, scenario) in any.scenarios.keys().enumerate() {
        let rate = |result: Option<&SubjectResult>| Some(result?.scenarios.get(scenario)?.success);
        let row = Row {
            name: headline::scenario(*scenario),
            y: frame.top + 46.0 + ROW * number as f64,
            before: rate(before),
            after: rate(after),
        };
        row.draw(canvas, fonts, &frame);
    }
}

/// A scenario's rates on a line from 0 to 100 %.
struct Row {
    name: &'static str,
    y: f64,
    before: Option<Interval>,
    after: Option<Interval>,
}

impl Row {
    fn draw(&self, canvas: &mut Canvas, fonts: &Fonts, frame: &Frame) {
        let measured = || [self.before, self.after].into_iter().flatten();
        let words = measured().map(|rate| percent(rate.mean)).collect::<Vec<_>>().join(" → ");
        let (left, right) = ((frame.left, self.y - 14.0), (frame.right, self.y - 14.0));
        canvas.write(&fonts.regular, self.name, left, 12.0, palette::INK, Anchor::Start);
        canvas.write(&fonts.bold, &words, right, 12.0, palette::GREEDY, Anchor::End);

        let place = |rate: f64| (frame.place((rate, 0.0)).0, self.y);
        canvas.line(&[place(0.0), place(1.0)], palette::GRID, 1.0);
        for (x, y) in ticks(frame.x, 4.0).into_iter().map(place) {
            canvas.line(&[(x, y - 5.0), (x, y + 5.0)], palette::GRID, 1.0);
        }
        for rate in measured() {
            canvas.line(&[place(rate.low), place(rate.high)], palette::GREEDY, 1.2);
        }
        if let (Some(before), Some(after)) = (self.before, self.after) {
            canvas.line(&[place(before.mean), place(after.mean)], palette::GREEDY, 3.0);
        }
        if let Some(before) = self.before {
            canvas.ring(place(before.mean), 5.4, palette::GREEDY);
        }
        if let Some(after) = self.after {
            canvas.disc(place(after.mean), 5.4, palette::GREEDY);
        }
    }
}

fn legend(canvas: &mut Canvas, fonts: &Fonts, frame: &Frame) {
    let y = frame.top - 20.0;
    let left = frame.left - 44.0;
    canvas.ring((left + 6.0, y - 4.0), 5.4, palette::GREEDY);
    let at = (left + 17.0, y);
    canvas.write(&fonts.regular, "after warm-up", at, 12.0, palette::INK, Anchor::Start);
    canvas.disc((left + 131.0, y - 4.0), 5.4, palette::GREEDY);
    let at = (left + 142.0, y);
    canvas.write(&fonts.regular, "after RL", at, 12.0, palette::INK, Anchor::Start);
}
