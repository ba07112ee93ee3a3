//! Optimisers over the flat weights, in place.
//!
//! AdamW (Loshchilov and Hutter, ICLR 2019, algorithm 2) for everything, or Muon (Jordan et al. 2024,
//! kellerjordan.github.io/posts/muon) for the matrices with AdamW for embedding and gains. A step is a function of
//! weights, gradient, state and rates; the number of threads does not change its bits.

mod adamw;
mod gradient;
mod muon;
mod newton_schulz;
mod schedule;
mod state;

use std::sync::Arc;

pub use gradient::{NotFinite, clip_gradient_norm};
pub use schedule::{cosine, warm_up};

use crate::parameters::{Class, Entry, Layout, Parameters};

/// The update of the matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// AdamW, as all other tensors.
    AdamW,
    /// Orthogonalised momentum.
    Muon,
}

/// Settings that are constant during training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The update of the matrices.
    pub method: Method,
    /// AdamW: decay of the mean of gradients.
    pub beta1: f64,
    /// AdamW: decay of the mean of squared gradients.
    pub beta2: f64,
    /// AdamW: added to the root of the second moment.
    pub epsilon: f32,
    /// Muon: decay of the mean of gradients.
    pub momentum: f32,
    /// Share of each weight that a step at learning rate 1 removes, in addition to the gradient's update.
    pub weight_decay: f32,
}

impl Settings {
    /// The settings measured in the pilot: betas 0.9 and 0.95, epsilon 1e-8, momentum 0.95.
    pub fn new(method: Method, weight_decay: f32) -> Self {
        Self { method, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, momentum: 0.95, weight_decay }
    }
}

/// The learning rates of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// For AdamW's tensors; multiplied by [`Entry::learning_rate_scale`].
    pub adamw: f32,
    /// For Muon's tensors: the spectral norm of the update of a square matrix.
    pub muon: f32,
}

/// An optimiser and its state.
#[derive(Clone, Debug)]
pub struct Optimizer {
    layout: Arc<Layout>,
    settings: Settings,
    threads: usize,
    steps: u32,
    /// Running mean of gradients (AdamW's first moment or Muon's momentum), in layout order.
    first: Vec<f32>,
    /// Running mean of squared gradients; stays zero for Muon's tensors.
    second: Vec<f32>,
}

impl Optimizer {
    /// An optimiser before its first step. A Muon step distributes the matrices over `threads`.
    pub fn new(layout: Arc<Layout>, settings: Settings, threads: usize) -> Self {
        let (first, second) = (vec![0.0; layout.len()], vec![0.0; layout.len()]);
        Self { layout, settings, threads, steps: 0, first, second }
    }

    /// The settings of this optimiser.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Steps taken so far.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// Moves `parameters` against `gradients`, both in layout order.
    ///
    /// Weight decay uses the rate without [`Entry::learning_rate_scale`]: the scale undoes a change of coordinates,
    /// and removing a share of a weight is the same in all coordinates.
    ///
    /// # Panics
    /// If the weights or the gradient are of another geometry than the optimiser.
    pub fn step(&mut self, parameters: &mut Parameters, gradients: &[f32], rates: Rates) {
        assert_eq!(parameters.values.len(), self.layout.len(), "weights are of another geometry");
        assert_eq!(gradients.len(), self.layout.len(), "the gradient is of another geometry");
        self.steps += 1;
        let adamw = adamw::Coefficients::new(&self.settings, self.steps, rates.adamw);
        let muon = muon::Coefficients::new(&self.settings, rates.muon);
        let mut matrices = Vec::new();
        let mut values = parameters.values.as_mut_slice();
        let (mut first, mut second) = (self.first.as_mut_slice(), self.second.as_mut_slice());
        for entry in self.layout.entries() {
            let gradient = &gradients[entry.range()];
            let (values, first, second) =
                (take(&mut values, entry), take(&mut first, entry), take(&mut second, entry));
            if is_muon(&self.settings, entry) {
                let columns = entry.shape[1];
                matrices.push(muon::Matrix { values, momentum: first, gradient, columns });
            } else {
                adamw.update(entry.learning_rate_scale, values, gradient, first, second);
            }
        }
        muon::update(matrices, muon, self.threads);
    }
}

fn is_muon(settings: &Settings, entry: &Entry) -> bool {
    settings.method == Method::Muon && entry.class == Class::Matrix
}

/// Splits the next tensor off the front of a flat vector.
fn take<'a>(rest: &mut &'a mut [f32], entry: &Entry) -> &'a mut [f32] {
    let (tensor, tail) = std::mem::take(rest).split_at_mut(entry.len());
    *rest = tail;
    tensor
}

#[cfg(test)]
mod tests;
