//! Stock: the variants of a product that are sold out.

use shoprl_rl::seed::Stream;

use super::option::OptionAxis;
use crate::draw;

/// A pattern of sold-out variants: per axis one value, or `None` for all values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SoldOut(pub(crate) Vec<Option<usize>>);

impl SoldOut {
    /// Whether the pattern covers the variant with these values.
    pub(crate) fn covers(&self, variant: &[usize]) -> bool {
        self.0
            .iter()
            .zip(variant)
            .all(|(pattern, value)| pattern.is_none_or(|pattern| pattern == *value))
    }
}

/// Probability that one value of an axis is sold out in all variants.
const VALUE: f64 = 0.05;
/// Probability that one single variant is sold out.
const VARIANT: f64 = 0.06;

/// Draws what is sold out: at most one value per axis and one single variant. Something always remains in stock, because
/// every axis has at least three values.
pub(super) fn draw(stream: &mut Stream, options: &[OptionAxis]) -> Vec<SoldOut> {
    let mut sold_out = Vec::new();
    for (axis, values) in options.iter().enumerate() {
        if stream.bernoulli(VALUE) {
            let mut pattern = vec![None; options.len()];
            pattern[axis] = Some(draw::index(stream, values.values.len()));
            sold_out.push(SoldOut(pattern));
        }
    }
    if stream.bernoulli(VARIANT) {
        let variant =
            options.iter().map(|axis| Some(draw::index(stream, axis.values.len()))).collect();
        sold_out.push(SoldOut(variant));
    }
    sold_out
}
