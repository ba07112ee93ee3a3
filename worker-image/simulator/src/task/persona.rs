//! The shopper's search history: one record states what the instruction omits, the others are distractors.

use shoprl_rl::seed::Stream;

use super::Goal;
use crate::draw;
use crate::lexicon::vocabulary::{COLOURS, DOMAINS};
use crate::lexicon::{Word, phrase};

/// Records of other categories.
const DISTRACTORS: usize = 2;
/// Probability that the colour is omitted as well as an attribute.
const COLOUR_IMPLIED: f64 = 0.5;

/// A search history and the facts of the goal that it implies.
pub(super) struct Persona {
    /// Records in random order: a category and words about it.
    records: Vec<Vec<Word>>,
    /// Facts of the goal that only the history states.
    implied: Vec<Word>,
}

impl Persona {
    pub(super) fn draw(goal: &Goal, stream: &mut Stream) -> Self {
        let mut implied = vec![draw::pick(stream, &goal.attributes)];
        if stream.bernoulli(COLOUR_IMPLIED) {
            implied.extend(goal.options.first());
        }
        let mut records = vec![[&[goal.category.leaf], implied.as_slice()].concat()];
        for (domain, category) in other_categories(goal.category.leaf, stream) {
            let axis = draw::pick(stream, &DOMAINS[domain].axes);
            let mut record = vec![category, draw::pick(stream, &axis)];
            if stream.bernoulli(COLOUR_IMPLIED) {
                record.push(draw::pick(stream, &COLOURS));
            }
            records.push(record);
        }
        stream.shuffle(&mut records);
        Self { records, implied }
    }

    /// Whether the history implies this fact.
    pub(super) fn implies(&self, fact: Word) -> bool {
        self.implied.contains(&fact)
    }

    /// The history as the agent reads it.
    pub(super) fn text(&self) -> String {
        let mut text = phrase::PERSONA.to_owned();
        for record in &self.records {
            text.extend(record.iter().copied());
            text.push_str(phrase::RECORD_END);
        }
        text
    }
}

fn other_categories(leaf: Word, stream: &mut Stream) -> Vec<(usize, Word)> {
    let others: Vec<(usize, Word)> = DOMAINS
        .iter()
        .enumerate()
        .flat_map(|(domain, it)| it.categories.map(|category| (domain, category)))
        .filter(|&(_, category)| category != leaf)
        .collect();
    draw::sample(stream, &others, DISTRACTORS)
}
