//! The exponential function and the sigmoid.

/// Below this `exp` is subnormal. The result is flushed to zero, so that the bits do not depend on
/// the processor's flush-to-zero mode.
const SMALLEST: f32 = -87.336_54;

/// Above this `exp` exceeds `f32::MAX`.
const LARGEST: f32 = 88.722_83;

/// Adding and subtracting 1.5 * 2^23 rounds a small f32 to the nearest integer, ties to even,
/// and leaves that integer in the low bits of the sum.
const ROUND: f32 = 12_582_912.0;

/// ln 2 in two parts; the first has 9 significant bits, so that `n * LN2_HIGH` is exact.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// e^x with a relative error below 2e-7 for x in [-87.3, 88.7].
///
/// Below that range the result is 0, above it infinity; NaN stays NaN.
///
/// Range reduction x = n ln 2 + r with |r| <= ln 2 / 2, then the degree-7 minimax form of Cephes
/// `expf` (Moshier 1989): e^r = 1 + r + r² P(r).
///
/// ```
/// use shoprl_rl::math::exp_f32;
/// assert_eq!(exp_f32(0.0), 1.0);
/// assert_eq!(exp_f32(f32::NEG_INFINITY), 0.0);
/// ```
#[inline(always)]
pub fn exp_f32(x: f32) -> f32 {
    // NaN fails both comparisons, and they compile to min and max.
    let clamped = if x < SMALLEST { SMALLEST } else { x };
    let clamped = if clamped > LARGEST { LARGEST } else { clamped };
    let (mantissa, exponent) = reduce(clamped);

    // 2^n in two factors, since n = 128 alone has no f32 representation.
    let half = exponent >> 1;
    let value = mantissa * power_of_two(half) * power_of_two(exponent - half);

    let value = if x < SMALLEST { 0.0 } else { value };
    if x > LARGEST { f32::INFINITY } else { value }
}

/// [`exp_f32`] for x <= 0: the same bits in two thirds of the time. Undefined above 0.
#[inline(always)]
pub fn exp_nonpositive_f32(x: f32) -> f32 {
    let (mantissa, exponent) = reduce(x);
    let value = mantissa * power_of_two(exponent);
    // Far below the range the product is meaningless; it is replaced here.
    if x < SMALLEST { 0.0 } else { value }
}

/// (e^r, n) with x = n ln 2 + r.
#[inline(always)]
fn reduce(x: f32) -> (f32, i32) {
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;

    let p = 1.987_569_1e-4_f32;
    let p = p * r + 1.398_2e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 5e-1;
    let mantissa = p * (r * r) + r + 1.0;
    (mantissa, rounded.to_bits().wrapping_sub(ROUND.to_bits()).cast_signed())
}

/// 2^n for n in [-126, 127], by its bits.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits(n.wrapping_add(127).cast_unsigned().wrapping_shl(23))
}

/// The logistic function 1 / (1 + e^-x), without overflow at either end.
///
/// Only e^-|x| <= 1 is ever computed.
#[inline(always)]
pub fn sigmoid_f32(x: f32) -> f32 {
    let e = exp_nonpositive_f32(-x.abs());
    let numerator = if x < 0.0 { e } else { 1.0 };
    numerator / (1.0 + e)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps of 1/997 over the range: a step that shares no factor with the binary grid.
    fn grid() -> impl Iterator<Item = f32> {
        (-87 * 997..=88 * 997).map(|i| i as f32 / 997.0)
    }

    #[test]
    fn exponential_agrees_with_double_precision_over_the_whole_range() {
        let worst = grid()
            .map(|x| {
                let exact = libm::exp(f64::from(x));
                (f64::from(exp_f32(x)) - exact).abs() / exact
            })
            .fold(0.0, f64::max);
        assert!(worst < 1.2e-7, "relative error {worst:e}");
    }

    #[test]
    fn exponential_handles_the_ends_of_the_range() {
        let check = |x: f32, expected: f32| assert_eq!(exp_f32(x), expected, "exp({x})");
        check(0.0, 1.0);
        check(-0.0, 1.0);
        check(f32::NEG_INFINITY, 0.0);
        check(f32::MIN, 0.0);
        check(-104.0, 0.0);
        check(-87.4, 0.0);
        check(89.0, f32::INFINITY);
        check(f32::MAX, f32::INFINITY);
        check(f32::INFINITY, f32::INFINITY);
        assert!(exp_f32(f32::NAN).is_nan());
        assert!(exp_f32(88.72).is_finite());
        assert!(exp_f32(-87.33) > 0.0);
    }

    #[test]
    fn the_exponential_for_negative_arguments_has_the_same_bits() {
        let ends = [f32::NEG_INFINITY, f32::MIN, -1e30, -1e9, -104.0, -87.336_54, -0.0, 0.0];
        for x in grid().filter(|x| *x <= 0.0).chain(ends) {
            assert_eq!(exp_nonpositive_f32(x).to_bits(), exp_f32(x).to_bits(), "exp({x})");
        }
        assert!(exp_nonpositive_f32(f32::NAN).is_nan());
    }

    #[test]
    fn exponential_keeps_its_bits() {
        // A change of any of these bits changes every recorded run: it needs a decision in
        // docs/decisions.
        let check = |x: f32, bits: u32| assert_eq!(exp_f32(x).to_bits(), bits, "exp({x})");
        check(1.0, 0x402d_f854);
        check(-1.0, 0x3ebc_5ab2);
        check(10.0, 0x46ac_14ee);
        check(-20.0, 0x310d_a433);
    }

    #[test]
    fn sigmoid_agrees_with_double_precision_and_never_overflows() {
        for x in grid() {
            let exact = 1.0 / (1.0 + libm::exp(-f64::from(x)));
            let error = (f64::from(sigmoid_f32(x)) - exact).abs() / exact;
            assert!(error < 2.5e-7, "sigmoid({x}) is off by {error:e}");
        }
        assert_eq!(sigmoid_f32(f32::INFINITY), 1.0);
        assert_eq!(sigmoid_f32(f32::NEG_INFINITY), 0.0);
        assert!(sigmoid_f32(f32::NAN).is_nan());
    }
}
