//! The head for rows that have a loss: logits, loss, and the gradient of the residual stream.

use shoprl_rl::policy_loss::token_loss;

use super::arena::Arena;
use super::backward::weight_gradient;
use super::context::GradientContext;
use crate::batch::{BatchStatistics, Objective, Target};
use crate::decoder::head::{Head, logits};
use crate::decoder::layer::{Context, linear};
use crate::kernel::{LogitSummary, Start, logit_gradient, rms_norm_backward, summarize_logits};

/// One prediction that enters the loss.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prediction {
    /// Row of the chunk that predicts.
    pub(super) row: usize,
    /// The actual token.
    pub(super) token: u32,
    pub(super) target: Target,
}

/// Loss of one prediction before normalisation, and its derivative with respect to the log-probability.
fn token(
    prediction: &Prediction,
    log_probability: f32,
    entropy: f32,
    objective: &Objective,
    statistics: &mut BatchStatistics,
) -> (f64, f32) {
    match prediction.target {
        Target::None => (0.0, 0.0),
        Target::Supervised { weight } => {
            let loss = -f64::from(weight) * f64::from(log_probability);
            statistics.supervised_tokens += 1;
            statistics.supervised_weight += f64::from(weight);
            statistics.supervised_nll_sum += loss;
            (loss, -weight)
        }
        Target::Policy { advantage, behavior, reference } => {
            let loss = token_loss(
                log_probability,
                behavior,
                advantage,
                objective.clip,
                objective.kl_coefficient,
                reference,
            );
            let ratio = (f64::from(log_probability) - f64::from(behavior)).abs();
            statistics.policy_tokens += 1;
            statistics.entropy_sum += f64::from(entropy);
            statistics.kl_sum += f64::from(loss.kl);
            statistics.clipped += u64::from(loss.clipped);
            statistics.largest_log_ratio = statistics.largest_log_ratio.max(ratio);
            (f64::from(loss.loss), loss.gradient)
        }
    }
}

/// Loss of the predictions. The gradient of the residual stream overwrites `arena.gradients.hidden`; the gradients
/// of the embedding (as output projection) and of the final norm are added to `gradient`.
pub(super) fn loss_back(
    inputs: GradientContext<'_>,
    arena: &mut Arena,
    rows: usize,
    predictions: &[Prediction],
    gradient: &mut [f32],
) -> BatchStatistics {
    let GradientContext { context, weights, transposes, .. } = inputs;
    let Context { path, geometry, .. } = context;
    let Arena { hidden, head, gradients, .. } = arena;
    let count = logits(context, weights, hidden, predictions.iter().map(|p| p.row), head);
    let Head { hidden, normed, logits } = head;
    let statistics = losses(inputs, predictions, logits);
    let dy = (&logits[..], geometry.vocabulary_stride);
    let embedding = &mut gradient[geometry.layout.embedding()];
    weight_gradient(path, count, dy, (normed, geometry.hidden_stride), embedding, geometry.hidden);
    linear(
        path,
        count,
        dy,
        &transposes.head,
        (&mut gradients.normed, geometry.hidden_stride),
        Start::Zero,
    );
    // The normed rows are no longer needed: the buffer now holds the gradient of the rows before the norm.
    let d_rows = &mut normed[..count * geometry.hidden_stride];
    d_rows.fill(0.0);
    let gain = &mut gradient[geometry.layout.final_norm()];
    rms_norm_backward(
        path,
        geometry.norm(&weights.final_norm),
        hidden,
        &gradients.normed,
        d_rows,
        gain,
    );
    gradients.hidden[..rows * geometry.hidden_stride].fill(0.0);
    for (prediction, from) in predictions.iter().zip(d_rows.chunks_exact(geometry.hidden_stride)) {
        gradients.hidden[prediction.row * geometry.hidden_stride..][..geometry.hidden_stride]
            .copy_from_slice(from);
    }
    statistics
}

/// Losses of all predictions. Their logits are replaced by the loss's gradient.
fn losses(
    inputs: GradientContext<'_>,
    predictions: &[Prediction],
    logits: &mut [f32],
) -> BatchStatistics {
    let GradientContext { context: Context { path, geometry, .. }, objective, .. } = inputs;
    let mut statistics = BatchStatistics::default();
    for (prediction, row) in
        predictions.iter().zip(logits.chunks_exact_mut(geometry.vocabulary_stride))
    {
        let row = &mut row[..geometry.vocabulary];
        let LogitSummary { normalizer, entropy } = summarize_logits(path, row);
        let target = prediction.token as usize;
        let log_probability = normalizer.log_probability(row[target]);
        let (loss, slope) = token(prediction, log_probability, entropy, objective, &mut statistics);
        statistics.loss += loss / f64::from(objective.normalizer);
        logit_gradient(path, row, normalizer, target, slope / objective.normalizer);
    }
    statistics
}
