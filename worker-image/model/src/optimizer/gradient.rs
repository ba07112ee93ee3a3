//! The norm of the gradient.

use thiserror::Error;

use crate::parameters::Layout;

/// A gradient with an infinite value or NaN.
#[derive(Debug, Error, PartialEq)]
#[error(
    "the gradient of `{tensor}` is {value} at position {position}; lower the learning rate or inspect the batch"
)]
pub struct NotFinite {
    /// Name of the tensor.
    pub tensor: String,
    /// Index of the value in the tensor.
    pub position: usize,
    /// The value found.
    pub value: f32,
}

/// Scales `gradients` (layout order) so that their Euclidean norm is at most `limit`. Returns the norm before
/// scaling.
///
/// The norm is summed in f64 in a fixed order.
///
/// # Errors
/// A value is infinite or NaN; the gradient is then unchanged.
pub fn clip_gradient_norm(
    layout: &Layout,
    gradients: &mut [f32],
    limit: f64,
) -> Result<f64, NotFinite> {
    let norm = sum_of_squares(gradients).sqrt();
    if !norm.is_finite() {
        return Err(first_bad(layout, gradients));
    }
    if norm > limit {
        // Slightly smaller, so that rounding does not leave the norm above the limit (as in PyTorch).
        let factor = (limit / (norm + 1e-6)) as f32;
        for value in gradients {
            *value *= factor;
        }
    }
    Ok(norm)
}

/// The sum of squares in f64: sixteen running sums, added in order. Squares of f32 cannot overflow f64.
pub(super) fn sum_of_squares(values: &[f32]) -> f64 {
    let mut sums = [0.0f64; 16];
    for block in values.chunks(16) {
        for (sum, &value) in sums.iter_mut().zip(block) {
            *sum += f64::from(value) * f64::from(value);
        }
    }
    sums.iter().sum()
}

fn first_bad(layout: &Layout, gradients: &[f32]) -> NotFinite {
    for entry in layout.entries() {
        let values = &gradients[entry.range()];
        if let Some(position) = values.iter().position(|value| !value.is_finite()) {
            return NotFinite { tensor: entry.name.clone(), position, value: values[position] };
        }
    }
    unreachable!("a sum of squares of finite float32 values is finite in float64")
}
