//! Text without the system's fonts, which a container need not have.

use ab_glyph::{Font, FontRef, Glyph, InvalidFont, PxScale, ScaleFont, point};

/// DejaVu Sans, embedded.
pub(super) struct Fonts {
    pub(super) regular: FontRef<'static>,
    pub(super) bold: FontRef<'static>,
}

impl Fonts {
    pub(super) fn embedded() -> Result<Self, InvalidFont> {
        Ok(Self {
            regular: FontRef::try_from_slice(dejavu::sans::regular())?,
            bold: FontRef::try_from_slice(dejavu::sans::bold())?,
        })
    }
}

/// The scale at which an em is `size` pixels.
fn scale(font: &FontRef<'_>, size: f32) -> PxScale {
    let em = font.units_per_em().unwrap_or(1000.0);
    PxScale::from(size * font.height_unscaled() / em)
}

/// Width of a line in pixels.
pub(super) fn width(font: &FontRef<'_>, text: &str, size: f32) -> f32 {
    lay_out(font, text, size).1
}

/// Coverage in (0, 1] of each pixel that a line touches; its baseline begins at `start`.
pub(super) fn rasterize(
    font: &FontRef<'_>,
    text: &str,
    size: f32,
    start: (f32, f32),
    mut pixel: impl FnMut(i32, i32, f32),
) {
    for mut glyph in lay_out(font, text, size).0 {
        glyph.position.x += start.0;
        glyph.position.y += start.1;
        let Some(outline) = font.outline_glyph(glyph) else { continue };
        let corner = outline.px_bounds().min;
        outline.draw(|x, y, coverage| {
            if coverage > 0.0 {
                pixel(corner.x as i32 + x as i32, corner.y as i32 + y as i32, coverage.min(1.0));
            }
        });
    }
}

/// Glyphs from the origin on, and where the next one would stand.
fn lay_out(font: &FontRef<'_>, text: &str, size: f32) -> (Vec<Glyph>, f32) {
    let scale = scale(font, size);
    let scaled = font.as_scaled(scale);
    let mut glyphs: Vec<Glyph> = Vec::new();
    let mut pen = 0.0;
    for character in text.chars() {
        let id = font.glyph_id(character);
        if let Some(previous) = glyphs.last() {
            pen += scaled.kern(previous.id, id);
        }
        glyphs.push(id.with_scale_and_position(scale, point(pen, 0.0)));
        pen += scaled.h_advance(id);
    }
    (glyphs, pen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fonts_have_every_sign_that_a_picture_uses() {
        let Fonts { regular, bold } = Fonts::embedded().unwrap();
        for font in [regular, bold] {
            for sign in "AZaz09%+−–→·,:.()".chars() {
                assert_ne!(font.glyph_id(sign).0, 0, "{sign}");
            }
        }
    }

    #[test]
    fn ink_lies_where_the_line_is() {
        let font = Fonts::embedded().unwrap().regular;
        let width = width(&font, "Hill", 30.0);
        let (mut left, mut right, mut top, mut bottom) = (i32::MAX, i32::MIN, i32::MAX, i32::MIN);
        rasterize(&font, "Hill", 30.0, (100.0, 200.0), |x, y, coverage| {
            assert!(coverage > 0.0 && coverage <= 1.0);
            (left, right) = (left.min(x), right.max(x));
            (top, bottom) = (top.min(y), bottom.max(y));
        });
        assert!((100..105).contains(&left), "{left}");
        assert!(right < 100 + width.ceil() as i32 && right > 90 + width as i32, "{right} {width}");
        assert!((174..180).contains(&top) && (198..=200).contains(&bottom), "{top} {bottom}");
    }
}
