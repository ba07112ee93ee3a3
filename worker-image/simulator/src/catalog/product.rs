//! One product with its option axes, its prices and its stock.

use super::price;
use super::sold_out::SoldOut;
use crate::lexicon::Word;

/// Where a product stands in the catalog: domain › leaf category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CategoryPath {
    pub(crate) domain: Word,
    pub(crate) leaf: Word,
}

/// One thing to choose, with the extra price of each choice in steps of the ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OptionAxis {
    /// 颜色 or 尺寸.
    pub(crate) name: Word,
    pub(crate) values: Vec<OptionValue>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OptionValue {
    pub(crate) word: Word,
    pub(crate) surcharge: u8,
}

/// What is chosen so far: per axis the position of the value, or `None` while open.
pub(crate) type Selection = Vec<Option<usize>>;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Product {
    pub(crate) family: u32,
    pub(crate) category: CategoryPath,
    pub(crate) brand: Word,
    /// One word of each attribute axis of the domain.
    pub(crate) attributes: Vec<Word>,
    /// What a result page shows and the index holds: the brand, two attributes, the category.
    pub(crate) title: Vec<Word>,
    /// A merchant's flourish, shown with the details and indexed.
    pub(crate) flourish: Word,
    /// A word that the merchant put into the index though it may not be true.
    pub(crate) stray: Word,
    pub(crate) options: Vec<OptionAxis>,
    /// Step of the ladder before surcharges.
    pub(crate) base: u8,
    pub(crate) sold_out: Vec<SoldOut>,
    /// What sells well ranks higher: thousandths of a point of score, below 3,000.
    pub(crate) popularity: u16,
}

impl Product {
    /// A selection with every axis open.
    pub(crate) fn open_selection(&self) -> Selection {
        vec![None; self.options.len()]
    }

    /// Yuan of the cheapest variant in stock that completes `selection`; `None` if all of them are sold out.
    /// For a complete selection this is the variant's own price.
    pub(crate) fn offer(&self, selection: &[Option<usize>]) -> Option<u32> {
        let mut variant = vec![0; self.options.len()];
        let step = self.cheapest(selection, &mut variant, 0)?;
        Some(price::yuan(step))
    }

    /// Yuan on a result page: the cheapest variant in stock.
    pub(crate) fn listed_price(&self) -> u32 {
        self.offer(&self.open_selection()).unwrap_or_else(|| price::yuan(self.base))
    }

    /// Whether this is one of its attributes or its brand.
    pub(crate) fn has_feature(&self, word: Word) -> bool {
        self.brand == word || self.attributes.contains(&word)
    }

    /// The axis and position of an option value.
    pub(crate) fn find_option(&self, word: &str) -> Option<(usize, usize)> {
        self.options.iter().enumerate().find_map(|(axis, options)| {
            let value = options.values.iter().position(|value| value.word == word)?;
            Some((axis, value))
        })
    }

    /// The chosen words, in the order of the axes.
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
