//! One decoder layer on the rows of a batch.

use super::attention::{Queries, attend_text};
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

/// `y (+)= x W^T` for `rows` rows of working memory, each operand with its row stride.
pub(crate) fn linear(
    path: KernelPath,
    rows: usize,
    (x, x_row): (&[f32], usize),
    w: &Panels,
    (y, y_row): (&mut [f32], usize),
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
    let Scratch { normed, scores, key, .. } = scratch;
    let inputs = &x[..rows * g.hidden_stride];
    rms_norm(path, g.norm(&w.input_norm), inputs, normed);
    let projections = (&mut *saved.qkv, g.qkv_stride);
    linear(path, rows, (normed, g.hidden_stride), &w.qkv, projections, Start::Zero);
    for span in &mut *spans {
        rotate_span(context, w, rows, span, saved, key);
    }
    let queries = Queries { data: saved.queries, rows };
    for span in &*spans {
        attend_text(path, g, queries, span, scores, saved.attended);
    }
    let attended = (&*saved.attended, g.attended_stride);
    linear(path, rows, attended, &w.output, (x, g.hidden_stride), Start::Add);
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
        let angles = rotary.at(position);
        let projections = &saved.qkv[row * g.qkv_stride..][..g.qkv];
        let (queries, key_values) = projections.split_at(g.attended);
        let (keys, values) = key_values.split_at(key_values.len() / 2);
        let out = &mut saved.queries[row * g.head_stride..];
        let norm = g.head_norm(&w.query_norm, rows * g.head_stride);
        rotate(path, norm, angles, queries, out);
        rotate(path, g.head_norm(&w.key_norm, g.head_stride), angles, keys, key);
        span.cache.write(g, position, key, values);
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
    let Scratch { normed, inner, .. } = scratch;
    let gate_up = &mut gate_up[..rows * g.gate_up_stride];
    let inputs = &x[..rows * g.hidden_stride];
    rms_norm(path, g.norm(&w.post_attention_norm), inputs, normed);
    let projections = (&mut *gate_up, g.gate_up_stride);
    linear(path, rows, (normed, g.hidden_stride), &w.gate_up, projections, Start::Zero);
    swiglu(path, gate_up, g.gate_up_stride, g.inner, inner, g.inner_stride);
    linear(path, rows, (inner, g.inner_stride), &w.down, (x, g.hidden_stride), Start::Add);
}
