//! Factors on the learning rate.

/// Rises linearly to 1: `(step + 1) / steps` for `step` counted from 0, then 1 (always 1 if `steps` is 0).
pub fn warm_up(step: u64, steps: u64) -> f64 {
    if step + 1 >= steps { 1.0 } else { (step + 1) as f64 / steps as f64 }
}

/// Falls from 1 to `floor` along half a cosine while `progress` goes from 0 to 1, and stays there (Loshchilov and
/// Hutter, ICLR 2017, equation 5).
pub fn cosine(progress: f64, floor: f64) -> f64 {
    let angle = std::f64::consts::PI * progress.clamp(0.0, 1.0);
    floor + (1.0 - floor) * 0.5 * (1.0 + libm::cos(angle))
}
