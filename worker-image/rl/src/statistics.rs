//! Confidence intervals of rates, means and differences.

use serde::{Deserialize, Serialize};

/// The 97.5 % quantile of the normal distribution; it gives intervals of 95 %.
pub const Z95: f64 = 1.959_963_984_540_054;

/// An estimate with the ends of its confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The estimate.
    pub mean: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The rate `successes / n` with Wilson's score interval (Wilson 1927) at `z` standard errors,
/// [`Z95`] for 95 %.
///
/// Unlike the normal approximation it stays inside [0, 1] and has a width at rates 0 and 1. For n =
/// 0 the result is mean 0 in the interval [0, 1]. More successes than trials count as n.
///
/// ```
/// use shoprl_rl::statistics::{Z95, wilson};
/// let rate = wilson(0, 10, Z95);
/// assert_eq!((rate.mean, rate.low), (0.0, 0.0));
/// assert!((rate.high - 0.2775).abs() < 1e-4);
/// ```
pub fn wilson(successes: u64, n: u64, z: f64) -> Interval {
    if n == 0 {
        return Interval { mean: 0.0, low: 0.0, high: 1.0 };
    }
    let trials = n as f64;
    let mean = successes.min(n) as f64 / trials;
    let z2 = z * z;
    let center = (mean + z2 / (2.0 * trials)) / (1.0 + z2 / trials);
    let spread = mean * (1.0 - mean) / trials + z2 / (4.0 * trials * trials);
    let half = z * spread.sqrt() / (1.0 + z2 / trials);
    // At rates 0 and 1 an end equals the mean; rounding must not move it past the mean.
    Interval { mean, low: (center - half).clamp(0.0, mean), high: (center + half).clamp(mean, 1.0) }
}

/// The mean with a 95 % interval by the normal approximation, from the sample variance (divided by
/// n − 1). `None` for fewer than two values.
pub fn mean_interval(values: &[f64]) -> Option<Interval> {
    if values.len() < 2 {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
    let half = Z95 * (variance / n).sqrt();
    Some(Interval { mean, low: mean - half, high: mean + half })
}

/// The mean of `a[i] − b[i]` with a 95 % interval by the normal approximation on the differences.
/// It compares two policies on the same tasks: the variance between tasks cancels. `None` if the
/// lengths differ or there are fewer than two pairs.
pub fn paired_difference(a: &[f64], b: &[f64]) -> Option<Interval> {
    if a.len() != b.len() {
        return None;
    }
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    mean_interval(&differences)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn assert_interval(got: Interval, mean: f64, low: f64, high: f64) {
        let close = |a: f64, b: f64| (a - b).abs() < 1e-4;
        assert!(close(got.mean, mean) && close(got.low, low) && close(got.high, high), "{got:?}");
    }

    #[test]
    fn wilson_gives_the_published_intervals() {
        // Newcombe 1998 (Statistics in Medicine 17), table I, method 3.
        assert_interval(wilson(81, 263, Z95), 0.3080, 0.2553, 0.3662);
        assert_interval(wilson(15, 148, Z95), 0.1014, 0.0624, 0.1605);
        assert_interval(wilson(0, 20, Z95), 0.0, 0.0, 0.1611);
        assert_interval(wilson(1, 29, Z95), 0.0345, 0.0061, 0.1718);
        assert_interval(wilson(29, 29, Z95), 1.0, 0.8830, 1.0);
        assert_interval(wilson(0, 0, Z95), 0.0, 0.0, 1.0);
    }

    #[test]
    fn mean_and_difference_by_hand() {
        // Variance 1 over three values: standard error 1/sqrt(3).
        let half = Z95 / 3_f64.sqrt();
        assert_interval(mean_interval(&[1.0, 2.0, 3.0]).unwrap(), 2.0, 2.0 - half, 2.0 + half);
        let difference = paired_difference(&[5.0, 9.0, 1.0], &[4.0, 7.0, -2.0]).unwrap();
        assert_interval(difference, 2.0, 2.0 - half, 2.0 + half);
    }

    #[test]
    fn too_little_data_has_no_interval() {
        assert_eq!(mean_interval(&[1.0]), None);
        assert_eq!(paired_difference(&[1.0, 2.0], &[1.0]), None);
        assert_eq!(paired_difference(&[1.0], &[1.0]), None);
    }

    proptest! {
        #[test]
        fn wilson_contains_its_rate_and_narrows_with_more_trials(
            n in 1u64..5000, share in 0f64..=1.0,
        ) {
            let successes = (share * n as f64) as u64;
            let few = wilson(successes, n, Z95);
            let many = wilson(successes * 4, n * 4, Z95);
            prop_assert!(0.0 <= few.low && few.low <= few.mean);
            prop_assert!(few.mean <= few.high && few.high <= 1.0);
            prop_assert!(many.high - many.low < few.high - few.low);
        }
    }
}
