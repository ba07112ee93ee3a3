//! Rows of logits in training: log-probabilities as `shoprl_rl::math` defines them, and their gradient.
#![allow(
    unsafe_code,
    reason = "calls of copies compiled for an instruction set that the path proves"
)]

use shoprl_rl::math::{Normalizer, exp_f32, ln_f32};

use super::LANES;
use super::rows::on_every_path;

/// Summary of a row of logits.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LogitSummary {
    /// Maximum, and sum of exponentials.
    pub normalizer: Normalizer,
    /// Entropy in nats.
    pub entropy: f32,
}

on_every_path! {
    /// Summarises a row of logits.
    pub fn summarize_logits(row: &[f32]) -> LogitSummary {
        let normalizer = Normalizer::of(row);
        let Normalizer { maximum, total } = normalizer;
        // exp underflows to zero below -87.3; the bound prevents 0 * -inf, which is NaN.
        let term = |x: f32| {
            let z = x - maximum;
            exp_f32(z) * z.max(-100.0)
        };
        let mut lanes = [0.0; LANES];
        let mut chunks = row.chunks_exact(LANES);
        for chunk in &mut chunks {
            for i in 0..LANES {
                lanes[i] += term(chunk[i]);
            }
        }
        for (lane, &x) in lanes.iter_mut().zip(chunks.remainder()) {
            *lane += term(x);
        }
        let weighted: f32 = lanes.iter().sum();
        LogitSummary { normalizer, entropy: (ln_f32(total) - weighted / total).max(0.0) }
    }

    /// Replaces logits by the gradient of `slope * log_probability(target)`: `slope * (one_hot(target) - softmax)`.
    pub fn logit_gradient(row: &mut [f32], normalizer: Normalizer, target: usize, slope: f32) {
        let factor = -slope / normalizer.total;
        for x in row.iter_mut() {
            *x = exp_f32(*x - normalizer.maximum) * factor;
        }
        row[target] += slope;
    }
}
