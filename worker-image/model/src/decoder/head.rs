//! The output projection at chosen rows.

use super::layer::{Context, grow, linear};
use super::weights::Weights;
use crate::kernel::{Start, rms_norm};

/// Working memory of the head, one row per prediction.
#[derive(Default)]
pub(crate) struct Head {
    /// Residual stream of the chosen rows, `[rows][hidden_stride]`.
    pub(crate) hidden: Vec<f32>,
    /// The same after the final norm.
    pub(crate) normed: Vec<f32>,
    /// `[rows][vocabulary_stride]`
    pub(crate) logits: Vec<f32>,
}

/// Logits of the given rows of the residual stream. Returns their number.
pub(crate) fn logits(
    context: Context<'_>,
    weights: &Weights,
    hidden: &[f32],
    rows: impl Iterator<Item = usize>,
    head: &mut Head,
) -> usize {
    let Context { path, geometry: g, .. } = context;
    let mut count = 0;
    for row in rows {
        grow(&mut head.hidden, (count + 1) * g.hidden_stride);
        let from = &hidden[row * g.hidden_stride..][..g.hidden_stride];
        head.hidden[count * g.hidden_stride..][..g.hidden_stride].copy_from_slice(from);
        count += 1;
    }
    grow(&mut head.normed, count * g.hidden_stride);
    grow(&mut head.logits, count * g.vocabulary_stride);
    let Head { hidden, normed, logits } = head;
    let hidden = &hidden[..count * g.hidden_stride];
    rms_norm(path, g.norm(&weights.final_norm), hidden, normed);
    let normed = (&**normed, g.hidden_stride);
    linear(path, count, normed, &weights.head, (logits, g.vocabulary_stride), Start::Zero);
    count
}
