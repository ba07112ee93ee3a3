//! Rewards redistributed over messages by a potential, summing to what the sample earned.
//!
//! The potential φ is α times a prefix score: what the verdicts so far add up to, or the level
//! reached. Message k < K earns what it added to φ, centred over the members of the group at their
//! k-th message; the last message earns the rest, so that the sum is the sample's for any φ.
//!
//! The steps are messages, not segments: whether a token begins a segment depends on that token's
//! own score, so a baseline that changed there would see the action it is a baseline for. At
//! messages and with λ = 1 the redistribution is a baseline made of the past alone, and the policy
//! gradient stays unbiased whatever the scorer says.

use std::collections::BTreeMap;

use super::{
    CreditOptions, Gate, Message, ScoreKind, ScoredTrajectory, Trajectory,
    moments::{Moments, Row},
    reading::Reading,
};

/// How much each policy message added to the prefix score.
pub(super) fn steps(trajectory: &Trajectory, levels: &[f64], options: &CreditOptions) -> Vec<f64> {
    // The mean of a message's last scores: what it came to, less noise.
    let closing = |message: &Message| {
        let first = message.start.max(message.end.saturating_sub(options.smoothing));
        let tail = &levels[first..message.end];
        tail.iter().sum::<f64>() / tail.len() as f64
    };
    let step = |(index, message): (usize, &Message)| match options.score_kind {
        ScoreKind::Verdict => closing(message),
        ScoreKind::Delta => levels[message.end - 1],
        ScoreKind::Level if index == 0 => closing(message),
        // Measured from where the environment's text left the level: that jump is nobody's credit.
        ScoreKind::Level => closing(message) - closing(&trajectory.messages[index - 1]),
    };
    trajectory.policy_messages().map(step).collect()
}

/// The steps of a whole batch, each less the mean of its group at the same position.
pub(super) fn centred_steps(
    batch: &[ScoredTrajectory],
    readings: &[Reading],
    options: &CreditOptions,
) -> Vec<Vec<f64>> {
    let of_one = |(scored, reading): (&ScoredTrajectory, &Reading)| {
        steps(&scored.trajectory, &reading.levels, options)
    };
    let mut all: Vec<Vec<f64>> = batch.iter().zip(readings).map(of_one).collect();

    let mut cells: BTreeMap<(u64, usize), Vec<f64>> = BTreeMap::new();
    for (scored, steps) in batch.iter().zip(&all) {
        for (position, &step) in steps.iter().enumerate() {
            cells.entry((scored.group, position)).or_default().push(step);
        }
    }
    let means: BTreeMap<_, _> =
        cells.into_iter().map(|(cell, x)| (cell, ordered_mean(x))).collect();
    for (scored, steps) in batch.iter().zip(&mut all) {
        for (position, step) in steps.iter_mut().enumerate() {
            *step -= means[&(scored.group, position)];
        }
    }
    all
}

/// The mean of values, the same bits in whatever order they come.
fn ordered_mean(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.iter().sum::<f64>() / values.len() as f64
}

/// What relates the prefix score after each message to the reward, within groups and positions.
pub(super) fn moments(
    batch: &[ScoredTrajectory],
    readings: &[Reading],
    options: &CreditOptions,
) -> Moments {
    let mut rows = Vec::new();
    for (scored, steps) in batch.iter().zip(centred_steps(batch, readings, options)) {
        let mut prefix = 0.0;
        for (position, step) in steps.into_iter().enumerate() {
            prefix += step;
            rows.push(Row { cell: (scored.group, position), x: prefix, y: scored.reward });
        }
    }
    Moments::within(rows)
}

/// The rewards of every trajectory's policy messages in units of advantage, summing to its
/// advantage.
pub(super) fn batch_rewards(
    batch: &[ScoredTrajectory],
    readings: &[Reading],
    options: &CreditOptions,
    gate: &Gate,
) -> Vec<Vec<f64>> {
    let rates = exchange_rates(batch);
    let steps = centred_steps(batch, readings, options);
    let of_one = |(scored, steps): (&ScoredTrajectory, Vec<f64>)| {
        rewards(&steps, gate.slope() * rates[&scored.group], scored.advantage)
    };
    batch.iter().zip(steps).map(of_one).collect()
}

/// One reward per message: `unit` times its step, and for the last what is left of `total`.
pub(super) fn rewards(steps: &[f64], unit: f64, total: f64) -> Vec<f64> {
    let mut rewards: Vec<f64> = steps.iter().map(|step| step * unit).collect();
    if let Some((last, earlier)) = rewards.split_last_mut() {
        *last = total - earlier.iter().sum::<f64>();
    }
    rewards
}

/// The advantage of each message: Âₖ = Σₗ λˡ rₖ₊ₗ.
pub(super) fn advantages(rewards: &[f64], lambda: f64) -> Vec<f64> {
    let mut advantages = rewards.to_vec();
    let mut following = 0.0;
    for advantage in advantages.iter_mut().rev() {
        *advantage += lambda * following;
        following = *advantage;
    }
    advantages
}

/// Advantage per unit of reward, for each group.
///
/// Where a group's rewards hardly vary its own rate is huge (1/std), and shaped terms multiplied by
/// it would blow up training. So no group's rate exceeds that of the whole batch.
fn exchange_rates(batch: &[ScoredTrajectory]) -> BTreeMap<u64, f64> {
    let mut groups: BTreeMap<u64, Vec<Row>> = BTreeMap::new();
    for scored in batch {
        let row = Row { cell: (scored.group, 0), x: scored.reward, y: scored.advantage };
        groups.entry(scored.group).or_default().push(row);
    }
    let highest = Moments::within(groups.values().flatten().copied().collect()).slope();
    let rate = |rows| Moments::within(rows).slope().min(highest).max(0.0);
    groups.into_iter().map(|(group, rows)| (group, rate(rows))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::credit::{Kind, Mode, assign::spread, token_advantages};

    fn message(start: usize, end: usize, policy: bool) -> Message {
        let kind = if policy { Kind::Search } else { Kind::Environment };
        Message { start, end, policy, kind }
    }

    fn trajectory(scores: Vec<f64>) -> Trajectory {
        let messages = vec![message(0, 2, true), message(2, 3, false), message(3, 5, true)];
        Trajectory { tokens: 5, messages, scores }
    }

    #[test]
    fn what_a_message_adds_depends_on_what_a_score_says() {
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
        // The page lifted the level to 4; the second message then lost 2.
        check(ScoreKind::Level, 1, [1.0, -2.0]);
        check(ScoreKind::Delta, 1, [1.5, 5.0]);
    }

    #[test]
    fn a_group_that_hardly_varies_does_not_blow_up_the_shaped_terms() {
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
        // One unit of reward is two of advantage in the first group, and counts so in the second.
        assert_eq!(credit[0], [1.0, 1.0, 0.0, 0.5, 0.5]);
        assert!((credit[2][3] - 0.5).abs() < 1e-6, "{:?}", credit[2]);
    }

    proptest! {
        /// All 16 episodes of four binary choices in two messages, weighted by their probability,
        /// with any reward and any scores, even scores that know their whole message.
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
}
