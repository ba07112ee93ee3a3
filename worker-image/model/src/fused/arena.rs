//! Working memory of one thread, kept between calls so that its pages stay mapped.

use super::attention;
use super::record::{LayerRecord, Place};
use crate::decoder::cache::{KeyValues, Span};
use crate::decoder::geometry::Geometry;
use crate::decoder::head::Head;
use crate::decoder::layer::{Scratch, grow};
use crate::kernel::padded;

/// Gradients of intermediate values, `[rows][stride]` each.
#[derive(Default)]
pub(super) struct Gradients {
    /// Residual stream.
    pub(super) hidden: Vec<f32>,
    pub(super) normed: Vec<f32>,
    pub(super) qkv: Vec<f32>,
    pub(super) attended: Vec<f32>,
    /// Of the MLP activation; after the backward step, the activation itself.
    pub(super) inner: Vec<f32>,
    pub(super) attention: attention::Scratch,
}

/// All working memory of one thread.
#[derive(Default)]
pub(super) struct Arena {
    pub(super) layers: Vec<LayerRecord>,
    /// The residual stream.
    pub(super) hidden: Vec<f32>,
    pub(super) scratch: Scratch,
    pub(super) gradients: Gradients,
    pub(super) head: Head,
    pub(super) places: Vec<Place>,
}

impl Arena {
    /// Makes room for texts of these lengths and records their places. Returns the number of rows.
    pub(super) fn place(
        &mut self,
        geometry: &Geometry,
        lengths: impl Iterator<Item = usize>,
    ) -> usize {
        self.places.clear();
        let (mut row, mut cache) = (0, 0);
        for rows in lengths {
            self.places.push(Place { row, rows, cache });
            row += rows;
            cache += padded(rows) * geometry.head_stride * geometry.key_value_heads;
        }
        self.layers.resize_with(geometry.layers, LayerRecord::default);
        for layer in &mut self.layers {
            grow(&mut layer.before_attention, row * geometry.hidden_stride);
            grow(&mut layer.before_mlp, row * geometry.hidden_stride);
            grow(&mut layer.qkv, row * geometry.qkv_stride);
            grow(&mut layer.queries, geometry.heads * row * geometry.head_stride);
            grow(&mut layer.attended, row * geometry.attended_stride);
            grow(&mut layer.gate_up, row * geometry.gate_up_stride);
            grow(&mut layer.keys, cache);
            grow(&mut layer.values, cache);
        }
        grow(&mut self.hidden, row * geometry.hidden_stride);
        self.scratch.reserve(geometry, row);
        row
    }

    /// Makes room for the gradients of `rows` rows.
    pub(super) fn reserve_gradients(&mut self, geometry: &Geometry, rows: usize) {
        let gradients = &mut self.gradients;
        grow(&mut gradients.hidden, rows * geometry.hidden_stride);
        grow(&mut gradients.normed, rows * geometry.hidden_stride);
        grow(&mut gradients.qkv, rows * geometry.qkv_stride);
        // A panel that reaches beyond the last head is read whole.
        grow(&mut gradients.attended, rows * geometry.attended_stride + geometry.head_stride);
        grow(&mut gradients.inner, rows * geometry.inner_stride);
    }
}

/// The rows and caches of the texts in one layer's record.
pub(super) fn spans<'a>(
    geometry: &Geometry,
    places: &[Place],
    mut keys: &'a mut [f32],
    mut values: &'a mut [f32],
) -> Vec<Span<'a>> {
    let mut spans = Vec::with_capacity(places.len());
    for place in places {
        let length = padded(place.rows) * geometry.head_stride * geometry.key_value_heads;
        let (own_keys, other_keys) = keys.split_at_mut(length);
        let (own_values, other_values) = values.split_at_mut(length);
        (keys, values) = (other_keys, other_values);
        let cache = KeyValues { keys: own_keys, values: own_values };
        spans.push(Span { row: place.row, rows: place.rows, position: 0, cache });
    }
    spans
}
