//! Text, axes and lines that all panels share. Positions of text are in pixels of the final picture.

use std::ops::Range;

use plotters::coord::ranged1d::{BoldPoints, Ranged};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::register_font;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Area, FAINT, Failure, GRID, INK, MUTED, SCALE};

/// Name of the font in plotters' table.
const FONT: &str = "dejavu";
/// plotters sizes a font by ascent plus descent, which are 0.928 and 0.236 of DejaVu's em.
const HEIGHT_PER_EM: f64 = 1.164;

/// Makes the font of the program known to plotters; containers have no fonts.
pub(super) fn register_fonts() -> Result<(), Failure> {
    register_font(FONT, FontStyle::Normal, dejavu::sans::regular())
        .and_then(|()| register_font(FONT, FontStyle::Bold, dejavu::sans::bold()))
        .map_err(|_| "the font in the program is damaged".into())
}

/// Size of the em in pixels, weight and colour of a text.
#[derive(Clone, Copy)]
pub(super) struct Text(pub(super) f64, pub(super) FontStyle, pub(super) RGBColor);

impl Text {
    pub(super) fn plain(color: RGBColor) -> Self {
        Self(12.0, FontStyle::Normal, color)
    }

    pub(super) fn bold(color: RGBColor) -> Self {
        Self(12.0, FontStyle::Bold, color)
    }

    fn height(self) -> f64 {
        self.0 * HEIGHT_PER_EM * f64::from(SCALE)
    }

    fn style(&self, align: HPos) -> TextStyle<'_> {
        let font = FontDesc::new(FontFamily::Name(FONT), self.height(), self.1);
        TextStyle::from(font).color(&self.2).pos(Pos::new(align, VPos::Top))
    }
}

/// Writes a line with its baseline at `y` and its `align`ed point at `x`; returns its width. All in pixels.
pub(super) fn write(
    area: &Area<'_>,
    words: &str,
    (x, y): (f64, f64),
    align: HPos,
    text: Text,
) -> Result<f64, Failure> {
    let style = text.style(align);
    // plotters draws the baseline half a height below the anchor.
    let anchor = (x * f64::from(SCALE), y * f64::from(SCALE) - (text.height() / 2.0).floor());
    area.draw_text(words, &style, (anchor.0 as i32, anchor.1 as i32))?;
    Ok(f64::from(area.estimate_text_size(words, &style)?.0) / f64::from(SCALE))
}

/// A rectangle of the picture, in pixels from the upper left.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

pub(super) type Chart<'a, 'b> =
    ChartContext<'a, BitMapBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// A coordinate system.
pub(super) fn chart<'a, 'b>(
    area: &'a Area<'b>,
    place: Place,
    x: Range<f64>,
    y: Range<f64>,
) -> Result<Chart<'a, 'b>, Failure> {
    let (width, height) = area.dim_in_pixel();
    let ((left, top), (right, bottom)) =
        (scaled((place.left, place.top)), scaled((place.right, place.bottom)));
    Ok(ChartBuilder::on(area)
        .margin_left(left)
        .margin_right(width as i32 - right)
        .margin_top(top)
        .margin_bottom(height as i32 - bottom)
        .build_cartesian_2d(x, y)?)
}

/// A point of the picture in pixels of the enlarged one.
fn scaled((x, y): (f64, f64)) -> (i32, i32) {
    ((x * f64::from(SCALE)).round() as i32, (y * f64::from(SCALE)).round() as i32)
}

/// A data point in pixels of the picture.
pub(super) fn pixel(chart: &Chart<'_, '_>, point: (f64, f64)) -> (f64, f64) {
    let (x, y) = chart.backend_coord(&point);
    (f64::from(x) / f64::from(SCALE), f64::from(y) / f64::from(SCALE))
}

/// A line of `width` pixels.
pub(super) fn stroke(color: RGBColor, width: f64) -> ShapeStyle {
    color.stroke_width((width * f64::from(SCALE)).round() as u32)
}

/// A disc with a radius in pixels.
pub(super) fn disc<C>(center: C, radius: f64, color: RGBColor) -> Circle<C, u32> {
    Circle::new(center, (radius * f64::from(SCALE)).round() as u32, color.filled())
}

/// Title `above` the panel, followed by its unit.
pub(super) fn title(
    area: &Area<'_>,
    place: Place,
    (title, unit): (&str, &str),
    above: f64,
) -> Result<(), Failure> {
    let (x, y) = (place.left - 44.0, place.top - above);
    let width = write(area, title, (x, y), HPos::Left, Text(14.0, FontStyle::Bold, INK))?;
    write(area, unit, (x + width + 9.0, y), HPos::Left, Text::plain(MUTED)).map(drop)
}

/// Explains in the middle of a panel why it is empty.
pub(super) fn notice(area: &Area<'_>, place: Place, words: &str) -> Result<(), Failure> {
    let at = ((place.left + place.right) / 2.0, (place.top + place.bottom) / 2.0);
    write(area, words, at, HPos::Center, Text(13.0, FontStyle::Normal, FAINT)).map(drop)
}

/// How a legend shows a series.
#[derive(Clone, Copy)]
pub(super) enum Mark {
    Disc,
    Ring,
    Line,
}

/// One line of series names with their marks, above the panel.
pub(super) fn legend(
    area: &Area<'_>,
    place: Place,
    entries: &[(&str, RGBColor, Mark)],
) -> Result<(), Failure> {
    let (mut x, y) = (place.left - 44.0, place.top - 20.0);
    for &(name, color, mark) in entries {
        let at = |x: f64| scaled((x, y - 4.0));
        match mark {
            Mark::Line => {
                area.draw(&PathElement::new([at(x), at(x + 18.0)], stroke(color, 2.4)))?;
            }
            Mark::Disc => area.draw(&disc(at(x + 9.0), 4.8, color))?,
            Mark::Ring => {
                area.draw(&disc(at(x + 9.0), 4.8, color))?;
                area.draw(&disc(at(x + 9.0), 3.0, WHITE))?;
            }
        }
        x += 24.0;
        x += write(area, name, (x, y), HPos::Left, Text::plain(INK))? + 20.0;
    }
    Ok(())
}

/// At most `most` round numbers in a range.
pub(super) fn ticks(range: Range<f64>, most: usize) -> Vec<f64> {
    RangedCoordf64::from(range).key_points(BoldPoints(most))
}

/// Horizontal grid lines with labels.
pub(super) fn grid(
    area: &Area<'_>,
    chart: &mut Chart<'_, '_>,
    lines: usize,
    label: impl Fn(f64) -> String,
) -> Result<(), Failure> {
    let x = chart.x_range();
    for tick in ticks(chart.y_range(), lines) {
        let line = [(x.start, tick), (x.end, tick)];
        chart.draw_series([PathElement::new(line, stroke(GRID, 1.0))])?;
        let (left, y) = pixel(chart, (x.start, tick));
        write(area, &label(tick), (left - 9.0, y + 4.0), HPos::Right, Text::plain(MUTED))?;
    }
    Ok(())
}

/// The lower axis with labels.
pub(super) fn x_axis(
    area: &Area<'_>,
    chart: &Chart<'_, '_>,
    ticks: &[f64],
    label: impl Fn(f64) -> String,
) -> Result<(), Failure> {
    let (range, low) = (chart.x_range(), chart.y_range().start);
    let line = |from, to| PathElement::new([scaled(from), scaled(to)], stroke(FAINT, 1.0));
    area.draw(&line(pixel(chart, (range.start, low)), pixel(chart, (range.end, low))))?;
    for &tick in ticks {
        let (x, y) = pixel(chart, (tick, low));
        area.draw(&line((x, y), (x, y + 4.0)))?;
        write(area, &label(tick), (x, y + 18.0), HPos::Center, Text::plain(MUTED))?;
    }
    Ok(())
}

/// Measured values, pale, and their weighted moving average.
pub(super) fn curve(
    chart: &mut Chart<'_, '_>,
    values: &[(f64, f64)],
    color: RGBColor,
) -> Result<(), Failure> {
    let pale = |channel: u8| (u16::from(channel) * 2 / 5 + 153) as u8;
    let raw = RGBColor(pale(color.0), pale(color.1), pale(color.2));
    chart.draw_series(LineSeries::new(values.iter().copied(), stroke(raw, 1.2)))?;
    chart.draw_series(LineSeries::new(smooth(values), stroke(color, 2.4)))?;
    if let [only] = values {
        chart.draw_series([disc(*only, 3.0, color)])?;
    }
    Ok(())
}

/// A range that holds all values with a margin; it starts at 0 where that is close.
pub(super) fn range(values: &[(f64, f64)]) -> Range<f64> {
    if values.is_empty() {
        return 0.0..1.0;
    }
    let low = values.iter().map(|value| value.1).fold(f64::INFINITY, f64::min);
    let high = values.iter().map(|value| value.1).fold(f64::NEG_INFINITY, f64::max);
    let margin = ((high - low) * 0.08).max(high.abs() * 0.02).max(1e-3);
    let floor = if low >= 0.0 && low < (high - low) { 0.0 } else { low - margin };
    floor..high + margin
}

/// Moving average with triangular weights, over about a sixth of the run.
fn smooth(values: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let reach = (values.len() / 12).clamp(2, 15);
    let around = |i: usize| {
        let window = i.saturating_sub(reach)..(i + reach + 1).min(values.len());
        let weight = |j: usize| (reach + 1 - i.abs_diff(j)) as f64;
        let total: f64 = window.clone().map(weight).sum();
        window.map(|j| weight(j) / total * values[j].1).sum()
    };
    (0..values.len()).map(|i| (values[i].0, around(i))).collect()
}

/// Moves labels that want to stand at `wanted` (ascending) at least `apart` from each other and not below `last`.
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
}
