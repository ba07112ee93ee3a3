//! A shopper whose words come from a language model. The rules of `task::Shopper` alone decide what is answered, refused or
//! objected to. The model only words the answer: it knows nothing else, and its words are used only if they say exactly that.
//! So a reward does not depend on a model's judgement, and an episode is a function of (catalog, task key, actions, words).

mod check;
mod prompt;

pub use check::Unfit;
pub use prompt::{Line, Speaker};

use std::sync::{Arc, OnceLock};

use super::{Catalog, Mall};
use check::Vocabulary;

/// What the rules let the shopper say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remark {
    pub(super) tone: Tone,
    /// The sentence of the rules.
    pub(super) words: String,
    /// Whether it refers to facts that the file implies.
    pub(super) habit: bool,
}

/// The tone of a remark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Answers a question.
    Answers,
    /// Accepts a proposal.
    Agrees,
    /// Rejects a proposal, or stops a purchase.
    Objects,
}

/// One remark to word: the rules' sentence, the conversation so far, and the words that must not appear.
#[derive(Clone, Debug)]
pub struct Cue {
    remark: Remark,
    heard: String,
    before: Vec<(String, String)>,
    opening: String,
    vocabulary: Arc<Vocabulary>,
}

/// The vocabulary per leaf for checking words, built on first use: a leaf of `full` has thousands of products.
pub(super) struct Speech(Vec<OnceLock<Arc<Vocabulary>>>);

impl Speech {
    pub(super) fn new(leaves: usize) -> Self {
        Self((0..leaves).map(|_| OnceLock::new()).collect())
    }

    fn vocabulary(&self, catalog: &Catalog, leaf: u32) -> Arc<Vocabulary> {
        let vocabulary = || Arc::new(Vocabulary::of(catalog, leaf));
        Arc::clone(self.0[leaf as usize].get_or_init(vocabulary))
    }
}

impl Cue {
    pub(super) fn new(mall: &Mall, leaf: u32, remark: Remark, talk: &Talk, heard: &str) -> Self {
        Self {
            remark,
            heard: heard.to_owned(),
            before: talk.exchanges.clone(),
            opening: talk.opening.clone(),
            vocabulary: mall.speech.vocabulary(&mall.catalog, leaf),
        }
    }

    /// The sentence of the rules, for use without a model or without a fit answer of one.
    #[must_use]
    pub fn plain(&self) -> &str {
        &self.remark.words
    }

    /// The conversation to send to a model: an instruction, the conversation so far, and the remark to word. It contains
    /// nothing that the agent may not know.
    #[must_use]
    pub fn prompt(&self) -> Vec<Line> {
        prompt::lines(&self.opening, &self.before, &self.heard, &self.remark)
    }

    /// Checks that `words` say the remark and nothing else.
    ///
    /// # Errors
    /// Why the words are unfit.
    pub fn check(&self, words: &str) -> Result<(), Unfit> {
        let own = self.before.iter().map(|(_, said)| said.as_str());
        self.vocabulary.check(words, &self.remark, own.chain([self.opening.as_str()]))
    }
}

/// The conversation between agent and shopper so far.
#[derive(Clone, Debug)]
pub(super) struct Talk {
    /// The shopper's first sentence.
    pub(super) opening: String,
    /// Pairs of the agent's question and the shopper's words.
    pub(super) exchanges: Vec<(String, String)>,
}
