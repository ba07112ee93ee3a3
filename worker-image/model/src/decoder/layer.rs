//! One decoder layer on the rows of a batch.

use super::attention::{Queries, attend_head};
use super::cache::Span;
use super::geometry::Geometry;
use super::rotary::Rotary;
use super::weights::{LayerWeights, Weights};
use crate::kernel::{KernelPath, Left, Panels, Start, product, rms_norm, rotate, swiglu};

/// What a layer is computed with: shared by all rows, threads and calls.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) path: KernelPath,
    pub(crate) geometry: &'a Geometry,
    pub(crate) rotary: &'a Rotary,
}

/// Working memory of a layer that nobody reads afterwards.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) normed: Vec<f32>,
    pub(crate) inner: Vec<f32>,
    scores: Vec<f32>,
    key: Vec<f32>,
}

impl Scratch {
    /// Makes room for `rows`; values in it are arbitrary but finite.
    pub(crate) fn reserve(&mut self, g: &Geometry, rows: usize) {
        grow(&mut self.normed, rows * g.hidden_stride);
        grow(&mut self.inner, rows * g.inner_stride);
        grow(&mut self.key, g.key_value_heads * g.head_stride);
    }
}

/// Lengthens `buffer` to at least `length`; it never shrinks, so that its pages stay mapped.
pub(crate) fn grow(buffer: &mut Vec<f32>, length: usize) {
    if buffer.len() < length {
        buffer.resize(length, 0.0);
    }
}

/// `y (+)= x W^T` for `rows` rows of working memory.
pub(crate) fn linear(
    path: KernelPath,
    rows: usize,
    x: &[f32],
    x_row: usize,
    w: &Panels,
    y: &mut [f32],
    y_row: usize,
    start: Start,
) {
    let x = Left { data: x, row: x_row, step: 1 };
    product(path, rows, w.outputs(), w.inputs(), x, w.right(), y, y_row, start);
}

/// Copies the embeddings of `tokens` to rows of `x`.
pub(crate) fn embed(
    g: &Geometry,
    weights: &Weights,
    tokens: impl Iterator<Item = u32>,
    x: &mut [f32],
) {
    for (token, row) in tokens.zip(x.chunks_exact_mut(g.hidden_stride)) {
        row[..g.hidden]
            .copy_from_slice(&weights.embedding[token as usize * g.hidden..][..g.hidden]);
    }
}

/// The intermediate values of the attention half that the backward pass reads again.
pub(crate) struct AttentionRows<'a> {
    /// Projections before norm and rotation, `[rows][qkv_stride]`.
    pub(crate) qkv: &'a mut [f32],
    /// Queries after both, `[heads][rows][head_stride]`.
    pub(crate) queries: &'a mut [f32],
    /// Heads side by side, `[rows][attended_stride]`.
    pub(crate) attended: &'a mut [f32],
}

/// First half: `x += attention(norm(x))`, rows of all texts at once, keys and values entering the caches.
pub(crate) fn attend(
    context: Context<'_>,
    w: &LayerWeights,
    rows: usize,
    x: &mut [f32],
    spans: &mut [Span<'_>],
    saved: &mut AttentionRows<'_>,
    scratch: &mut Scratch,
) {
    let Context { path, geometry: g, .. } = context;
    rms_norm(
        path,
        &x[..rows * g.hidden_stride],
        g.hidden_stride,
        &w.input_norm,
        g.epsilon,
        &mut scratch.normed,
    );
    linear(
        path,
        rows,
        &scratch.normed,
        g.hidden_stride,
        &w.qkv,
        saved.qkv,
        g.qkv_stride,
        Start::Zero,
    );
    for span in &mut *spans {
        rotate_span(context, w, rows, span, saved, &mut scratch.key);
    }
    for span in spans {
        for head in 0..g.heads {
            let first = (head * rows + span.row) * g.head_stride;
            let queries =
                Queries { data: &saved.queries[first..], rows: span.rows, position: span.position };
            let from = g.shared(head) * span.cache.head_distance;
            let (keys, values) = (&span.cache.keys[from..], &span.cache.values[from..]);
            let out = &mut saved.attended[span.row * g.attended_stride + head * g.head..];
            attend_head(path, g, &queries, keys, values, &mut scratch.scores, out);
        }
    }
    linear(
        path,
        rows,
        saved.attended,
        g.attended_stride,
        &w.output,
        x,
        g.hidden_stride,
        Start::Add,
    );
}

/// Norm and rotation of queries and keys of one text's rows; keys and values go to its cache.
fn rotate_span(
    context: Context<'_>,
    w: &LayerWeights,
    rows: usize,
    span: &mut Span<'_>,
    saved: &mut AttentionRows<'_>,
    key: &mut [f32],
) {
    let Context { path, geometry: g, rotary } = context;
    for i in 0..span.rows {
        let (row, position) = (span.row + i, span.position + i);
        let (cos, sin) = rotary.at(position);
        let projections = &saved.qkv[row * g.qkv_stride..][..g.qkv];
        let (queries, key_values) = projections.split_at(g.attended);
        let (keys, values) = key_values.split_at(key_values.len() / 2);
        let out = &mut saved.queries[row * g.head_stride..];
        rotate(path, queries, &w.query_norm, g.epsilon, cos, sin, out, rows * g.head_stride);
        rotate(path, keys, &w.key_norm, g.epsilon, cos, sin, key, g.head_stride);
        for (head, value) in values.chunks_exact(g.head).enumerate() {
            let key = &key[head * g.head_stride..][..g.head];
            span.cache.write(position, head, g.head_stride, key, value);
        }
    }
}

/// Second half: `x += down(swiglu(gate_up(norm(x))))`; `gate_up` is `[rows][gate_up_stride]`, kept for the gradient.
pub(crate) fn transform(
    context: Context<'_>,
    w: &LayerWeights,
    rows: usize,
    x: &mut [f32],
    gate_up: &mut [f32],
    scratch: &mut Scratch,
) {
    let Context { path, geometry: g, .. } = context;
    rms_norm(
        path,
        &x[..rows * g.hidden_stride],
        g.hidden_stride,
        &w.post_attention_norm,
        g.epsilon,
        &mut scratch.normed,
    );
    linear(
        path,
        rows,
        &scratch.normed,
        g.hidden_stride,
        &w.gate_up,
        gate_up,
        g.gate_up_stride,
        Start::Zero,
    );
    swiglu(
        path,
        &gate_up[..rows * g.gate_up_stride],
        g.gate_up_stride,
        g.inner,
        &mut scratch.inner,
        g.inner_stride,
    );
    linear(path, rows, &scratch.inner, g.inner_stride, &w.down, x, g.hidden_stride, Start::Add);
}
