//! Choosing a token from a row of logits.
//!
//! A choice is a function of the row, the temperature and one uniform number. The caller takes
//! that number from a [`StreamKey`](crate::seed::StreamKey), so that a token depends neither on
//! the batch it was decoded in nor on the machine.

use crate::math::{BLOCK, block_sums, exp_nonpositive_f32, ln_f32, maximum};

/// A chosen token and what the trainer needs to know about the distribution it came from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Index into the row.
    pub token: u32,
    /// ln of the token's probability under the distribution it was drawn from, in nats. Not finite
    /// when the row holds a NaN or nothing but negative infinity: the caller must check.
    pub log_probability: f32,
    /// Entropy of that distribution, in nats.
    pub entropy: f32,
}

/// The most probable token, the lowest index among equals.
///
/// Log-probability and entropy are those of the policy itself, at temperature 1: the greedy
/// choice is a way to read the policy, not a distribution to be trained on.
///
/// # Panics
/// If the row is empty.
pub fn greedy(logits: &[f32]) -> Choice {
    assert!(!logits.is_empty(), "cannot choose from an empty row");
    let distribution = Distribution::new(logits, 1.0);
    let token = logits.iter().position(|&x| x == distribution.maximum).unwrap_or(0);
    distribution.choice(logits, token)
}

/// A token drawn from softmax(logits / temperature) by inverting its cumulative distribution in
/// the order of the indices, at `uniform` in [0, 1).
///
/// A temperature of 0 or below is [`greedy`]. A token of probability zero is never chosen.
///
/// # Panics
/// If the row is empty.
pub fn sample(logits: &[f32], temperature: f32, uniform: f32) -> Choice {
    if temperature <= 0.0 {
        return greedy(logits);
    }
    assert!(!logits.is_empty(), "cannot choose from an empty row");
    let distribution = Distribution::new(logits, 1.0 / temperature);
    let token = distribution.invert(logits, uniform);
    distribution.choice(logits, token)
}

/// softmax((x - maximum) * scale), with its sums by block.
struct Distribution {
    maximum: f32,
    scale: f32,
    /// Σ e^z of each block of [`BLOCK`] entries, z = (x - maximum) * scale.
    blocks: Vec<f32>,
    total: f32,
    /// Σ z e^z
    weighted: f32,
}

impl Distribution {
    fn new(logits: &[f32], scale: f32) -> Self {
        let maximum = maximum(logits);
        let mut blocks = Vec::with_capacity(logits.len().div_ceil(BLOCK));
        let (mut total, mut weighted) = (0.0, 0.0);
        for block in logits.chunks(BLOCK) {
            let [sum, moment] = block_sums(block, |x| {
                let z = (x - maximum) * scale;
                let e = exp_nonpositive_f32(z);
                // 0 * -inf would be NaN; below -100 the exponential is zero.
                [e, e * if z < -100.0 { -100.0 } else { z }]
            });
            total += sum;
            weighted += moment;
            blocks.push(sum);
        }
        Self { maximum, scale, blocks, total, weighted }
    }

    fn mass(&self, x: f32) -> f32 {
        exp_nonpositive_f32((x - self.maximum) * self.scale)
    }

    /// The first index whose cumulative mass exceeds `uniform` of the whole.
    fn invert(&self, logits: &[f32], uniform: f32) -> usize {
        let target = uniform * self.total;
        let (mut before, mut block) = (0.0, 0);
        while block < self.blocks.len() && before + self.blocks[block] <= target {
            before += self.blocks[block];
            block += 1;
        }
        let start = logits.len().min(block * BLOCK);
        let end = logits.len().min(start + BLOCK);
        for (i, &x) in logits[start..end].iter().enumerate() {
            before += self.mass(x);
            if before > target {
                return start + i;
            }
        }
        // Rounding left the target at the very end: the last possible token there is meant.
        logits[..end].iter().rposition(|&x| self.mass(x) > 0.0).unwrap_or(0)
    }

    fn choice(&self, logits: &[f32], token: usize) -> Choice {
        let log_total = ln_f32(self.total);
        Choice {
            token: token as u32,
            log_probability: (logits[token] - self.maximum) * self.scale - log_total,
            entropy: (log_total - self.weighted / self.total).max(0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        math::{exp_f32, log_softmax_at},
        seed::{Purpose, Stream},
    };

    #[test]
    fn greedy_takes_the_lowest_index_among_equals() {
        let check = |row: &[f32], expected| assert_eq!(greedy(row).token, expected, "{row:?}");
        check(&[0.0], 0);
        check(&[1.0, 3.0, 3.0, 2.0], 1);
        check(&[f32::NEG_INFINITY, -5.0], 1);
        check(&[f32::NEG_INFINITY; 3], 0);
        check(&[f32::NAN, 1.0], 1);
    }

    #[test]
    fn sampling_inverts_the_cumulative_distribution_in_index_order() {
        let row = [0.1_f32, 0.2, 0.0, 0.3, 0.4].map(ln_f32);
        let check = |uniform, expected| {
            assert_eq!(sample(&row, 1.0, uniform).token, expected, "at {uniform}");
        };
        check(0.0, 0);
        check(0.09, 0);
        check(0.11, 1);
        check(0.29, 1);
        check(0.31, 3);
        check(0.61, 4);
        check(0.999_999_94, 4);
    }

    #[test]
    fn impossible_tokens_are_never_drawn() {
        let mut row = vec![f32::NEG_INFINITY; 200];
        row[70] = 1.0;
        for uniform in [0.0, 0.5, 0.999_999_94] {
            let choice = sample(&row, 0.7, uniform);
            assert_eq!((choice.token, choice.log_probability, choice.entropy), (70, 0.0, 0.0));
        }
    }

    #[test]
    fn a_broken_row_shows_in_the_log_probability() {
        for row in [[f32::NAN, 0.0], [f32::NEG_INFINITY; 2], [f32::INFINITY, 0.0]] {
            assert!(!greedy(&row).log_probability.is_finite(), "{row:?}");
            assert!(!sample(&row, 1.0, 0.5).log_probability.is_finite(), "{row:?}");
        }
    }

    #[test]
    fn frequencies_follow_the_tempered_softmax() {
        let row: Vec<f32> = (0..130).map(|i| ((i * 37) % 130) as f32 / 32.0).collect();
        let temperature = 0.8;
        let mut draws = Stream::new(1, Purpose::Fault, &[]);
        let n = 200_000;
        let mut counts = vec![0_u32; row.len()];
        let mut surprise = 0.0;
        for _ in 0..n {
            let choice = sample(&row, temperature, draws.uniform_f32());
            counts[choice.token as usize] += 1;
            surprise -= f64::from(choice.log_probability) / f64::from(n);
        }
        let scaled: Vec<f32> = row.iter().map(|x| x / temperature).collect();
        for (i, &count) in counts.iter().enumerate() {
            let p = f64::from(exp_f32(log_softmax_at(&scaled, i)));
            let slack = 5.0 * (p * (1.0 - p) / f64::from(n)).sqrt();
            assert!((f64::from(count) / f64::from(n) - p).abs() < slack, "token {i}: {count}");
        }
        let entropy = f64::from(sample(&row, temperature, 0.5).entropy);
        assert!((surprise - entropy).abs() < 0.02, "{surprise} against entropy {entropy}");
    }

    proptest! {
        #[test]
        fn the_log_probability_has_the_bits_that_training_computes(
            row in prop::collection::vec(-20f32..20.0, 1..800),
            uniform in 0f32..1.0,
        ) {
            for choice in [sample(&row, 1.0, uniform), greedy(&row)] {
                let trained = log_softmax_at(&row, choice.token as usize);
                prop_assert_eq!(choice.log_probability.to_bits(), trained.to_bits());
            }
        }

        #[test]
        fn entropy_lies_between_zero_and_uniform(
            row in prop::collection::vec(-20f32..20.0, 1..400),
        ) {
            let entropy = greedy(&row).entropy;
            prop_assert!((0.0..=(row.len() as f32).ln() + 1e-5).contains(&entropy), "{entropy}");
        }
    }
}
