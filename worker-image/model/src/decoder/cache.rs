//! Keys and values of one text in one layer, in the layout attention reads.

use super::geometry::Geometry;
use crate::kernel::{LANES, Right};

/// Keys as `[position / 16][head value][kv head][16]`: sixteen positions side by side, so that scores come out of the
/// same row product as everything else. Values as `[position][kv head][head stride]`. In both a text's positions lie
/// one after the other with all their heads, so that a generated token reads them as one stream.
///
/// Values of positions not yet written, in the block of sixteen that is being filled, are zero: attention reads
/// blocks whole, with probability zero on those.
pub(crate) struct KeyValues<'a> {
    pub(crate) keys: &'a mut [f32],
    pub(crate) values: &'a mut [f32],
}

impl KeyValues<'_> {
    /// Enters a position's keys, `[kv head][head stride]`, and values, `[kv head][head]`.
    pub(crate) fn write(&mut self, g: &Geometry, position: usize, keys: &[f32], values: &[f32]) {
        let lane = position % LANES;
        let (heads, width) = (g.key_value_heads, g.key_value_heads * g.head_stride);
        let block = (position - lane) * width..(position - lane + LANES) * width;
        let to = &mut self.keys[block.clone()];
        for (head, key) in keys.chunks_exact(g.head_stride).enumerate() {
            let steps = to[head * LANES..].chunks_mut(heads * LANES);
            for (step, key) in steps.zip(key) {
                step[lane] = *key;
            }
        }
        let to = &mut self.values[block];
        if lane == 0 {
            to.fill(0.0);
        }
        let to = to[lane * width..][..width].chunks_exact_mut(g.head_stride);
        for (to, value) in to.zip(values.chunks_exact(g.head)) {
            to[..g.head].copy_from_slice(value);
        }
    }
}

/// The keys of one head, and of those after it, as the right operand of scores.
pub(crate) fn key_operand<'a>(g: &Geometry, keys: &'a [f32], head: usize) -> Right<'a> {
    let step = g.key_value_heads * LANES;
    Right { data: &keys[head * LANES..], panel: g.head_stride * step, step }
}

/// The values of one head, and of those after it, as the right operand of attention's output.
pub(crate) fn value_operand<'a>(g: &Geometry, values: &'a [f32], head: usize) -> Right<'a> {
    let step = g.key_value_heads * g.head_stride;
    Right { data: &values[head * g.head_stride..], panel: LANES, step }
}

/// The rows of a batch that belong to one text, and the text's cache.
pub(crate) struct Span<'a> {
    /// First row in the batch.
    pub(crate) row: usize,
    /// Number of rows.
    pub(crate) rows: usize,
    /// Position of the first row in its text.
    pub(crate) position: usize,
    pub(crate) cache: KeyValues<'a>,
}
