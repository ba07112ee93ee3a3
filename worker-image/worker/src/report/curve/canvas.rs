//! Shapes and text in the picture's pixels, drawn several times larger and averaged, which smooths
//! every edge alike.

use ab_glyph::FontRef;
use plotters::{
    backend::{BitMapBackend, DrawingBackend},
    style::{Color, RGBColor, ShapeStyle},
};

use super::{palette, text};

/// Width and height of the square that becomes one pixel.
const SUPERSAMPLING: u32 = 3;

/// A point in pixels of the picture, from the upper left.
pub(super) type Point = (f64, f64);

/// Where a text's anchor lies in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// The picture while it is drawn.
pub(super) struct Canvas {
    width: u32,
    height: u32,
    /// RGB rows of the enlarged picture.
    pixels: Vec<u8>,
    failure: Option<String>,
}

impl Canvas {
    /// White paper.
    pub(super) fn new(width: u32, height: u32) -> Self {
        let area = (width * height * SUPERSAMPLING * SUPERSAMPLING) as usize;
        let RGBColor(red, green, blue) = palette::PAPER;
        Self { width, height, pixels: [red, green, blue].repeat(area), failure: None }
    }

    /// An open line.
    pub(super) fn line(&mut self, points: &[Point], color: RGBColor, width: f64) {
        if points.len() < 2 {
            return;
        }
        let path: Vec<_> = points.iter().map(|&point| enlarge(point)).collect();
        self.draw(|backend| backend.draw_path(path, &style(color, width)));
    }

    /// A straight line of dashes.
    pub(super) fn dashed(&mut self, from: Point, to: Point, color: RGBColor, width: f64) {
        const DASH: f64 = 6.0;
        const GAP: f64 = 4.0;
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy).max(f64::MIN_POSITIVE);
        let at = |distance: f64| {
            let share = (distance / length).min(1.0);
            (from.0 + dx * share, from.1 + dy * share)
        };
        let mut start = 0.0;
        while start < length {
            self.line(&[at(start), at(start + DASH)], color, width);
            start += DASH + GAP;
        }
    }

    /// A disc.
    pub(super) fn disc(&mut self, center: Point, radius: f64, color: RGBColor) {
        let radius = (radius * f64::from(SUPERSAMPLING)).round() as u32;
        self.draw(|backend| backend.draw_circle(enlarge(center), radius, &color.filled(), true));
    }

    /// A disc with a rim, hollow.
    pub(super) fn ring(&mut self, center: Point, radius: f64, color: RGBColor) {
        self.disc(center, radius, color);
        self.disc(center, radius - 1.8, palette::PAPER);
    }

    /// A line of text; `at` is on its baseline.
    pub(super) fn write(
        &mut self,
        font: &FontRef<'_>,
        words: &str,
        at: Point,
        size: f64,
        color: RGBColor,
        anchor: Anchor,
    ) {
        let factor = f64::from(SUPERSAMPLING);
        let size = (size * factor) as f32;
        let shift = match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => text::width(font, words, size) / 2.0,
            Anchor::End => text::width(font, words, size),
        };
        let start = ((at.0 * factor) as f32 - shift, (at.1 * factor) as f32);
        let (width, height) = (self.width * SUPERSAMPLING, self.height * SUPERSAMPLING);
        let RGBColor(red, green, blue) = color;
        text::rasterize(font, words, size, start, |x, y, coverage| {
            let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return };
            if x >= width || y >= height {
                return;
            }
            let place = 3 * (y as usize * width as usize + x as usize);
            for (channel, ink) in self.pixels[place..place + 3].iter_mut().zip([red, green, blue]) {
                let paper = f32::from(*channel);
                *channel = (paper + (f32::from(ink) - paper) * coverage).round() as u8;
            }
        });
    }

    /// The picture as a PNG file, or the first thing that could not be drawn.
    pub(super) fn png(self) -> Result<Vec<u8>, String> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Best);
        // Flat areas repeat as they are; filters are for photographs.
        encoder.set_filter(png::FilterType::NoFilter);
        let pixels = average(&self.pixels, self.width as usize, self.height as usize);
        encoder
            .write_header()
            .and_then(|mut writer| writer.write_image_data(&pixels))
            .map_err(|error| error.to_string())?;
        Ok(file)
    }

    /// The first failure stays for [`Self::png`]: nothing after it can be trusted.
    fn draw<E: std::fmt::Display>(
        &mut self,
        shape: impl FnOnce(&mut BitMapBackend<'_>) -> Result<(), E>,
    ) {
        let size = (self.width * SUPERSAMPLING, self.height * SUPERSAMPLING);
        let mut backend = BitMapBackend::with_buffer(&mut self.pixels, size);
        if let Err(error) = shape(&mut backend) {
            self.failure.get_or_insert(error.to_string());
        }
    }
}

fn style(color: RGBColor, width: f64) -> ShapeStyle {
    let width = (width * f64::from(SUPERSAMPLING)).round().max(1.0) as u32;
    color.stroke_width(width)
}

fn enlarge((x, y): Point) -> (i32, i32) {
    let factor = f64::from(SUPERSAMPLING);
    ((x * factor).round() as i32, (y * factor).round() as i32)
}

/// Each pixel is the mean of its square.
fn average(enlarged: &[u8], width: usize, height: usize) -> Vec<u8> {
    let side = SUPERSAMPLING as usize;
    let mut pixels = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..3 {
                let mut sum = 0;
                for row in y * side..(y + 1) * side {
                    for column in x * side..(x + 1) * side {
                        sum += usize::from(enlarged[3 * (row * width * side + column) + channel]);
                    }
                }
                let mean = (sum + side * side / 2) / (side * side);
                pixels.push(u8::try_from(mean).expect("a mean of bytes is a byte"));
            }
        }
    }
    pixels
}
