//! A table of logits: one softmax per task and token, moved by a fixed KL per step.

use shoprl_rl::seed::Stream;

use super::shop::{CHOICES, TASKS, TOKENS};

/// One number per option of a token.
pub(crate) type Row = [f64; CHOICES];

/// The policy; initially uniform.
pub(crate) struct Policy {
    /// ln π up to a constant, per task and token.
    logits: Vec<Row>,
}

impl Policy {
    pub(crate) fn uniform() -> Self {
        Self { logits: vec![[0.0; CHOICES]; TASKS * TOKENS] }
    }

    /// All probabilities, per task and token.
    pub(crate) fn probabilities(&self) -> Vec<Row> {
        self.logits.iter().map(softmax).collect()
    }

    /// Moves along `gradient` until KL(old, new) per episode, averaged over tasks, is `budget`
    /// nats.
    pub(crate) fn step(&mut self, gradient: &[Row], budget: f64) {
        let old = self.probabilities();
        let divergence = |size: f64| {
            let rows = old.iter().zip(gradient).map(|(p, g)| row_divergence(p, g, size));
            rows.sum::<f64>() / TASKS as f64
        };
        // For a small step KL is quadratic in the step size; a few corrections remove the remaining
        // error.
        let probe = 1e-3;
        let mut size = probe * (budget / divergence(probe)).sqrt();
        if !size.is_finite() {
            return;
        }
        for _ in 0..5 {
            size *= (budget / divergence(size)).sqrt();
        }
        for (logits, gradient) in self.logits.iter_mut().zip(gradient) {
            for (logit, g) in logits.iter_mut().zip(gradient) {
                *logit += size * g;
            }
        }
    }
}

/// KL(p, softmax(ln p + size g)).
fn row_divergence(p: &Row, g: &Row, size: f64) -> f64 {
    let mean: f64 = p.iter().zip(g).map(|(p, g)| p * g).sum();
    let partition: f64 = p.iter().zip(g).map(|(p, g)| p * libm::exp(size * (g - mean))).sum();
    libm::log(partition)
}

fn softmax(logits: &Row) -> Row {
    let maximum = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers = logits.map(|x| libm::exp(x - maximum));
    let sum: f64 = powers.iter().sum();
    powers.map(|e| e / sum)
}

/// A choice by inverse cumulative probability.
pub(crate) fn draw(probabilities: &Row, stream: &mut Stream) -> usize {
    let target = stream.uniform_f64();
    let mut sum = 0.0;
    for (choice, p) in probabilities.iter().enumerate() {
        sum += p;
        if sum > target {
            return choice;
        }
    }
    CHOICES - 1
}
