//! The forward pass of training: the decoder's layers, with what the gradient needs kept.

use super::arena::{Arena, spans};
use crate::decoder::layer::{AttentionRows, Context, attend, embed, transform};
use crate::decoder::weights::Weights;

/// Runs all layers on the placed texts; the final residual stream is left in `arena.hidden`.
pub(super) fn forward<'t>(
    context: Context<'_>,
    weights: &Weights,
    arena: &mut Arena,
    rows: usize,
    tokens: impl Iterator<Item = &'t [u32]>,
) {
    let g = context.geometry;
    let Arena { layers, hidden, scratch, places, .. } = arena;
    let x = &mut hidden[..rows * g.hidden_stride];
    embed(g, weights, tokens.flatten().copied(), x);
    for (record, w) in layers.iter_mut().zip(&weights.layers) {
        record.before_attention[..x.len()].copy_from_slice(x);
        let mut spans = spans(g, places, &mut record.keys, &mut record.values);
        let mut saved = AttentionRows {
            qkv: &mut record.qkv,
            queries: &mut record.queries,
            attended: &mut record.attended,
        };
        attend(context, w, rows, x, &mut spans, &mut saved, scratch);
        record.before_mlp[..x.len()].copy_from_slice(x);
        transform(context, w, rows, x, &mut record.gate_up, scratch);
    }
}
