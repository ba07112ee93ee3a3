//! What an agent has understood of the shopper's request.

use super::observation::{Item, Row};
use crate::lexicon::{self, Class, Word};

/// Facts that were read or heard.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Request {
    /// The category and its domain.
    pub(super) category: Option<(Word, usize)>,
    /// Attributes, then the brand if one is wanted.
    pub(super) features: Vec<Word>,
    pub(super) colour: Option<Word>,
    pub(super) size: Option<Word>,
    pub(super) budget: Option<u32>,
}

impl Request {
    /// Adds every fact among `words`.
    pub(super) fn hear(&mut self, words: &[Word]) {
        for &word in words {
            match lexicon::class(word) {
                Some(Class::Category { domain }) => self.category = Some((word, domain)),
                Some(Class::Attribute | Class::Brand) if !self.features.contains(&word) => {
                    self.features.push(word);
                }
                Some(Class::Colour) => self.colour = Some(word),
                Some(Class::Size) => self.size = Some(word),
                Some(Class::Price(yuan)) => self.budget = Some(yuan),
                _ => {}
            }
        }
    }

    /// Adds what the history says about the wanted category.
    pub(super) fn infer(&mut self, records: &[Vec<Word>]) {
        let category = self.category.map(|(word, _)| word);
        for record in records.iter().filter(|record| record.first().copied() == category) {
            self.hear(record);
        }
    }

    /// The wanted options, colour first.
    pub(super) fn options(&self) -> Vec<Word> {
        self.colour.into_iter().chain(self.size).collect()
    }

    /// Whether the page of a product shows everything wanted except options.
    pub(super) fn is_met_by(&self, item: &Item) -> bool {
        let category = self.category.map(|(word, _)| word);
        self.affords(item.price)
            && category.is_none_or(|category| item.facts.contains(&category))
            && self.features.iter().all(|feature| item.facts.contains(feature))
    }

    /// The number of wanted facts that a row shows; `None` if it shows a contradicting one.
    pub(super) fn promise(&self, row: &Row) -> Option<usize> {
        let (category, domain) = self.category?;
        let contradicts = row.title.iter().any(|word| self.is_contradicted_by(word, domain));
        if contradicts || !row.title.contains(&category) || !self.affords(row.price) {
            return None;
        }
        Some(self.features.iter().filter(|feature| row.title.contains(feature)).count())
    }

    pub(super) fn affords(&self, price: u32) -> bool {
        self.budget.is_none_or(|budget| price <= budget)
    }

    /// Whether another brand, or another word of the same axis, is wanted.
    fn is_contradicted_by(&self, shown: &str, domain: usize) -> bool {
        let class = lexicon::class(shown);
        let rivals = |wanted: &Word| match class {
            Some(Class::Brand) => lexicon::class(wanted) == class,
            Some(Class::Attribute) => {
                let axis = lexicon::axis(domain, shown);
                axis.is_some() && lexicon::axis(domain, wanted) == axis
            }
            _ => false,
        };
        !self.features.contains(&shown) && self.features.iter().any(rivals)
    }
}
