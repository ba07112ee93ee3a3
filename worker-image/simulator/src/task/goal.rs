//! The goal of a task, and which products meet it.

use crate::catalog::{Catalog, CategoryPath, Product, Selection};
use crate::lexicon::Word;

/// The secret facts of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Goal {
    pub(crate) category: CategoryPath,
    /// Attributes in the order of the instruction.
    pub(crate) attributes: Vec<Word>,
    pub(crate) brand: Option<Word>,
    /// Option values, at least one: a colour, sometimes a size.
    pub(crate) options: Vec<Word>,
    /// Maximum price of the chosen variant in yuan.
    pub(crate) budget: u32,
    /// Whether any product meets the goal. If not, declining is right.
    pub(crate) fits: bool,
}

impl Goal {
    /// Attributes and brand: the features that R_attribute counts.
    pub(crate) fn features(&self) -> impl Iterator<Item = Word> {
        self.attributes.iter().copied().chain(self.brand)
    }

    /// Whether some variant of `product` in stock has everything within the budget.
    pub(crate) fn is_met_by(&self, product: &Product) -> bool {
        product.category == self.category
            && self.features().all(|feature| product.has_feature(feature))
            && self.price_of(product).is_some_and(|yuan| yuan <= self.budget)
    }

    /// Yuan of the wanted variant of `product`; `None` if it is not offered or sold out.
    pub(crate) fn price_of(&self, product: &Product) -> Option<u32> {
        product.offer(&self.selection(product)?)
    }

    /// The selection of the wanted options of `product`; `None` if it lacks one.
    pub(crate) fn selection(&self, product: &Product) -> Option<Selection> {
        let mut selection = product.open_selection();
        for option in &self.options {
            let (axis, value) = product.find_option(option)?;
            selection[axis] = Some(value);
        }
        Some(selection)
    }

    /// Whether any product of `catalog` meets the goal.
    pub(crate) fn is_met_in(&self, catalog: &Catalog) -> bool {
        catalog.products().iter().any(|product| self.is_met_by(product))
    }
}
