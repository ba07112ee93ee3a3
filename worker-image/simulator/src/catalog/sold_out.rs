//! Stock: which variants of a product cannot be had.

use super::product::OptionAxis;
use crate::draw;
use shoprl_rl::seed::Stream;

/// Variants that are sold out together: per axis one value, or `None` for all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SoldOut(pub(crate) Vec<Option<usize>>);

impl SoldOut {
    /// Whether the variant with these values is among them.
    pub(crate) fn covers(&self, variant: &[usize]) -> bool {
        self.0
            .iter()
            .zip(variant)
            .all(|(pattern, value)| pattern.is_none_or(|pattern| pattern == *value))
    }
}

/// How often one value of an axis is sold out altogether.
const VALUE: f64 = 0.05;
/// How often one single variant is sold out.
const VARIANT: f64 = 0.06;

/// Draws what is sold out: at most one value per axis and one single variant, so that something always remains
/// (every axis has at least three values).
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
