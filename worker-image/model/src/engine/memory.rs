//! Keys and values of one text, for all layers.

use crate::decoder::cache::KeyValues;
use crate::decoder::geometry::Geometry;
use crate::kernel::{LANES, padded};

/// Room for one text, allocated once; pages become resident as the text grows.
pub(super) struct Memory {
    keys: Vec<f32>,
    values: Vec<f32>,
}

/// Values from one layer to the next: the context and one block more, because at a power of two the starts of all layers
/// and texts would share the same sets of the processor's cache.
fn layer_distance(geometry: &Geometry) -> usize {
    (padded(geometry.context) + LANES) * geometry.key_value_heads * geometry.head_stride
}

impl Memory {
    pub(super) fn new(geometry: &Geometry) -> Self {
        let length = geometry.layers * layer_distance(geometry);
        Self { keys: vec![0.0; length], values: vec![0.0; length] }
    }

    /// Keys and values of one layer.
    pub(super) fn layer(&mut self, geometry: &Geometry, layer: usize) -> KeyValues<'_> {
        let length = layer_distance(geometry);
        let range = layer * length..(layer + 1) * length;
        KeyValues { keys: &mut self.keys[range.clone()], values: &mut self.values[range] }
    }

    /// Copies the first `positions` of another text.
    pub(super) fn copy(&mut self, from: &Self, geometry: &Geometry, positions: usize) {
        let length = padded(positions) * geometry.key_value_heads * geometry.head_stride;
        for start in (0..self.keys.len()).step_by(layer_distance(geometry)) {
            let range = start..start + length;
            self.keys[range.clone()].copy_from_slice(&from.keys[range.clone()]);
            self.values[range.clone()].copy_from_slice(&from.values[range]);
        }
    }
}
