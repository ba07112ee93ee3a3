//! Weights in the form the row kernels read.

use super::geometry::Geometry;
use crate::kernel::Panels;
use crate::parameters::Parameters;

/// One layer, packed for the forward pass.
#[derive(Debug)]
pub(crate) struct LayerWeights {
    pub(crate) input_norm: Vec<f32>,
    /// Queries, keys and values as one matrix.
    pub(crate) qkv: Panels,
    pub(crate) query_norm: Vec<f32>,
    pub(crate) key_norm: Vec<f32>,
    pub(crate) output: Panels,
    pub(crate) post_attention_norm: Vec<f32>,
    /// Gate and up as one matrix.
    pub(crate) gate_up: Panels,
    pub(crate) down: Panels,
}

/// All weights, packed for the forward pass.
#[derive(Debug)]
pub(crate) struct Weights {
    /// Row-major, for looking tokens up.
    pub(crate) embedding: Vec<f32>,
    /// The embedding again, as the output projection.
    pub(crate) head: Panels,
    pub(crate) final_norm: Vec<f32>,
    pub(crate) layers: Vec<LayerWeights>,
}

impl Weights {
    /// Room for the weights of a geometry.
    pub(crate) fn new(g: &Geometry) -> Self {
        let layer = || LayerWeights {
            input_norm: vec![0.0; g.hidden],
            qkv: Panels::zeros(g.qkv, g.hidden),
            query_norm: vec![0.0; g.head],
            key_norm: vec![0.0; g.head],
            output: Panels::zeros(g.hidden, g.attended),
            post_attention_norm: vec![0.0; g.hidden],
            gate_up: Panels::zeros(2 * g.inner, g.hidden),
            down: Panels::zeros(g.hidden, g.inner),
        };
        Self {
            embedding: vec![0.0; g.vocabulary * g.hidden],
            head: Panels::zeros(g.vocabulary, g.hidden),
            final_norm: vec![0.0; g.hidden],
            layers: (0..g.layers).map(|_| layer()).collect(),
        }
    }

    /// Packs `parameters` (of the same geometry) in place.
    pub(crate) fn pack(&mut self, g: &Geometry, parameters: &Parameters) {
        let values = &parameters.values;
        self.embedding.copy_from_slice(&values[g.layout.embedding()]);
        self.head.set_outputs(0, &self.embedding);
        self.final_norm.copy_from_slice(&values[g.layout.final_norm()]);
        for (layer, part) in self.layers.iter_mut().zip(g.layout.layers()) {
            layer.input_norm.copy_from_slice(&values[part.input_norm.clone()]);
            layer.qkv.set_outputs(0, &values[part.query.start..part.value.end]);
            layer.query_norm.copy_from_slice(&values[part.query_norm.clone()]);
            layer.key_norm.copy_from_slice(&values[part.key_norm.clone()]);
            layer.output.set_outputs(0, &values[part.output.clone()]);
            layer.post_attention_norm.copy_from_slice(&values[part.post_attention_norm.clone()]);
            layer.gate_up.set_outputs(0, &values[part.gate.start..part.up.end]);
            layer.down.set_outputs(0, &values[part.down.clone()]);
        }
    }
}

/// The matrices of one layer, packed for the gradient with respect to their inputs.
#[derive(Debug)]
pub(crate) struct LayerTransposes {
    pub(crate) qkv: Panels,
    pub(crate) output: Panels,
    pub(crate) gate_up: Panels,
    pub(crate) down: Panels,
}

/// All matrices, packed for the backward pass.
#[derive(Debug)]
pub(crate) struct Transposes {
    pub(crate) head: Panels,
    pub(crate) layers: Vec<LayerTransposes>,
}

impl Transposes {
    /// Room for the matrices of a geometry.
    pub(crate) fn new(g: &Geometry) -> Self {
        let layer = || LayerTransposes {
            qkv: Panels::zeros(g.hidden, g.qkv),
            output: Panels::zeros(g.attended, g.hidden),
            gate_up: Panels::zeros(g.hidden, 2 * g.inner),
            down: Panels::zeros(g.inner, g.hidden),
        };
        Self {
            head: Panels::zeros(g.hidden, g.vocabulary),
            layers: (0..g.layers).map(|_| layer()).collect(),
        }
    }

    /// Packs `parameters` (of the same geometry) in place.
    pub(crate) fn pack(&mut self, g: &Geometry, parameters: &Parameters) {
        let values = &parameters.values;
        self.head.set_inputs(0, &values[g.layout.embedding()]);
        for (layer, part) in self.layers.iter_mut().zip(g.layout.layers()) {
            layer.qkv.set_inputs(0, &values[part.query.start..part.value.end]);
            layer.output.set_inputs(0, &values[part.output.clone()]);
            layer.gate_up.set_inputs(0, &values[part.gate.start..part.up.end]);
            layer.down.set_inputs(0, &values[part.down.clone()]);
        }
    }
}
