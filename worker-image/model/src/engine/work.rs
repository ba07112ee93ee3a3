//! The work of one thread in a step.

use super::text::Text;
use super::{Finished, Slot};
use crate::decoder::cache::Span;
use crate::decoder::geometry::Geometry;
use crate::decoder::head::{Head, logits};
use crate::decoder::layer::{AttentionRows, Context, Scratch, attend, embed, grow, transform};
use crate::decoder::rotary::Rotary;
use crate::decoder::weights::Weights;
use crate::kernel::KernelPath;

/// Weights and constants that all texts share.
pub(super) struct Model {
    pub(super) path: KernelPath,
    pub(super) geometry: Geometry,
    pub(super) rotary: Rotary,
    pub(super) weights: Weights,
}

/// A text that a thread has for one step, with the rows to compute.
pub(super) struct Assigned {
    pub(super) slot: Slot,
    pub(super) text: Box<Text>,
    rows: usize,
}

/// The texts of one thread in one step and, after it, the completed generations.
#[derive(Default)]
pub(super) struct Part {
    pub(super) texts: Vec<Assigned>,
    pub(super) rows: usize,
    pub(super) finished: Vec<Finished>,
}

impl Part {
    pub(super) fn push(&mut self, slot: Slot, text: Box<Text>, rows: usize) {
        self.rows += rows;
        self.texts.push(Assigned { slot, text, rows });
    }
}

/// Working memory of one thread.
#[derive(Default)]
pub(super) struct Workspace {
    hidden: Vec<f32>,
    qkv: Vec<f32>,
    queries: Vec<f32>,
    attended: Vec<f32>,
    gate_up: Vec<f32>,
    scratch: Scratch,
    head: Head,
}

impl Workspace {
    fn reserve(&mut self, geometry: &Geometry, rows: usize) {
        grow(&mut self.hidden, rows * geometry.hidden_stride);
        grow(&mut self.qkv, rows * geometry.qkv_stride);
        grow(&mut self.queries, geometry.heads * rows * geometry.head_stride);
        grow(&mut self.attended, rows * geometry.attended_stride);
        grow(&mut self.gate_up, rows * geometry.gate_up_stride);
        self.scratch.reserve(geometry, rows);
    }

    /// Computes the part's rows through all layers and draws the next tokens of its generations.
    pub(super) fn compute(&mut self, model: &Model, part: &mut Part) {
        let Model { path, geometry, rotary, weights } = model;
        let context = Context { path: *path, geometry, rotary };
        for Assigned { slot, text, rows } in &mut part.texts {
            if let Some(finished) = text.exhausted(*slot, geometry.context) {
                part.finished.push(finished);
                // Without a generation the last pending token is not computed.
                *rows = (*rows).min(text.computable());
            }
        }
        let rows = part.texts.iter().map(|assigned| assigned.rows).sum();
        if rows == 0 {
            return;
        }
        self.reserve(geometry, rows);
        let x = &mut self.hidden[..rows * geometry.hidden_stride];
        let tokens =
            part.texts.iter().flat_map(|assigned| &assigned.text.pending()[..assigned.rows]);
        embed(geometry, weights, tokens.copied(), x);
        for (layer, layer_weights) in weights.layers.iter().enumerate() {
            let mut spans = spans(geometry, &mut part.texts, layer);
            let mut saved = AttentionRows {
                qkv: &mut self.qkv,
                queries: &mut self.queries,
                attended: &mut self.attended,
            };
            attend(context, layer_weights, rows, x, &mut spans, &mut saved, &mut self.scratch);
            transform(context, layer_weights, rows, x, &mut self.gate_up, &mut self.scratch);
        }
        self.draw(context, weights, part);
    }

    /// Draws tokens; logits are computed only for the rows that need them.
    fn draw(&mut self, context: Context<'_>, weights: &Weights, part: &mut Part) {
        let geometry = context.geometry;
        let mut end = 0;
        let last_rows = part.texts.iter().filter_map(|Assigned { text, rows, .. }| {
            end += rows;
            text.samples_after(*rows).then(|| end - 1)
        });
        logits(context, weights, &self.hidden, last_rows, &mut self.head);
        let mut logits = self.head.logits.chunks_exact(geometry.vocabulary_stride);
        for Assigned { slot, text, rows } in &mut part.texts {
            let samples = text.samples_after(*rows);
            text.advance(*rows);
            if let Some(row) = samples.then(|| logits.next()).flatten() {
                part.finished.extend(text.draw(
                    *slot,
                    &row[..geometry.vocabulary],
                    geometry.context,
                ));
            }
        }
    }
}

fn spans<'a>(geometry: &Geometry, texts: &'a mut [Assigned], layer: usize) -> Vec<Span<'a>> {
    let mut row = 0;
    let with_rows = texts.iter_mut().filter(|assigned| assigned.rows > 0);
    with_rows
        .map(|Assigned { text, rows, .. }| {
            let (first, position) = (row, text.position());
            row += *rows;
            Span { row: first, rows: *rows, position, cache: text.memory.layer(geometry, layer) }
        })
        .collect()
}
