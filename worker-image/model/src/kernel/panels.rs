//! Weights packed for the row kernels.

use super::LANES;
use super::operand::Right;

/// A matrix `W[outputs, inputs]` packed as `[outputs / 16][inputs][16]`: sixteen outputs are neighbours, so that
/// one vector load gives their weights for one input. Outputs after the last are zero.
#[derive(Clone, Debug, Default)]
pub struct Panels {
    data: Vec<f32>,
    outputs: usize,
    inputs: usize,
}

impl Panels {
    /// An all-zero matrix of `outputs x inputs`.
    #[must_use]
    pub fn zeros(outputs: usize, inputs: usize) -> Self {
        Self { data: vec![0.0; outputs.div_ceil(LANES) * inputs * LANES], outputs, inputs }
    }

    /// Packs a row-major `w[outputs, inputs]`.
    #[must_use]
    pub fn pack(w: &[f32], outputs: usize, inputs: usize) -> Self {
        let mut panels = Self::zeros(outputs, inputs);
        panels.set_outputs(0, w);
        panels
    }

    /// Packs the transpose of a row-major `w[inputs, outputs]`: the weights of the backward product.
    #[must_use]
    pub fn pack_transposed(w: &[f32], outputs: usize, inputs: usize) -> Self {
        let mut panels = Self::zeros(outputs, inputs);
        panels.set_inputs(0, w);
        panels
    }

    /// Writes `w[rows, inputs]` (row-major) as the outputs from `first` on.
    ///
    /// # Panics
    /// If `w` is not whole rows or does not fit.
    pub fn set_outputs(&mut self, first: usize, w: &[f32]) {
        assert_eq!(
            w.len() % self.inputs,
            0,
            "weights must be whole rows of {} inputs",
            self.inputs
        );
        assert!(first + w.len() / self.inputs <= self.outputs, "more outputs than the panels hold");
        for (row, output) in w.chunks_exact(self.inputs).zip(first..) {
            let panel = &mut self.data[output / LANES * self.inputs * LANES..];
            let lane = output % LANES;
            for (step, value) in panel.chunks_exact_mut(LANES).zip(row) {
                step[lane] = *value;
            }
        }
    }

    /// Writes `w[rows, outputs]` (row-major) as the inputs from `first` on.
    ///
    /// # Panics
    /// If `w` is not whole rows or does not fit.
    pub fn set_inputs(&mut self, first: usize, w: &[f32]) {
        assert_eq!(
            w.len() % self.outputs,
            0,
            "weights must be whole rows of {} outputs",
            self.outputs
        );
        assert!(first + w.len() / self.outputs <= self.inputs, "more inputs than the panels hold");
        for (row, input) in w.chunks_exact(self.outputs).zip(first..) {
            for (panel, values) in
                self.data.chunks_exact_mut(self.inputs * LANES).zip(row.chunks(LANES))
            {
                panel[input * LANES..][..values.len()].copy_from_slice(values);
            }
        }
    }

    /// Number of outputs, without the padding.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Number of inputs: the length of every output's sum.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The right operand of a product with these weights.
    #[must_use]
    pub fn right(&self) -> Right<'_> {
        Right { data: &self.data, panel_stride: self.inputs * LANES, step_stride: LANES }
    }
}
