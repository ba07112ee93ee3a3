//! The output projection of selected rows.

use super::layer::{Context, grow, linear};
use super::weights::Weights;
use crate::kernel::{Start, rms_norm};

/// Working memory of the head, one row per prediction.
#[derive(Default)]
pub(crate) struct Head {
    /// Residual stream of the selected rows, `[rows][hidden_stride]`.
    pub(crate) hidden: Vec<f32>,
    /// `hidden` after the final norm.
    pub(crate) normed: Vec<f32>,
    /// `[rows][vocabulary_stride]`
    pub(crate) logits: Vec<f32>,
}

/// Computes the logits of the given rows of the residual stream. Returns the number of rows.
pub(crate) fn logits(
    context: Context<'_>,
    weights: &Weights,
    hidden: &[f32],
    rows: impl Iterator<Item = usize>,
    head: &mut Head,
) -> usize {
    let Context { path, geometry, .. } = context;
    let mut count = 0;
    for row in rows {
        grow(&mut head.hidden, (count + 1) * geometry.hidden_stride);
        let from = &hidden[row * geometry.hidden_stride..][..geometry.hidden_stride];
        head.hidden[count * geometry.hidden_stride..][..geometry.hidden_stride]
            .copy_from_slice(from);
        count += 1;
    }
    grow(&mut head.normed, count * geometry.hidden_stride);
    grow(&mut head.logits, count * geometry.vocabulary_stride);
    let Head { hidden, normed, logits } = head;
    let hidden = &hidden[..count * geometry.hidden_stride];
    rms_norm(path, geometry.norm(&weights.final_norm), hidden, normed);
    let normed = (&**normed, geometry.hidden_stride);
    linear(path, count, normed, &weights.head, (logits, geometry.vocabulary_stride), Start::Zero);
    count
}
