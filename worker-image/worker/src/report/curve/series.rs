//! One quantity over the steps.

use plotters::style::RGBColor;

use super::{
    canvas::Canvas,
    frame::{Frame, range, smooth, step_ticks, ticks},
    palette,
    text::Fonts,
};

/// What is drawn where.
pub(super) struct Plan {
    pub(super) title: &'static str,
    pub(super) unit: &'static str,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) color: RGBColor,
    /// Right end of the axis.
    pub(super) steps: f64,
    pub(super) values: Vec<(f64, f64)>,
}

/// Draws the panel in the lower part of the picture.
pub(super) fn draw(canvas: &mut Canvas, fonts: &Fonts, plan: &Plan) {
    let y = if plan.values.is_empty() { (0.0, 1.0) } else { range(&plan.values) };
    let frame = Frame {
        left: plan.left,
        right: plan.right,
        top: 534.0,
        bottom: 656.0,
        x: (0.0, plan.steps),
        y,
    };
    frame.title(canvas, fonts, (plan.title, plan.unit), 18.0);
    if plan.values.is_empty() {
        frame.columns(canvas, fonts, &[], |_| String::new());
        return frame.say(canvas, fonts, "no steps yet");
    }
    frame.rows(canvas, fonts, &ticks(y, 4.0), |tick| format!("{tick:.2}"));
    frame.columns(canvas, fonts, &step_ticks(plan.steps), |tick| format!("{tick:.0}"));
    lines(canvas, &frame, &plan.values, plan.color);
}

/// What was measured, pale, and where it goes.
pub(super) fn lines(canvas: &mut Canvas, frame: &Frame, values: &[(f64, f64)], color: RGBColor) {
    let placed = |values: &[(f64, f64)]| values.iter().map(|&value| frame.place(value)).collect();
    let raw: Vec<_> = placed(values);
    canvas.line(&raw, palette::pale(color), 1.2);
    let smoothed: Vec<_> = placed(&smooth(values));
    canvas.line(&smoothed, color, 2.4);
    if let [only] = raw[..] {
        canvas.disc(only, 3.0, color);
    }
}
