//! Transcendental functions in single precision, with the same bits on every machine.
//!
//! The standard library's `f32::exp` and `ln` call the platform's C library, which differs between
//! images. These functions are polynomials of plain `+` and `*`, which Rust never contracts to
//! fused multiply-add. They use no tables and nearly no branches, so loops over rows vectorise, and
//! vector and scalar builds agree in every bit. They are `#[inline]`: a caller that compiles its
//! loop for wider vectors gets wider code and the same bits.

mod exponential;
mod logarithm;
mod row;

pub use exponential::{exp_f32, exp_nonpositive_f32, sigmoid_f32};
pub use logarithm::ln_f32;
pub(crate) use row::block_sums;
pub use row::{BLOCK, Normalizer, log_softmax_at, log_sum_exp, maximum, softmax};
