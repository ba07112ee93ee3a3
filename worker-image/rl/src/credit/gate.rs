//! The gate: how far labels are trusted, learnt from earlier batches.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::moments::{Moments, Row, exact};
use super::reading::Reading;
use super::{CreditError, CreditOptions, Kind, ScoredTrajectory, dense};

/// Trust per kind of message, and the slope of the dense mode's potential.
///
/// Both are estimated within groups and from previous batches only: a batch is first weighted with
/// the present gate, then observed. So trust never depends on the rewards it acts on. Every
/// checkpoint has the gate; its numbers are kept as text, exact in every bit.
///
/// ```
/// use shoprl_rl::credit::{CreditOptions, Gate, Kind};
/// let gate = Gate::default();
/// assert_eq!(gate.eta(Kind::Search, &CreditOptions::default()), 0.0); // nothing observed yet
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gate {
    /// Fixed values instead of the estimates.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    fixed: Option<Fixed>,
    /// Of (label at the end of a message of this kind, reward of its sample).
    kinds: BTreeMap<Kind, Moments>,
    /// Of (prefix score, reward) at every message.
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
    /// A gate with trust `eta` for every kind and `slope` for the potential, which observations do
    /// not change: for explaining an episode, and for ablations.
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

    /// η in [0, 1]: the trust in labels of messages of this kind.
    ///
    /// The correlation of label and reward minus its standard error, in units of
    /// `reference_correlation`. A kind has η = 0 if it was hardly observed, or if its labels do not
    /// predict the reward or predict the opposite. Then the sample alone decides its credit.
    pub fn eta(&self, kind: Kind, options: &CreditOptions) -> f64 {
        if let Some(fixed) = self.fixed {
            return fixed.eta;
        }
        let observed = self.kinds.get(&kind).and_then(|moments| {
            let certain = moments.correlation()? - moments.standard_error();
            Some((certain / options.reference_correlation).clamp(0.0, 1.0))
        });
        observed.unwrap_or(0.0)
    }

    /// The correlation, within groups, of a kind's labels with the reward. `None` until both have
    /// varied.
    pub fn correlation(&self, kind: Kind) -> Option<f64> {
        self.kinds.get(&kind)?.correlation()
    }

    /// α ≥ 0: reward per unit of prefix score.
    pub fn slope(&self) -> f64 {
        self.fixed.map_or_else(|| self.potential.slope().max(0.0), |fixed| fixed.slope)
    }

    /// Learns from a batch that has been weighted already. Filtered groups may be included or not:
    /// without variance of reward they do not change the correlation.
    ///
    /// # Errors
    /// As for [`token_advantages`](super::token_advantages); the gate is then unchanged.
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

/// For each kind that occurs, the mean over its messages of the label at their end.
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
mod tests;
