//! The forward pass on the row kernels: one implementation for generation and training.
//!
//! Both call [`layer::attend`] and [`layer::transform`] on the same packed weights with the same cache layout. That
//! is why a log-probability computed in training has the bits it had when the token was sampled.

pub(crate) mod attention;
pub(crate) mod cache;
pub(crate) mod geometry;
pub(crate) mod head;
pub(crate) mod layer;
pub(crate) mod rotary;
pub(crate) mod weights;
