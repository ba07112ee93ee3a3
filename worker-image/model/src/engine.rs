//! Generation: many texts decoded together, each with the bits it would have alone.
//!
//! Continuous batching: one [`Engine::step`] runs one row for every text that is generating and as many rows of
//! waiting prompts as its budget allows, through all layers together. A row's result does not depend on the other
//! rows, on how its prompt was cut into steps or on the number of threads, so neither do the tokens.

mod memory;
mod pool;
mod text;
mod work;

use std::sync::Arc;

use shoprl_rl::seed::StreamKey;
use thiserror::Error;

use crate::config::ModelConfig;
use crate::decoder::geometry::Geometry;
use crate::decoder::rotary::Rotary;
use crate::decoder::weights::Weights;
use crate::kernel::KernelPath;
use crate::parameters::Parameters;

use self::pool::Pool;
use self::text::Text;
use self::work::{Model, Part};

/// Prompt rows of one step: enough to reuse the weights while they are cached, few enough that generating texts do not
/// wait long for a prompt in the same step. Rows of generating texts are not limited.
pub const ROWS_PER_STEP: usize = 256;

/// A text in the engine, from [`Engine::open`] or [`Engine::fork`] to [`Engine::close`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Slot(usize);

/// What to generate after a text.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Generation {
    /// Most tokens to generate; the context may end it sooner.
    pub max_tokens: usize,
    /// The token that closes the generation; it becomes part of the text.
    pub end: u32,
    /// Divides the logits before sampling; 0 takes the most probable token.
    pub temperature: f32,
    /// Draw number `i` of this stream decides token number `i` of this generation.
    pub stream: StreamKey,
}

/// A completed generation.
#[derive(Clone, PartialEq, Debug)]
pub struct Finished {
    /// The text it belongs to.
    pub slot: Slot,
    /// The generated tokens, including the closing one.
    pub tokens: Vec<u32>,
    /// Log-probability of each token under the distribution it was drawn from, in nats (greedy: at temperature 1).
    /// Not finite if the weights have diverged: check before training on it.
    pub log_probabilities: Vec<f32>,
    /// Entropy of each of those distributions, in nats.
    pub entropies: Vec<f32>,
    /// Whether it ended with the closing token; otherwise it ended at a limit.
    pub closed: bool,
}

/// Tokens were refused because the text would outgrow the context; nothing was appended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error(
    "{appended} tokens do not fit: the text has {length} of {context}; end it, or open the engine with a longer context"
)]
pub struct ContextFull {
    /// Tokens of the text so far.
    pub length: usize,
    /// Tokens that should have been added.
    pub appended: usize,
    /// Most tokens of a text.
    pub context: usize,
}

/// A batch of texts over one set of weights. One thread owns it; its worker threads sleep while no step is running.
///
/// Methods that take a [`Slot`] panic if the slot is not open: that is a mistake in the caller, not a state of the run.
pub struct Engine {
    model: Arc<Model>,
    slots: Vec<SlotState>,
    /// The slot whose prompt is served first in the next step.
    turn: usize,
    pool: Pool,
}

struct SlotState {
    open: bool,
    /// `None` only inside a step, while a thread has the text.
    text: Option<Box<Text>>,
}

const INSIDE_A_STEP: &str = "a text leaves its slot only inside a step";

impl Engine {
    /// Room for `slots` texts of at most `context` tokens (never more than the geometry's positions), computed by
    /// `threads` threads. Weights are zero until [`Engine::load`].
    #[must_use]
    pub fn new(config: &ModelConfig, slots: usize, context: usize, threads: usize) -> Self {
        Self::with_path(config, slots, context, threads, KernelPath::detect())
    }

    /// As [`Engine::new`], on a chosen instruction set. All sets give the same bits.
    #[must_use]
    pub fn with_path(
        config: &ModelConfig,
        slots: usize,
        context: usize,
        threads: usize,
        path: KernelPath,
    ) -> Self {
        let mut geometry = Geometry::new(config);
        geometry.context = geometry.context.min(context);
        let slots = (0..slots)
            .map(|_| SlotState { open: false, text: Some(Box::new(Text::new(&geometry))) })
            .collect();
        let rotary = Rotary::new(geometry.theta, geometry.head, geometry.context);
        let weights = Weights::new(&geometry);
        let model = Arc::new(Model { path, geometry, rotary, weights });
        Self { model, slots, turn: 0, pool: Pool::new(threads) }
    }

    /// Replaces the weights.
    ///
    /// # Panics
    /// If a slot is open (its keys and values belong to the old weights), or the weights are of another geometry.
    pub fn load(&mut self, parameters: &Parameters) {
        assert!(
            self.slots.iter().all(|slot| !slot.open),
            "weights were loaded while a text is open"
        );
        let expected = self.model.geometry.layout.len();
        assert_eq!(parameters.values.len(), expected, "the weights are of another geometry");
        if Arc::get_mut(&mut self.model).is_none() {
            let Model { path, geometry, rotary, .. } = &*self.model;
            let (geometry, rotary) = (geometry.clone(), rotary.clone());
            let weights = Weights::new(&geometry);
            self.model = Arc::new(Model { path: *path, geometry, rotary, weights });
        }
        if let Some(Model { geometry, weights, .. }) = Arc::get_mut(&mut self.model) {
            weights.pack(geometry, parameters);
        }
    }

    /// Opens an empty text. Returns `None` if all slots are taken.
    pub fn open(&mut self) -> Option<Slot> {
        let index = self.slots.iter().position(|slot| !slot.open)?;
        self.slots[index].open = true;
        self.text_mut(Slot(index)).clear();
        Some(Slot(index))
    }

    /// Opens a copy of a text, with its computed keys and values. Returns `None` if all slots are taken. A running
    /// generation of `from` is not copied; its tokens so far are.
    ///
    /// # Panics
    /// If the slot is not open.
    pub fn fork(&mut self, from: Slot) -> Option<Slot> {
        self.text(from);
        let to = self.open()?;
        let [source, copy] = self
            .slots
            .get_disjoint_mut([from.0, to.0])
            .expect("a slot that was just opened is not the open slot `from`");
        let source = source.text.as_deref().expect(INSIDE_A_STEP);
        copy.text.as_deref_mut().expect(INSIDE_A_STEP).copy(source, &self.model.geometry);
        Some(to)
    }

    /// Closes a text and drops its running generation.
    ///
    /// # Panics
    /// If the slot is not open.
    pub fn close(&mut self, slot: Slot) {
        self.text_mut(slot).clear();
        self.slots[slot.0].open = false;
    }

    /// Adds tokens to a text.
    ///
    /// # Errors
    /// The tokens do not fit into the context.
    ///
    /// # Panics
    /// If the slot is not open, a token is outside the vocabulary, or the text is being generated.
    pub fn append(&mut self, slot: Slot, tokens: &[u32]) -> Result<(), ContextFull> {
        let (context, vocabulary) = (self.model.geometry.context, self.model.geometry.vocabulary);
        assert!(
            tokens.iter().all(|&token| (token as usize) < vocabulary),
            "a token is outside the vocabulary of {vocabulary}"
        );
        let text = self.text_mut(slot);
        assert!(!text.generating(), "tokens were appended to a text while it is being generated");
        let length = text.length();
        if length + tokens.len() > context {
            return Err(ContextFull { length, appended: tokens.len(), context });
        }
        text.append(tokens);
        Ok(())
    }

    /// Starts a generation; [`Engine::step`] returns it when it is complete.
    ///
    /// # Panics
    /// If the slot is not open, the text is empty (nothing to predict from), or it is already being generated.
    pub fn generate(&mut self, slot: Slot, request: Generation) {
        let text = self.text_mut(slot);
        assert!(text.length() > 0, "a generation needs at least one token to start from");
        assert!(!text.generating(), "the text is already being generated");
        text.start(request);
    }

    /// Tokens of a text, including generated ones.
    ///
    /// # Panics
    /// If the slot is not open.
    #[must_use]
    pub fn length(&self, slot: Slot) -> usize {
        self.text(slot).length()
    }

    /// Rows of a text that steps have yet to compute. Fork a text when none are left: the copy then shares their cost.
    ///
    /// # Panics
    /// If the slot is not open.
    #[must_use]
    pub fn waiting(&self, slot: Slot) -> usize {
        self.text(slot).computable()
    }

    /// Number of free slots.
    #[must_use]
    pub fn free(&self) -> usize {
        self.slots.iter().filter(|slot| !slot.open).count()
    }

    /// Whether a step has anything to do.
    #[must_use]
    pub fn busy(&self) -> bool {
        let mut texts = self.slots.iter().filter_map(|slot| slot.text.as_ref());
        texts.any(|text| text.generating() || text.computable() > 0)
    }

    /// One iteration: a token for every text that is generating and has its prompt computed, and up to
    /// [`ROWS_PER_STEP`] rows of waiting prompts. Returns the completed generations, ordered by slot.
    ///
    /// The last token of a prompt is computed only when a generation needs the token after it.
    pub fn step(&mut self) -> Vec<Finished> {
        let parts = self.parts();
        let mut finished = Vec::new();
        for part in self.pool.run(&self.model, parts) {
            for assigned in part.texts {
                self.slots[assigned.slot.0].text = Some(assigned.text);
            }
            finished.extend(part.finished);
        }
        finished.sort_by_key(|finished| finished.slot);
        finished
    }

    /// Chooses this step's rows and assigns them to the threads, largest first, each to the least loaded thread.
    fn parts(&mut self) -> Vec<Part> {
        let slots = self.slots.len();
        let mut budget = ROWS_PER_STEP;
        let mut chosen: Vec<(usize, usize)> = Vec::with_capacity(slots);
        let first = self.turn;
        let mut left_over = None;
        for slot in (0..slots).map(|i| (first + i) % slots) {
            let Some(text) = &self.slots[slot].text else { continue };
            let computable = text.computable();
            let decoding = text.generating() && computable <= 1;
            let rows = if decoding { computable } else { computable.min(budget) };
            budget -= if decoding { 0 } else { rows };
            if rows < computable {
                left_over = left_over.or(Some(slot));
            }
            if rows > 0 || decoding {
                chosen.push((rows, slot));
            }
        }
        self.turn = left_over.unwrap_or(first);
        chosen.sort_by_key(|&(rows, slot)| (std::cmp::Reverse(rows), slot));
        let total = chosen.iter().map(|(rows, _)| rows).sum();
        let mut parts: Vec<Part> = (0..self.pool.parts(total)).map(|_| Part::default()).collect();
        for (rows, slot) in chosen {
            let least = parts.iter_mut().min_by_key(|part| part.rows);
            if let (Some(part), Some(text)) = (least, self.slots[slot].text.take()) {
                part.push(Slot(slot), text, rows);
            }
        }
        parts
    }

    fn text(&self, slot: Slot) -> &Text {
        let state = &self.slots[slot.0];
        assert!(state.open, "slot {} is not open", slot.0);
        state.text.as_deref().expect(INSIDE_A_STEP)
    }

    fn text_mut(&mut self, slot: Slot) -> &mut Text {
        let state = &mut self.slots[slot.0];
        assert!(state.open, "slot {} is not open", slot.0);
        state.text.as_deref_mut().expect(INSIDE_A_STEP)
    }
}
