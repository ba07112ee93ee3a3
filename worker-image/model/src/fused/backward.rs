//! The backward pass through the layers.

use super::arena::{Arena, Gradients, LayerRecord, Place};
use super::attention::{HeadGains, attend_back};
use crate::decoder::layer::{Context, Scratch, linear};
use crate::decoder::weights::{LayerTransposes, LayerWeights, Transposes, Weights};
use crate::kernel::{
    KernelPath, LANES, Left, Right, Start, product, rms_norm, rms_norm_backward, swiglu_backward,
};
use crate::parameters::LayerRanges;

/// From the gradient of the last residual stream (in `arena.gradients.hidden`) to that of all weights, added to
/// `gradient`. `tokens` are the inputs of all rows, whose embeddings receive what arrives at the bottom.
pub(super) fn backward<'t>(
    context: Context<'_>,
    weights: &Weights,
    transposes: &Transposes,
    arena: &mut Arena,
    rows: usize,
    tokens: impl Iterator<Item = &'t [u32]>,
    gradient: &mut [f32],
) {
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
fn weight_gradient(
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
        let Context { path, geometry: g, .. } = self.context;
        let rows = self.rows;
        let inner = &mut d.inner[..rows * g.inner_stride];
        linear(
            path,
            rows,
            &d.hidden,
            g.hidden_stride,
            &self.t.down,
            inner,
            g.inner_stride,
            Start::Zero,
        );
        let gate_up = &mut record.gate_up[..rows * g.gate_up_stride];
        swiglu_backward(path, gate_up, g.gate_up_stride, g.inner, inner, g.inner_stride);
        let down = &mut self.gradient[self.ranges.down.clone()];
        weight_gradient(
            path,
            rows,
            (&d.hidden, g.hidden_stride),
            (inner, g.inner_stride),
            down,
            g.inner,
        );

        let x = &record.before_mlp[..rows * g.hidden_stride];
        let gain = &self.w.post_attention_norm;
        rms_norm(path, x, g.hidden_stride, gain, g.epsilon, &mut scratch.normed);
        let range = self.ranges.gate.start..self.ranges.up.end;
        let normed = (&scratch.normed[..], g.hidden_stride);
        weight_gradient(
            path,
            rows,
            (gate_up, g.gate_up_stride),
            normed,
            &mut self.gradient[range],
            g.hidden,
        );
        linear(
            path,
            rows,
            gate_up,
            g.gate_up_stride,
            &self.t.gate_up,
            &mut d.normed,
            g.hidden_stride,
            Start::Zero,
        );
        let d_gain = &mut self.gradient[self.ranges.post_attention_norm.clone()];
        rms_norm_backward(
            path,
            x,
            g.hidden_stride,
            gain,
            g.epsilon,
            &d.normed,
            &mut d.hidden,
            d_gain,
        );
    }

    fn attend_back(
        &mut self,
        record: &LayerRecord,
        places: &[Place],
        d: &mut Gradients,
        scratch: &mut Scratch,
    ) {
        let Context { path, geometry: g, .. } = self.context;
        let rows = self.rows;
        let output = &mut self.gradient[self.ranges.output.clone()];
        let attended = (&record.attended[..], g.attended_stride);
        weight_gradient(path, rows, (&d.hidden, g.hidden_stride), attended, output, g.attended);
        linear(
            path,
            rows,
            &d.hidden,
            g.hidden_stride,
            &self.t.output,
            &mut d.attended,
            g.attended_stride,
            Start::Zero,
        );

        // The two gains lie side by side, queries first.
        let (query, key) = self.gradient[self.ranges.query_norm.start..self.ranges.key_norm.end]
            .split_at_mut(g.head);
        let mut gains = HeadGains { query, key };
        for place in places {
            let place = (*place, rows);
            attend_back(
                self.context,
                self.w,
                record,
                place,
                &d.attended,
                &mut d.qkv,
                &mut gains,
                &mut d.attention,
            );
        }

        let x = &record.before_attention[..rows * g.hidden_stride];
        let gain = &self.w.input_norm;
        rms_norm(path, x, g.hidden_stride, gain, g.epsilon, &mut scratch.normed);
        let range = self.ranges.query.start..self.ranges.value.end;
        let normed = (&scratch.normed[..], g.hidden_stride);
        weight_gradient(
            path,
            rows,
            (&d.qkv, g.qkv_stride),
            normed,
            &mut self.gradient[range],
            g.hidden,
        );
        linear(
            path,
            rows,
            &d.qkv,
            g.qkv_stride,
            &self.t.qkv,
            &mut d.normed,
            g.hidden_stride,
            Start::Zero,
        );
        let d_gain = &mut self.gradient[self.ranges.input_norm.clone()];
        rms_norm_backward(
            path,
            x,
            g.hidden_stride,
            gain,
            g.epsilon,
            &d.normed,
            &mut d.hidden,
            d_gain,
        );
    }
}
