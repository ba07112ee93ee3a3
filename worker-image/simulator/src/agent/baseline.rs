//! Baseline agents: search once and buy the first result, and random actions.

use shoprl_rl::seed::{Purpose, Stream};

use super::Actor;
use super::observation::{Item, Observation, Page};
use crate::lexicon::vocabulary::ROWS;
use crate::lexicon::{self, Class, Word, phrase};

/// Maximum number of words in a query.
const QUERY_WORDS: usize = 8;

/// Searches for the words of the instruction, opens the first result, chooses the options mentioned, buys.
#[derive(Default)]
pub(super) struct SearchFirst {
    read: Option<Vec<Word>>,
    /// Options of the first product that were mentioned and not yet tried.
    options: Option<Vec<Word>>,
}

impl Actor for SearchFirst {
    fn act(&mut self, observation: &str) -> String {
        let Some(read) = &self.read else {
            return self.search(observation);
        };
        match Observation::read(observation, false).page {
            Page::Results(results) if results.rows.is_empty() => phrase::DECLINE.to_owned(),
            Page::Results(_) => [phrase::OPEN, ROWS[0]].concat(),
            page => {
                if let Page::Item(item) = page {
                    self.options = Some(known_options(&item, read));
                }
                match self.options.as_mut().and_then(Vec::pop) {
                    Some(option) => [phrase::CHOOSE, option].concat(),
                    None => phrase::BUY.to_owned(),
                }
            }
        }
    }
}

impl SearchFirst {
    fn search(&mut self, observation: &str) -> String {
        let words: Vec<Word> =
            lexicon::known_words(observation).into_iter().filter(|word| is_content(word)).collect();
        let query = words.iter().take(QUERY_WORDS);
        let action = query.fold(phrase::SEARCH.to_owned(), |action, word| action + word);
        self.read = Some(words);
        action
    }
}

fn is_content(word: &str) -> bool {
    use Class::{Attribute, Brand, Category, Colour, Size};
    matches!(lexicon::class(word), Some(Attribute | Brand | Category { .. } | Colour | Size))
}

/// For each option axis of the product, the first value that was mentioned.
fn known_options(item: &Item, read: &[Word]) -> Vec<Word> {
    let mut options: Vec<Word> = Vec::new();
    for &word in read.iter().filter(|word| item.options.contains(word)) {
        if !options.iter().any(|known| lexicon::class(known) == lexicon::class(word)) {
            options.push(word);
        }
    }
    options.reverse();
    options
}

/// Chooses uniformly among the actions that look possible.
pub(super) struct Random {
    stream: Stream,
    category: Option<Word>,
    rows: usize,
    options: Vec<Word>,
}

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        let stream = Stream::new(seed, Purpose::Actor, &[]);
        Self { stream, category: None, rows: 0, options: Vec::new() }
    }

    fn observe(&mut self, page: Page) {
        match page {
            Page::Results(results) => {
                self.rows = results.rows.len();
                self.options.clear();
            }
            Page::Item(item) => self.options = item.options,
            _ => {}
        }
    }
}

impl Actor for Random {
    fn act(&mut self, observation: &str) -> String {
        let first = self.category.is_none();
        let Observation { page, .. } = Observation::read(observation, first);
        let category = *self.category.get_or_insert_with(|| wanted_category(&page));
        self.observe(page);
        let mut actions = vec![[phrase::SEARCH, category].concat()];
        if self.rows > 0 {
            actions.push(phrase::NEXT_PAGE.to_owned());
        }
        actions.extend(ROWS[..self.rows].iter().map(|row| [phrase::OPEN, row].concat()));
        actions.extend(self.options.iter().map(|option| [phrase::CHOOSE, option].concat()));
        if !self.options.is_empty() {
            actions.push(phrase::BUY.to_owned());
        }
        let choice = self.stream.below(actions.len() as u64) as usize;
        actions.swap_remove(choice)
    }
}

/// The category in the instruction; without one, a word that finds nothing.
fn wanted_category(page: &Page) -> Word {
    let words: &[Word] = if let Page::Brief(brief) = page { &brief.words } else { &[] };
    let is_category = |word: &&Word| matches!(lexicon::class(word), Some(Class::Category { .. }));
    words.iter().find(is_category).copied().unwrap_or(phrase::TASK)
}
