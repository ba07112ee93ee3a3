//! One product with its prices and stock.

use super::option::OptionAxis;
use super::price;
use super::sold_out::SoldOut;
use crate::lexicon::Word;

/// Category of a product: domain › leaf category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CategoryPath {
    pub(crate) domain: Word,
    pub(crate) leaf: Word,
}

/// A selection: per axis the position of the chosen value, or `None` while open.
pub(crate) type Selection = Vec<Option<usize>>;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Product {
    pub(crate) family: u32,
    pub(crate) category: CategoryPath,
    pub(crate) brand: Word,
    /// One word for each attribute axis of the domain.
    pub(crate) attributes: Vec<Word>,
    /// Words on a result page and in the index: brand, two attributes, category.
    pub(crate) title: Vec<Word>,
    /// A merchant's flourish, shown with the details and indexed.
    pub(crate) flourish: Word,
    /// A word that the merchant added to the index; it may be untrue.
    pub(crate) stray: Word,
    pub(crate) options: Vec<OptionAxis>,
    /// Step of the price ladder before surcharges.
    pub(crate) base: u8,
    pub(crate) sold_out: Vec<SoldOut>,
    /// Bias in the ranking, in thousandths of a score point; below 3,000.
    pub(crate) popularity: u16,
}

impl Product {
    /// A selection with every axis open.
    pub(crate) fn open_selection(&self) -> Selection {
        vec![None; self.options.len()]
    }

    /// Yuan of the cheapest variant in stock that completes `selection`; `None` if all are sold out. For a complete
    /// selection this is the price of that variant.
    pub(crate) fn offer(&self, selection: &[Option<usize>]) -> Option<u32> {
        let mut variant = vec![0; self.options.len()];
        let step = self.cheapest(selection, &mut variant, 0)?;
        Some(price::yuan(step))
    }

    /// Price on a result page in yuan: the cheapest variant in stock.
    pub(crate) fn listed_price(&self) -> u32 {
        self.offer(&self.open_selection()).unwrap_or_else(|| price::yuan(self.base))
    }

    /// Whether `word` is an attribute or the brand of this product.
    pub(crate) fn has_feature(&self, word: Word) -> bool {
        self.brand == word || self.attributes.contains(&word)
    }

    /// Axis and position of an option value.
    pub(crate) fn find_option(&self, word: &str) -> Option<(usize, usize)> {
        self.options.iter().enumerate().find_map(|(axis, options)| {
            let value = options.values.iter().position(|value| value.word == word)?;
            Some((axis, value))
        })
    }

    /// The chosen words, in order of the axes.
    pub(crate) fn chosen_words(&self, selection: &[Option<usize>]) -> Vec<Word> {
        selection
            .iter()
            .zip(&self.options)
            .filter_map(|(&value, axis)| Some(axis.values[value?].word))
            .collect()
    }

    fn cheapest(
        &self,
        selection: &[Option<usize>],
        variant: &mut [usize],
        axis: usize,
    ) -> Option<u8> {
        let Some(options) = self.options.get(axis) else {
            let in_stock = !self.sold_out.iter().any(|pattern| pattern.covers(variant));
            return in_stock.then(|| self.step(variant));
        };
        (0..options.values.len())
            .filter(|&value| selection[axis].is_none_or(|chosen| chosen == value))
            .filter_map(|value| {
                variant[axis] = value;
                self.cheapest(selection, variant, axis + 1)
            })
            .min()
    }

    fn step(&self, variant: &[usize]) -> u8 {
        let surcharges =
            variant.iter().zip(&self.options).map(|(&value, axis)| axis.values[value].surcharge);
        surcharges.fold(self.base, u8::saturating_add).min(price::TOP)
    }
}
