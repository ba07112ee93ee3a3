//! The price ladder: products store steps, pages show yuan.

use crate::lexicon::vocabulary::PRICES;

/// The highest step.
pub(crate) const TOP: u8 = PRICES.len() as u8 - 1;

/// Yuan at `step`; the highest price for steps beyond the top.
pub(crate) fn yuan(step: u8) -> u32 {
    PRICES[usize::from(step.min(TOP))].0
}

/// The next price above `yuan`, or the highest price.
pub(crate) fn step_above(yuan: u32) -> u32 {
    PRICES
        .iter()
        .map(|price| price.0)
        .find(|&price| price > yuan)
        .unwrap_or(PRICES[usize::from(TOP)].0)
}
