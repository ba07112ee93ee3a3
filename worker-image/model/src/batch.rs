//! Input and result of one optimiser step: token sequences, the loss on each token, and the sums measured over the
//! batch.

use std::ops::AddAssign;

use shoprl_rl::policy_loss::Clip;

/// The loss on the prediction of one token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// No loss: the token is context only.
    None,
    /// Likelihood: `-weight * log_probability`.
    Supervised {
        /// Factor on the negative log-likelihood; 0 is the same as [`Target::None`].
        weight: f32,
    },
    /// Reward: the clipped policy-gradient loss of `shoprl_rl::policy_loss`.
    Policy {
        /// Signed credit of the token.
        advantage: f32,
        /// Log-probability under the policy that sampled the token, in nats.
        behavior: f32,
        /// Log-probability under the reference policy of the KL penalty, in nats. `None`: no penalty.
        reference: Option<f32>,
    },
}

impl Target {
    /// Whether the token's prediction enters the loss.
    #[must_use]
    pub fn counts(&self) -> bool {
        !matches!(self, Self::None | Self::Supervised { weight: 0.0 })
    }
}

/// One text: `targets[t]` is the loss on predicting `tokens[t]` from `tokens[..t]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequence {
    /// Token ids.
    pub tokens: Vec<u32>,
    /// One per token; the first is [`Target::None`], since nothing predicts it.
    pub targets: Vec<Target>,
}

/// Constants of the loss of one optimiser step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// How far the probability ratio may move.
    pub clip: Clip,
    /// Weight of the KL penalty.
    pub kl_coefficient: f32,
    /// Divisor of the summed loss of all micro-batches: normally the tokens (or summed weights) of the whole batch,
    /// so that cutting the batch differently changes no gradient.
    pub normalizer: f32,
}

/// Sequences whose gradient one thread of one rank computes as a unit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MicroBatch {
    /// The sequences, in order.
    pub sequences: Vec<Sequence>,
}

/// Cuts a batch into micro-batches of at most `tokens_per_micro_batch` tokens (a longer sequence stands alone).
///
/// The order is kept and only lengths decide, so every rank cuts alike, whatever its rank or thread count.
#[must_use]
pub fn micro_batches(sequences: Vec<Sequence>, tokens_per_micro_batch: usize) -> Vec<MicroBatch> {
    let mut batches: Vec<MicroBatch> = Vec::new();
    let mut tokens = 0;
    for sequence in sequences {
        let length = sequence.tokens.len();
        match batches.last_mut() {
            Some(last) if tokens + length <= tokens_per_micro_batch => {
                last.sequences.push(sequence);
            }
            _ => {
                batches.push(MicroBatch { sequences: vec![sequence] });
                tokens = 0;
            }
        }
        tokens += length;
    }
    batches
}

/// Sums over a batch's forward pass. The trainer adds the sums of all parts in a fixed order.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BatchStatistics {
    /// The objective: summed token losses divided by the normaliser.
    pub loss: f64,
    /// Tokens of all sequences.
    pub tokens: u64,
    /// Tokens with a supervised target of non-zero weight.
    pub supervised_tokens: u64,
    /// Sum of their weights.
    pub supervised_weight: f64,
    /// Sum of their weighted negative log-likelihoods, in nats.
    pub supervised_nll_sum: f64,
    /// Tokens with a policy target.
    pub policy_tokens: u64,
    /// Summed entropies of the distributions that predicted them, in nats.
    pub entropy_sum: f64,
    /// Summed k3 estimates of the divergence from the reference policy.
    pub kl_sum: f64,
    /// Policy tokens whose gradient the clip stopped.
    pub clipped: u64,
    /// Largest |log_probability - behavior|: 0 when training and generation agree bit for bit on the same weights.
    pub largest_log_ratio: f64,
}

impl AddAssign for BatchStatistics {
    fn add_assign(&mut self, other: Self) {
        self.loss += other.loss;
        self.tokens += other.tokens;
        self.supervised_tokens += other.supervised_tokens;
        self.supervised_weight += other.supervised_weight;
        self.supervised_nll_sum += other.supervised_nll_sum;
        self.policy_tokens += other.policy_tokens;
        self.entropy_sum += other.entropy_sum;
        self.kl_sum += other.kl_sum;
        self.clipped += other.clipped;
        self.largest_log_ratio = self.largest_log_ratio.max(other.largest_log_ratio);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn micro_batches_are_cut_by_length_alone_and_keep_the_order() {
        let check = |lengths: &[usize], limit, expected: &[&[usize]]| {
            let sequences = lengths
                .iter()
                .map(|&n| Sequence { tokens: vec![7; n], targets: vec![Target::None; n] });
            let cut = micro_batches(sequences.collect(), limit);
            let found: Vec<Vec<usize>> =
                cut.iter().map(|b| b.sequences.iter().map(|s| s.tokens.len()).collect()).collect();
            assert_eq!(found, expected, "{lengths:?} by {limit}");
        };
        check(&[], 10, &[]);
        check(&[4, 6, 1], 10, &[&[4, 6], &[1]]);
        check(&[4, 7, 3], 10, &[&[4], &[7, 3]]);
        check(&[12, 1, 30, 30], 10, &[&[12], &[1], &[30], &[30]]);
    }
}
