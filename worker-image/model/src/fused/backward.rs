//! The backward pass through the layers.

use super::arena::{Arena, Gradients, LayerRecord, Place};
use super::attention::{HeadGains, Text};
use super::chunk::Pass;
use crate::decoder::layer::{Context, Scratch, linear};
use crate::decoder::weights::{LayerTransposes, LayerWeights};
use crate::kernel::{
    KernelPath, LANES, Left, Right, Start, product, rms_norm, rms_norm_backward, swiglu_backward,
};
use crate::parameters::LayerRanges;

/// From the gradient of the last residual stream (in `arena.gradients.hidden`) to that of all weights, added to
/// `gradient`. `tokens` are the inputs of all rows, whose embeddings receive what arrives at the bottom.
pub(super) fn backward<'t>(
    pass: Pass<'_>,
    arena: &mut Arena,
    rows: usize,
    tokens: impl Iterator<Item = &'t [u32]>,
    gradient: &mut [f32],
) {
    let Pass { context, weights, transposes, .. } = pass;
    let g = context.geometry;
    let Arena { layers, scratch, gradients, places, .. } = arena;
    let packed = weights.layers.iter().zip(&transposes.layers).zip(g.layout.layers());
    for (record, ((w, t), ranges)) in layers.iter_mut().zip(packed).rev() {
        let mut layer = Layer { context, w, t, ranges, rows, gradient };
        layer.transform_back(record, gradients, scratch);
        layer.attend_back(record, places, gradients, scratch);
    }
    let embedding = &mut gradient[g.layout.embedding()];
    for (token, d) in tokens.flatten().zip(gradients.hidden.chunks_exact(g.hidden_stride)) {
        let row = &mut embedding[*token as usize * g.hidden..][..g.hidden];
        for (to, d) in row.iter_mut().zip(d) {
            *to += d;
        }
    }
}

struct Layer<'a> {
    context: Context<'a>,
    w: &'a LayerWeights,
    t: &'a LayerTransposes,
    ranges: &'a LayerRanges,
    rows: usize,
    gradient: &'a mut [f32],
}

/// `dW += dY^T X`: one chain over the rows per weight, continued from call to call.
pub(super) fn weight_gradient(
    path: KernelPath,
    rows: usize,
    (dy, dy_row): (&[f32], usize),
    (x, x_row): (&[f32], usize),
    dw: &mut [f32],
    inputs: usize,
) {
    let outputs = dw.len() / inputs;
    let by_output = Left { data: dy, row: 1, step: dy_row };
    let x = Right { data: x, panel: LANES, step: x_row };
    product(path, outputs, inputs, rows, by_output, x, dw, inputs, Start::Continue);
}

impl Layer<'_> {
    fn transform_back(
        &mut self,
        record: &mut LayerRecord,
        d: &mut Gradients,
        scratch: &mut Scratch,
    ) {
        let Self { context: Context { path, geometry: g, .. }, w, t, ranges, rows, .. } = *self;
        let (hidden, inner) = (g.hidden_stride, &mut d.inner[..rows * g.inner_stride]);
        linear(path, rows, (&d.hidden, hidden), &t.down, (inner, g.inner_stride), Start::Zero);
        let gate_up = &mut record.gate_up[..rows * g.gate_up_stride];
        swiglu_backward(path, gate_up, g.gate_up_stride, g.inner, inner, g.inner_stride);
        let down = &mut self.gradient[ranges.down.clone()];
        weight_gradient(path, rows, (&d.hidden, hidden), (inner, g.inner_stride), down, g.inner);

        let norm = g.norm(&w.post_attention_norm);
        let x = &record.before_mlp[..rows * hidden];
        let range = ranges.gate.start..ranges.up.end;
        let dy = (&*gate_up, g.gate_up_stride);
        rms_norm(path, norm, x, &mut scratch.normed);
        let normed = (&scratch.normed[..], hidden);
        weight_gradient(path, rows, dy, normed, &mut self.gradient[range], g.hidden);
        linear(path, rows, dy, &t.gate_up, (&mut d.normed, hidden), Start::Zero);
        let gain = &mut self.gradient[ranges.post_attention_norm.clone()];
        rms_norm_backward(path, norm, x, &d.normed, &mut d.hidden, gain);
    }

    fn attend_back(
        &mut self,
        record: &LayerRecord,
        places: &[Place],
        d: &mut Gradients,
        scratch: &mut Scratch,
    ) {
        let Self { context, w, t, ranges, rows, .. } = *self;
        let Context { path, geometry: g, .. } = context;
        let output = &mut self.gradient[ranges.output.clone()];
        let attended = (&record.attended[..], g.attended_stride);
        weight_gradient(path, rows, (&d.hidden, g.hidden_stride), attended, output, g.attended);
        let attended = (&mut d.attended[..], g.attended_stride);
        linear(path, rows, (&d.hidden, g.hidden_stride), &t.output, attended, Start::Zero);

        // The two gains lie side by side, queries first.
        let gains = &mut self.gradient[ranges.query_norm.start..ranges.key_norm.end];
        let (query, key) = gains.split_at_mut(g.head);
        let mut gains = HeadGains { query, key };
        for &place in places {
            let text = Text { context, w, record, rows, place, attended: &d.attended };
            text.attend_back(&mut d.qkv, &mut gains, &mut d.attention);
        }

        let norm = g.norm(&w.input_norm);
        let x = &record.before_attention[..rows * g.hidden_stride];
        let range = ranges.query.start..ranges.value.end;
        rms_norm(path, norm, x, &mut scratch.normed);
        let (dy, normed) = ((&d.qkv[..], g.qkv_stride), (&scratch.normed[..], g.hidden_stride));
        weight_gradient(path, rows, dy, normed, &mut self.gradient[range], g.hidden);
        linear(path, rows, dy, &t.qkv, (&mut d.normed, g.hidden_stride), Start::Zero);
        let gain = &mut self.gradient[ranges.input_norm.clone()];
        rms_norm_backward(path, norm, x, &d.normed, &mut d.hidden, gain);
    }
}
