//! AdamW.

use super::Settings;

/// Constants of one step.
pub(super) struct Coefficients {
    beta1: f32,
    beta2: f32,
    /// `1 - beta^steps`: corrects the bias of a mean that starts at zero.
    correction1: f32,
    root_correction2: f32,
    epsilon: f32,
    rate: f32,
    keep: f32,
}

impl Coefficients {
    /// Constants of step number `steps` (from 1) at learning rate `rate`.
    pub(super) fn new(settings: &Settings, steps: u32, rate: f32) -> Self {
        let correction = |beta: f64| 1.0 - libm::pow(beta, f64::from(steps));
        Self {
            beta1: settings.beta1 as f32,
            beta2: settings.beta2 as f32,
            correction1: correction(settings.beta1) as f32,
            root_correction2: correction(settings.beta2).sqrt() as f32,
            epsilon: settings.epsilon,
            rate,
            keep: 1.0 - rate * settings.weight_decay,
        }
    }

    /// Updates one tensor; `scale` multiplies its learning rate.
    pub(super) fn update(
        &self,
        scale: f32,
        values: &mut [f32],
        gradient: &[f32],
        first: &mut [f32],
        second: &mut [f32],
    ) {
        let size = self.rate * scale / self.correction1;
        let moments = first.iter_mut().zip(second);
        for ((value, &slope), (mean, square)) in values.iter_mut().zip(gradient).zip(moments) {
            *mean = *mean * self.beta1 + slope * (1.0 - self.beta1);
            *square = *square * self.beta2 + slope * slope * (1.0 - self.beta2);
            let root = square.sqrt() / self.root_correction2 + self.epsilon;
            *value = *value * self.keep - size * *mean / root;
        }
    }
}
