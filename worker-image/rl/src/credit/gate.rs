//! How far labels may be trusted, learnt from batches that are over.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    CreditError, CreditOptions, Kind, ScoredTrajectory, dense,
    moments::{Moments, Row, exact},
    reading::Reading,
};

/// Trust per kind of message, and the slope of the dense mode's potential.
///
/// Both are estimated within groups and from previous batches only: a batch is first weighted with
/// the gate as it stands, then observed. So trust never depends on the rewards it acts on. Part of
/// every checkpoint; numbers are kept as text, exact to the bit.
///
/// ```
/// use shoprl_rl::credit::{CreditOptions, Gate, Kind};
/// let gate = Gate::default();
/// assert_eq!(gate.eta(Kind::Search, &CreditOptions::default()), 0.0); // nothing seen yet
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gate {
    /// Values given by hand in place of the estimates.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    fixed: Option<Fixed>,
    /// (label a message of this kind ends with, reward of its sample).
    kinds: BTreeMap<Kind, Moments>,
    /// (prefix score, reward) at every message.
    potential: Moments,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fixed {
    #[serde(with = "exact")]
    eta: f64,
    #[serde(with = "exact")]
    slope: f64,
}

impl Gate {
    /// A gate that stands at trust `eta` for every kind and at `slope` for the potential, whatever
    /// it observes: for explaining an episode, and for ablations.
    ///
    /// # Errors
    /// `eta` outside [0, 1]; a slope that is negative or not finite.
    pub fn fixed(eta: f64, slope: f64) -> Result<Self, CreditError> {
        let refuse = |field, value, expected| Err(CreditError::Option { field, value, expected });
        if !(0.0..=1.0).contains(&eta) {
            return refuse("eta", eta, "between 0 and 1");
        }
        if !(slope.is_finite() && slope >= 0.0) {
            return refuse("slope", slope, "finite and at least 0");
        }
        Ok(Self { fixed: Some(Fixed { eta, slope }), ..Self::default() })
    }

    /// η in [0, 1]: how far labels in messages of this kind are trusted.
    ///
    /// The correlation of label and reward, less its standard error, in units of
    /// `reference_correlation`. So a kind that was hardly seen, whose labels do not predict the
    /// reward, or predict its opposite, has η = 0 and is credited by the sample alone.
    pub fn eta(&self, kind: Kind, options: &CreditOptions) -> f64 {
        if let Some(fixed) = self.fixed {
            return fixed.eta;
        }
        let seen = self.kinds.get(&kind).and_then(|moments| {
            let certain = moments.correlation()? - moments.standard_error();
            Some((certain / options.reference_correlation).clamp(0.0, 1.0))
        });
        seen.unwrap_or(0.0)
    }

    /// The correlation, within groups, of a kind's labels with the reward; `None` before both have
    /// varied.
    pub fn correlation(&self, kind: Kind) -> Option<f64> {
        self.kinds.get(&kind)?.correlation()
    }

    /// α ≥ 0: reward per unit of prefix score.
    pub fn slope(&self) -> f64 {
        self.fixed.map_or_else(|| self.potential.slope().max(0.0), |fixed| fixed.slope)
    }

    /// Learns from a batch that has been weighted already. Filtered groups may be left out or in:
    /// without variance of reward they add no correlation.
    ///
    /// # Errors
    /// What [`token_advantages`](super::token_advantages) refuses; the gate is then unchanged.
    pub fn observe(
        &mut self,
        batch: &[ScoredTrajectory],
        options: &CreditOptions,
    ) -> Result<(), CreditError> {
        let readings = Reading::of_batch(batch, options)?;
        let mut rows: BTreeMap<Kind, Vec<Row>> = BTreeMap::new();
        for (scored, reading) in batch.iter().zip(&readings) {
            for (kind, x) in mean_closing_labels(scored, reading) {
                let row = Row { cell: (scored.group, 0), x, y: scored.reward };
                rows.entry(kind).or_default().push(row);
            }
        }
        for (kind, rows) in rows {
            let moments = self.kinds.entry(kind).or_default();
            *moments = moments.then(Moments::within(rows), options.gate_decay);
        }
        let potential = dense::moments(batch, &readings, options);
        self.potential = self.potential.then(potential, options.gate_decay);
        Ok(())
    }
}

/// Per kind that occurs, the mean over its messages of the label they end with.
fn mean_closing_labels(scored: &ScoredTrajectory, reading: &Reading) -> BTreeMap<Kind, f64> {
    let mut sums: BTreeMap<Kind, (f64, f64)> = BTreeMap::new();
    for (kind, label) in reading.closing_labels(&scored.trajectory) {
        let (sum, count) = sums.entry(kind).or_default();
        *sum += label;
        *count += 1.0;
    }
    sums.into_iter().map(|(kind, (sum, count))| (kind, sum / count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        credit::{Message, Mode, Trajectory, token_advantages},
        seed::{Purpose, Stream},
    };

    /// Groups of eight episodes of one search and one purchase. The purchase decides the reward;
    /// its score is right, that of the search is a coin.
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
    fn trust_opens_for_labels_that_predict_the_reward_and_for_no_others() {
        let options = CreditOptions::default();
        let good = taught(10, 16, 1.0);
        assert_eq!(good.eta(Kind::Buy, &options), 1.0);
        assert!(good.eta(Kind::Search, &options) < 0.15, "{good:?}");
        assert_eq!(good.eta(Kind::Ask, &options), 0.0, "never seen");
        assert!((good.correlation(Kind::Buy).unwrap() - 1.0).abs() < 1e-12);

        let inverted = taught(10, 16, -1.0);
        assert_eq!(inverted.eta(Kind::Buy, &options), 0.0);
        assert!((inverted.correlation(Kind::Buy).unwrap() + 1.0).abs() < 1e-12);
    }

    #[test]
    fn two_episodes_that_happen_to_agree_earn_no_trust() {
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
    fn trust_follows_a_scorer_that_goes_bad() {
        let (mut gate, options) = (taught(10, 16, 1.0), CreditOptions::default());
        for seed in 10..20 {
            gate.observe(&batch(seed, 16, -1.0), &options).unwrap();
        }
        assert_eq!(gate.eta(Kind::Buy, &options), 0.0);
    }

    #[test]
    fn the_potentials_slope_is_never_negative() {
        // The two verdicts add up; the search's half is noise, so the slope is below one.
        let slope = taught(10, 16, 1.0).slope();
        assert!((0.2..0.9).contains(&slope), "{slope}");
        assert_eq!(taught(10, 16, -1.0).slope(), 0.0);
    }

    #[test]
    fn a_resumed_gate_goes_on_to_the_same_bits() {
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
    fn a_fixed_gate_stands_whatever_it_observes() {
        let options = CreditOptions::default();
        let mut gate = Gate::fixed(0.25, 0.5).unwrap();
        gate.observe(&batch(1, 16, 1.0), &options).unwrap();
        assert_eq!((gate.eta(Kind::Buy, &options), gate.slope()), (0.25, 0.5));
        let refused = |eta, slope| Gate::fixed(eta, slope).unwrap_err().to_string();
        assert_eq!(refused(f64::NAN, 0.0), "eta is NaN: it must be between 0 and 1");
        assert_eq!(refused(1.0, -1.0), "slope is -1: it must be finite and at least 0");
    }
}
