//! The goal of a task, and which products meet it.

use super::topic::{Lack, Topic};
use crate::mall::Mall;
use crate::mall::catalog::{Catalog, Fact, Product, Selection, WordId};
use crate::mall::storefront::Visit;

/// The secret facts of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mall) struct Goal {
    pub(in crate::mall) leaf: u32,
    /// Attributes, at least one, in the order of the instruction.
    pub(in crate::mall) facts: Vec<Fact>,
    pub(in crate::mall) brand: Option<WordId>,
    /// Option values, at least one.
    pub(in crate::mall) options: Vec<Fact>,
    /// Maximum price of the chosen variant in yuan.
    pub(in crate::mall) budget: u32,
    /// Whether any product meets the goal. If not, declining is right.
    pub(in crate::mall) fits: bool,
    /// The product from which the goal was drawn; any other product that meets it is as good.
    pub(in crate::mall) target: u32,
}

impl Goal {
    /// Whether some variant of `product` in stock has everything within the budget.
    pub(in crate::mall) fn is_met_by(&self, product: &Product<'_>) -> bool {
        product.leaf() == self.leaf
            && self.brand.is_none_or(|brand| product.brand_id() == brand)
            && self.facts.iter().all(|&fact| product.has_fact(fact))
            && self.price_of(product).is_some_and(|fen| fen <= self.budget_fen())
    }

    /// The number of wanted facts that `product`, of the wanted leaf, lacks. The wanted variant within the budget counts as
    /// one fact. It is 0 if the product meets the goal.
    pub(in crate::mall) fn misses(&self, product: &Product<'_>) -> usize {
        let facts = self.facts.iter().filter(|&&fact| !product.has_fact(fact)).count();
        let brand = self.brand.is_some_and(|brand| product.brand_id() != brand);
        let offer = self.price_of(product).is_none_or(|fen| fen > self.budget_fen());
        facts + usize::from(brand) + usize::from(offer)
    }

    /// Fen of the wanted variant of `product`; `None` if it is not offered or sold out.
    pub(in crate::mall) fn price_of(&self, product: &Product<'_>) -> Option<u32> {
        product.offer(&self.selection(product)?)
    }

    /// The selection of the wanted options of `product`; `None` if it lacks one.
    pub(in crate::mall) fn selection(&self, product: &Product<'_>) -> Option<Selection> {
        let mut selection = product.open_selection();
        for &option in &self.options {
            let (axis, value) = product.option_position(option)?;
            selection[axis] = Some(value);
        }
        Some(selection)
    }

    pub(in crate::mall) fn budget_fen(&self) -> u32 {
        self.budget.saturating_mul(100)
    }

    /// The wanted facts that buying `visit` with its selection would lack, apart from the product type.
    pub(in crate::mall) fn lacks_of(&self, mall: &Mall, visit: &Visit) -> Vec<Lack> {
        let product = mall.catalog.at(visit.product);
        let chosen = product.chosen(&visit.selection);
        let facts = self.facts.iter().filter(|&&fact| !product.has_fact(fact));
        let options = self.options.iter().filter(|option| !chosen.contains(option));
        let brand = self.brand.is_some_and(|brand| product.brand_id() != brand);
        let budget = visit.price(mall) > self.budget_fen();
        let whole = |is_wrong: bool, topic| is_wrong.then_some(Lack { topic, fact: None });
        facts
            .map(|&fact| Lack { topic: Topic::Attributes, fact: Some(fact) })
            .chain(whole(brand, Topic::Brand))
            .chain(options.map(|&fact| Lack { topic: Topic::Options, fact: Some(fact) }))
            .chain(whole(budget, Topic::Budget))
            .collect()
    }

    /// Whether any product of `catalog` meets the goal.
    pub(in crate::mall) fn is_met_in(&self, catalog: &Catalog) -> bool {
        catalog.in_leaf(self.leaf).any(|product| self.is_met_by(&product))
    }
}
