//! Row kernels: matrix products and row operations where the bits of a row depend on that row only.
//!
//! Every output of a product is one chain of fused multiply-adds over the inner dimension, in its own lane. A
//! product never sums lanes with each other, so the bits do not depend on the instruction set (AVX-512, AVX2 + FMA,
//! scalar `f32::mul_add`), on the number of rows in the batch or on the row's tile. Row operations that do reduce
//! (norms, softmax) use sixteen partial sums and one fixed tree, whatever the register width.
//!
//! Only this folder computes with `unsafe`: raw pointers into slices whose bounds the safe entry points have
//! checked, and calls of functions compiled for an instruction set that [`KernelPath`] has detected.

mod lanes;
mod loss_rows;
mod operand;
mod panels;
mod path;
mod product;
mod rows;
mod tile;

pub use loss_rows::{LogitSummary, logit_gradient, summarize_logits};
pub use operand::{Left, Output, Right, Shape, Start};
pub use panels::Panels;
pub use path::KernelPath;
pub use product::{product, row_products};
pub use rows::{
    Norm, add_rows, attention_score_gradient, attention_softmax, rms_norm, rms_norm_backward,
    rotate, rotate_back, swiglu, swiglu_backward,
};

/// Columns of a panel: the unit of work on every path.
pub const LANES: usize = 16;

/// The smallest multiple of [`LANES`] that is at least `n`.
#[must_use]
pub const fn padded(n: usize) -> usize {
    n.next_multiple_of(LANES)
}
