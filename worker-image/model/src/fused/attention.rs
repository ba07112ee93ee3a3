//! Gradient of causal attention. Probabilities are recomputed block by block (as in Dao et al. 2022).

use super::record::{LayerRecord, Place};
use crate::decoder::geometry::Geometry;
use crate::decoder::layer::{Context, grow};
use crate::decoder::weights::LayerWeights;
use crate::kernel::{
    LANES, Left, Output, Right, Shape, Start, attention_score_gradient, attention_softmax, padded,
    product, rotate_back,
};

/// Queries whose probabilities are recomputed together. A larger block updates the key gradients less often, but
/// computes more masked scores.
const BLOCK: usize = 2 * LANES;

/// Working memory for one text.
#[derive(Default)]
pub(super) struct Scratch {
    /// Keys of one head in panels and in rows, and values in panels. The cache interleaves them with those of other
    /// heads.
    key_panels: Vec<f32>,
    key_rows: Vec<f32>,
    value_panels: Vec<f32>,
    probabilities: Vec<f32>,
    scores: Vec<f32>,
    /// Gradients, `[heads][rows][head_stride]`, with `distance` values per head.
    queries: Vec<f32>,
    keys: Vec<f32>,
    values: Vec<f32>,
    distance: usize,
}

impl Scratch {
    fn reserve(&mut self, geometry: &Geometry, rows: usize) {
        self.distance = padded(rows) * geometry.head_stride;
        for buffer in [&mut self.key_panels, &mut self.key_rows, &mut self.value_panels] {
            grow(buffer, self.distance);
        }
        grow(&mut self.queries, geometry.heads * self.distance);
        for buffer in [&mut self.keys, &mut self.values] {
            grow(buffer, geometry.key_value_heads * self.distance);
            buffer[..geometry.key_value_heads * self.distance].fill(0.0);
        }
        for buffer in [&mut self.probabilities, &mut self.scores] {
            grow(buffer, BLOCK * padded(rows));
        }
    }

    /// Copies one head's keys and values out of a text's caches.
    fn gather(
        &mut self,
        geometry: &Geometry,
        rows: usize,
        keys: &[f32],
        values: &[f32],
        head: usize,
    ) {
        let (heads, stride) = (geometry.key_value_heads, geometry.head_stride);
        for block in 0..rows.div_ceil(LANES) {
            for value in 0..stride {
                let from = &keys[((block * stride + value) * heads + head) * LANES..][..LANES];
                let at = block * LANES * stride;
                self.key_panels[at + value * LANES..][..LANES].copy_from_slice(from);
                for (lane, x) in from.iter().enumerate() {
                    self.key_rows[at + lane * stride + value] = *x;
                }
            }
            for lane in 0..LANES {
                let from = &values[((block * LANES + lane) * heads + head) * stride..][..stride];
                let to = &mut self.value_panels[block * LANES * stride + lane..];
                for (to, x) in to.iter_mut().step_by(LANES).zip(from) {
                    *to = *x;
                }
            }
        }
    }
}

/// Gradients of the norms' gains.
pub(super) struct HeadGains<'a> {
    pub(super) query: &'a mut [f32],
    pub(super) key: &'a mut [f32],
}

/// One text in a layer: its place, the layer's record of `rows` rows, and the gradient of its attended rows.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) context: Context<'a>,
    pub(super) weights: &'a LayerWeights,
    pub(super) record: &'a LayerRecord,
    pub(super) rows: usize,
    pub(super) place: Place,
    pub(super) attended: &'a [f32],
}

impl Text<'_> {
    /// Computes the gradient of the projections from that of the attended rows. Gradients of the gains are added
    /// to.
    pub(super) fn attend_back(
        self,
        qkv: &mut [f32],
        gains: &mut HeadGains<'_>,
        scratch: &mut Scratch,
    ) {
        let Self { context: Context { geometry, .. }, record, place, .. } = self;
        scratch.reserve(geometry, place.rows);
        for shared in 0..geometry.key_value_heads {
            let (keys, values) = (&record.keys[place.cache..], &record.values[place.cache..]);
            scratch.gather(geometry, place.rows, keys, values, shared);
            for head in (0..geometry.heads).filter(|&head| geometry.shared(head) == shared) {
                for first in (0..place.rows).step_by(BLOCK) {
                    self.block_back(head, shared, first, scratch);
                }
            }
        }
        for position in 0..place.rows {
            self.rotate_row_back(position, qkv, gains, scratch);
        }
    }

    /// Gradients of a block of one head's queries (overwritten), and of keys and values (added to, because blocks
    /// and heads share them).
    fn block_back(self, head: usize, shared: usize, first: usize, scratch: &mut Scratch) {
        let Self { context: Context { path, geometry, .. }, record, rows, place, .. } = self;
        let count = BLOCK.min(place.rows - first);
        let end = padded(first + count);
        let stride = geometry.head_stride;
        let queries = &record.queries[(head * rows + place.row + first) * stride..];
        let attended =
            &self.attended[(place.row + first) * geometry.attended_stride + head * geometry.head..];
        self.recompute(count, end, first, queries, attended, scratch);
        let probabilities = &scratch.probabilities[..count * end];
        let gradients = &mut scratch.scores[..count * end];

        let by_key = Shape { rows: end, columns: geometry.head, steps: count };
        product(
            path,
            by_key,
            Left { data: probabilities, row_stride: 1, step_stride: end },
            Right { data: attended, panel_stride: LANES, step_stride: geometry.attended_stride },
            Output { data: &mut scratch.values[shared * scratch.distance..], row_stride: stride },
            Start::Continue,
        );
        attention_score_gradient(path, probabilities, gradients, end, geometry.scale);
        product(
            path,
            by_key,
            Left { data: gradients, row_stride: 1, step_stride: end },
            Right { data: queries, panel_stride: LANES, step_stride: stride },
            Output { data: &mut scratch.keys[shared * scratch.distance..], row_stride: stride },
            Start::Continue,
        );
        let to = &mut scratch.queries[head * scratch.distance + first * stride..];
        product(
            path,
            Shape { rows: count, columns: geometry.head, steps: end },
            Left { data: gradients, row_stride: end, step_stride: 1 },
            Right { data: &scratch.key_rows, panel_stride: LANES, step_stride: stride },
            Output { data: to, row_stride: stride },
            Start::Zero,
        );
    }

    /// Recomputes the probabilities of `count` queries on the positions before `end`, and their gradients from those of
    /// the attended rows: `scratch.probabilities` and `scratch.scores`, `[count][end]`.
    fn recompute(
        self,
        count: usize,
        end: usize,
        first: usize,
        queries: &[f32],
        attended: &[f32],
        scratch: &mut Scratch,
    ) {
        let Context { path, geometry, .. } = self.context;
        let shape = Shape { rows: count, columns: end, steps: geometry.head };
        let panel_stride = geometry.head_stride * LANES;
        let probabilities = &mut scratch.probabilities[..count * end];
        product(
            path,
            shape,
            Left { data: queries, row_stride: geometry.head_stride, step_stride: 1 },
            Right { data: &scratch.key_panels, panel_stride, step_stride: LANES },
            Output { data: probabilities, row_stride: end },
            Start::Zero,
        );
        attention_softmax(path, probabilities, end, first + 1, 1, geometry.scale);
        product(
            path,
            shape,
            Left { data: attended, row_stride: geometry.attended_stride, step_stride: 1 },
            Right { data: &scratch.value_panels, panel_stride, step_stride: LANES },
            Output { data: &mut scratch.scores[..count * end], row_stride: end },
            Start::Zero,
        );
    }

    /// Back-propagates through rotation and head norms to the projections of one row.
    fn rotate_row_back(
        self,
        position: usize,
        qkv: &mut [f32],
        gains: &mut HeadGains<'_>,
        scratch: &mut Scratch,
    ) {
        let Self { context: Context { path, geometry, rotary }, weights, record, place, .. } = self;
        let keys_end = geometry.attended + geometry.key_value_heads * geometry.head;
        let angles = rotary.at(position);
        let at = (place.row + position) * geometry.qkv_stride;
        let (from, to) = (&record.qkv[at..][..geometry.qkv], &mut qkv[at..][..geometry.qkv]);
        let (to, to_values) = to.split_at_mut(keys_end);
        let (to_queries, to_keys) = to.split_at_mut(geometry.attended);
        let row = position * geometry.head_stride;
        let (norm, x) =
            (geometry.head_norm(&weights.query_norm, scratch.distance), &from[..geometry.attended]);
        rotate_back(path, norm, angles, x, &mut scratch.queries[row..], to_queries, gains.query);
        let (norm, x) = (
            geometry.head_norm(&weights.key_norm, scratch.distance),
            &from[geometry.attended..keys_end],
        );
        rotate_back(path, norm, angles, x, &mut scratch.keys[row..], to_keys, gains.key);
        for (head, to) in to_values.chunks_exact_mut(geometry.head).enumerate() {
            to.copy_from_slice(&scratch.values[head * scratch.distance + row..][..geometry.head]);
        }
    }
}
