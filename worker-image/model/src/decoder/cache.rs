//! Keys and values of one text in one layer, in the layout that attention reads.

use super::geometry::Geometry;
use crate::kernel::{LANES, Right};

/// Keys are `[position / 16][head value][kv head][16]`: sixteen positions are neighbours, so that scores are an
/// ordinary row product. Values are `[position][kv head][head stride]`. In both, a text's positions follow each
/// other with all their heads, so that a generated token reads them as one stream.
///
/// In the block of sixteen that is being filled, values of positions not yet written are zero: attention reads
/// whole blocks, with probability zero there.
pub(crate) struct KeyValues<'a> {
    pub(crate) keys: &'a mut [f32],
    pub(crate) values: &'a mut [f32],
}

impl KeyValues<'_> {
    /// Stores the keys, `[kv head][head stride]`, and values, `[kv head][head]`, of one position.
    pub(crate) fn write(
        &mut self,
        geometry: &Geometry,
        position: usize,
        keys: &[f32],
        values: &[f32],
    ) {
        let lane = position % LANES;
        let (heads, width) =
            (geometry.key_value_heads, geometry.key_value_heads * geometry.head_stride);
        let block = (position - lane) * width..(position - lane + LANES) * width;
        let to = &mut self.keys[block.clone()];
        for (head, key) in keys.chunks_exact(geometry.head_stride).enumerate() {
            let steps = to[head * LANES..].chunks_mut(heads * LANES);
            for (step, key) in steps.zip(key) {
                step[lane] = *key;
            }
        }
        let to = &mut self.values[block];
        if lane == 0 {
            to.fill(0.0);
        }
        let to = to[lane * width..][..width].chunks_exact_mut(geometry.head_stride);
        for (to, value) in to.zip(values.chunks_exact(geometry.head)) {
            to[..geometry.head].copy_from_slice(value);
        }
    }
}

/// The keys of one head, and of the heads after it, as the right operand of the scores.
pub(crate) fn key_operand<'a>(geometry: &Geometry, keys: &'a [f32], head: usize) -> Right<'a> {
    let step = geometry.key_value_heads * LANES;
    Right {
        data: &keys[head * LANES..],
        panel_stride: geometry.head_stride * step,
        step_stride: step,
    }
}

/// The values of one head, and of the heads after it, as the right operand of attention's output.
pub(crate) fn value_operand<'a>(geometry: &Geometry, values: &'a [f32], head: usize) -> Right<'a> {
    let step = geometry.key_value_heads * geometry.head_stride;
    Right { data: &values[head * geometry.head_stride..], panel_stride: LANES, step_stride: step }
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
