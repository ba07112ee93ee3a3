//! A shopper whose words are a language model's. What is told, refused or objected to is decided by the rules of `task::Shopper`
//! alone; the model only says it, knows nothing else, and is heard only if it says that and no more. So a reward does not
//! depend on a model's judgement, and an episode is a function of (catalog, task key, actions, words).

mod check;
mod prompt;

pub use check::Unfit;
pub use prompt::{Line, Speaker};

use super::{Catalog, Mall};
use check::Vocabulary;
use std::sync::{Arc, OnceLock};

/// What the rules let the shopper say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remark {
    pub(super) tone: Tone,
    /// A plain sentence.
    pub(super) words: String,
    /// Whether it refers to what the file tells.
    pub(super) habit: bool,
}

/// What a remark does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Answers a question.
    Tells,
    /// Is content with a proposal.
    Agrees,
    /// Is not, or keeps the agent from buying.
    Objects,
}

/// One thing to say: the rules' sentence, what was said before, and what must not be said.
#[derive(Clone, Debug)]
pub struct Cue {
    remark: Remark,
    heard: String,
    before: Vec<(String, String)>,
    opening: String,
    vocabulary: Arc<Vocabulary>,
}

/// What remarks are checked with, leaf by leaf, made when a leaf is first talked about: a leaf of `full` has thousands of products.
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

    /// The sentence of the rules, for whoever has no model or no fit answer from one.
    #[must_use]
    pub fn plain(&self) -> &str {
        &self.remark.words
    }

    /// The conversation to send to a model: an instruction, what was said so far, and what is to be said now. It holds nothing that
    /// the agent may not know.
    #[must_use]
    pub fn prompt(&self) -> Vec<Line> {
        prompt::lines(&self.opening, &self.before, &self.heard, &self.remark)
    }

    /// Whether `words` say what is to be said and nothing else.
    ///
    /// # Errors
    /// Why they are not fit to be said.
    pub fn check(&self, words: &str) -> Result<(), Unfit> {
        let own = self.before.iter().map(|(_, said)| said.as_str());
        self.vocabulary.check(words, &self.remark, own.chain([self.opening.as_str()]))
    }
}

/// What agent and shopper said so far.
#[derive(Clone, Debug)]
pub(super) struct Talk {
    /// The shopper's first sentence.
    pub(super) opening: String,
    /// What the agent said, and the shopper's words.
    pub(super) exchanges: Vec<(String, String)>,
}
