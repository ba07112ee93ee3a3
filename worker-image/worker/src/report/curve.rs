//! curve.png: one picture of a run.
//!
//! Above: success over the steps with the baselines' rates, and each scenario before and after reinforcement learning.
//! Below: reward and entropy.

mod panel;
mod scenarios;
mod success;

use std::error::Error;

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;
use shoprl_contract::run_folder::{Decoding, TrainingMetric};

use super::document::Report;
use super::headline;
use super::number::{count, points};
use super::run::Run;
use panel::{Place, Text, write};

/// Size of the picture in pixels.
const SIZE: (u32, u32) = (1200, 700);
/// The picture is drawn this many times larger and averaged, because plotters does not smooth edges.
const SCALE: u32 = 3;

/// Colours that colour-blind readers can distinguish, on white.
const INK: RGBColor = RGBColor(31, 35, 40);
const MUTED: RGBColor = RGBColor(101, 109, 118);
const FAINT: RGBColor = RGBColor(150, 157, 165);
const GRID: RGBColor = RGBColor(228, 231, 235);
const GREEDY: RGBColor = RGBColor(9, 88, 178);
const SAMPLED: RGBColor = RGBColor(224, 110, 0);
const REWARD: RGBColor = RGBColor(17, 122, 101);
const ENTROPY: RGBColor = RGBColor(136, 66, 157);

type Failure = Box<dyn Error + Send + Sync>;
type Area<'a> = DrawingArea<BitMapBackend<'a>, plotters::coord::Shift>;

/// The picture as a PNG file.
pub(super) fn png(run: &Run, report: &Report) -> Result<Vec<u8>, Failure> {
    panel::register_fonts()?;
    let (width, height) = (SIZE.0 * SCALE, SIZE.1 * SCALE);
    let mut pixels = vec![255; (3 * width * height) as usize];
    draw(
        &BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area(),
        run,
        report,
    )?;
    encode(&average(&pixels))
}

fn draw(area: &Area<'_>, run: &Run, report: &Report) -> Result<(), Failure> {
    write(
        area,
        &headline::title(report),
        (40.0, 42.0),
        HPos::Left,
        Text(21.0, FontStyle::Bold, INK),
    )?;
    write(area, &subtitle(report), (40.0, 66.0), HPos::Left, Text(13.0, FontStyle::Normal, MUTED))?;
    success::draw(area, run, report)?;
    scenarios::draw(area, report)?;
    let reward = Place { left: 84.0, right: 590.0, top: 534.0, bottom: 656.0 };
    let entropy = Place { left: 664.0, right: 1170.0, ..reward };
    series(area, run, reward, ("Reward", "mean over training episodes"), REWARD, |row| row.reward)?;
    series(area, run, entropy, ("Entropy", "nats per sampled token"), ENTROPY, |row| row.entropy)
}

/// A panel with one quantity over the steps.
fn series(
    area: &Area<'_>,
    run: &Run,
    place: Place,
    title: (&str, &str),
    color: RGBColor,
    value: fn(&TrainingMetric) -> f64,
) -> Result<(), Failure> {
    panel::title(area, place, title, 18.0)?;
    let values: Vec<_> = run.training.iter().map(|row| (row.step as f64, value(row))).collect();
    let mut chart = panel::chart(area, place, 0.0..steps(run), panel::range(&values))?;
    panel::x_axis(area, &chart, &step_ticks(run), |tick| format!("{tick:.0}"))?;
    if values.is_empty() {
        return panel::notice(area, place, "no steps yet");
    }
    panel::grid(area, &mut chart, 5, |tick| format!("{tick:.2}"))?;
    panel::curve(&mut chart, &values, color)
}

/// Right end of the horizontal axes: the planned steps, or the steps taken if those are more.
fn steps(run: &Run) -> f64 {
    u64::from(run.config.training.steps).max(run.last_step()).max(1) as f64
}

/// Round step numbers for the horizontal axes.
fn step_ticks(run: &Run) -> Vec<f64> {
    let mut ticks = panel::ticks(0.0..steps(run), 8);
    ticks.retain(|tick| tick.fract() == 0.0);
    ticks
}

fn subtitle(report: &Report) -> String {
    let mut parts = Vec::new();
    for decoding in [Decoding::Greedy, Decoding::Sampled] {
        if let Some(difference) = report.difference(decoding) {
            let change = difference.pooled;
            parts.push(format!(
                "{} {} points (95 %: {} to {})",
                headline::decoding(decoding),
                points(change.mean),
                points(change.low),
                points(change.high)
            ));
        }
    }
    if let Some(difference) = report.differences.first() {
        parts.push(format!("{} held-out tasks", count(difference.tasks)));
    }
    parts.push(format!("seed {}", report.config.seed));
    if !report.missing.is_empty() {
        parts.push("incomplete".to_owned());
    }
    parts.join("   ·   ")
}

/// The mean of each square of [`SCALE`] × [`SCALE`] pixels.
fn average(enlarged: &[u8]) -> Vec<u8> {
    let (scale, width) = (SCALE as usize, SIZE.0 as usize);
    let mut pixels = Vec::with_capacity(3 * width * SIZE.1 as usize);
    for rows in enlarged.chunks_exact(3 * width * scale * scale) {
        for sample in 0..3 * width {
            let (column, channel) = (sample / 3 * scale, sample % 3);
            let places = (0..scale * scale)
                .map(|i| 3 * (i / scale * width * scale + column + i % scale) + channel);
            let sum: usize = places.map(|place| usize::from(rows[place])).sum();
            pixels.push(u8::try_from(sum / (scale * scale)).unwrap_or(u8::MAX));
        }
    }
    pixels
}

fn encode(pixels: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, SIZE.0, SIZE.1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Best);
    // Flat areas compress best without a filter; filters are for photographs.
    encoder.set_filter(png::FilterType::NoFilter);
    encoder.write_header()?.write_image_data(pixels)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::summary::summarize;
    use crate::report::tests::fixture;

    #[test]
    fn marks_are_where_the_numbers_say() {
        let folder = tempfile::tempdir().unwrap();
        fixture::write_whole(folder.path());
        let run = Run::read(folder.path()).unwrap();
        let report = summarize(&run);
        let file = super::png(&run, &report).unwrap();
        let mut reader = ::png::Decoder::new(file.as_slice()).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size()];
        let shape = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((shape.width, shape.height), SIZE);
        let color_at = |x: f64, y: f64| {
            let place = 3 * (y.round() as usize * SIZE.0 as usize + x.round() as usize);
            RGBColor(pixels[place], pixels[place + 1], pixels[place + 2])
        };

        let Place { left, right, top, bottom } = success::PLACE;
        let between = |from: f64, to: f64, share: f64| from + (to - from) * share;
        for progress in &report.progress {
            let color = if progress.decoding == Decoding::Greedy { GREEDY } else { SAMPLED };
            let x = between(left, right, progress.step as f64 / fixture::STEPS as f64);
            let y = between(bottom, top, progress.success.mean);
            assert_eq!(color_at(x, y), color, "{progress:?}");
        }
        assert_eq!(color_at(1195.0, 5.0), WHITE, "paper");
    }
}
