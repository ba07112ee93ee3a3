//! Working memory of one thread, kept between calls so that its pages stay mapped.

use crate::decoder::cache::{KeyValues, Span};
use crate::decoder::geometry::Geometry;
use crate::decoder::head::Head;
use crate::decoder::layer::{Scratch, grow};
use crate::kernel::padded;

/// What the backward pass reads again of one layer.
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

/// Where one text of the chunk lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// First row.
    pub(super) row: usize,
    pub(super) rows: usize,
    /// First value of its keys (and values) in the record.
    pub(super) cache: usize,
}

/// Gradients of intermediate values, `[rows][stride]` each.
#[derive(Default)]
pub(super) struct Gradients {
    /// Residual stream.
    pub(super) hidden: Vec<f32>,
    pub(super) normed: Vec<f32>,
    pub(super) qkv: Vec<f32>,
    pub(super) attended: Vec<f32>,
    /// MLP activation: first its gradient, then itself.
    pub(super) inner: Vec<f32>,
    pub(super) attention: super::attention::Scratch,
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
    /// Makes room for texts of these lengths and notes where each lies. Returns the number of rows.
    pub(super) fn place(&mut self, g: &Geometry, lengths: impl Iterator<Item = usize>) -> usize {
        self.places.clear();
        let (mut row, mut cache) = (0, 0);
        for rows in lengths {
            self.places.push(Place { row, rows, cache });
            row += rows;
            cache += padded(rows) * g.head_stride * g.key_value_heads;
        }
        self.layers.resize_with(g.layers, LayerRecord::default);
        for layer in &mut self.layers {
            grow(&mut layer.before_attention, row * g.hidden_stride);
            grow(&mut layer.before_mlp, row * g.hidden_stride);
            grow(&mut layer.qkv, row * g.qkv_stride);
            grow(&mut layer.queries, g.heads * row * g.head_stride);
            grow(&mut layer.attended, row * g.attended_stride);
            grow(&mut layer.gate_up, row * g.gate_up_stride);
            grow(&mut layer.keys, cache);
            grow(&mut layer.values, cache);
        }
        grow(&mut self.hidden, row * g.hidden_stride);
        self.scratch.reserve(g, row);
        row
    }

    /// Makes room for the gradients of `rows` rows.
    pub(super) fn reserve_gradients(&mut self, g: &Geometry, rows: usize) {
        let d = &mut self.gradients;
        grow(&mut d.hidden, rows * g.hidden_stride);
        grow(&mut d.normed, rows * g.hidden_stride);
        grow(&mut d.qkv, rows * g.qkv_stride);
        // A panel that reaches past the last head is read whole.
        grow(&mut d.attended, rows * g.attended_stride + g.head_stride);
        grow(&mut d.inner, rows * g.inner_stride);
    }
}

/// The texts' rows and caches in one layer's record.
pub(super) fn spans<'a>(
    g: &Geometry,
    places: &[Place],
    mut keys: &'a mut [f32],
    mut values: &'a mut [f32],
) -> Vec<Span<'a>> {
    let mut spans = Vec::with_capacity(places.len());
    for place in places {
        let length = padded(place.rows) * g.head_stride * g.key_value_heads;
        let (own_keys, other_keys) = keys.split_at_mut(length);
        let (own_values, other_values) = values.split_at_mut(length);
        (keys, values) = (other_keys, other_values);
        let cache = KeyValues { keys: own_keys, values: own_values };
        spans.push(Span { row: place.row, rows: place.rows, position: 0, cache });
    }
    spans
}
