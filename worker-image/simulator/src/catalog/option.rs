//! The options of a product.

use crate::lexicon::Word;

/// An option axis. Surcharges are in steps of the price ladder.
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
