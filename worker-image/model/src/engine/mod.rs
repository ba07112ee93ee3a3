//! Generation: many texts decoded together, each with the bits it would have alone.
//!
//! Continuous batching: one [`Engine::step`] runs one row for every text that is generating and as many rows of
//! waiting prompts as its budget allows, through all layers together. A row's result does not depend on the rows
//! beside it, on how its prompt was cut into steps or on the number of threads, so neither do the tokens.

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
use pool::Pool;
use text::Text;
use work::{Model, Part};

/// Prompt rows of one step, unless generating texts alone are more: enough to keep the weights in the cache busy,
/// few enough that generating texts do not wait long for a prompt beside them.
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

/// A generation that has come to its end.
#[derive(Clone, PartialEq, Debug)]
pub struct Finished {
    /// The text it belongs to.
    pub slot: Slot,
    /// The tokens, with the closing one.
    pub tokens: Vec<u32>,
    /// Log-probability of each token under the distribution it was drawn from, in nats (greedy: at temperature 1).
    /// Not finite when the weights have diverged: check before training on it.
    pub log_probabilities: Vec<f32>,
    /// Entropy of each of those distributions, in nats.
    pub entropies: Vec<f32>,
    /// Whether it ended with the closing token, and not at a limit.
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
    /// Tokens that were to be added.
    pub appended: usize,
    /// The most a text can have.
    pub context: usize,
}

/// A batch of texts over one set of weights. Owned by one thread; it may use more of its own, which sleep while no
/// step is running.
///
/// Methods that take a [`Slot`] panic when it is not open: that is a mistake in the caller, not a state of the run.
pub struct Engine {
    model: Arc<Model>,
    texts: Vec<Option<Box<Text>>>,
    open: Vec<bool>,
    /// The slot whose prompt is served first in the next step.
    turn: usize,
    pool: Pool,
}

impl Engine {
    /// Room for `slots` texts of at most `context` tokens (never more than the geometry's positions), computed by
    /// `threads` threads. Weights are zero until [`Engine::load`].
    #[must_use]
    pub fn new(config: &ModelConfig, slots: usize, context: usize, threads: usize) -> Self {
        Self::with_path(config, slots, context, threads, KernelPath::detect())
    }

    /// As [`Engine::new`], on a chosen instruction set. All give the same bits.
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
        let texts = (0..slots).map(|_| Some(Box::new(Text::new(&geometry)))).collect();
        let rotary = Rotary::new(geometry.theta, geometry.head, geometry.context);
        let weights = Weights::new(&geometry);
        let model = Arc::new(Model { path, geometry, rotary, weights });
        Self { model, texts, open: vec![false; slots], turn: 0, pool: Pool::new(threads) }
    }

    /// Takes over weights of the engine's geometry.
    ///
    /// # Panics
    /// When a slot is open (its keys and values belong to the old weights), or the weights are another geometry's.
    pub fn load(&mut self, parameters: &Parameters) {
        assert!(!self.open.contains(&true), "weights were loaded while a text is open");
        let expected = self.model.geometry.layout.len();
        assert_eq!(parameters.values.len(), expected, "the weights are those of another geometry");
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

    /// An empty text, or none when all slots are taken.
    pub fn open(&mut self) -> Option<Slot> {
        let index = self.open.iter().position(|open| !open)?;
        self.open[index] = true;
        self.text(Slot(index)).clear();
        Some(Slot(index))
    }

    /// A copy of a text with its computed keys and values, or none when all slots are taken. A generation going on
    /// in `from` is not copied, only its tokens so far.
    pub fn fork(&mut self, from: Slot) -> Option<Slot> {
        self.text(from);
        let to = self.open()?;
        let pair = self.texts.get_disjoint_mut([to.0, from.0]);
        if let Ok([Some(to), Some(from)]) = pair {
            to.copy(from, &self.model.geometry);
        }
        Some(to)
    }

    /// Ends a text and whatever it was generating.
    pub fn close(&mut self, slot: Slot) {
        self.text(slot).clear();
        self.open[slot.0] = false;
    }

    /// Adds tokens to a text.
    ///
    /// # Errors
    /// They do not fit into the context.
    ///
    /// # Panics
    /// When a token is outside the vocabulary, or the text is being generated.
    pub fn append(&mut self, slot: Slot, tokens: &[u32]) -> Result<(), ContextFull> {
        let (context, vocabulary) = (self.model.geometry.context, self.model.geometry.vocabulary);
        assert!(
            tokens.iter().all(|&t| (t as usize) < vocabulary),
            "a token is outside the vocabulary of {vocabulary}"
        );
        let text = self.text(slot);
        assert!(!text.generating(), "tokens were appended to a text while it is being generated");
        let length = text.length();
        if length + tokens.len() > context {
            return Err(ContextFull { length, appended: tokens.len(), context });
        }
        text.append(tokens);
        Ok(())
    }

    /// Starts a generation; [`Engine::step`] returns it when it has ended.
    ///
    /// # Panics
    /// When the text is empty (nothing to predict from) or already being generated.
    pub fn generate(&mut self, slot: Slot, request: Generation) {
        let text = self.text(slot);
        assert!(text.length() > 0, "a generation needs at least one token to start from");
        assert!(!text.generating(), "the text is already being generated");
        text.start(request);
    }

    /// Tokens of a text, generated ones included.
    #[must_use]
    pub fn length(&self, slot: Slot) -> usize {
        self.texts[slot.0].as_ref().map_or(0, |text| text.length())
    }

    /// Rows of a text that steps have yet to compute. A text is worth forking once none are left.
    #[must_use]
    pub fn waiting(&self, slot: Slot) -> usize {
        self.texts[slot.0].as_ref().map_or(0, |text| text.wanted())
    }

    /// Slots that [`Engine::open`] can still give.
    #[must_use]
    pub fn free(&self) -> usize {
        self.open.iter().filter(|open| !**open).count()
    }

    /// Whether a step has anything to do.
    #[must_use]
    pub fn busy(&self) -> bool {
        self.texts.iter().flatten().any(|text| text.generating() || text.wanted() > 0)
    }

    /// One iteration: a token for every text that is generating and has its prompt computed, and up to
    /// [`ROWS_PER_STEP`] rows of waiting prompts. Returns the generations that ended, by slot.
    ///
    /// The last token of a prompt is computed only when a generation asks for what follows.
    pub fn step(&mut self) -> Vec<Finished> {
        let parts = self.parts();
        let mut finished = Vec::new();
        for part in self.pool.run(&self.model, parts) {
            for assigned in part.texts {
                self.texts[assigned.slot.0] = Some(assigned.text);
            }
            finished.extend(part.finished);
        }
        finished.sort_by_key(|f| f.slot);
        finished
    }

    /// Chooses this step's rows and deals them out to the threads, largest first, each to the least loaded.
    fn parts(&mut self) -> Vec<Part> {
        let slots = self.texts.len();
        let mut budget = ROWS_PER_STEP;
        let mut chosen: Vec<(usize, usize)> = Vec::with_capacity(slots);
        let first = self.turn;
        let mut left_over = None;
        for slot in (0..slots).map(|i| (first + i) % slots) {
            let Some(text) = &self.texts[slot] else { continue };
            let wanted = text.wanted();
            let decoding = text.generating() && wanted <= 1;
            let rows = if decoding { wanted } else { wanted.min(budget) };
            budget -= if decoding { 0 } else { rows };
            if rows < wanted {
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
            if let (Some(part), Some(text)) = (least, self.texts[slot].take()) {
                part.push(Slot(slot), text, rows);
            }
        }
        parts
    }

    fn text(&mut self, slot: Slot) -> &mut Text {
        assert!(self.open[slot.0], "slot {} is not open", slot.0);
        self.texts[slot.0].as_mut().expect("texts leave their slots only inside a step")
    }
}
