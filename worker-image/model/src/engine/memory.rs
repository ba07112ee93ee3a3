//! Keys and values of one text in all layers.

use crate::decoder::cache::KeyValues;
use crate::decoder::geometry::Geometry;
use crate::kernel::{LANES, padded};

/// Room for one text, taken once; pages are touched as the text grows.
pub(super) struct Memory {
    keys: Vec<f32>,
    values: Vec<f32>,
}

/// Distance of one head from the next: the context and one block more, since a power of two would put the beginnings
/// of all heads and texts into the same sets of the cache.
fn head_distance(g: &Geometry) -> usize {
    (padded(g.context) + LANES) * g.head_stride
}

impl Memory {
    pub(super) fn new(g: &Geometry) -> Self {
        let length = g.layers * g.key_value_heads * head_distance(g);
        Self { keys: vec![0.0; length], values: vec![0.0; length] }
    }

    /// One layer's part.
    pub(super) fn layer(&mut self, g: &Geometry, layer: usize) -> KeyValues<'_> {
        let head_distance = head_distance(g);
        let length = g.key_value_heads * head_distance;
        let range = layer * length..(layer + 1) * length;
        KeyValues {
            keys: &mut self.keys[range.clone()],
            values: &mut self.values[range],
            head_distance,
        }
    }

    /// Copies the first `positions`.
    pub(super) fn copy(&mut self, from: &Self, g: &Geometry, positions: usize) {
        let length = padded(positions) * g.head_stride;
        for start in (0..self.keys.len()).step_by(head_distance(g)) {
            self.keys[start..start + length].copy_from_slice(&from.keys[start..start + length]);
            self.values[start..start + length].copy_from_slice(&from.values[start..start + length]);
        }
    }
}
