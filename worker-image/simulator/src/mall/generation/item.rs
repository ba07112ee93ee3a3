//! A product between generation and its columns.

use crate::mall::vocabulary::Leaf;

type Word = &'static str;

/// A product before it is written. Facts and options are positions in the leaf's tables.
#[derive(Clone)]
pub(super) struct Item<'a> {
    pub(super) leaf: &'a Leaf,
    pub(super) brand: String,
    pub(super) shop: String,
    pub(super) title: String,
    /// Axis and value, in the order of the tables.
    pub(super) facts: Vec<(usize, usize)>,
    /// Axis and offered values, in the order of the tables.
    pub(super) options: Vec<(usize, Vec<usize>)>,
    /// Yuan before surcharges for options.
    pub(super) base: f64,
    /// Price in fen and pieces in stock.
    pub(super) variants: Vec<(u32, u32)>,
}

impl Item<'_> {
    pub(super) fn facts(&self) -> impl Iterator<Item = (Word, Word)> {
        self.facts.iter().map(|&(axis, value)| {
            let axis = &self.leaf.axes[axis];
            (axis.name, axis.values[value])
        })
    }

    pub(super) fn options(&self) -> impl Iterator<Item = (Word, impl Iterator<Item = Word>)> {
        self.options.iter().map(|(axis, values)| {
            let axis = &self.leaf.options[*axis];
            (axis.name, values.iter().map(|&value| axis.values[value]))
        })
    }
}
