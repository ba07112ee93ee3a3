//! One thread's part of a step.

use super::text::Text;
use super::{Finished, Slot};
use crate::decoder::cache::Span;
use crate::decoder::geometry::Geometry;
use crate::decoder::head::{Head, logits};
use crate::decoder::layer::{AttentionRows, Context, Scratch, attend, embed, grow, transform};
use crate::decoder::rotary::Rotary;
use crate::decoder::weights::Weights;
use crate::kernel::KernelPath;

/// What all texts share.
pub(super) struct Model {
    pub(super) path: KernelPath,
    pub(super) geometry: Geometry,
    pub(super) rotary: Rotary,
    pub(super) weights: Weights,
}

/// A text lent to a thread, with the rows to compute.
pub(super) struct Assigned {
    pub(super) slot: Slot,
    pub(super) text: Box<Text>,
    rows: usize,
}

/// The texts of one thread in one step; afterwards also the generations that ended.
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
    fn reserve(&mut self, g: &Geometry, rows: usize) {
        grow(&mut self.hidden, rows * g.hidden_stride);
        grow(&mut self.qkv, rows * g.qkv_stride);
        grow(&mut self.queries, g.heads * rows * g.head_stride);
        grow(&mut self.attended, rows * g.attended_stride);
        grow(&mut self.gate_up, rows * g.gate_up_stride);
        self.scratch.reserve(g, rows);
    }

    /// Computes the part's rows through all layers, draws tokens where a generation waits for one.
    pub(super) fn compute(&mut self, model: &Model, part: &mut Part) {
        let Model { path, geometry: g, rotary, weights } = model;
        let context = Context { path: *path, geometry: g, rotary };
        for Assigned { slot, text, rows } in &mut part.texts {
            if let Some(finished) = text.exhausted(*slot, g.context) {
                part.finished.push(finished);
                // Without the generation the last pending token waits again.
                *rows = (*rows).min(text.wanted());
            }
        }
        let rows = part.texts.iter().map(|a| a.rows).sum();
        if rows == 0 {
            return;
        }
        self.reserve(g, rows);
        let x = &mut self.hidden[..rows * g.hidden_stride];
        let tokens = part.texts.iter().flat_map(|a| &a.text.pending()[..a.rows]);
        embed(g, weights, tokens.copied(), x);
        for (layer, w) in weights.layers.iter().enumerate() {
            let mut spans = spans(g, &mut part.texts, layer);
            let mut saved = AttentionRows {
                qkv: &mut self.qkv,
                queries: &mut self.queries,
                attended: &mut self.attended,
            };
            attend(context, w, rows, x, &mut spans, &mut saved, &mut self.scratch);
            transform(context, w, rows, x, &mut self.gate_up, &mut self.scratch);
        }
        self.draw(context, weights, part);
    }

    /// Logits only where a token is drawn from them.
    fn draw(&mut self, context: Context<'_>, weights: &Weights, part: &mut Part) {
        let g = context.geometry;
        let mut end = 0;
        let last_rows = part.texts.iter().filter_map(|a| {
            end += a.rows;
            a.text.samples_after(a.rows).then(|| end - 1)
        });
        logits(context, weights, &self.hidden, last_rows, &mut self.head);
        let mut logits = self.head.logits.chunks_exact(g.vocabulary_stride);
        for Assigned { slot, text, rows } in &mut part.texts {
            let samples = text.samples_after(*rows);
            text.advance(*rows);
            if let Some(row) = samples.then(|| logits.next()).flatten() {
                part.finished.extend(text.draw(*slot, &row[..g.vocabulary], g.context));
            }
        }
    }
}

fn spans<'a>(g: &Geometry, texts: &'a mut [Assigned], layer: usize) -> Vec<Span<'a>> {
    let mut row = 0;
    let with_rows = texts.iter_mut().filter(|a| a.rows > 0);
    with_rows
        .map(|Assigned { text, rows, .. }| {
            let (first, position) = (row, text.position());
            row += *rows;
            Span { row: first, rows: *rows, position, cache: text.memory.layer(g, layer) }
        })
        .collect()
}
