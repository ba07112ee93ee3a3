//! Words a goal: templates for instructions, and the shopper's answers.

use shoprl_rl::seed::Stream;

use super::persona::Persona;
use super::{Answers, Brief, Goal, Scenario, Split};
use crate::draw;
use crate::lexicon::{Word, phrase as p};
use crate::page;

/// A part of an instruction.
#[derive(Clone, Copy)]
enum Part {
    Category,
    Attributes,
    Brand,
    Options,
    Budget,
}

use Part::{Attributes as A, Brand as B, Budget as P, Category as C, Options as O};

/// A template: the order of the parts and their leads.
#[derive(Clone, Copy)]
pub(super) struct Wording {
    order: [Part; 5],
    want: Word,
    attributes: Word,
    brand: Word,
    options: Word,
    /// Before and after the price.
    budget: (Word, Word),
}

const fn wording(
    order: [Part; 5],
    want: Word,
    [attributes, brand, options]: [Word; 3],
    budget: (Word, Word),
) -> Wording {
    Wording { order, want, attributes, brand, options, budget }
}

const PLAIN: [Word; 3] = [p::WITH, p::BRAND, p::OPTIONS];
const POLITE: [Word; 3] = [p::BEST, p::TRUST, p::PICK];
const FIRM: [Word; 3] = [p::MUST, p::ONLY, p::STYLE];
const WITHIN: (Word, Word) = (p::BUDGET, p::WITHIN);
const BELOW: (Word, Word) = (p::NO_MORE_THAN, "");
const AT_MOST: (Word, Word) = (p::AT_MOST, "");

const TRAIN: [Wording; 6] = [
    wording([C, A, B, O, P], p::WANT, PLAIN, WITHIN),
    wording([C, O, A, B, P], p::WANT, PLAIN, WITHIN),
    wording([C, A, B, O, P], p::FIND, POLITE, BELOW),
    wording([C, O, A, B, P], p::NEED, POLITE, AT_MOST),
    wording([C, P, A, B, O], p::RECOMMEND, FIRM, WITHIN),
    wording([P, C, O, A, B], p::WANT, FIRM, WITHIN),
];

/// Known words in orders and combinations that training never uses.
const HELD_OUT: [Wording; 3] = [
    wording([C, A, O, B, P], p::FIND, [p::WITH, p::BRAND, p::STYLE], AT_MOST),
    wording([C, O, A, B, P], p::RECOMMEND, [p::MUST, p::TRUST, p::OPTIONS], BELOW),
    wording([P, C, A, B, O], p::NEED, [p::BEST, p::ONLY, p::PICK], WITHIN),
];

impl Wording {
    pub(super) fn draw(split: Split, stream: &mut Stream) -> Self {
        match split {
            Split::Train => draw::pick(stream, &TRAIN),
            Split::HeldOut => draw::pick(stream, &HELD_OUT),
        }
    }
}

/// The agent's half of a task: the opening and the answers.
pub(super) fn brief(
    goal: &Goal,
    persona: Option<&Persona>,
    scenario: Scenario,
    wording: Wording,
) -> Brief {
    let speech = Speech { goal, persona, wording };
    let history = persona.map(Persona::text).unwrap_or_default();
    if scenario.has_shopper() {
        let opening = [history, page::spoken(&speech.part(C))].concat();
        Brief { opening, answers: Some(speech.answers()) }
    } else {
        let parts = wording.order.map(|part| speech.part(part)).concat();
        Brief { opening: [history.as_str(), p::TASK, &parts].concat(), answers: None }
    }
}

struct Speech<'a> {
    goal: &'a Goal,
    persona: Option<&'a Persona>,
    wording: Wording,
}

impl Speech<'_> {
    /// One part with its lead; empty if there is nothing to say.
    fn part(&self, part: Part) -> String {
        let Wording { want, attributes, brand, options, budget, .. } = self.wording;
        match part {
            Part::Category => [want, self.goal.category.leaf].concat(),
            Part::Attributes => led(attributes, &self.said(&self.goal.attributes)),
            Part::Brand => led(brand, self.goal.brand.as_slice()),
            Part::Options => led(options, &self.said(&self.goal.options)),
            Part::Budget => [budget.0, page::price(self.goal.budget), budget.1].concat(),
        }
    }

    fn answers(&self) -> Answers {
        let usual = |facts: &[Word]| {
            let all_said = self.said(facts).len() == facts.len();
            if all_said { "" } else { p::AS_USUAL }
        };
        Answers {
            attributes: [self.part(A).as_str(), &self.part(B), usual(&self.goal.attributes)]
                .concat(),
            options: [self.part(O).as_str(), usual(&self.goal.options)].concat(),
            budget: self.part(P),
        }
    }

    /// The facts that the history does not imply.
    fn said(&self, facts: &[Word]) -> Vec<Word> {
        let implied = |fact: Word| self.persona.is_some_and(|persona| persona.implies(fact));
        facts.iter().copied().filter(|&fact| !implied(fact)).collect()
    }
}

fn led(lead: Word, facts: &[Word]) -> String {
    if facts.is_empty() { String::new() } else { [lead, &facts.concat()].concat() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn leads(wording: &Wording) -> [Word; 6] {
        let Wording { want, attributes, brand, options, budget, .. } = *wording;
        [want, attributes, brand, options, budget.0, budget.1]
    }

    #[test]
    fn held_out_templates_are_new_combinations_of_words_that_training_shows() {
        let known: BTreeSet<Word> = TRAIN.iter().flat_map(leads).collect();
        let trained: BTreeSet<[Word; 6]> = TRAIN.iter().map(leads).collect();
        for wording in &HELD_OUT {
            assert!(leads(wording).iter().all(|word| known.contains(word)));
            assert!(!trained.contains(&leads(wording)));
        }
    }
}
