//! The shopper's file: the family, and orders per person, kept or returned.
//!
//! The instruction names a relation ("给妈妈"). The file has that person's name (first hop) and the orders under that name.
//! Values that a person kept and never returned in a category are preferred (second hop): one axis differs between a kept and
//! a returned order, and another axis is equal in both, so it implies nothing. Orders of other persons and categories are
//! distractors, and another person returned exactly the preferred value.

use shoprl_rl::seed::Stream;

use super::Goal;
use crate::draw;
use crate::mall::catalog::{Catalog, Fact, Product, WordId};
use crate::mall::vocabulary::vocabulary;

/// Probability that a wanted brand is omitted as well.
const BRAND_IMPLIED: f64 = 0.5;
/// Products tried for an order of another category.
const DISTRACTORS_TRIED: usize = 1_000;
/// Family members in the file.
const FAMILY: usize = 3;

/// A file and the facts of the goal that it implies.
pub(super) struct Persona {
    /// Relation of the recipient.
    pub(super) person: &'static str,
    text: String,
    implied: Fact,
    brand_implied: bool,
}

/// The part of the goal that only the file implies.
#[derive(Clone, Debug, Default)]
pub(in crate::mall) struct Implied {
    pub(in crate::mall) facts: Vec<Fact>,
    pub(in crate::mall) brand: bool,
}

/// A member of the family.
#[derive(Clone)]
struct Member {
    relation: &'static str,
    name: String,
}

impl Persona {
    pub(super) fn draw(goal: &Goal, catalog: &Catalog, stream: &mut Stream) -> Self {
        let words = vocabulary();
        let mut family: Vec<Member> = Vec::new();
        // Given names differ, so that a name identifies one person.
        let given = draw::sample(stream, &words.given, FAMILY);
        for (relation, given) in draw::sample(stream, &words.persons, FAMILY).into_iter().zip(given)
        {
            let name = [draw::pick(stream, &words.surnames), given].concat();
            family.push(Member { relation, name });
        }
        let implied = draw::pick(stream, &goal.facts);
        let brand_implied = goal.brand.is_some() && stream.bernoulli(BRAND_IMPLIED);
        let mut records = Records { catalog, goal, stream, lines: Vec::new() };
        records.imply(implied, &family[0].name, &family[1].name);
        records.distract(&family);
        if let Some(brand) = goal.brand.filter(|_| brand_implied) {
            records.imply_brand(brand, &family[0].name, &family[2].name);
        }
        let mut lines = records.lines;
        stream.shuffle(&mut lines);
        let person = family[0].relation;
        stream.shuffle(&mut family);
        Self { person, text: file(&family, &lines), implied, brand_implied }
    }

    /// Whether the file implies this fact.
    pub(super) fn implies(&self, fact: Fact) -> bool {
        self.implied == fact
    }

    /// Whether the file implies the brand.
    pub(super) fn implies_brand(&self) -> bool {
        self.brand_implied
    }

    /// The part of `goal` that only the file implies.
    pub(super) fn implied(&self, goal: &Goal) -> Implied {
        let facts = goal.facts.iter().copied().filter(|&fact| self.implies(fact));
        Implied { facts: facts.collect(), brand: self.brand_implied }
    }

    /// The file as the agent reads it, ending with a line break.
    pub(super) fn text(&self) -> String {
        self.text.clone()
    }
}

fn file(family: &[Member], lines: &[String]) -> String {
    let members: Vec<String> =
        family.iter().map(|it| format!("{}是{}", it.relation, it.name)).collect();
    format!("档案\n家人 {}\n{}\n", members.join("，"), lines.join("\n"))
}

/// Lines about orders and shops.
struct Records<'a> {
    catalog: &'a Catalog,
    goal: &'a Goal,
    stream: &'a mut Stream,
    lines: Vec<String>,
}

impl Records<'_> {
    /// Adds a kept and a returned order that differ only in the axis of `liked`.
    fn imply(&mut self, liked: Fact, person: &str, other: &str) {
        let disliked = self.another_value(liked);
        let steady = self.steady_fact(liked);
        let leaf = self.leaf_with(liked);
        let with =
            |first: Fact| -> Vec<Fact> { [Some(first), steady].into_iter().flatten().collect() };
        self.order(person, leaf, &with(liked), true);
        if let Some(disliked) = disliked {
            self.order(person, leaf, &with(disliked), false);
            // Another person has the opposite preference.
            self.order(other, leaf, &with(disliked), true);
        }
        self.order(other, leaf, &with(liked), false);
    }

    /// Adds orders of other categories, for the same person and another one.
    fn distract(&mut self, family: &[Member]) {
        for member in [&family[0], &family[2]] {
            let category = self.catalog.path(self.goal.leaf)[1];
            // A catalog may have a single category.
            let other = (0..DISTRACTORS_TRIED).find_map(|_| {
                let id = self.stream.below(self.catalog.len() as u64) as u32;
                let product = self.catalog.at(id);
                (self.catalog.path(product.leaf())[1] != category).then_some(product)
            });
            let Some(product) = other else {
                continue;
            };
            let facts: Vec<Fact> = product.facts().take(2).collect();
            let kept = self.stream.bernoulli(0.5);
            self.order(&member.name, self.catalog.path(product.leaf())[2], &facts, kept);
        }
    }

    fn imply_brand(&mut self, brand: WordId, person: &str, other: &str) {
        let brands = self.catalog.in_leaf(self.goal.leaf).map(|product| product.brand_id());
        let others: Vec<WordId> = brands.filter(|it| *it != brand).collect();
        let Some(&rival) = self.stream.choose(&others) else {
            return;
        };
        let (brand, rival) = (self.catalog.word(brand), self.catalog.word(rival));
        self.lines.push(format!("{person} 关注店铺 {brand}"));
        self.lines.push(format!("{person} 取消关注 {rival}"));
        self.lines.push(format!("{other} 关注店铺 {rival}"));
    }

    fn order(&mut self, person: &str, leaf: WordId, facts: &[Fact], kept: bool) {
        let word = |id| self.catalog.word(id);
        let facts: Vec<String> =
            facts.iter().map(|it| format!("{}:{}", word(it.axis), word(it.value))).collect();
        let fate = if kept { "留用" } else { "退货" };
        self.lines.push(format!("{person} 订单 {} {} {fate}", word(leaf), facts.join(" ")));
    }

    /// Another value of the axis that occurs in the leaf and is not wanted.
    fn another_value(&mut self, fact: Fact) -> Option<Fact> {
        let mut others = self.facts_of_leaf();
        others.retain(|it| it.axis == fact.axis && !self.goal.facts.contains(it));
        self.stream.choose(&others).copied()
    }

    /// A fact of another axis, which is not part of the goal.
    fn steady_fact(&mut self, fact: Fact) -> Option<Fact> {
        let mut others = self.facts_of_leaf();
        others.retain(|it| {
            it.axis != fact.axis && !self.goal.facts.iter().any(|goal| goal.axis == it.axis)
        });
        self.stream.choose(&others).copied()
    }

    fn facts_of_leaf(&self) -> Vec<Fact> {
        let products = self.catalog.in_leaf(self.goal.leaf);
        let mut facts: Vec<Fact> = products.flat_map(|it: Product<'_>| it.facts()).collect();
        facts.sort_unstable();
        facts.dedup();
        facts
    }

    /// The name of some leaf of the wanted category in which the fact occurs.
    fn leaf_with(&mut self, fact: Fact) -> WordId {
        let [domain, category, _] = self.catalog.path(self.goal.leaf);
        let leaves: Vec<WordId> = (0..self.catalog.leaves() as u32)
            .filter(|&leaf| self.catalog.path(leaf)[..2] == [domain, category])
            .filter(|&leaf| self.catalog.in_leaf(leaf).any(|product| product.has_fact(fact)))
            .map(|leaf| self.catalog.path(leaf)[2])
            .collect();
        draw::pick(self.stream, &leaves)
    }
}
