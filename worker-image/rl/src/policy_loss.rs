//! The clipped policy-gradient loss of one token, and of a batch.
//!
//! Loss of a token with probability ratio ρ = π(y) / π_behavior(y) and advantage A:
//!
//! −min(ρ A, clip(ρ, 1 − low, 1 + high) A) + β k₃
//!
//! Clipping: PPO (Schulman et al. 2017, arXiv 1707.06347, equation 7), with the two bounds of
//! DAPO's clip-higher (Yu et al. 2025, arXiv 2503.14476, section 3.1). Penalty: GRPO's unbiased
//! estimate k₃ = e^d − d − 1 of the divergence from a reference, d = ln π_ref − ln π (arXiv
//! 2402.03300, equation 4). A batch is normalised by one global number, not per sample.

use serde::{Deserialize, Serialize};

/// Larger log-ratios are clamped: e^20 is far outside any clip, and an infinite loss for a negative
/// advantage would end the run.
const MAXIMUM_LOG_RATIO: f64 = 20.0;

/// How far the probability ratio may move before the gradient stops.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clip {
    /// The ratio's lower bound is 1 − `low`.
    pub low: f32,
    /// The ratio's upper bound is 1 + `high`.
    pub high: f32,
}

/// Loss of one token and its derivative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenLoss {
    /// Policy term plus penalty.
    pub loss: f32,
    /// d loss / d ln π(y).
    pub gradient: f32,
    /// Whether the clip stopped the policy term's gradient.
    pub clipped: bool,
    /// The k₃ estimate, 0 without a reference.
    pub kl: f32,
}

/// The loss of one token, all logarithms natural.
///
/// `log_prob` is under the policy that is trained, `behavior` under the policy that drew the token,
/// and `reference` under the frozen policy of the penalty.
pub fn token_loss(
    log_prob: f32,
    behavior: f32,
    advantage: f32,
    clip: Clip,
    kl_coefficient: f32,
    reference: Option<f32>,
) -> TokenLoss {
    let [log_prob, behavior, advantage] = [log_prob, behavior, advantage].map(f64::from);
    let beta = f64::from(kl_coefficient);

    let surrogate = Surrogate::new(log_prob - behavior, advantage, clip);
    let penalty =
        reference.map_or_else(Penalty::default, |r| Penalty::new(f64::from(r) - log_prob));
    TokenLoss {
        loss: (surrogate.loss + beta * penalty.kl) as f32,
        gradient: (surrogate.gradient + beta * penalty.gradient) as f32,
        clipped: surrogate.clipped,
        kl: penalty.kl as f32,
    }
}

struct Surrogate {
    loss: f64,
    gradient: f64,
    clipped: bool,
}

impl Surrogate {
    fn new(log_ratio: f64, advantage: f64, clip: Clip) -> Self {
        let clamped = log_ratio.clamp(-MAXIMUM_LOG_RATIO, MAXIMUM_LOG_RATIO);
        let ratio = libm::exp(clamped);
        let bounded = ratio.clamp(1.0 - f64::from(clip.low), 1.0 + f64::from(clip.high));
        let (free, limited) = (ratio * advantage, bounded * advantage);
        // Equality means that the ratio is inside the clip: the gradient flows.
        let clipped = limited < free || clamped != log_ratio;
        let gradient = if clipped { 0.0 } else { -free };
        Self { loss: -free.min(limited), gradient, clipped }
    }
}

#[derive(Default)]
struct Penalty {
    kl: f64,
    gradient: f64,
}

impl Penalty {
    fn new(difference: f64) -> Self {
        let clamped = difference.clamp(-MAXIMUM_LOG_RATIO, MAXIMUM_LOG_RATIO);
        // expm1 keeps k₃ >= 0; e^d − d − 1 would lose digits by cancellation.
        let excess = libm::expm1(clamped);
        let gradient = if clamped == difference { -excess } else { 0.0 };
        Self { kl: excess - clamped, gradient }
    }
}

/// One token of a batch that has a policy loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PolicyToken {
    /// ln π(y) under the policy that is trained.
    pub log_prob: f32,
    /// ln π(y) under the policy that drew the token.
    pub behavior: f32,
    /// Signed credit of the token.
    pub advantage: f32,
    /// ln π(y) under the reference, if the loss has a penalty.
    pub reference: Option<f32>,
}

/// The loss of a batch and its derivative for each token.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchLoss {
    /// Σ token losses / normaliser.
    pub loss: f64,
    /// d loss / d ln π(y) per token, in the order given.
    pub gradients: Vec<f64>,
    /// Tokens whose policy gradient the clip stopped.
    pub clipped: usize,
}

/// The loss of a whole batch divided by one global `normalizer`, normally its number of policy
/// tokens: a plain reference for the fused and the distributed implementations.
pub fn batch_loss(
    tokens: &[PolicyToken],
    clip: Clip,
    kl_coefficient: f32,
    normalizer: f64,
) -> BatchLoss {
    let mut batch =
        BatchLoss { loss: 0.0, gradients: Vec::with_capacity(tokens.len()), clipped: 0 };
    for token in tokens {
        let PolicyToken { log_prob, behavior, advantage, reference } = *token;
        let loss = token_loss(log_prob, behavior, advantage, clip, kl_coefficient, reference);
        batch.loss += f64::from(loss.loss) / normalizer;
        batch.gradients.push(f64::from(loss.gradient) / normalizer);
        batch.clipped += usize::from(loss.clipped);
    }
    batch
}

#[cfg(test)]
mod tests;
