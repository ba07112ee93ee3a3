//! Rewards redistributed over messages by a potential; they sum to the sample's advantage.
//!
//! The potential φ is α times a prefix score: the sum of the verdicts so far, or the level reached.
//! Message k < K earns its increase of φ, centred over the members of the group at their k-th
//! message. The last message earns the rest, so that the sum is the sample's for any φ.
//!
//! The steps are messages, not segments: whether a token begins a segment depends on that token's
//! own score, so a baseline that changed there would depend on the action it is subtracted from. At
//! messages and with λ = 1 the redistribution is a baseline of past information only, and the
//! policy gradient is unbiased for any scorer.

use std::collections::BTreeMap;

use super::moments::{Moments, Row};
use super::reading::Reading;
use super::{CreditOptions, Gate, Message, ScoreKind, ScoredTrajectory, Trajectory};

/// The increase of the prefix score in each policy message.
pub(super) fn steps(trajectory: &Trajectory, levels: &[f64], options: &CreditOptions) -> Vec<f64> {
    // The mean of a message's last scores: its result with less noise.
    let closing = |message: &Message| {
        let first = message.start.max(message.end.saturating_sub(options.smoothing));
        let tail = &levels[first..message.end];
        tail.iter().sum::<f64>() / tail.len() as f64
    };
    let step = |(index, message): (usize, &Message)| match options.score_kind {
        ScoreKind::Verdict => closing(message),
        ScoreKind::Delta => levels[message.end - 1],
        ScoreKind::Level if index == 0 => closing(message),
        // Relative to the level after the environment's text: no policy token caused that jump.
        ScoreKind::Level => closing(message) - closing(&trajectory.messages[index - 1]),
    };
    trajectory.policy_messages().map(step).collect()
}

/// The steps of a whole batch, each minus the mean of its group at the same position.
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

/// The mean of values; its bits do not depend on their order.
fn ordered_mean(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.iter().sum::<f64>() / values.len() as f64
}

/// Moments of the prefix score after each message and the reward, within groups and positions.
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

/// The rewards of every trajectory's policy messages in units of advantage; they sum to its
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

/// One reward per message: `unit` times its step; the last message gets the rest of `total`.
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
/// If a group's rewards hardly vary, its own rate is huge (1/std), and shaped terms multiplied by
/// it would destabilise training. So no group's rate exceeds that of the whole batch.
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
mod tests;
