//! Weights packed for the row kernels.

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
    /// Row-major, for looking up tokens.
    pub(crate) embedding: Vec<f32>,
    /// The same values as the output projection.
    pub(crate) head: Panels,
    pub(crate) final_norm: Vec<f32>,
    pub(crate) layers: Vec<LayerWeights>,
}

impl Weights {
    /// Zeros of the geometry's sizes.
    pub(crate) fn new(geometry: &Geometry) -> Self {
        let layer = || LayerWeights {
            input_norm: vec![0.0; geometry.hidden],
            qkv: Panels::zeros(geometry.qkv, geometry.hidden),
            query_norm: vec![0.0; geometry.head],
            key_norm: vec![0.0; geometry.head],
            output: Panels::zeros(geometry.hidden, geometry.attended),
            post_attention_norm: vec![0.0; geometry.hidden],
            gate_up: Panels::zeros(2 * geometry.inner, geometry.hidden),
            down: Panels::zeros(geometry.hidden, geometry.inner),
        };
        Self {
            embedding: vec![0.0; geometry.vocabulary * geometry.hidden],
            head: Panels::zeros(geometry.vocabulary, geometry.hidden),
            final_norm: vec![0.0; geometry.hidden],
            layers: (0..geometry.layers).map(|_| layer()).collect(),
        }
    }

    /// Packs `parameters` (of the same geometry) in place.
    pub(crate) fn pack(&mut self, geometry: &Geometry, parameters: &Parameters) {
        let values = &parameters.values;
        self.embedding.copy_from_slice(&values[geometry.layout.embedding()]);
        self.head.set_outputs(0, &self.embedding);
        self.final_norm.copy_from_slice(&values[geometry.layout.final_norm()]);
        for (layer, part) in self.layers.iter_mut().zip(geometry.layout.layers()) {
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
    /// Zeros of the geometry's sizes.
    pub(crate) fn new(geometry: &Geometry) -> Self {
        let layer = || LayerTransposes {
            qkv: Panels::zeros(geometry.hidden, geometry.qkv),
            output: Panels::zeros(geometry.attended, geometry.hidden),
            gate_up: Panels::zeros(geometry.hidden, 2 * geometry.inner),
            down: Panels::zeros(geometry.inner, geometry.hidden),
        };
        Self {
            head: Panels::zeros(geometry.hidden, geometry.vocabulary),
            layers: (0..geometry.layers).map(|_| layer()).collect(),
        }
    }

    /// Packs `parameters` (of the same geometry) in place.
    pub(crate) fn pack(&mut self, geometry: &Geometry, parameters: &Parameters) {
        let values = &parameters.values;
        self.head.set_inputs(0, &values[geometry.layout.embedding()]);
        for (layer, part) in self.layers.iter_mut().zip(geometry.layout.layers()) {
            layer.qkv.set_inputs(0, &values[part.query.start..part.value.end]);
            layer.output.set_inputs(0, &values[part.output.clone()]);
            layer.gate_up.set_inputs(0, &values[part.gate.start..part.up.end]);
            layer.down.set_inputs(0, &values[part.down.clone()]);
        }
    }
}
