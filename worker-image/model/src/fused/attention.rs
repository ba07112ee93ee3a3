//! Gradient of causal attention, recomputing the probabilities block by block (as in Dao et al. 2022).

use super::arena::{LayerRecord, Place};
use crate::decoder::geometry::Geometry;
use crate::decoder::layer::{Context, grow};
use crate::decoder::weights::LayerWeights;
use crate::kernel::{
    LANES, Left, Right, Start, attention_score_gradient, attention_softmax, padded, product,
    rotate_back,
};

/// Queries whose probabilities are recomputed together: more means fewer passes over the key gradients, but more
/// masked work.
const BLOCK: usize = 2 * LANES;

/// Working memory for one text.
#[derive(Default)]
pub(super) struct Scratch {
    /// Keys of one head in panels and by rows, values in panels: what the cache interleaves with other heads.
    key_panels: Vec<f32>,
    key_rows: Vec<f32>,
    value_panels: Vec<f32>,
    probabilities: Vec<f32>,
    scores: Vec<f32>,
    /// Gradients, `[heads][rows][head_stride]` with `distance` values per head.
    queries: Vec<f32>,
    keys: Vec<f32>,
    values: Vec<f32>,
    distance: usize,
}

impl Scratch {
    fn reserve(&mut self, g: &Geometry, rows: usize) {
        self.distance = padded(rows) * g.head_stride;
        for buffer in [&mut self.key_panels, &mut self.key_rows, &mut self.value_panels] {
            grow(buffer, self.distance);
        }
        grow(&mut self.queries, g.heads * self.distance);
        for buffer in [&mut self.keys, &mut self.values] {
            grow(buffer, g.key_value_heads * self.distance);
            buffer[..g.key_value_heads * self.distance].fill(0.0);
        }
        for buffer in [&mut self.probabilities, &mut self.scores] {
            grow(buffer, BLOCK * padded(rows));
        }
    }

    /// Copies one head's keys and values out of a text's caches.
    fn gather(&mut self, g: &Geometry, rows: usize, keys: &[f32], values: &[f32], head: usize) {
        let (heads, stride) = (g.key_value_heads, g.head_stride);
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

/// One text in a layer: its place, the layer's record with `rows` rows, and the gradient of its attended rows.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) context: Context<'a>,
    pub(super) w: &'a LayerWeights,
    pub(super) record: &'a LayerRecord,
    pub(super) rows: usize,
    pub(super) place: Place,
    pub(super) attended: &'a [f32],
}

impl Text<'_> {
    /// From the gradient of the attended rows to that of the projections; the gains' are added to.
    pub(super) fn attend_back(self, qkv: &mut [f32], gains: &mut HeadGains<'_>, s: &mut Scratch) {
        let Self { context: Context { geometry: g, .. }, record, place, .. } = self;
        s.reserve(g, place.rows);
        for shared in 0..g.key_value_heads {
            let (keys, values) = (&record.keys[place.cache..], &record.values[place.cache..]);
            s.gather(g, place.rows, keys, values, shared);
            for head in (0..g.heads).filter(|&head| g.shared(head) == shared) {
                for first in (0..place.rows).step_by(BLOCK) {
                    self.block_back(head, shared, first, s);
                }
            }
        }
        for position in 0..place.rows {
            self.rotate_row_back(position, qkv, gains, s);
        }
    }

    /// Gradients of a block of one head's queries (written), and of keys and values (added to, since blocks and
    /// heads share them).
    fn block_back(self, head: usize, shared: usize, first: usize, s: &mut Scratch) {
        let Self { context: Context { path, geometry: g, .. }, record, rows, place, .. } = self;
        let count = BLOCK.min(place.rows - first);
        let end = padded(first + count);
        let key_panels = Right { data: &s.key_panels, panel: g.head_stride * LANES, step: LANES };
        let value_panels = Right { data: &s.value_panels, ..key_panels };
        let key_rows = Right { data: &s.key_rows, panel: LANES, step: g.head_stride };
        let d_keys = &mut s.keys[shared * s.distance..];
        let d_values = &mut s.values[shared * s.distance..];
        let p = &mut s.probabilities[..count * end];
        let d = &mut s.scores[..count * end];

        let queries = &record.queries[(head * rows + place.row + first) * g.head_stride..];
        let query_rows = Left { data: queries, row: g.head_stride, step: 1 };
        product(path, count, end, g.head, query_rows, key_panels, p, end, Start::Zero);
        attention_softmax(path, p, end, first + 1, 1, g.scale);
        let attended = &self.attended[(place.row + first) * g.attended_stride + head * g.head..];
        let attended_rows = Left { data: attended, row: g.attended_stride, step: 1 };
        product(path, count, end, g.head, attended_rows, value_panels, d, end, Start::Zero);

        let by_key = Left { data: p, row: 1, step: end };
        let right = Right { data: attended, panel: LANES, step: g.attended_stride };
        let stride = g.head_stride;
        product(path, end, g.head, count, by_key, right, d_values, stride, Start::Continue);
        attention_score_gradient(path, p, d, end, g.scale);
        let by_key = Left { data: d, row: 1, step: end };
        let right = Right { data: queries, panel: LANES, step: g.head_stride };
        product(path, end, g.head, count, by_key, right, d_keys, stride, Start::Continue);

        let by_query = Left { data: d, row: end, step: 1 };
        let to = &mut s.queries[head * s.distance + first * g.head_stride..];
        product(path, count, g.head, end, by_query, key_rows, to, stride, Start::Zero);
    }

    /// Back through rotation and head norms into the gradient of one row's projections.
    fn rotate_row_back(
        self,
        position: usize,
        qkv: &mut [f32],
        gains: &mut HeadGains<'_>,
        s: &mut Scratch,
    ) {
        let Self { context: Context { path, geometry: g, rotary }, w, record, place, .. } = self;
        let keys_end = g.attended + g.key_value_heads * g.head;
        let angles = rotary.at(position);
        let at = (place.row + position) * g.qkv_stride;
        let (from, to) = (&record.qkv[at..][..g.qkv], &mut qkv[at..][..g.qkv]);
        let (to, to_values) = to.split_at_mut(keys_end);
        let (to_queries, to_keys) = to.split_at_mut(g.attended);
        let row = position * g.head_stride;
        let (norm, x) = (g.head_norm(&w.query_norm, s.distance), &from[..g.attended]);
        rotate_back(path, norm, angles, x, &mut s.queries[row..], to_queries, gains.query);
        let (norm, x) = (g.head_norm(&w.key_norm, s.distance), &from[g.attended..keys_end]);
        rotate_back(path, norm, angles, x, &mut s.keys[row..], to_keys, gains.key);
        for (head, to) in to_values.chunks_exact_mut(g.head).enumerate() {
            to.copy_from_slice(&s.values[head * s.distance + row..][..g.head]);
        }
    }
}
