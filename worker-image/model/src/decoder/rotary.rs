//! Tables of the rotary position embedding (Su et al. 2021), with split halves as in Hugging Face's Qwen3.

/// `cos` and `sin` of `position * theta^(-2i / head)`, `[positions][head / 2]` each.
///
/// Computed in double precision by `libm`, so that all images have the same bits.
#[derive(Clone, Debug)]
pub(crate) struct Rotary {
    cos: Vec<f32>,
    sin: Vec<f32>,
    half: usize,
}

impl Rotary {
    pub(crate) fn new(theta: f64, head: usize, positions: usize) -> Self {
        let half = head / 2;
        let frequencies: Vec<f64> =
            (0..half).map(|i| libm::pow(theta, -2.0 * i as f64 / head as f64)).collect();
        let table = |f: fn(f64) -> f64| {
            (0..positions)
                .flat_map(|p| frequencies.iter().map(move |w| f(p as f64 * w) as f32))
                .collect()
        };
        Self { cos: table(libm::cos), sin: table(libm::sin), half }
    }

    pub(crate) fn at(&self, position: usize) -> (&[f32], &[f32]) {
        let range = position * self.half..(position + 1) * self.half;
        (&self.cos[range.clone()], &self.sin[range])
    }
}
