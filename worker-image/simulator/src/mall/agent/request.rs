//! What an agent has understood of the shopper's request.

use super::reading::{Item, Opening, Row};
use crate::mall::vocabulary::{Leaf, vocabulary};

/// Score below which a row is never opened.
pub(super) const HOPELESS: i32 = -100;
/// Penalty for a row that costs less than half of the budget: shoppers name a budget near the price of the product that they
/// want.
const CHEAP: i32 = 8;

/// Facts that were read or heard.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    pub(super) leaf: Option<&'static Leaf>,
    /// Attribute values.
    pub(super) facts: Vec<String>,
    pub(super) brand: Option<String>,
    pub(super) options: Vec<String>,
    /// In yuan.
    pub(super) budget: Option<u32>,
}

impl Request {
    /// Adds what the first observation says.
    pub(super) fn open(&mut self, opening: &Opening) {
        let leaves = vocabulary().leaves.iter().filter(|leaf| opening.text.contains(leaf.name));
        self.leaf = leaves.max_by_key(|leaf| leaf.name.len());
        let text = self.leaf.map(|leaf| opening.text.replacen(leaf.name, "，", 1));
        self.hear(&text.unwrap_or_default());
        self.infer(opening);
    }

    /// Adds every fact in an utterance: the longest words of the leaf from left to right, brands, an amount of money.
    pub(super) fn hear(&mut self, text: &str) {
        let Some(leaf) = self.leaf else {
            return;
        };
        let facts = leaf.axes.iter().flat_map(|axis| &axis.values).map(|word| (*word, true));
        let options = leaf.options.iter().flat_map(|axis| &axis.values).map(|word| (*word, false));
        let words: Vec<(&str, bool)> = facts.chain(options).collect();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let known = words.iter().filter(|(word, _)| rest.starts_with(word));
            let length = if let Some(&(word, is_fact)) = known.max_by_key(|(word, _)| word.len()) {
                let list = if is_fact { &mut self.facts } else { &mut self.options };
                if !list.iter().any(|it| it == word) {
                    list.push(word.to_owned());
                }
                word.len()
            } else if let Some(brand) = leading_brand(rest) {
                self.brand = Some(brand.to_owned());
                brand.len()
            } else if first.is_ascii_digit() {
                let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                if rest[end..].starts_with('元') {
                    self.budget = rest[..end].parse().ok();
                }
                end
            } else {
                first.len_utf8()
            };
            rest = &rest[length..];
        }
    }

    /// Adds what the file implies about the recipient: values of orders that were kept and never returned.
    fn infer(&mut self, opening: &Opening) {
        let wanted =
            opening.family.iter().find(|(relation, _)| opening.text.contains(relation.as_str()));
        let (Some((_, person)), Some(leaf)) = (wanted, self.leaf) else {
            return;
        };
        let (mut kept, mut returned) = (Vec::new(), Vec::new());
        for (_, record) in opening.records.iter().filter(|(name, _)| name == person) {
            if let Some(brand) = record.strip_prefix("关注店铺 ") {
                self.brand = Some(brand.to_owned());
            }
            let Some(order) = record.strip_prefix("订单 ") else {
                continue;
            };
            let mut words = order.split(' ');
            let bought = words.next().unwrap_or_default();
            let same = vocabulary()
                .leaves
                .iter()
                .any(|it| it.name == bought && it.category == leaf.category);
            if same {
                let list = if order.ends_with("留用") { &mut kept } else { &mut returned };
                list.extend(words.filter_map(|word| word.split_once(':')).map(|(_, value)| value));
            }
        }
        for value in kept.into_iter().filter(|value| !returned.contains(value)) {
            if !self.facts.iter().any(|it| it == value) {
                self.facts.push(value.to_owned());
            }
        }
    }

    /// All known facts as words, without the budget.
    pub(super) fn words(&self) -> String {
        let leaf = self.leaf.map(|leaf| leaf.name).unwrap_or_default();
        let words = self.facts.iter().chain(&self.brand).chain(&self.options);
        words.fold(leaf.to_owned(), |query, word| query + " " + word)
    }

    /// A query of all known facts.
    pub(super) fn query(&self) -> String {
        let ceiling = self.budget.map(|budget| format!(" ¥{budget}"));
        self.words() + &ceiling.unwrap_or_default()
    }

    /// A query for the products of one brand.
    pub(super) fn query_for(&self, brand: &str) -> String {
        let leaf = self.leaf.map(|leaf| leaf.name).unwrap_or_default();
        let ceiling = self.budget.map(|budget| format!(" ¥{budget}"));
        [leaf, " ", brand, &ceiling.unwrap_or_default()].concat()
    }

    /// Whether the page of a product shows everything wanted.
    pub(super) fn is_met_by(&self, item: &Item) -> bool {
        let offered = |word: &String| item.options.iter().any(|(_, values)| values.contains(word));
        self.leaf.is_none_or(|leaf| leaf.name == item.leaf)
            && self.affords(item.fen)
            && self.brand.as_ref().is_none_or(|brand| *brand == item.brand)
            && self.facts.iter().all(|fact| item.facts.iter().any(|(_, value)| value == fact))
            && self.options.iter().all(offered)
    }

    /// The number of wanted facts that a product has, minus the number that it lacks.
    pub(super) fn agreement(&self, item: &Item) -> i32 {
        let has = |fact: &String| item.facts.iter().any(|(_, value)| value == fact);
        self.facts.iter().map(|fact| if has(fact) { 1 } else { -1 }).sum()
    }

    pub(super) fn affords(&self, fen: u32) -> bool {
        self.budget.is_none_or(|budget| fen <= budget.saturating_mul(100))
    }

    /// How promising a row is: the wanted facts that it shows, minus its contradictions. Titles can be untrue; the brand and
    /// the attributes after them are true.
    pub(super) fn promise(&self, row: &Row) -> i32 {
        let wrong_brand = self.brand.as_ref().is_some_and(|brand| *brand != row.brand);
        if wrong_brand || self.is_something_else(&row.title) {
            return HOPELESS;
        }
        let facts: i32 = self.facts.iter().map(|fact| self.promise_of(fact, row)).sum();
        let cheap = self.budget.is_some_and(|budget| row.fen < budget.saturating_mul(50));
        facts - if cheap { CHEAP } else { 0 }
    }

    fn promise_of(&self, fact: &str, row: &Row) -> i32 {
        let tagged = |word: &str| row.tags.iter().any(|tag| tag == word);
        if tagged(fact) {
            4
        } else if self.rivals(fact).any(tagged) {
            HOPELESS
        } else if row.title.contains(fact) {
            3
        } else if self.rivals(fact).any(|rival| row.title.contains(rival)) {
            -4
        } else {
            0
        }
    }

    /// Whether a title names another product type and not the wanted one.
    fn is_something_else(&self, title: &str) -> bool {
        let Some(leaf) = self.leaf else {
            return false;
        };
        let named = |it: &Leaf| title.contains(it.name);
        !named(leaf)
            && !leaf.aliases.iter().any(|alias| title.contains(alias))
            && vocabulary().leaves.iter().any(named)
    }

    /// The other values of the axis of a wanted fact, if the axis allows only one.
    fn rivals<'a>(&self, fact: &'a str) -> impl Iterator<Item = &'static str> + use<'a> {
        let axes = self.leaf.map(|leaf| leaf.axes.as_slice()).unwrap_or_default();
        let axis = axes.iter().find(|axis| !axis.several && axis.values.contains(&fact));
        axis.into_iter().flat_map(|axis| &axis.values).copied().filter(move |it| *it != fact)
    }
}

/// The brand at the beginning of a text: two syllables of invented names.
fn leading_brand(text: &str) -> Option<&str> {
    let words = vocabulary();
    let head = words.heads.iter().find(|head| text.starts_with(**head))?;
    let tail = words.tails.iter().find(|tail| text[head.len()..].starts_with(**tail))?;
    Some(&text[..head.len() + tail.len()])
}
