//! One text: what is computed of it, what waits, and what is being generated.

use shoprl_rl::sampling::{Choice, sample};

use super::memory::Memory;
use super::{Finished, Generation, Slot};
use crate::decoder::geometry::Geometry;

/// A text. Positions `0..computed` have keys and values; `pending` follows.
pub(super) struct Text {
    computed: usize,
    pending: Vec<u32>,
    task: Option<Task>,
    pub(super) memory: Memory,
}

struct Task {
    request: Generation,
    tokens: Vec<u32>,
    log_probabilities: Vec<f32>,
    entropies: Vec<f32>,
}

impl Text {
    pub(super) fn new(g: &Geometry) -> Self {
        Self { computed: 0, pending: Vec::new(), task: None, memory: Memory::new(g) }
    }

    pub(super) fn clear(&mut self) {
        self.computed = 0;
        self.pending.clear();
        self.task = None;
    }

    pub(super) fn copy(&mut self, from: &Self, g: &Geometry) {
        self.computed = from.computed;
        self.pending.clone_from(&from.pending);
        self.memory.copy(&from.memory, g, from.computed);
    }

    pub(super) fn append(&mut self, tokens: &[u32]) {
        self.pending.extend_from_slice(tokens);
    }

    pub(super) fn start(&mut self, request: Generation) {
        let (tokens, log_probabilities, entropies) = Default::default();
        self.task = Some(Task { request, tokens, log_probabilities, entropies });
    }

    pub(super) fn length(&self) -> usize {
        self.computed + self.pending.len()
    }

    pub(super) fn generating(&self) -> bool {
        self.task.is_some()
    }

    /// Position of the first pending token.
    pub(super) fn position(&self) -> usize {
        self.computed
    }

    pub(super) fn pending(&self) -> &[u32] {
        &self.pending
    }

    /// Rows that can be computed now. The last pending token is kept until somebody asks what follows it, since its
    /// row is the only one that can tell.
    pub(super) fn wanted(&self) -> usize {
        self.pending.len() - usize::from(!self.generating() && !self.pending.is_empty())
    }

    /// Notes that `rows` pending tokens have been computed; says whether the last row predicts a wanted token.
    pub(super) fn advance(&mut self, rows: usize) {
        self.pending.drain(..rows);
        self.computed += rows;
    }

    /// Whether computing `rows` more rows leaves the text at a token to be generated.
    pub(super) fn samples_after(&self, rows: usize) -> bool {
        rows > 0 && rows == self.pending.len() && self.generating()
    }

    /// A generation that may produce nothing more, whatever the next token would be.
    pub(super) fn exhausted(&mut self, slot: Slot, context: usize) -> Option<Finished> {
        let task = self.task.as_ref()?;
        let full = task.tokens.len() >= task.request.max_tokens || self.length() >= context;
        if full { self.finish(slot, false) } else { None }
    }

    /// Draws the next token; returns the generation when that ends it.
    pub(super) fn draw(&mut self, slot: Slot, logits: &[f32], context: usize) -> Option<Finished> {
        let task = self.task.as_mut()?;
        let uniform = task.request.stream.uniform_f32(task.tokens.len() as u64);
        let Choice { token, log_probability, entropy } =
            sample(logits, task.request.temperature, uniform);
        task.tokens.push(token);
        task.log_probabilities.push(log_probability);
        task.entropies.push(entropy);
        self.pending.push(token);
        if token == task.request.end {
            return self.finish(slot, true);
        }
        self.exhausted(slot, context)
    }

    fn finish(&mut self, slot: Slot, closed: bool) -> Option<Finished> {
        let Task { tokens, log_probabilities, entropies, .. } = self.task.take()?;
        Some(Finished { slot, tokens, log_probabilities, entropies, closed })
    }
}
