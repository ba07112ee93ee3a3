//! The facts that were stated to the agent in words.

use crate::mall::catalog::{Catalog, Fact};
use crate::mall::task::{Goal, Implied, Lack, Topic, named_in};
use crate::task::Scenario;

/// The part of a goal that the instruction or the shopper stated. Facts that only the file implies are not in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Stated {
    pub(super) facts: Vec<Fact>,
    pub(super) options: Vec<Fact>,
    pub(super) brand: bool,
    pub(super) budget: bool,
}

impl Stated {
    /// The facts in the first observation: all of them, if there is no shopper to ask.
    pub(super) fn at_first(goal: &Goal, implied: &Implied, scenario: Scenario) -> Self {
        let mut stated = Self::default();
        if !scenario.has_shopper() {
            for topic in [Topic::Attributes, Topic::Brand, Topic::Options, Topic::Budget] {
                stated.hear_about(topic, goal, implied);
            }
        }
        stated
    }

    /// Adds the answer to a question about a topic or one axis.
    pub(super) fn hear(&mut self, question: &str, goal: &Goal, implied: &Implied, words: &Catalog) {
        if let Some(topic) = Topic::named(question) {
            self.hear_about(topic, goal, implied);
            return;
        }
        let of_axis = |fact: &&Fact| words.word(fact.axis) == question;
        let facts = goal.facts.iter().filter(|fact| !implied.facts.contains(fact));
        add(&mut self.facts, facts.filter(of_axis));
        add(&mut self.options, goal.options.iter().filter(of_axis));
    }

    /// Adds the answer to a question in free words.
    pub(super) fn hear_freely(
        &mut self,
        question: &str,
        goal: &Goal,
        implied: &Implied,
        words: &Catalog,
    ) {
        for name in named_in(question, words, goal.leaf) {
            self.hear(name, goal, implied, words);
        }
    }

    fn hear_about(&mut self, topic: Topic, goal: &Goal, implied: &Implied) {
        match topic {
            Topic::Attributes => {
                let said = goal.facts.iter().filter(|fact| !implied.facts.contains(fact));
                add(&mut self.facts, said);
            }
            Topic::Brand => self.brand |= goal.brand.is_some() && !implied.brand,
            Topic::Options => add(&mut self.options, goal.options.iter()),
            Topic::Budget => self.budget = true,
        }
    }

    /// Whether the lacking fact was stated.
    pub(super) fn includes(&self, lack: &Lack) -> bool {
        match (lack.topic, lack.fact) {
            (Topic::Brand, _) => self.brand,
            (Topic::Budget, _) => self.budget,
            (_, Some(fact)) => self.facts.contains(&fact) || self.options.contains(&fact),
            (_, None) => false,
        }
    }
}

fn add<'a>(list: &mut Vec<Fact>, facts: impl Iterator<Item = &'a Fact>) {
    for fact in facts {
        if !list.contains(fact) {
            list.push(*fact);
        }
    }
}
