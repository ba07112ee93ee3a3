//! Row kernels: matrix products and row operations whose bits depend on nothing but their own row.
//!
//! Every output of a product is one chain of fused multiply-adds over the inner dimension, in its own lane.
//! Lanes are never summed with each other inside a product, so the instruction set (AVX-512, AVX2 + FMA, scalar
//! `f32::mul_add`), the number of rows in the batch and the tile a row falls into leave the bits alone.
//! Row operations that do reduce (norms, softmax) use sixteen partial sums and one fixed tree, whatever the width
//! of the registers they compile to.
//!
//! This folder is the only place where the crate computes with `unsafe`: raw pointers into slices whose bounds the safe
//! entry points have checked, and calls of functions compiled for an instruction set that [`KernelPath`] has detected.

mod lanes;
mod loss_rows;
mod panels;
mod path;
mod product;
mod rows;
mod tile;

pub use loss_rows::{LogitSummary, logit_gradient, summarize_logits};
pub use panels::Panels;
pub use path::KernelPath;
pub use product::{Left, Right, Start, product, row_products};
pub use rows::{
    Norm, add_rows, attention_score_gradient, attention_softmax, rms_norm, rms_norm_backward,
    rotate, rotate_back, swiglu, swiglu_backward,
};

/// Lanes in a panel: the unit in which columns are processed on every path.
pub const LANES: usize = 16;

/// The smallest multiple of [`LANES`] that is at least `n`.
#[must_use]
pub const fn padded(n: usize) -> usize {
    n.next_multiple_of(LANES)
}
