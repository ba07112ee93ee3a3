//! Distributions drawn from a counter-based stream.

use super::{Purpose, StreamKey};

/// A sequence of random draws, named by its purpose.
///
/// ```
/// use shoprl_rl::seed::{Purpose, Stream};
/// let mut draw = Stream::new(7, Purpose::Task, &[0, 3]);
/// let mut again = Stream::new(7, Purpose::Task, &[0, 3]);
/// assert_eq!(draw.next_u64(), again.next_u64());
/// ```
#[derive(Clone, Debug)]
pub struct Stream {
    key: StreamKey,
    /// Index of the next word.
    position: u64,
    block: [u32; 4],
}

impl Stream {
    /// The stream for these coordinates, at its start.
    pub fn new(seed: u64, purpose: Purpose, coordinates: &[u64]) -> Self {
        Self::at_start(StreamKey::new(seed, purpose, coordinates))
    }

    pub(super) fn at_start(key: StreamKey) -> Self {
        Self { key, position: 0, block: [0; 4] }
    }

    /// 32 uniform bits.
    pub fn next_u32(&mut self) -> u32 {
        let lane = (self.position % 4) as usize;
        if lane == 0 {
            self.block = self.key.block(self.position / 4);
        }
        self.position = self.position.wrapping_add(1);
        self.block[lane]
    }

    /// 64 uniform bits: two words, low first.
    pub fn next_u64(&mut self) -> u64 {
        let low = u64::from(self.next_u32());
        low | u64::from(self.next_u32()) << 32
    }

    /// A uniform number in [0, 1), a multiple of 2^-24; one word.
    pub fn uniform_f32(&mut self) -> f32 {
        unit_f32(self.next_u32())
    }

    /// A uniform number in [0, 1), a multiple of 2^-53; two words.
    pub fn uniform_f64(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// A uniform integer in [0, n), without bias (Lemire 2019); 0 for n = 0.
    pub fn below(&mut self, n: u64) -> u64 {
        if n <= 1 {
            return 0;
        }
        // 2^64 mod n products are surplus for some results; those draws are repeated.
        let surplus = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            if product as u64 >= surplus {
                return (product >> 64) as u64;
            }
        }
    }

    /// True with probability `p`; never for p <= 0, always for p >= 1.
    pub fn bernoulli(&mut self, p: f64) -> bool {
        self.uniform_f64() < p
    }

    /// A standard normal number (Box and Muller 1958, the cosine half, in double precision through
    /// `libm`); two words. The largest magnitude is 6.7.
    pub fn normal_f32(&mut self) -> f32 {
        const UNIT: f64 = 1.0 / (1_u64 << 32) as f64;
        // Half a step keeps the radius finite.
        let radius = (f64::from(self.next_u32()) + 0.5) * UNIT;
        let angle = f64::from(self.next_u32()) * UNIT * std::f64::consts::TAU;
        ((-2.0 * libm::log(radius)).sqrt() * libm::cos(angle)) as f32
    }

    /// A uniform element, `None` from an empty slice.
    pub fn choose<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len() as u64) as usize)
    }

    /// A uniform permutation in place (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }

    /// `k` different indices below `n` in random order; all `n` if k >= n. Uses O(n) memory.
    pub fn sample_indices(&mut self, n: usize, k: usize) -> Vec<usize> {
        let mut indices: Vec<usize> = (0..n).collect();
        let k = k.min(n);
        for i in 0..k {
            indices.swap(i, i + self.below((n - i) as u64) as usize);
        }
        indices.truncate(k);
        indices
    }
}

/// The 24 high bits of a word as a number in [0, 1).
pub(super) fn unit_f32(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / 16_777_216.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stream(seed: u64) -> Stream {
        Stream::new(seed, Purpose::Fault, &[])
    }

    #[test]
    fn uniform_and_normal_draws_have_the_moments_of_their_distributions() {
        let n = 200_000;
        let mut draws = stream(1);
        let mut check = |name: &str, mean: f64, variance: f64, draw: fn(&mut Stream) -> f64| {
            let values: Vec<f64> = (0..n).map(|_| draw(&mut draws)).collect();
            let m = values.iter().sum::<f64>() / f64::from(n);
            let v = values.iter().map(|x| (x - m) * (x - m)).sum::<f64>() / f64::from(n);
            // Five standard errors of each.
            let slack = 5.0 / f64::from(n).sqrt();
            assert!((m - mean).abs() < slack * variance.sqrt(), "{name}: mean {m}");
            assert!((v - variance).abs() < slack * variance * 2.0, "{name}: variance {v}");
        };
        check("uniform_f32", 0.5, 1.0 / 12.0, |s| f64::from(s.uniform_f32()));
        check("uniform_f64", 0.5, 1.0 / 12.0, Stream::uniform_f64);
        check("normal_f32", 0.0, 1.0, |s| f64::from(s.normal_f32()));
        check("below(7)", 3.0, 4.0, |s| s.below(7) as f64);
        check("bernoulli(0.2)", 0.2, 0.16, |s| f64::from(u8::from(s.bernoulli(0.2))));
    }

    #[test]
    fn below_reaches_every_value_and_no_other() {
        let mut draws = stream(2);
        let mut counts = [0_u32; 7];
        for _ in 0..7_000 {
            counts[draws.below(7) as usize] += 1;
        }
        assert!(counts.iter().all(|&count| count.abs_diff(1_000) < 150), "{counts:?}");
        assert_eq!(draws.below(0), 0);
        assert_eq!(draws.below(1), 0);
    }

    #[test]
    fn every_order_of_three_is_equally_likely() {
        let mut draws = stream(3);
        let mut counts = std::collections::BTreeMap::<[u8; 3], u32>::new();
        for _ in 0..6_000 {
            let mut items = [0, 1, 2];
            draws.shuffle(&mut items);
            *counts.entry(items).or_default() += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|&count| count.abs_diff(1_000) < 150), "{counts:?}");
    }

    #[test]
    fn empty_choices_are_defined() {
        let mut draws = stream(4);
        assert_eq!(draws.choose::<u8>(&[]), None);
        assert!(draws.sample_indices(0, 3).is_empty());
        assert!(!draws.bernoulli(0.0));
        assert!(draws.bernoulli(1.0));
    }

    proptest! {
        #[test]
        fn sampled_indices_are_different_and_in_range(seed: u64, n in 0usize..50, k in 0usize..60) {
            let mut indices = stream(seed).sample_indices(n, k);
            prop_assert_eq!(indices.len(), k.min(n));
            prop_assert!(indices.iter().all(|&i| i < n));
            indices.sort_unstable();
            indices.dedup();
            prop_assert_eq!(indices.len(), k.min(n));
        }
    }
}
