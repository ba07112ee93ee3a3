//! The head at the rows that have a loss: logits, loss, and the gradient back to the residual stream.

use shoprl_rl::policy_loss::token_loss;

use super::arena::Arena;
use super::backward::weight_gradient;
use super::chunk::Pass;
use crate::batch::{BatchStatistics, Objective, Target};
use crate::decoder::head::{Head, logits};
use crate::decoder::layer::{Context, linear};
use crate::kernel::{LogitSummary, Start, logit_gradient, rms_norm_backward, summarize_logits};

/// One prediction that enters the loss.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prediction {
    /// Row of the chunk whose logits predict.
    pub(super) row: usize,
    /// The token that came.
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

/// Loss of the predictions; the gradient of the residual stream is written to `arena.gradients.hidden` (whole), that
/// of the embedding (as output projection) and of the final norm is added to `gradient`.
pub(super) fn loss_back(
    pass: Pass<'_>,
    arena: &mut Arena,
    rows: usize,
    predictions: &[Prediction],
    gradient: &mut [f32],
) -> BatchStatistics {
    let Pass { context, weights, transposes, .. } = pass;
    let Context { path, geometry: g, .. } = context;
    let Arena { hidden, head, gradients: d, .. } = arena;
    let count = logits(context, weights, hidden, predictions.iter().map(|p| p.row), head);
    let Head { hidden, normed, logits } = head;
    let statistics = losses(pass, predictions, logits);
    let dy = (&logits[..], g.vocabulary_stride);
    let embedding = &mut gradient[g.layout.embedding()];
    weight_gradient(path, count, dy, (normed, g.hidden_stride), embedding, g.hidden);
    linear(path, count, dy, &transposes.head, (&mut d.normed, g.hidden_stride), Start::Zero);
    // The normed rows are no longer needed: their place takes the gradient of the unnormed ones.
    let d_rows = &mut normed[..count * g.hidden_stride];
    d_rows.fill(0.0);
    let gain = &mut gradient[g.layout.final_norm()];
    rms_norm_backward(path, g.norm(&weights.final_norm), hidden, &d.normed, d_rows, gain);
    d.hidden[..rows * g.hidden_stride].fill(0.0);
    for (prediction, from) in predictions.iter().zip(d_rows.chunks_exact(g.hidden_stride)) {
        d.hidden[prediction.row * g.hidden_stride..][..g.hidden_stride].copy_from_slice(from);
    }
    statistics
}

/// Losses of all predictions; their logits become the loss's gradient.
fn losses(pass: Pass<'_>, predictions: &[Prediction], logits: &mut [f32]) -> BatchStatistics {
    let Pass { context: Context { path, geometry: g, .. }, objective, .. } = pass;
    let mut statistics = BatchStatistics::default();
    for (prediction, row) in predictions.iter().zip(logits.chunks_exact_mut(g.vocabulary_stride)) {
        let row = &mut row[..g.vocabulary];
        let LogitSummary { normalizer, entropy } = summarize_logits(path, row);
        let target = prediction.token as usize;
        let log_probability = normalizer.log_probability(row[target]);
        let (loss, slope) = token(prediction, log_probability, entropy, objective, &mut statistics);
        statistics.loss += loss / f64::from(objective.normalizer);
        logit_gradient(path, row, normalizer, target, slope / objective.normalizer);
    }
    statistics
}
