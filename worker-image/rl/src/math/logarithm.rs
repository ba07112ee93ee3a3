//! The natural logarithm.

/// Subnormal arguments are scaled by 2^23 first.
const SCALE: f32 = 8_388_608.0;

/// ln x with an error below 1.2e-7 relative to max(|ln x|, 1), for every positive finite x.
///
/// ln 0 is negative infinity, a negative argument gives NaN, and infinity gives infinity.
///
/// x = 2^e m with m in [sqrt(1/2), sqrt(2)), then Cephes `logf` (Moshier 1989):
/// ln m = z - z²/2 + z³ P(z) with z = m - 1.
#[inline(always)]
pub fn ln_f32(x: f32) -> f32 {
    let subnormal = x < f32::MIN_POSITIVE;
    let scaled = if subnormal { x * SCALE } else { x };
    let shift = if subnormal { -23.0 } else { 0.0 };

    // Subtracting the bits of sqrt(1/2) moves the boundary between exponents to sqrt(1/2).
    const SQRT_HALF: u32 = 0x3f35_04f3;
    let offset = scaled.to_bits().wrapping_sub(SQRT_HALF);
    let e = (offset.cast_signed() >> 23) as f32 + shift;
    let m = f32::from_bits((offset & 0x007f_ffff).wrapping_add(SQRT_HALF));
    let z = m - 1.0;

    let p = 7.037_683_6e-2_f32;
    let p = p * z - 1.151_461e-1;
    let p = p * z + 1.167_699_87e-1;
    let p = p * z - 1.242_014_1e-1;
    let p = p * z + 1.424_932_3e-1;
    let p = p * z - 1.666_805_7e-1;
    let p = p * z + 2.000_071_5e-1;
    let p = p * z - 2.499_999_4e-1;
    let p = p * z + 3.333_333e-1;
    let square = z * z;
    let tail = p * z * square + e * -2.121_944_4e-4 - 0.5 * square;
    let value = (z + tail) + e * 0.693_359_4;

    let value = if x == f32::INFINITY { x } else { value };
    let value = if x == 0.0 { f32::NEG_INFINITY } else { value };
    if x < 0.0 || x.is_nan() { f32::NAN } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithm_agrees_with_double_precision_at_every_magnitude() {
        // Every 40,009th positive float, a prime stride: 53,000 of them, subnormals included.
        let worst = (1..f32::INFINITY.to_bits())
            .step_by(40_009)
            .map(f32::from_bits)
            .map(|x| {
                let exact = libm::log(f64::from(x));
                (f64::from(ln_f32(x)) - exact).abs() / exact.abs().max(1.0)
            })
            .fold(0.0, f64::max);
        assert!(worst < 1.2e-7, "error {worst:e}");
    }

    #[test]
    fn logarithm_near_one_keeps_its_relative_accuracy() {
        for i in 1..2000 {
            let x = 1.0 + (i as f32 - 1000.5) / 8192.0;
            let exact = libm::log(f64::from(x));
            let error = (f64::from(ln_f32(x)) - exact).abs() / exact.abs();
            assert!(error < 2.5e-7, "ln({x}) is off by {error:e}");
        }
    }

    #[test]
    fn logarithm_handles_the_ends_of_the_range() {
        let check = |x: f32, expected: f32| assert_eq!(ln_f32(x), expected, "ln({x})");
        check(1.0, 0.0);
        check(0.0, f32::NEG_INFINITY);
        check(-0.0, f32::NEG_INFINITY);
        check(f32::INFINITY, f32::INFINITY);
        for x in [-1.0, -1e-40, f32::NEG_INFINITY, f32::NAN] {
            assert!(ln_f32(x).is_nan(), "ln({x})");
        }
    }

    #[test]
    fn logarithm_keeps_its_bits() {
        let check = |x: f32, bits: u32| assert_eq!(ln_f32(x).to_bits(), bits, "ln({x})");
        check(2.0, 0x3f31_7218);
        check(10.0, 0x4013_5d8e);
        check(1e-20, 0xc238_34f1);
    }
}
