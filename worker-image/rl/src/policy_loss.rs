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

/// Log-ratios beyond this are held: e^20 is far outside any clip, and an infinite loss for a
/// negative advantage would end the run.
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
/// `log_prob` under the policy that is trained, `behavior` under the policy that drew the token,
/// `reference` under the frozen policy of the penalty.
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
        let held = log_ratio.clamp(-MAXIMUM_LOG_RATIO, MAXIMUM_LOG_RATIO);
        let ratio = libm::exp(held);
        let bounded = ratio.clamp(1.0 - f64::from(clip.low), 1.0 + f64::from(clip.high));
        let (free, limited) = (ratio * advantage, bounded * advantage);
        // Equality means the ratio lies inside the clip: there the gradient flows.
        let clipped = limited < free || held != log_ratio;
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
        let held = difference.clamp(-MAXIMUM_LOG_RATIO, MAXIMUM_LOG_RATIO);
        // expm1 keeps k₃ >= 0 where e^d − d − 1 would cancel.
        let excess = libm::expm1(held);
        let gradient = if held == difference { -excess } else { 0.0 };
        Self { kl: excess - held, gradient }
    }
}

/// One trained token of a batch.
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

/// A batch's loss, with the derivative for each token.
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
/// tokens: a plain reference for what the fused and the distributed forms must compute.
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CLIP: Clip = Clip { low: 0.2, high: 0.28 };

    #[test]
    fn an_on_policy_token_has_the_plain_policy_gradient() {
        let loss = token_loss(-1.5, -1.5, 0.75, CLIP, 0.1, Some(-1.5));
        assert_eq!(loss, TokenLoss { loss: -0.75, gradient: -0.75, clipped: false, kl: 0.0 });
    }

    #[test]
    fn the_clip_stops_only_moves_that_go_further_the_wanted_way() {
        let check = |ratio: f64, advantage, clipped| {
            let log_prob = libm::log(ratio) as f32 - 1.0;
            let loss = token_loss(log_prob, -1.0, advantage, CLIP, 0.0, None);
            assert_eq!(loss.clipped, clipped, "ratio {ratio}, advantage {advantage}");
            assert_eq!(loss.gradient == 0.0, clipped);
        };
        check(1.27, 1.0, false);
        check(1.29, 1.0, true);
        check(1.29, -1.0, false);
        check(0.81, -1.0, false);
        check(0.79, -1.0, true);
        check(0.79, 1.0, false);
        check(1e12, -1.0, true); // held, not infinite
    }

    #[test]
    fn extreme_ratios_stay_finite() {
        for log_prob in [-1e4, 0.0] {
            for advantage in [-3.0, 3.0] {
                let loss = token_loss(log_prob, -1e4, advantage, CLIP, 0.1, Some(-1e4));
                assert!(loss.loss.is_finite() && loss.gradient.is_finite(), "{loss:?}");
            }
        }
    }

    #[test]
    fn a_batch_is_normalised_by_one_number_for_all_its_samples() {
        let token =
            |advantage| PolicyToken { log_prob: -1.0, behavior: -1.0, advantage, reference: None };
        // One sample of three tokens and one of one: each token weighs a quarter.
        let batch = batch_loss(&[token(1.0), token(1.0), token(1.0), token(-2.0)], CLIP, 0.0, 4.0);
        assert_eq!(batch.loss, -0.25);
        assert_eq!(batch.gradients, [-0.25, -0.25, -0.25, 0.5]);
        assert_eq!(batch.clipped, 0);
    }

    proptest! {
        #[test]
        fn the_gradient_is_the_slope_of_the_loss(
            behavior in -4f64..0.0,
            offset in -1f64..1.0,
            advantage in -3f64..3.0,
            drift in -1f64..1.0,
        ) {
            let h = 1e-6;
            let edges = [libm::log(0.8), libm::log(1.28)];
            prop_assume!(edges.iter().all(|edge| (offset - edge).abs() > 1e-4));
            let policy = |d: f64| Surrogate::new(offset + d, advantage, CLIP);
            let slope = (policy(h).loss - policy(-h).loss) / (2.0 * h);
            prop_assert!((slope - policy(0.0).gradient).abs() < 1e-6, "policy: {slope}");

            let penalty = |d: f64| Penalty::new(drift - d);
            let slope = (penalty(h).kl - penalty(-h).kl) / (2.0 * h);
            prop_assert!((slope - penalty(0.0).gradient).abs() < 1e-6, "penalty: {slope}");

            let [l, b, a, r] = [behavior + offset, behavior, advantage, behavior + offset + drift]
                .map(|x| x as f32);
            let whole = f64::from(token_loss(l, b, a, CLIP, 0.1, Some(r)).gradient);
            let parts = policy(0.0).gradient + 0.1 * penalty(0.0).gradient;
            prop_assert!((whole - parts).abs() < 1e-4, "{whole} against {parts}");
        }

        #[test]
        fn the_penalty_is_never_negative(drift in -25f64..25.0) {
            prop_assert!(Penalty::new(drift).kl >= 0.0);
        }
    }
}
