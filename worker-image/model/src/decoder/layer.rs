//! One decoder layer on the rows of a batch.

use super::attention::{Queries, attend_text};
use super::cache::Span;
use super::geometry::Geometry;
use super::rotary::Rotary;
use super::weights::{LayerWeights, Weights};
use crate::kernel::{
    KernelPath, Left, Output, Panels, Shape, Start, product, rms_norm, rotate, swiglu,
};

/// Constants of the forward pass, shared by all rows, threads and calls.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) path: KernelPath,
    pub(crate) geometry: &'a Geometry,
    pub(crate) rotary: &'a Rotary,
}

/// Working memory of a layer; no value in it is read after the layer.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) normed: Vec<f32>,
    pub(crate) inner: Vec<f32>,
    scores: Vec<f32>,
    key: Vec<f32>,
}

impl Scratch {
    /// Makes room for `rows`. Old values stay in it; they are finite.
    pub(crate) fn reserve(&mut self, geometry: &Geometry, rows: usize) {
        grow(&mut self.normed, rows * geometry.hidden_stride);
        grow(&mut self.inner, rows * geometry.inner_stride);
        grow(&mut self.key, geometry.key_value_heads * geometry.head_stride);
    }
}

/// Extends `buffer` to at least `length`. It never shrinks, so that its pages stay mapped.
pub(crate) fn grow(buffer: &mut Vec<f32>, length: usize) {
    if buffer.len() < length {
        buffer.resize(length, 0.0);
    }
}

/// `y (+)= x W^T` for `rows` rows of working memory; each operand has its row stride.
pub(crate) fn linear(
    path: KernelPath,
    rows: usize,
    (x, x_row): (&[f32], usize),
    w: &Panels,
    (y, y_row): (&mut [f32], usize),
    start: Start,
) {
    let x = Left { data: x, row_stride: x_row, step_stride: 1 };
    product(
        path,
        Shape { rows, columns: w.outputs(), steps: w.inputs() },
        x,
        w.right(),
        Output { data: y, row_stride: y_row },
        start,
    );
}

/// Copies the embeddings of `tokens` to rows of `x`.
pub(crate) fn embed(
    geometry: &Geometry,
    weights: &Weights,
    tokens: impl Iterator<Item = u32>,
    x: &mut [f32],
) {
    for (token, row) in tokens.zip(x.chunks_exact_mut(geometry.hidden_stride)) {
        row[..geometry.hidden].copy_from_slice(
            &weights.embedding[token as usize * geometry.hidden..][..geometry.hidden],
        );
    }
}

/// Intermediate values of the attention half that the backward pass needs.
pub(crate) struct AttentionRows<'a> {
    /// Projections before norm and rotation, `[rows][qkv_stride]`.
    pub(crate) qkv: &'a mut [f32],
    /// Queries after norm and rotation, `[heads][rows][head_stride]`.
    pub(crate) queries: &'a mut [f32],
    /// Outputs of all heads of a row, `[rows][attended_stride]`.
    pub(crate) attended: &'a mut [f32],
}

/// First half: `x += attention(norm(x))` for the rows of all texts together. Keys and values go to the caches.
pub(crate) fn attend(
    context: Context<'_>,
    weights: &LayerWeights,
    rows: usize,
    x: &mut [f32],
    spans: &mut [Span<'_>],
    saved: &mut AttentionRows<'_>,
    scratch: &mut Scratch,
) {
    let Context { path, geometry, .. } = context;
    let Scratch { normed, scores, key, .. } = scratch;
    let inputs = &x[..rows * geometry.hidden_stride];
    rms_norm(path, geometry.norm(&weights.input_norm), inputs, normed);
    let projections = (&mut *saved.qkv, geometry.qkv_stride);
    linear(path, rows, (normed, geometry.hidden_stride), &weights.qkv, projections, Start::Zero);
    for span in &mut *spans {
        rotate_span(context, weights, rows, span, saved, key);
    }
    let queries = Queries { data: saved.queries, rows };
    for span in &*spans {
        attend_text(path, geometry, queries, span, scores, saved.attended);
    }
    let attended = (&*saved.attended, geometry.attended_stride);
    linear(path, rows, attended, &weights.output, (x, geometry.hidden_stride), Start::Add);
}

/// Norm and rotation of queries and keys of one text's rows. Keys and values go to its cache.
fn rotate_span(
    context: Context<'_>,
    weights: &LayerWeights,
    rows: usize,
    span: &mut Span<'_>,
    saved: &mut AttentionRows<'_>,
    key: &mut [f32],
) {
    let Context { path, geometry, rotary } = context;
    for i in 0..span.rows {
        let (row, position) = (span.row + i, span.position + i);
        let angles = rotary.at(position);
        let projections = &saved.qkv[row * geometry.qkv_stride..][..geometry.qkv];
        let (queries, key_values) = projections.split_at(geometry.attended);
        let (keys, values) = key_values.split_at(key_values.len() / 2);
        let out = &mut saved.queries[row * geometry.head_stride..];
        let norm = geometry.head_norm(&weights.query_norm, rows * geometry.head_stride);
        rotate(path, norm, angles, queries, out);
        rotate(
            path,
            geometry.head_norm(&weights.key_norm, geometry.head_stride),
            angles,
            keys,
            key,
        );
        span.cache.write(geometry, position, key, values);
    }
}

/// Second half: `x += down(swiglu(gate_up(norm(x))))`. `gate_up` is `[rows][gate_up_stride]` and is kept for the
/// gradient.
pub(crate) fn transform(
    context: Context<'_>,
    weights: &LayerWeights,
    rows: usize,
    x: &mut [f32],
    gate_up: &mut [f32],
    scratch: &mut Scratch,
) {
    let Context { path, geometry, .. } = context;
    let Scratch { normed, inner, .. } = scratch;
    let gate_up = &mut gate_up[..rows * geometry.gate_up_stride];
    let inputs = &x[..rows * geometry.hidden_stride];
    rms_norm(path, geometry.norm(&weights.post_attention_norm), inputs, normed);
    let projections = (&mut *gate_up, geometry.gate_up_stride);
    linear(
        path,
        rows,
        (normed, geometry.hidden_stride),
        &weights.gate_up,
        projections,
        Start::Zero,
    );
    swiglu(path, gate_up, geometry.gate_up_stride, geometry.inner, inner, geometry.inner_stride);
    linear(
        path,
        rows,
        (inner, geometry.inner_stride),
        &weights.down,
        (x, geometry.hidden_stride),
        Start::Add,
    );
}
