//! Reductions over a row of logits, in an order that depends only on the row's length.
//!
//! A row is cut into blocks of [`BLOCK`]. Inside a block, 16 lanes add every sixteenth element and
//! a tree adds the lanes; blocks are added left to right. The result does not depend on vector
//! width, other rows of the batch or thread count.

use super::{exp_nonpositive_f32, ln_f32};

/// Elements that the lanes sum before they are added to the running total.
pub const BLOCK: usize = 64;

const LANES: usize = 16;

/// Normalisation of a row of logits: softmax(x)ᵢ = e^(xᵢ - maximum) / total.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalizer {
    /// The largest element; it is subtracted before the exponential.
    pub maximum: f32,
    /// Σ e^(xᵢ - maximum), between 1 and the length of the row.
    pub total: f32,
}

impl Normalizer {
    /// The normaliser of a row; NaN anywhere in the row makes `total` NaN.
    #[inline]
    pub fn of(row: &[f32]) -> Self {
        let maximum = maximum(row);
        let total = row
            .chunks(BLOCK)
            .map(|block| block_sums(block, |x| [exp_nonpositive_f32(x - maximum)]))
            .fold(0.0, |sum, [block]| sum + block);
        Self { maximum, total }
    }

    /// ln softmax of one element of the row.
    #[inline]
    pub fn log_probability(&self, x: f32) -> f32 {
        (x - self.maximum) - ln_f32(self.total)
    }
}

/// The largest element, negative infinity for an empty row; NaN is ignored.
#[inline]
pub fn maximum(row: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let mut chunks = row.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = larger(*lane, x);
        }
    }
    let rest = chunks.remainder().iter().copied();
    lanes.into_iter().chain(rest).fold(f32::NEG_INFINITY, larger)
}

/// ln Σ e^xᵢ; negative infinity for an empty row.
#[inline]
pub fn log_sum_exp(row: &[f32]) -> f32 {
    if row.is_empty() {
        return f32::NEG_INFINITY;
    }
    let Normalizer { maximum, total } = Normalizer::of(row);
    maximum + ln_f32(total)
}

/// `ln softmax(row)[index]`: the only definition of a log-probability. Generation and training
/// share it, so that both have the same bits.
///
/// # Panics
/// If `index` is outside the row.
#[inline]
pub fn log_softmax_at(row: &[f32], index: usize) -> f32 {
    Normalizer::of(row).log_probability(row[index])
}

/// Replaces a row of logits by its softmax.
#[inline]
pub fn softmax(row: &mut [f32]) {
    let maximum = maximum(row);
    let mut total = 0.0;
    for block in row.chunks_mut(BLOCK) {
        for x in block.iter_mut() {
            *x = exp_nonpositive_f32(*x - maximum);
        }
        let [sum] = block_sums(block, |e| [e]);
        total += sum;
    }
    let inverse = 1.0 / total;
    for x in row {
        *x *= inverse;
    }
}

/// N sums over one block of at most [`BLOCK`] elements, each by 16 lanes and then a tree.
#[inline(always)]
pub(crate) fn block_sums<const N: usize>(block: &[f32], f: impl Fn(f32) -> [f32; N]) -> [f32; N] {
    let mut sums = [[0.0; LANES]; N];
    let mut add = |chunk: &[f32]| {
        for (lane, &x) in chunk.iter().enumerate() {
            let terms = f(x);
            for n in 0..N {
                sums[n][lane] += terms[n];
            }
        }
    };
    let mut chunks = block.chunks_exact(LANES);
    for chunk in &mut chunks {
        add(chunk);
    }
    add(chunks.remainder());
    sums.map(tree)
}

/// The sum of 16 lanes by halves: 8 + 8, 4 + 4, 2 + 2, 1 + 1.
#[inline(always)]
fn tree(mut lanes: [f32; LANES]) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
        half /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::math::exp_f32;

    fn exact_log_sum_exp(row: &[f32]) -> f64 {
        let maximum = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = row.iter().map(|&x| libm::exp(f64::from(x) - f64::from(maximum))).sum();
        f64::from(maximum) + libm::log(sum)
    }

    proptest! {
        #[test]
        fn log_sum_exp_agrees_with_double_precision(
            row in prop::collection::vec(-30f32..30.0, 1..900),
        ) {
            let (got, exact) = (f64::from(log_sum_exp(&row)), exact_log_sum_exp(&row));
            prop_assert!((got - exact).abs() < 4e-6, "{got} against {exact}");
        }

        #[test]
        fn softmax_is_a_distribution_that_agrees_with_the_log_probabilities(
            row in prop::collection::vec(-20f32..20.0, 1..300),
        ) {
            let mut probabilities = row.clone();
            softmax(&mut probabilities);
            let sum: f64 = probabilities.iter().copied().map(f64::from).sum();
            prop_assert!((sum - 1.0).abs() < 1e-5, "sums to {sum}");
            for (i, &p) in probabilities.iter().enumerate() {
                let q = exp_f32(log_softmax_at(&row, i));
                prop_assert!((p - q).abs() <= 4e-6 * p, "{p} against {q}");
            }
        }

        #[test]
        fn a_row_padded_with_impossible_entries_keeps_its_bits(
            row in prop::collection::vec(-20f32..20.0, 1..200),
            padding in 0usize..100,
        ) {
            let mut padded = row.clone();
            padded.resize(row.len() + padding, f32::NEG_INFINITY);
            prop_assert_eq!(log_sum_exp(&row).to_bits(), log_sum_exp(&padded).to_bits());
        }
    }

    #[test]
    fn extreme_rows_are_defined() {
        assert_eq!(log_sum_exp(&[]), f32::NEG_INFINITY);
        assert_eq!(log_sum_exp(&[-1e30]), -1e30);
        assert_eq!(log_softmax_at(&[1e30, f32::NEG_INFINITY], 0), 0.0);
        assert!(log_sum_exp(&[0.0, f32::NAN]).is_nan());
        assert!(log_softmax_at(&[f32::NAN, 0.0], 1).is_nan());
    }
}
