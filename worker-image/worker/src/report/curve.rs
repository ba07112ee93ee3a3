//! curve.png: one picture of a run.
//!
//! Above: success over the steps, with what the scripts reach, and each scenario before and after.
//! Below: reward and entropy.

mod canvas;
mod frame;
mod palette;
mod scenarios;
mod series;
mod success;
mod text;

use super::{
    headline,
    number::{count, points},
    run::Run,
    summary::Report,
};
use canvas::{Anchor, Canvas};
use shoprl_contract::run_folder::{Decoding, TrainingMetric};

/// Size of the picture in pixels.
const SIZE: (u32, u32) = (1200, 700);

/// The picture as a PNG file, or what could not be drawn.
pub(super) fn png(run: &Run, report: &Report) -> Result<Vec<u8>, String> {
    let mut canvas = Canvas::new(SIZE.0, SIZE.1);
    let fonts = text::Fonts::embedded().map_err(|error| error.to_string())?;
    canvas.write(
        &fonts.bold,
        &headline::title(report),
        (40.0, 42.0),
        21.0,
        palette::INK,
        Anchor::Start,
    );
    canvas.write(
        &fonts.regular,
        &subtitle(report),
        (40.0, 66.0),
        13.0,
        palette::MUTED,
        Anchor::Start,
    );

    success::draw(&mut canvas, &fonts, run, report);
    scenarios::draw(&mut canvas, &fonts, report);
    let mean = |value: fn(&TrainingMetric) -> f64| {
        run.training.iter().map(|row| (row.step as f64, value(row))).collect::<Vec<_>>()
    };
    let steps = steps(run);
    series::draw(
        &mut canvas,
        &fonts,
        &series::Plan {
            title: "Reward",
            unit: "mean over training episodes",
            left: 84.0,
            right: 590.0,
            color: palette::REWARD,
            steps,
            values: mean(|row| row.reward),
        },
    );
    series::draw(
        &mut canvas,
        &fonts,
        &series::Plan {
            title: "Entropy",
            unit: "nats per sampled token",
            left: 664.0,
            right: 1170.0,
            color: palette::ENTROPY,
            steps,
            values: mean(|row| row.entropy),
        },
    );
    canvas.png()
}

/// The horizontal axis: the steps planned or, should there be more, taken.
fn steps(run: &Run) -> f64 {
    u64::from(run.config.training.steps).max(run.last_step()).max(1) as f64
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
        parts.push("not complete".to_owned());
    }
    parts.join("   ·   ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::fixture;

    /// The colour of the picture at a point.
    fn look(pixels: &[u8], (x, y): canvas::Point) -> [u8; 3] {
        let place = 3 * (y.round() as usize * SIZE.0 as usize + x.round() as usize);
        pixels[place..place + 3].try_into().unwrap()
    }

    #[test]
    fn marks_are_where_the_numbers_say() {
        let folder = tempfile::tempdir().unwrap();
        fixture::write_whole(folder.path());
        let run = Run::read(folder.path()).unwrap();
        let report = Report::of(&run);
        let file = png(&run, &report).unwrap();
        let mut reader = ::png::Decoder::new(file.as_slice()).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size()];
        let shape = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((shape.width, shape.height), SIZE);

        let frame = success::frame(fixture::STEPS as f64);
        for progress in &report.progress {
            let color = match progress.decoding {
                Decoding::Greedy => palette::GREEDY,
                _ => palette::SAMPLED,
            };
            let mark = frame.place((progress.step as f64, progress.success.mean));
            assert_eq!(look(&pixels, mark), [color.0, color.1, color.2], "{progress:?}");
        }
        assert_eq!(look(&pixels, (1195.0, 5.0)), [255; 3], "paper");
    }
}
