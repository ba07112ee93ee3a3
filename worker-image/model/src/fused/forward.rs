//! The forward pass of training, which keeps what the gradient needs.

use super::arena::{Arena, spans};
use crate::decoder::layer::{AttentionRows, Context, attend, embed, transform};
use crate::decoder::weights::Weights;

/// Runs all layers on the placed texts. The final residual stream is in `arena.hidden` afterwards.
pub(super) fn forward<'t>(
    context: Context<'_>,
    weights: &Weights,
    arena: &mut Arena,
    rows: usize,
    tokens: impl Iterator<Item = &'t [u32]>,
) {
    let geometry = context.geometry;
    let Arena { layers, hidden, scratch, places, .. } = arena;
    let x = &mut hidden[..rows * geometry.hidden_stride];
    embed(geometry, weights, tokens.flatten().copied(), x);
    for (record, layer) in layers.iter_mut().zip(&weights.layers) {
        record.before_attention[..x.len()].copy_from_slice(x);
        let mut spans = spans(geometry, places, &mut record.keys, &mut record.values);
        let mut saved = AttentionRows {
            qkv: &mut record.qkv,
            queries: &mut record.queries,
            attended: &mut record.attended,
        };
        attend(context, layer, rows, x, &mut spans, &mut saved, scratch);
        record.before_mlp[..x.len()].copy_from_slice(x);
        transform(context, layer, rows, x, &mut record.gate_up, scratch);
    }
}
