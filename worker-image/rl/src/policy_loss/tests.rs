use proptest::prelude::*;

use super::*;

const CLIP: Clip = Clip { low: 0.2, high: 0.28 };

#[test]
fn an_on_policy_token_has_the_plain_policy_gradient() {
    let loss = token_loss(-1.5, -1.5, 0.75, CLIP, 0.1, Some(-1.5));
    assert_eq!(loss, TokenLoss { loss: -0.75, gradient: -0.75, clipped: false, kl: 0.0 });
}

#[test]
fn the_clip_stops_only_updates_that_would_move_the_ratio_further() {
    let check = |ratio: f64, advantage, clipped| {
        let log_prob = libm::log(ratio) as f32 - 1.0;
        let loss = token_loss(log_prob, -1.0, advantage, CLIP, 0.0, None);
        assert_eq!(loss.clipped, clipped, "ratio {ratio}, advantage {advantage}");
        assert_eq!(loss.gradient == 0.0, clipped);
    };
    check(1.27, 1.0, false);
    check(1.29, 1.0, true);
    check(1.29, -1.0, false);
    check(0.81, -1.0, false);
    check(0.79, -1.0, true);
    check(0.79, 1.0, false);
    check(1e12, -1.0, true); // clamped, not infinite
}

#[test]
fn extreme_ratios_stay_finite() {
    for log_prob in [-1e4, 0.0] {
        for advantage in [-3.0, 3.0] {
            let loss = token_loss(log_prob, -1e4, advantage, CLIP, 0.1, Some(-1e4));
            assert!(loss.loss.is_finite() && loss.gradient.is_finite(), "{loss:?}");
        }
    }
}

#[test]
fn a_batch_is_normalised_by_one_number_for_all_its_samples() {
    let token =
        |advantage| PolicyToken { log_prob: -1.0, behavior: -1.0, advantage, reference: None };
    // One sample of three tokens and one of one: each token weighs a quarter.
    let batch = batch_loss(&[token(1.0), token(1.0), token(1.0), token(-2.0)], CLIP, 0.0, 4.0);
    assert_eq!(batch.loss, -0.25);
    assert_eq!(batch.gradients, [-0.25, -0.25, -0.25, 0.5]);
    assert_eq!(batch.clipped, 0);
}

proptest! {
    #[test]
    fn the_gradient_is_the_slope_of_the_loss(
        behavior in -4f64..0.0,
        offset in -1f64..1.0,
        advantage in -3f64..3.0,
        drift in -1f64..1.0,
    ) {
        let h = 1e-6;
        let edges = [libm::log(0.8), libm::log(1.28)];
        prop_assume!(edges.iter().all(|edge| (offset - edge).abs() > 1e-4));
        let policy = |d: f64| Surrogate::new(offset + d, advantage, CLIP);
        let slope = (policy(h).loss - policy(-h).loss) / (2.0 * h);
        prop_assert!((slope - policy(0.0).gradient).abs() < 1e-6, "policy: {slope}");

        let penalty = |d: f64| Penalty::new(drift - d);
        let slope = (penalty(h).kl - penalty(-h).kl) / (2.0 * h);
        prop_assert!((slope - penalty(0.0).gradient).abs() < 1e-6, "penalty: {slope}");

        let [l, b, a, r] = [behavior + offset, behavior, advantage, behavior + offset + drift]
            .map(|x| x as f32);
        let whole = f64::from(token_loss(l, b, a, CLIP, 0.1, Some(r)).gradient);
        let parts = policy(0.0).gradient + 0.1 * penalty(0.0).gradient;
        prop_assert!((whole - parts).abs() < 1e-4, "{whole} against {parts}");
    }

    #[test]
    fn the_penalty_is_never_negative(drift in -25f64..25.0) {
        prop_assert!(Penalty::new(drift).kl >= 0.0);
    }
}
