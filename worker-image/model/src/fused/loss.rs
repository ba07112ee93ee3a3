//! The head at the rows that have a loss: logits, loss, and the gradient back to the residual stream.

use crate::batch::{BatchStatistics, Objective, Target};
use crate::decoder::head::{Head, logits};
use crate::decoder::layer::{Context, grow, linear};
use crate::decoder::weights::{Transposes, Weights};
use crate::kernel::{
    LANES, Left, LogitSummary, Right, Start, logit_gradient, product, rms_norm_backward,
    summarize_logits,
};
use shoprl_rl::policy_loss::token_loss;

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

/// Loss of the predictions; the gradient of the residual stream is written to `d_hidden` (whole), that of the
/// embedding (as output projection) and of the final norm is added to.
pub(super) fn loss_back(
    context: Context<'_>,
    weights: &Weights,
    transposes: &Transposes,
    hidden: &[f32],
    predictions: &[Prediction],
    objective: &Objective,
    d_hidden: &mut [f32],
    gradient: &mut [f32],
    head: &mut Head,
    scratch: &mut Vec<f32>,
) -> BatchStatistics {
    let Context { path, geometry: g, .. } = context;
    let count = logits(context, weights, hidden, predictions.iter().map(|p| p.row), head);
    let mut statistics = BatchStatistics::default();
    for (prediction, row) in
        predictions.iter().zip(head.logits.chunks_exact_mut(g.vocabulary_stride))
    {
        let row = &mut row[..g.vocabulary];
        let LogitSummary { normalizer, entropy } = summarize_logits(path, row);
        let target = prediction.token as usize;
        let log_probability = normalizer.log_probability(row[target]);
        let (loss, slope) = token(prediction, log_probability, entropy, objective, &mut statistics);
        statistics.loss += loss / f64::from(objective.normalizer);
        logit_gradient(path, row, normalizer, target, slope / objective.normalizer);
    }
    let by_token = Left { data: &head.logits, row: 1, step: g.vocabulary_stride };
    let normed = Right { data: &head.normed, panel: LANES, step: g.hidden_stride };
    let embedding = &mut gradient[g.layout.embedding()];
    product(
        path,
        g.vocabulary,
        g.hidden,
        count,
        by_token,
        normed,
        embedding,
        g.hidden,
        Start::Continue,
    );

    grow(scratch, count * g.hidden_stride);
    let d_normed = &mut scratch[..count * g.hidden_stride];
    linear(
        path,
        count,
        &head.logits,
        g.vocabulary_stride,
        &transposes.head,
        d_normed,
        g.hidden_stride,
        Start::Zero,
    );
    let rows = &head.hidden[..count * g.hidden_stride];
    // The normed rows are no longer needed: their place takes the gradient of the unnormed ones.
    let d_rows = &mut head.normed[..count * g.hidden_stride];
    d_rows.fill(0.0);
    let d_gain = &mut gradient[g.layout.final_norm()];
    rms_norm_backward(
        path,
        rows,
        g.hidden_stride,
        &weights.final_norm,
        g.epsilon,
        d_normed,
        d_rows,
        d_gain,
    );
    d_hidden.fill(0.0);
    for (prediction, d) in predictions.iter().zip(d_rows.chunks_exact(g.hidden_stride)) {
        d_hidden[prediction.row * g.hidden_stride..][..g.hidden_stride].copy_from_slice(d);
    }
    statistics
}
