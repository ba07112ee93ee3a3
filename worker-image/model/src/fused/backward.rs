//! The backward pass through the layers.

use super::arena::{Arena, Gradients};
use super::attention::{HeadGains, Text};
use super::context::GradientContext;
use super::record::{LayerRecord, Place};
use crate::decoder::layer::{Context, Scratch, linear};
use crate::decoder::weights::{LayerTransposes, LayerWeights};
use crate::kernel::{
    KernelPath, LANES, Left, Output, Right, Shape, Start, product, rms_norm, rms_norm_backward,
    swiglu_backward,
};
use crate::parameters::LayerRanges;

/// Computes the gradient of all weights from that of the last residual stream (in `arena.gradients.hidden`), and
/// adds it to `gradient`. `tokens` are the inputs of all rows; their embeddings receive the gradient of the first
/// layer's input.
pub(super) fn backward<'t>(
    inputs: GradientContext<'_>,
    arena: &mut Arena,
    rows: usize,
    tokens: impl Iterator<Item = &'t [u32]>,
    gradient: &mut [f32],
) {
    let GradientContext { context, weights, transposes, .. } = inputs;
    let geometry = context.geometry;
    let Arena { layers, scratch, gradients, places, .. } = arena;
    let packed = weights.layers.iter().zip(&transposes.layers).zip(geometry.layout.layers());
    for (record, ((weights, transposes), ranges)) in layers.iter_mut().zip(packed).rev() {
        let mut layer = Layer { context, weights, transposes, ranges, rows, gradient };
        layer.transform_back(record, gradients, scratch);
        layer.attend_back(record, places, gradients, scratch);
    }
    let embedding = &mut gradient[geometry.layout.embedding()];
    for (token, gradient_row) in
        tokens.flatten().zip(gradients.hidden.chunks_exact(geometry.hidden_stride))
    {
        let row = &mut embedding[*token as usize * geometry.hidden..][..geometry.hidden];
        for (to, value) in row.iter_mut().zip(gradient_row) {
            *to += value;
        }
    }
}

struct Layer<'a> {
    context: Context<'a>,
    weights: &'a LayerWeights,
    transposes: &'a LayerTransposes,
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
    let by_output = Left { data: dy, row_stride: 1, step_stride: dy_row };
    let x = Right { data: x, panel_stride: LANES, step_stride: x_row };
    product(
        path,
        Shape { rows: outputs, columns: inputs, steps: rows },
        by_output,
        x,
        Output { data: dw, row_stride: inputs },
        Start::Continue,
    );
}

impl Layer<'_> {
    fn transform_back(
        &mut self,
        record: &mut LayerRecord,
        gradients: &mut Gradients,
        scratch: &mut Scratch,
    ) {
        let Self {
            context: Context { path, geometry, .. }, weights, transposes, ranges, rows, ..
        } = *self;
        let (hidden, inner) =
            (geometry.hidden_stride, &mut gradients.inner[..rows * geometry.inner_stride]);
        linear(
            path,
            rows,
            (&gradients.hidden, hidden),
            &transposes.down,
            (inner, geometry.inner_stride),
            Start::Zero,
        );
        let gate_up = &mut record.gate_up[..rows * geometry.gate_up_stride];
        swiglu_backward(
            path,
            gate_up,
            geometry.gate_up_stride,
            geometry.inner,
            inner,
            geometry.inner_stride,
        );
        let down = &mut self.gradient[ranges.down.clone()];
        weight_gradient(
            path,
            rows,
            (&gradients.hidden, hidden),
            (inner, geometry.inner_stride),
            down,
            geometry.inner,
        );

        let norm = geometry.norm(&weights.post_attention_norm);
        let x = &record.before_mlp[..rows * hidden];
        let range = ranges.gate.start..ranges.up.end;
        let dy = (&*gate_up, geometry.gate_up_stride);
        rms_norm(path, norm, x, &mut scratch.normed);
        let normed = (&scratch.normed[..], hidden);
        weight_gradient(path, rows, dy, normed, &mut self.gradient[range], geometry.hidden);
        linear(path, rows, dy, &transposes.gate_up, (&mut gradients.normed, hidden), Start::Zero);
        let gain = &mut self.gradient[ranges.post_attention_norm.clone()];
        rms_norm_backward(path, norm, x, &gradients.normed, &mut gradients.hidden, gain);
    }

    fn attend_back(
        &mut self,
        record: &LayerRecord,
        places: &[Place],
        gradients: &mut Gradients,
        scratch: &mut Scratch,
    ) {
        let Self { context, weights, transposes, ranges, rows, .. } = *self;
        let Context { path, geometry, .. } = context;
        let output = &mut self.gradient[ranges.output.clone()];
        let attended = (&record.attended[..], geometry.attended_stride);
        weight_gradient(
            path,
            rows,
            (&gradients.hidden, geometry.hidden_stride),
            attended,
            output,
            geometry.attended,
        );
        let attended = (&mut gradients.attended[..], geometry.attended_stride);
        linear(
            path,
            rows,
            (&gradients.hidden, geometry.hidden_stride),
            &transposes.output,
            attended,
            Start::Zero,
        );

        // The two gains are neighbours, queries first.
        let gains = &mut self.gradient[ranges.query_norm.start..ranges.key_norm.end];
        let (query, key) = gains.split_at_mut(geometry.head);
        let mut gains = HeadGains { query, key };
        for &place in places {
            let text =
                Text { context, weights, record, rows, place, attended: &gradients.attended };
            text.attend_back(&mut gradients.qkv, &mut gains, &mut gradients.attention);
        }

        let norm = geometry.norm(&weights.input_norm);
        let x = &record.before_attention[..rows * geometry.hidden_stride];
        let range = ranges.query.start..ranges.value.end;
        rms_norm(path, norm, x, &mut scratch.normed);
        let (dy, normed) = (
            (&gradients.qkv[..], geometry.qkv_stride),
            (&scratch.normed[..], geometry.hidden_stride),
        );
        weight_gradient(path, rows, dy, normed, &mut self.gradient[range], geometry.hidden);
        linear(
            path,
            rows,
            dy,
            &transposes.qkv,
            (&mut gradients.normed, geometry.hidden_stride),
            Start::Zero,
        );
        let gain = &mut self.gradient[ranges.input_norm.clone()];
        rms_norm_backward(path, norm, x, &gradients.normed, &mut gradients.hidden, gain);
    }
}
