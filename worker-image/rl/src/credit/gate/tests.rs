use super::*;
use crate::credit::{Message, Mode, Trajectory, token_advantages};
use crate::seed::{Purpose, Stream};

/// Groups of eight episodes of one search and one purchase. The purchase decides the reward. Its
/// score is right; that of the search is a coin flip.
fn batch(seed: u64, groups: u64, truth: f64) -> Vec<ScoredTrajectory> {
    let mut draws = Stream::new(seed, Purpose::Fault, &[]);
    let mut coin = || if draws.bernoulli(0.5) { 1.0 } else { -1.0 };
    let mut one = |group| {
        let message = |start, end, kind| Message { start, end, policy: true, kind };
        let (search, buy) = (coin(), coin());
        let trajectory = Trajectory {
            tokens: 4,
            messages: vec![message(0, 2, Kind::Search), message(2, 4, Kind::Buy)],
            scores: vec![search, search, truth * buy, truth * buy],
        };
        ScoredTrajectory { group, trajectory, reward: buy, advantage: buy }
    };
    (0..8 * groups).map(|i| one(i / 8)).collect()
}

fn taught(batches: u64, groups: u64, truth: f64) -> Gate {
    let mut gate = Gate::default();
    for seed in 0..batches {
        gate.observe(&batch(seed, groups, truth), &CreditOptions::default()).unwrap();
    }
    gate
}

#[test]
fn only_labels_that_predict_the_reward_are_trusted() {
    let options = CreditOptions::default();
    let good = taught(10, 16, 1.0);
    assert_eq!(good.eta(Kind::Buy, &options), 1.0);
    assert!(good.eta(Kind::Search, &options) < 0.15, "{good:?}");
    assert_eq!(good.eta(Kind::Ask, &options), 0.0, "never observed");
    assert!((good.correlation(Kind::Buy).unwrap() - 1.0).abs() < 1e-12);

    let inverted = taught(10, 16, -1.0);
    assert_eq!(inverted.eta(Kind::Buy, &options), 0.0);
    assert!((inverted.correlation(Kind::Buy).unwrap() + 1.0).abs() < 1e-12);
}

#[test]
fn two_episodes_that_agree_by_chance_give_no_trust() {
    let mut pair = batch(0, 1, 1.0);
    pair.truncate(2);
    (pair[0].reward, pair[1].reward) = (1.0, -1.0);
    pair[0].trajectory.scores.fill(1.0);
    pair[1].trajectory.scores.fill(-1.0);
    let (mut gate, options) = (Gate::default(), CreditOptions::default());
    gate.observe(&pair, &options).unwrap();
    assert!(gate.correlation(Kind::Buy).unwrap() > 0.999);
    assert_eq!(gate.eta(Kind::Buy, &options), 0.0);
}

#[test]
fn trust_falls_when_a_scorer_goes_bad() {
    let (mut gate, options) = (taught(10, 16, 1.0), CreditOptions::default());
    for seed in 10..20 {
        gate.observe(&batch(seed, 16, -1.0), &options).unwrap();
    }
    assert_eq!(gate.eta(Kind::Buy, &options), 0.0);
}

#[test]
fn the_potentials_slope_is_never_negative() {
    // The two verdicts add up; the search's part is noise, so the slope is below one.
    let slope = taught(10, 16, 1.0).slope();
    assert!((0.2..0.9).contains(&slope), "{slope}");
    assert_eq!(taught(10, 16, -1.0).slope(), 0.0);
}

#[test]
fn a_resumed_gate_continues_with_the_same_bits() {
    let options = CreditOptions { mode: Mode::Gated, ..CreditOptions::default() };
    let mut gate = taught(3, 4, 0.37);
    let json = serde_json::to_string(&gate).unwrap();
    let mut resumed: Gate = serde_json::from_str(&json).unwrap();
    assert_eq!(gate, resumed);
    let next = batch(99, 4, 0.37);
    gate.observe(&next, &options).unwrap();
    resumed.observe(&next, &options).unwrap();
    let credit = |gate| token_advantages(&next, &options, gate).unwrap();
    assert_eq!(credit(&gate), credit(&resumed));
}

#[test]
fn observations_do_not_change_a_fixed_gate() {
    let options = CreditOptions::default();
    let mut gate = Gate::fixed(0.25, 0.5).unwrap();
    gate.observe(&batch(1, 16, 1.0), &options).unwrap();
    assert_eq!((gate.eta(Kind::Buy, &options), gate.slope()), (0.25, 0.5));
    let refused = |eta, slope| Gate::fixed(eta, slope).unwrap_err().to_string();
    assert_eq!(refused(f64::NAN, 0.0), "eta is NaN: it must be between 0 and 1");
    assert_eq!(refused(1.0, -1.0), "slope is -1: it must be finite and at least 0");
}
