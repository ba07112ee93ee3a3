//! One text: its computed positions, its pending tokens and its running generation.

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
    pub(super) fn new(geometry: &Geometry) -> Self {
        Self { computed: 0, pending: Vec::new(), task: None, memory: Memory::new(geometry) }
    }

    pub(super) fn clear(&mut self) {
        self.computed = 0;
        self.pending.clear();
        self.task = None;
    }

    pub(super) fn copy(&mut self, from: &Self, geometry: &Geometry) {
        self.computed = from.computed;
        self.pending.clone_from(&from.pending);
        self.memory.copy(&from.memory, geometry, from.computed);
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

    /// Rows that can be computed now. The last pending token waits for a generation: only its row predicts the next
    /// token, and its logits are not kept.
    pub(super) fn computable(&self) -> usize {
        self.pending.len() - usize::from(!self.generating() && !self.pending.is_empty())
    }

    /// Records that the first `rows` pending tokens have been computed.
    pub(super) fn advance(&mut self, rows: usize) {
        self.pending.drain(..rows);
        self.computed += rows;
    }

    /// Whether a token must be drawn after computing the first `rows` pending tokens.
    pub(super) fn samples_after(&self, rows: usize) -> bool {
        rows > 0 && rows == self.pending.len() && self.generating()
    }

    /// Ends the generation if it is at a limit, so that no further token may be drawn.
    pub(super) fn exhausted(&mut self, slot: Slot, context: usize) -> Option<Finished> {
        let task = self.task.as_ref()?;
        let full = task.tokens.len() >= task.request.max_tokens || self.length() >= context;
        if full { self.finish(slot, false) } else { None }
    }

    /// Draws the next token. Returns the generation if that completes it.
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
