//! Keys and values of one text in all layers.

use crate::decoder::cache::KeyValues;
use crate::decoder::geometry::Geometry;
use crate::kernel::{LANES, padded};

/// Room for one text, taken once; pages are touched as the text grows.
pub(super) struct Memory {
    keys: Vec<f32>,
    values: Vec<f32>,
}

/// Distance of one layer from the next: the context and one block more, since a power of two would put the beginnings
/// of all layers and texts into the same sets of the cache.
fn layer_distance(g: &Geometry) -> usize {
    (padded(g.context) + LANES) * g.key_value_heads * g.head_stride
}

impl Memory {
    pub(super) fn new(g: &Geometry) -> Self {
        let length = g.layers * layer_distance(g);
        Self { keys: vec![0.0; length], values: vec![0.0; length] }
    }

    /// One layer's part.
    pub(super) fn layer(&mut self, g: &Geometry, layer: usize) -> KeyValues<'_> {
        let length = layer_distance(g);
        let range = layer * length..(layer + 1) * length;
        KeyValues { keys: &mut self.keys[range.clone()], values: &mut self.values[range] }
    }

    /// Copies the first `positions`.
    pub(super) fn copy(&mut self, from: &Self, g: &Geometry, positions: usize) {
        let length = padded(positions) * g.key_value_heads * g.head_stride;
        for start in (0..self.keys.len()).step_by(layer_distance(g)) {
            let range = start..start + length;
            self.keys[range.clone()].copy_from_slice(&from.keys[range.clone()]);
            self.values[range.clone()].copy_from_slice(&from.values[range]);
        }
    }
}
