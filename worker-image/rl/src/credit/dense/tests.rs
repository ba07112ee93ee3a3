use proptest::prelude::*;

use super::*;
use crate::credit::assign::spread;
use crate::credit::{Kind, Mode, token_advantages};

fn message(start: usize, end: usize, policy: bool) -> Message {
    let kind = if policy { Kind::Search } else { Kind::Environment };
    Message { start, end, policy, kind }
}

fn trajectory(scores: Vec<f64>) -> Trajectory {
    let messages = vec![message(0, 2, true), message(2, 3, false), message(3, 5, true)];
    Trajectory { tokens: 5, messages, scores }
}

#[test]
fn the_step_of_a_message_depends_on_the_kind_of_score() {
    let scores = vec![0.5, 1.0, 4.0, 3.0, 2.0];
    let check = |score_kind, smoothing, expected: [f64; 2]| {
        let options = CreditOptions { score_kind, smoothing, ..CreditOptions::default() };
        let trajectory = trajectory(scores.clone());
        let scale = crate::credit::labels::Scale { center: 0.0, spread: 1.0 };
        let levels = scale.levels(&trajectory, score_kind);
        assert_eq!(steps(&trajectory, &levels, &options), expected, "{score_kind:?}");
    };
    check(ScoreKind::Verdict, 1, [1.0, 2.0]);
    check(ScoreKind::Verdict, 4, [0.75, 2.5]);
    // The page raised the level to 4; the second message then lost 2.
    check(ScoreKind::Level, 1, [1.0, -2.0]);
    check(ScoreKind::Delta, 1, [1.5, 5.0]);
}

#[test]
fn a_group_that_hardly_varies_does_not_inflate_the_shaped_terms() {
    let scored = |group, sign: f64, reward, advantage| ScoredTrajectory {
        group,
        trajectory: trajectory(vec![sign, sign, 0.0, sign, sign]),
        reward,
        advantage,
    };
    let batch = [
        scored(0, 1.0, 1.0, 1.0),
        scored(0, -1.0, 0.0, -1.0),
        scored(1, 1.0, 0.500_000_01, 1.0),
        scored(1, -1.0, 0.5, -1.0),
    ];
    let options = CreditOptions { mode: Mode::Dense, ..CreditOptions::default() };
    let gate = Gate::fixed(1.0, 0.25).unwrap();
    let credit = token_advantages(&batch, &options, &gate).unwrap();
    // One unit of reward is two units of advantage in the first group; the second group uses the
    // same rate.
    assert_eq!(credit[0], [1.0, 1.0, 0.0, 0.5, 0.5]);
    assert!((credit[2][3] - 0.5).abs() < 1e-6, "{:?}", credit[2]);
}

proptest! {
    /// All 16 episodes of four binary choices in two messages, weighted by their probability, with
    /// any reward and any scores, including scores that know their whole message.
    #[test]
    fn undiscounted_dense_credit_leaves_the_policy_gradient_unbiased(
        rewards in prop::collection::vec(-1f64..1.0, 16),
        scores in prop::collection::vec(-2f64..2.0, 4 * 2 + 16 * 2),
        page in prop::collection::vec(-2f64..2.0, 4),
        probabilities in prop::collection::vec(0.1f64..0.9, 4),
        unit in 0f64..2.0,
        level: bool,
    ) {
        let score_kind = if level { ScoreKind::Level } else { ScoreKind::Verdict };
        let options = CreditOptions { score_kind, smoothing: 1, ..CreditOptions::default() };
        let (mut exact, mut estimated) = ([0.0; 4], [0.0; 4]);
        for episode in 0..16_usize {
            let choice = |i: usize| episode >> i & 1;
            let first = episode & 3;
            let scores = vec![
                scores[first],
                scores[4 + first],
                page[first],
                scores[8 + episode],
                scores[24 + episode],
            ];
            let trajectory = trajectory(scores.clone());
            let steps = steps(&trajectory, &scores, &options);
            let messages = advantages(&super::rewards(&steps, unit, rewards[episode]), 1.0);
            let credit = spread(&trajectory, &messages);
            let p = |i: usize| {
                if choice(i) == 1 { probabilities[i] } else { 1.0 - probabilities[i] }
            };
            let probability: f64 = (0..4).map(p).product();
            for (i, token) in [0, 1, 3, 4].into_iter().enumerate() {
                let gradient = choice(i) as f64 - probabilities[i];
                exact[i] += probability * rewards[episode] * gradient;
                estimated[i] += probability * credit[token] * gradient;
            }
        }
        for (exact, estimated) in exact.iter().zip(estimated) {
            prop_assert!((exact - estimated).abs() < 1e-12, "{exact} against {estimated}");
        }
    }
}
