//! A coordinate system with its grid and labels.

use super::{
    canvas::{Anchor, Canvas, Point},
    palette,
    text::Fonts,
};

const LABEL: f64 = 12.0;

/// A rectangle of the picture in which data are drawn.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    /// Data at the left and right edge.
    pub(super) x: (f64, f64),
    /// Data at the lower and upper edge.
    pub(super) y: (f64, f64),
}

impl Frame {
    /// Where a datum lies in the picture; outside ones on the edge.
    pub(super) fn place(&self, (x, y): (f64, f64)) -> Point {
        let share = |value: f64, (low, high): (f64, f64)| {
            if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.5 }
        };
        (
            self.left + (self.right - self.left) * share(x, self.x),
            self.bottom - (self.bottom - self.top) * share(y, self.y),
        )
    }

    /// Title so far above the frame, with a quieter explanation behind it.
    pub(super) fn title(
        &self,
        canvas: &mut Canvas,
        fonts: &Fonts,
        (title, unit): (&str, &str),
        above: f64,
    ) {
        let at = (self.left - 44.0, self.top - above);
        canvas.write(&fonts.bold, title, at, 14.0, palette::INK, Anchor::Start);
        let width = super::text::width(&fonts.bold, title, 14.0);
        let behind = (at.0 + f64::from(width) + 9.0, at.1);
        canvas.write(&fonts.regular, unit, behind, 12.0, palette::MUTED, Anchor::Start);
    }

    /// Horizontal lines with their labels at the left.
    pub(super) fn rows(
        &self,
        canvas: &mut Canvas,
        fonts: &Fonts,
        ticks: &[f64],
        label: impl Fn(f64) -> String,
    ) {
        for &tick in ticks {
            let (_, y) = self.place((self.x.0, tick));
            canvas.line(&[(self.left, y), (self.right, y)], palette::GRID, 1.0);
            let at = (self.left - 9.0, y + 4.0);
            canvas.write(&fonts.regular, &label(tick), at, LABEL, palette::MUTED, Anchor::End);
        }
    }

    /// The lower axis with its labels, and its name at the right end.
    pub(super) fn columns(
        &self,
        canvas: &mut Canvas,
        fonts: &Fonts,
        ticks: &[f64],
        label: impl Fn(f64) -> String,
    ) {
        let (left, right, bottom) = (self.left, self.right, self.bottom);
        canvas.line(&[(left, bottom), (right, bottom)], palette::AXIS, 1.0);
        for &tick in ticks {
            let (x, _) = self.place((tick, self.y.0));
            canvas.line(&[(x, bottom), (x, bottom + 4.0)], palette::AXIS, 1.0);
            let at = (x, bottom + 18.0);
            canvas.write(&fonts.regular, &label(tick), at, LABEL, palette::MUTED, Anchor::Middle);
        }
    }

    /// Says in the middle why there is nothing to see.
    pub(super) fn say(&self, canvas: &mut Canvas, fonts: &Fonts, words: &str) {
        let middle = ((self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0);
        canvas.write(&fonts.regular, words, middle, 13.0, palette::FAINT, Anchor::Middle);
    }
}

/// Round numbers that divide a range into about `wanted` parts.
pub(super) fn ticks((low, high): (f64, f64), wanted: f64) -> Vec<f64> {
    let rough = (high - low) / wanted;
    if !(rough.is_finite() && rough > 0.0) {
        return Vec::new();
    }
    let mut magnitude = 1.0;
    while magnitude > rough {
        magnitude /= 10.0;
    }
    while magnitude * 10.0 <= rough {
        magnitude *= 10.0;
    }
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|digit| digit * magnitude)
        .into_iter()
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(10.0 * magnitude);
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last).map(|n| n as f64 * step).collect()
}

/// Steps are whole.
pub(super) fn step_ticks(steps: f64) -> Vec<f64> {
    let mut ticks = ticks((0.0, steps), 6.0);
    ticks.retain(|tick| tick.fract().abs() < 1e-9);
    ticks
}

/// A range that holds all values, with some air.
pub(super) fn range(values: &[(f64, f64)]) -> (f64, f64) {
    let low = values.iter().map(|value| value.1).fold(f64::INFINITY, f64::min);
    let high = values.iter().map(|value| value.1).fold(f64::NEG_INFINITY, f64::max);
    let air = ((high - low) * 0.08).max(high.abs() * 0.02).max(1e-3);
    // Quantities that are never negative keep their zero in sight when it is near.
    let floor = if low >= 0.0 && low < (high - low) { 0.0 } else { low - air };
    (floor, high + air)
}

/// Mean around each value with weights that fall off to both sides; calm enough to see where it goes.
pub(super) fn smooth(values: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let reach = (values.len() / 12).clamp(2, 15);
    let around = |i: usize| {
        let window = i.saturating_sub(reach)..(i + reach + 1).min(values.len());
        let weigh = |j: usize| (reach + 1 - i.abs_diff(j)) as f64;
        let total: f64 = window.clone().map(weigh).sum();
        window.map(|j| weigh(j) / total * values[j].1).sum()
    };
    (0..values.len()).map(|i| (values[i].0, around(i))).collect()
}

/// Places for labels that want to stand at `wanted`, given in ascending order, at least `apart` from
/// each other and not below `last` where there is room.
pub(super) fn spread(wanted: &[f64], apart: f64, last: f64) -> Vec<f64> {
    let mut places = wanted.to_vec();
    for i in 1..places.len() {
        places[i] = places[i].max(places[i - 1] + apart);
    }
    let mut limit = last;
    for place in places.iter_mut().rev() {
        *place = place.min(limit);
        limit = *place - apart;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let check = |range, wanted, expected: &[f64]| {
            let found = ticks(range, wanted);
            assert_eq!(found.len(), expected.len(), "{found:?}");
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
        };
        check((0.0, 1.0), 5.0, &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        check((0.0, 60.0), 6.0, &[0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0]);
        check((-0.3, 0.3), 3.0, &[-0.2, 0.0, 0.2]);
        check((0.0, 1200.0), 6.0, &[0.0, 200.0, 400.0, 600.0, 800.0, 1000.0, 1200.0]);
        check((0.41, 0.4203), 4.0, &[0.41, 0.415, 0.42]);
        check((1.0, 1.0), 4.0, &[]);
        check((0.0, f64::INFINITY), 4.0, &[]);
        assert_eq!(step_ticks(3.0), [0.0, 1.0, 2.0, 3.0]);
    }

    #[test]
    fn labels_keep_their_distance() {
        assert_eq!(spread(&[], 10.0, 100.0), [0.0; 0]);
        assert_eq!(spread(&[10.0, 50.0], 10.0, 100.0), [10.0, 50.0]);
        assert_eq!(spread(&[10.0, 12.0, 15.0], 10.0, 100.0), [10.0, 20.0, 30.0]);
        assert_eq!(spread(&[85.0, 99.0, 100.0], 10.0, 100.0), [80.0, 90.0, 100.0]);
    }

    #[test]
    fn smoothing_keeps_a_line_and_calms_noise() {
        let line: Vec<_> = (0..100).map(|i| (f64::from(i), 2.0)).collect();
        assert!(smooth(&line).iter().all(|value| (value.1 - 2.0).abs() < 1e-12));
        let noise: Vec<_> = (0..100).map(|i| (f64::from(i), f64::from(i % 2))).collect();
        assert!(smooth(&noise)[10..90].iter().all(|value| (value.1 - 0.5).abs() < 0.1));
        assert_eq!(smooth(&[(1.0, 3.0)]), [(1.0, 3.0)]);
    }

    #[test]
    fn a_frame_places_its_corners_and_keeps_outliers_on_its_edge() {
        let frame = Frame {
            left: 10.0,
            right: 110.0,
            top: 20.0,
            bottom: 70.0,
            x: (0.0, 10.0),
            y: (0.0, 1.0),
        };
        assert_eq!(frame.place((0.0, 0.0)), (10.0, 70.0));
        assert_eq!(frame.place((10.0, 1.0)), (110.0, 20.0));
        assert_eq!(frame.place((5.0, 7.0)), (60.0, 20.0));
    }
}
