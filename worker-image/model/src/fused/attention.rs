//! Gradient of causal attention, recomputing the probabilities block by block (as in Dao et al. 2022).

use super::arena::{LayerRecord, Place};
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
    /// Keys of one head by rows, and values in panels: the other way round than in the cache.
    key_rows: Vec<f32>,
    value_panels: Vec<f32>,
    probabilities: Vec<f32>,
    scores: Vec<f32>,
    /// `[heads][rows][head_stride]`
    queries: Vec<f32>,
    keys: Vec<f32>,
    values: Vec<f32>,
}

/// Gradients of the norms' gains.
pub(super) struct HeadGains<'a> {
    pub(super) query: &'a mut [f32],
    pub(super) key: &'a mut [f32],
}

/// From the gradient of the attended rows to that of the projections, for one text; the gains' are added to.
pub(super) fn attend_back(
    context: Context<'_>,
    w: &LayerWeights,
    record: &LayerRecord,
    (place, rows): (Place, usize),
    attended: &[f32],
    qkv: &mut [f32],
    gains: &mut HeadGains<'_>,
    s: &mut Scratch,
) {
    let g = context.geometry;
    let distance = padded(place.rows) * g.head_stride;
    for buffer in [&mut s.key_rows, &mut s.value_panels] {
        grow(buffer, distance);
    }
    grow(&mut s.queries, g.heads * distance);
    for buffer in [&mut s.keys, &mut s.values] {
        grow(buffer, g.key_value_heads * distance);
        buffer[..g.key_value_heads * distance].fill(0.0);
    }
    for buffer in [&mut s.probabilities, &mut s.scores] {
        grow(buffer, BLOCK * padded(place.rows));
    }
    for shared in 0..g.key_value_heads {
        let from = place.cache + shared * distance;
        let (keys, values) = (&record.keys[from..][..distance], &record.values[from..][..distance]);
        exchange(keys, &mut s.key_rows, g.head_stride, Form::Rows);
        exchange(values, &mut s.value_panels, g.head_stride, Form::Panels);
        for head in (0..g.heads).filter(|&head| g.shared(head) == shared) {
            let queries = &record.queries[(head * rows + place.row) * g.head_stride..];
            let attended = &attended[place.row * g.attended_stride + head * g.head..];
            head_back(context, place.rows, queries, keys, attended, (head, shared), distance, s);
        }
    }
    rotate_rows_back(context, w, record, place, qkv, gains, distance, s);
}

#[derive(Clone, Copy)]
enum Form {
    Rows,
    Panels,
}

/// Turns panels `[position / 16][value][16]` into rows `[position][value]`, or back.
fn exchange(from: &[f32], to: &mut [f32], stride: usize, form: Form) {
    for (from, to) in from.chunks_exact(LANES * stride).zip(to.chunks_exact_mut(LANES * stride)) {
        for lane in 0..LANES {
            for value in 0..stride {
                let (row, panel) = (lane * stride + value, value * LANES + lane);
                match form {
                    Form::Rows => to[row] = from[panel],
                    Form::Panels => to[panel] = from[row],
                }
            }
        }
    }
}

/// Gradients of one head's queries (written), keys and values (added to, since heads may share them).
fn head_back(
    Context { path, geometry: g, .. }: Context<'_>,
    rows: usize,
    queries: &[f32],
    keys: &[f32],
    attended: &[f32],
    (head, shared): (usize, usize),
    distance: usize,
    s: &mut Scratch,
) {
    let by_value = Right { data: keys, panel: g.head_stride * LANES, step: LANES };
    let value_panels = Right { data: &s.value_panels, ..by_value };
    let key_rows = Right { data: &s.key_rows, panel: LANES, step: g.head_stride };
    let d_keys = &mut s.keys[shared * distance..];
    let d_values = &mut s.values[shared * distance..];
    for first in (0..rows).step_by(BLOCK) {
        let count = BLOCK.min(rows - first);
        let end = padded(first + count);
        let p = &mut s.probabilities[..count * end];
        let d = &mut s.scores[..count * end];
        let queries = &queries[first * g.head_stride..];
        let attended = &attended[first * g.attended_stride..];
        let query_rows = Left { data: queries, row: g.head_stride, step: 1 };
        let attended_rows = Left { data: attended, row: g.attended_stride, step: 1 };
        product(path, count, end, g.head, query_rows, by_value, p, end, Start::Zero);
        attention_softmax(path, p, end, first + 1, g.scale);
        product(path, count, end, g.head, attended_rows, value_panels, d, end, Start::Zero);

        let by_key = Left { data: p, row: 1, step: end };
        let out = Right { data: attended, panel: LANES, step: g.attended_stride };
        product(path, end, g.head, count, by_key, out, d_values, g.head_stride, Start::Continue);
        attention_score_gradient(path, p, d, end, g.scale);
        let by_key = Left { data: d, row: 1, step: end };
        let out = Right { data: queries, panel: LANES, step: g.head_stride };
        product(path, end, g.head, count, by_key, out, d_keys, g.head_stride, Start::Continue);

        let by_query = Left { data: d, row: end, step: 1 };
        let to = &mut s.queries[head * distance + first * g.head_stride..];
        product(path, count, g.head, end, by_query, key_rows, to, g.head_stride, Start::Zero);
    }
}

/// Back through rotation and head norms, row by row, into the gradient of the projections.
fn rotate_rows_back(
    Context { path, geometry: g, rotary }: Context<'_>,
    w: &LayerWeights,
    record: &LayerRecord,
    place: Place,
    qkv: &mut [f32],
    gains: &mut HeadGains<'_>,
    distance: usize,
    s: &mut Scratch,
) {
    let keys_end = g.attended + g.key_value_heads * g.head;
    for position in 0..place.rows {
        let (cos, sin) = rotary.at(position);
        let at = (place.row + position) * g.qkv_stride;
        let (from, to) = (&record.qkv[at..][..g.qkv], &mut qkv[at..][..g.qkv]);
        let (to_queries, to_keys) = to[..keys_end].split_at_mut(g.attended);
        let row = position * g.head_stride;
        let (x, gain) = (&from[..g.attended], &w.query_norm);
        rotate_back(
            path,
            x,
            gain,
            g.epsilon,
            cos,
            sin,
            &mut s.queries[row..],
            distance,
            to_queries,
            gains.query,
        );
        let (x, gain) = (&from[g.attended..keys_end], &w.key_norm);
        rotate_back(
            path,
            x,
            gain,
            g.epsilon,
            cos,
            sin,
            &mut s.keys[row..],
            distance,
            to_keys,
            gains.key,
        );
        for (head, to) in to[keys_end..].chunks_exact_mut(g.head).enumerate() {
            to.copy_from_slice(&s.values[head * distance + row..][..g.head]);
        }
    }
}
