//! The inputs of a gradient.

use crate::batch::Objective;
use crate::decoder::layer::Context;
use crate::decoder::weights::{Transposes, Weights};

/// Inputs that all micro-batches of one call share.
#[derive(Clone, Copy)]
pub(super) struct GradientContext<'a> {
    pub(super) context: Context<'a>,
    pub(super) weights: &'a Weights,
    pub(super) transposes: &'a Transposes,
    pub(super) objective: &'a Objective,
}
