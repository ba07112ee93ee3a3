//! What the forward pass keeps for the backward pass.

/// Intermediate values of one layer.
#[derive(Default)]
pub(super) struct LayerRecord {
    /// Residual stream before attention, `[rows][hidden_stride]`.
    pub(super) before_attention: Vec<f32>,
    /// Residual stream before the MLP.
    pub(super) before_mlp: Vec<f32>,
    pub(super) qkv: Vec<f32>,
    pub(super) queries: Vec<f32>,
    pub(super) attended: Vec<f32>,
    pub(super) gate_up: Vec<f32>,
    pub(super) keys: Vec<f32>,
    pub(super) values: Vec<f32>,
}

/// Position of one text in the chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// First row.
    pub(super) row: usize,
    pub(super) rows: usize,
    /// Index of its first key (and value) in the record.
    pub(super) cache: usize,
}
