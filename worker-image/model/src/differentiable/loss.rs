//! Likelihood and clipped policy loss on tensors.

use candle_core::{D, Result, Tensor};
use shoprl_rl::policy_loss::token_loss;

use crate::batch::{BatchStatistics, Objective, Sequence, Target};

/// As in `shoprl_rl::policy_loss`: larger log-ratios are clamped and have no gradient.
const MAXIMUM_LOG_RATIO: f32 = 20.0;

/// The predictions of a rectangle of texts that enter the loss.
pub(super) struct Predictions {
    /// Rows of the hidden state that predict: text * width + position - 1.
    pub(super) rows: Vec<u32>,
    tokens: Vec<u32>,
    targets: Vec<Target>,
}

impl Predictions {
    /// Predictions with a target that counts.
    pub(super) fn new(sequences: &[Sequence], width: usize) -> Self {
        let mut predictions = Self { rows: Vec::new(), tokens: Vec::new(), targets: Vec::new() };
        for (number, sequence) in sequences.iter().enumerate() {
            let pairs = sequence.tokens.iter().zip(&sequence.targets).enumerate();
            for (position, (&token, target)) in
                pairs.skip(1).filter(|(_, (_, target))| target.counts())
            {
                predictions.rows.push((number * width + position - 1) as u32);
                predictions.tokens.push(token);
                predictions.targets.push(*target);
            }
        }
        predictions
    }

    /// Predictions of every token except the first.
    pub(super) fn of_all(texts: &[&[u32]], width: usize) -> Self {
        let sequences: Vec<Sequence> = texts
            .iter()
            .map(|text| Sequence {
                tokens: text.to_vec(),
                targets: vec![Target::Supervised { weight: 1.0 }; text.len()],
            })
            .collect();
        Self::new(&sequences, width)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Log-probability of each prediction's token, from its row of `logits`.
    pub(super) fn log_probabilities(&self, logits: &Tensor) -> Result<Tensor> {
        let (normalized, total) = normalize(logits)?;
        self.of_tokens(&normalized)? - total.log()?.squeeze(1)?
    }

    fn of_tokens(&self, rows: &Tensor) -> Result<Tensor> {
        let tokens = Tensor::from_slice(&self.tokens, (self.tokens.len(), 1), rows.device())?;
        rows.gather(&tokens, 1)?.squeeze(1)
    }

    /// The objective of these predictions, and their statistics.
    pub(super) fn loss(
        &self,
        logits: &Tensor,
        objective: &Objective,
    ) -> Result<(Tensor, BatchStatistics)> {
        let log_probabilities = self.log_probabilities(logits)?;
        let column = |value: &dyn Fn(&Target) -> f32| {
            let values: Vec<f32> = self.targets.iter().map(value).collect();
            Tensor::from_vec(values, self.targets.len(), logits.device())
        };
        let weight = column(&|target| {
            if let Target::Supervised { weight } = target { *weight } else { 0.0 }
        })?;
        let advantage = column(&|target| {
            if let Target::Policy { advantage, .. } = target { *advantage } else { 0.0 }
        })?;
        let behavior = column(&|target| {
            if let Target::Policy { behavior, .. } = target { *behavior } else { 0.0 }
        })?;
        let reference = |target: &Target| {
            if let Target::Policy { reference, .. } = target { *reference } else { None }
        };
        let has_reference = column(&|target| if reference(target).is_some() { 1.0 } else { 0.0 })?;
        let reference = column(&|target| reference(target).unwrap_or(0.0))?;

        // min(ratio A, clip(ratio) A), PPO's equation 7; tokens without advantage contribute 0.
        let ratio = clamped(&(&log_probabilities - behavior)?)?.exp()?;
        let clip = objective.clip;
        let bounded = ratio.clamp(1.0 - clip.low, 1.0 + clip.high)?;
        let surrogate = (ratio * &advantage)?.minimum(&(bounded * &advantage)?)?;
        // k3 = e^d - d - 1 with d = ln reference - ln policy.
        let difference = clamped(&(reference - &log_probabilities)?)?;
        let divergence = ((difference.exp()? - difference)? - 1.0)?;
        let penalty =
            (divergence * has_reference)?.affine(f64::from(objective.kl_coefficient), 0.0)?;
        let likelihood = (weight * &log_probabilities)?;
        let total = ((penalty - surrogate)? - likelihood)?.sum_all()?;
        let loss = (total / f64::from(objective.normalizer))?;
        let statistics = self.statistics(logits, &log_probabilities, objective, &loss)?;
        Ok((loss, statistics))
    }

    fn statistics(
        &self,
        logits: &Tensor,
        log_probabilities: &Tensor,
        objective: &Objective,
        loss: &Tensor,
    ) -> Result<BatchStatistics> {
        let entropies = entropies(&logits.detach())?.to_vec1::<f32>()?;
        let log_probabilities = log_probabilities.to_vec1::<f32>()?;
        let mut sums = BatchStatistics {
            loss: f64::from(loss.to_scalar::<f32>()?),
            ..BatchStatistics::default()
        };
        for ((target, found), entropy) in self.targets.iter().zip(log_probabilities).zip(entropies)
        {
            match *target {
                Target::None => {}
                Target::Supervised { weight } => {
                    sums.supervised_tokens += 1;
                    sums.supervised_weight += f64::from(weight);
                    sums.supervised_nll_sum -= f64::from(weight) * f64::from(found);
                }
                Target::Policy { advantage, behavior, reference } => {
                    let Objective { clip, kl_coefficient, .. } = *objective;
                    let token =
                        token_loss(found, behavior, advantage, clip, kl_coefficient, reference);
                    let distance = (f64::from(found) - f64::from(behavior)).abs();
                    sums.policy_tokens += 1;
                    sums.entropy_sum += f64::from(entropy);
                    sums.kl_sum += f64::from(token.kl);
                    sums.clipped += u64::from(token.clipped);
                    sums.largest_log_ratio = sums.largest_log_ratio.max(distance);
                }
            }
        }
        Ok(sums)
    }
}

/// Logits minus their maximum, and the row sums of their exponentials. The maximum has no gradient.
fn normalize(logits: &Tensor) -> Result<(Tensor, Tensor)> {
    let normalized = logits.broadcast_sub(&logits.max_keepdim(D::Minus1)?.detach())?;
    let total = normalized.exp()?.sum_keepdim(D::Minus1)?;
    Ok((normalized, total))
}

/// Entropy of every row's distribution, in nats.
fn entropies(logits: &Tensor) -> Result<Tensor> {
    let (normalized, total) = normalize(logits)?;
    let mean = (normalized.exp()? * normalized)?.sum_keepdim(D::Minus1)?;
    (total.log()? - (mean / total)?)?.squeeze(1)
}

fn clamped(log_ratio: &Tensor) -> Result<Tensor> {
    log_ratio.clamp(-MAXIMUM_LOG_RATIO, MAXIMUM_LOG_RATIO)
}
