use proptest::prelude::*;

use super::*;
use crate::math::{exp_f32, log_softmax_at};
use crate::seed::{Purpose, Stream};

#[test]
fn greedy_takes_the_lowest_index_among_equals() {
    let check = |row: &[f32], expected| assert_eq!(greedy(row).token, expected, "{row:?}");
    check(&[0.0], 0);
    check(&[1.0, 3.0, 3.0, 2.0], 1);
    check(&[f32::NEG_INFINITY, -5.0], 1);
    check(&[f32::NEG_INFINITY; 3], 0);
    check(&[f32::NAN, 1.0], 1);
}

#[test]
fn sampling_inverts_the_cumulative_distribution_in_index_order() {
    let row = [0.1_f32, 0.2, 0.0, 0.3, 0.4].map(ln_f32);
    let check = |uniform, expected| {
        assert_eq!(sample(&row, 1.0, uniform).token, expected, "at {uniform}");
    };
    check(0.0, 0);
    check(0.09, 0);
    check(0.11, 1);
    check(0.29, 1);
    check(0.31, 3);
    check(0.61, 4);
    check(0.999_999_94, 4);
}

#[test]
fn impossible_tokens_are_never_drawn() {
    let mut row = vec![f32::NEG_INFINITY; 200];
    row[70] = 1.0;
    for uniform in [0.0, 0.5, 0.999_999_94] {
        let choice = sample(&row, 0.7, uniform);
        assert_eq!((choice.token, choice.log_probability, choice.entropy), (70, 0.0, 0.0));
    }
}

#[test]
fn a_row_with_nan_has_a_log_probability_that_is_not_finite() {
    for row in [[f32::NAN, 0.0], [f32::NEG_INFINITY; 2], [f32::INFINITY, 0.0]] {
        assert!(!greedy(&row).log_probability.is_finite(), "{row:?}");
        assert!(!sample(&row, 1.0, 0.5).log_probability.is_finite(), "{row:?}");
    }
}

#[test]
fn frequencies_follow_the_tempered_softmax() {
    let row: Vec<f32> = (0..130).map(|i| ((i * 37) % 130) as f32 / 32.0).collect();
    let temperature = 0.8;
    let mut draws = Stream::new(1, Purpose::Fault, &[]);
    let n = 200_000;
    let mut counts = vec![0_u32; row.len()];
    let mut surprise = 0.0;
    for _ in 0..n {
        let choice = sample(&row, temperature, draws.uniform_f32());
        counts[choice.token as usize] += 1;
        surprise -= f64::from(choice.log_probability) / f64::from(n);
    }
    let scaled: Vec<f32> = row.iter().map(|x| x / temperature).collect();
    for (i, &count) in counts.iter().enumerate() {
        let p = f64::from(exp_f32(log_softmax_at(&scaled, i)));
        let slack = 5.0 * (p * (1.0 - p) / f64::from(n)).sqrt();
        assert!((f64::from(count) / f64::from(n) - p).abs() < slack, "token {i}: {count}");
    }
    let entropy = f64::from(sample(&row, temperature, 0.5).entropy);
    assert!((surprise - entropy).abs() < 0.02, "{surprise} against entropy {entropy}");
}

proptest! {
    #[test]
    fn the_log_probability_has_the_bits_that_training_computes(
        row in prop::collection::vec(-20f32..20.0, 1..800),
        uniform in 0f32..1.0,
    ) {
        for choice in [sample(&row, 1.0, uniform), greedy(&row)] {
            let trained = log_softmax_at(&row, choice.token as usize);
            prop_assert_eq!(choice.log_probability.to_bits(), trained.to_bits());
        }
    }

    #[test]
    fn entropy_lies_between_zero_and_uniform(
        row in prop::collection::vec(-20f32..20.0, 1..400),
    ) {
        let entropy = greedy(&row).entropy;
        prop_assert!((0.0..=(row.len() as f32).ln() + 1e-5).contains(&entropy), "{entropy}");
    }
}
