//! Scores to labels: a square wave with a dead band.

use super::{CreditOptions, Normalization, ScoreKind, Trajectory};

/// u = (level − center) / spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    pub(super) center: f64,
    pub(super) spread: f64,
}

impl Scale {
    /// The scale of a whole batch, fixed before any label is computed.
    pub(super) fn of<'a>(
        trajectories: impl Iterator<Item = &'a Trajectory>,
        options: &CreditOptions,
    ) -> Self {
        if let Normalization::Fixed { center, spread } = options.normalization {
            return Self { center, spread };
        }
        let mut levels: Vec<f64> = trajectories
            .flat_map(|trajectory| {
                let levels = raw_levels(trajectory, options.score_kind);
                let policy = trajectory.policy_messages();
                policy.flat_map(|(_, message)| levels[message.range()].to_vec()).collect::<Vec<_>>()
            })
            .collect();
        // The sums are sorted, so they do not depend on the order of the batch.
        levels.sort_by(f64::total_cmp);
        if options.normalization == Normalization::BatchMean || levels.is_empty() {
            let n = levels.len().max(1) as f64;
            return Self { center: levels.iter().sum::<f64>() / n, spread: 1.0 };
        }
        let center = median(&levels);
        let mut distances: Vec<f64> = levels.iter().map(|level| (level - center).abs()).collect();
        distances.sort_by(f64::total_cmp);
        let deviation = 1.4826 * median(&distances);
        Self { center, spread: if deviation > 0.0 { deviation } else { 1.0 } }
    }

    /// The scores as normalised levels, one per token.
    pub(super) fn levels(&self, trajectory: &Trajectory, kind: ScoreKind) -> Vec<f64> {
        let mut levels = raw_levels(trajectory, kind);
        for level in &mut levels {
            *level = (*level - self.center) / self.spread;
        }
        levels
    }
}

/// The median of a sorted list: the mean of the two middle values if its length is even.
fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) {
        (sorted[half - 1] + sorted[half]) / 2.0
    } else {
        sorted[half]
    }
}

/// The scores as levels: deltas are summed inside their message; verdicts and levels are unchanged.
fn raw_levels(trajectory: &Trajectory, kind: ScoreKind) -> Vec<f64> {
    let mut levels = trajectory.scores.clone();
    if kind == ScoreKind::Delta {
        for message in &trajectory.messages {
            let mut sum = 0.0;
            for level in &mut levels[message.range()] {
                sum += *level;
                *level = sum;
            }
        }
    }
    levels
}

/// The rule that changes a label: +1 at u ≥ `up`, −1 at u ≤ −`down`, otherwise unchanged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Trigger {
    pub(super) up: f64,
    pub(super) down: f64,
    pub(super) initial: i8,
}

impl Trigger {
    pub(super) fn of(options: &CreditOptions) -> Self {
        let threshold = options.threshold;
        Self { up: threshold, down: threshold, initial: options.initial_label }
    }

    /// A label of +1 or −1 on every policy token, 0 on the others. Messages of the environment do
    /// not change the state.
    pub(super) fn labels(&self, trajectory: &Trajectory, levels: &[f64]) -> Vec<i8> {
        let mut labels = vec![0; trajectory.tokens];
        let mut state = self.initial;
        for (_, message) in trajectory.policy_messages() {
            for t in message.range() {
                state = self.next(state, levels[t]);
                labels[t] = state;
            }
        }
        labels
    }

    fn next(&self, state: i8, level: f64) -> i8 {
        match (level >= self.up, level <= -self.down) {
            (true, false) => 1,
            (false, true) => -1,
            // Inside the band, or equal to both thresholds when they are zero.
            _ => state,
        }
    }
}
