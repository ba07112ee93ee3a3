//! Weights from labels and the sign of the sample.
//!
//! Labels are ±1 on the policy's n tokens; labels and weights are 0 on all others. k is the number
//! of tokens whose label agrees with the sign of the advantage.

/// The same weight for every policy token.
pub(super) fn uniform(labels: &[i8]) -> Vec<f64> {
    labels.iter().map(|&label| on_policy(label)).collect()
}

/// The paper's mask: 1 where the label agrees with the sample, 0 where it does not.
///
/// A sample without advantage keeps everything: it has no sign to agree with, and its credit is 0
/// anyway.
pub(super) fn mask(labels: &[i8], advantage: f64) -> Vec<f64> {
    if advantage == 0.0 {
        return uniform(labels);
    }
    let agrees = |label: i8| f64::from(label) * advantage > 0.0;
    labels.iter().map(|&label| f64::from(u8::from(agrees(label)))).collect()
}

/// The mask with conserved weight: Σw = n and 0 ≤ w ≤ `maximum` + 1.
///
/// Kept tokens get g = min(n/k, `maximum`); the rest, n − g k, is spread evenly over all policy
/// tokens. If nothing is kept, every weight is 1.
pub(super) fn conserved(labels: &[i8], advantage: f64, maximum: f64) -> Vec<f64> {
    let mask = mask(labels, advantage);
    let all: f64 = labels.iter().copied().map(on_policy).sum();
    let kept: f64 = mask.iter().sum();
    if kept == 0.0 {
        return uniform(labels);
    }
    let gain = (all / kept).min(maximum);
    // Zero up to rounding if the gain is n/k, and never negative.
    let rest = ((all - gain * kept) / all).max(0.0);
    labels.iter().zip(mask).map(|(&label, m)| on_policy(label) * (gain * m + rest)).collect()
}

/// Weights moved toward 1 where labels are not trusted, 1 + η (w − 1), and scaled to sum to n
/// again.
///
/// `eta` has one trust in [0, 1] per token. With η = 0 the weights are exactly 1, with η = 1
/// exactly `conserved`.
pub(super) fn gated(labels: &[i8], conserved: &[f64], eta: &[f64]) -> Vec<f64> {
    let moved = labels.iter().zip(conserved.iter().zip(eta)).map(|(&label, (&w, &eta))| {
        // In this form η = 1 gives exactly w.
        on_policy(label) * ((1.0 - eta) + eta * w)
    });
    let mut weights: Vec<f64> = moved.collect();
    let all: f64 = labels.iter().copied().map(on_policy).sum();
    let sum: f64 = weights.iter().sum();
    // A difference that is only rounding must not change exact weights.
    if (sum - all).abs() > 1e-12 * all {
        for weight in &mut weights {
            *weight *= all / sum;
        }
    }
    weights
}

fn on_policy(label: i8) -> f64 {
    f64::from(label.unsigned_abs())
}
