//! Choosing a token from a row of logits.
//!
//! A choice is a function of the row, the temperature and one uniform number. The caller takes that
//! number from a [`StreamKey`](crate::seed::StreamKey), so a token depends neither on its batch nor
//! on the machine.

use crate::math::{BLOCK, block_sums, exp_nonpositive_f32, ln_f32, maximum};

/// A chosen token and what the trainer needs about its distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Index into the row.
    pub token: u32,
    /// ln of the token's probability under the distribution it was drawn from, in nats. Not finite
    /// if the row has a NaN or only negative infinities: the caller must check.
    pub log_probability: f32,
    /// Entropy of that distribution, in nats.
    pub entropy: f32,
}

/// The most probable token; among equals, the lowest index.
///
/// Log-probability and entropy are those of the policy at temperature 1: greedy decoding measures
/// the policy, it is not a distribution to train on.
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
/// A temperature of 0 or below means [`greedy`]. A token of probability zero is never chosen.
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

/// softmax((x - maximum) * scale), with its sums per block.
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

    /// The first index whose cumulative mass exceeds the fraction `uniform` of the total.
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
        // Rounding moved the target past the last token: take the last possible token.
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
mod tests;
