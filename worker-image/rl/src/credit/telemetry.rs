//! Measures what credit assignment did to a batch, for metrics.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::assign::token_weights;
use super::reading::Reading;
use super::{CreditError, CreditOptions, Gate, Kind, Mode, ScoredTrajectory, dense, weights};

/// Measurements of one batch under one gate. Ratios are 0 for an empty batch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Telemetry {
    /// Fraction of policy tokens whose label agrees with their sample.
    pub kept_ratio: f64,
    /// Fraction of samples in which no token's label agrees.
    pub nothing_kept_ratio: f64,
    /// Label changes per thousand policy tokens.
    pub pivots_per_thousand: f64,
    /// Segments per message of the policy.
    pub segments_per_message: f64,
    /// Σ|Â| over tokens, relative to giving every token its sample's advantage.
    pub mass_ratio: f64,
    /// How well the label at the end of a message separates samples of positive and of negative
    /// advantage: the area under the ROC curve, 0.5 for not at all. Absent unless both occur.
    pub auc: Option<f64>,
    /// The largest conservation error: of the weights' sum relative to n, or of the rewards' sum
    /// relative to the advantage. Absent in the mode mask, which conserves nothing.
    pub conservation_error: Option<f64>,
    /// Mean divergence of tokens whose label agrees with their sample, if divergences are given.
    pub kl_kept: Option<f64>,
    /// Mean divergence of the other policy tokens.
    pub kl_masked: Option<f64>,
    /// By kind of message, for the kinds that occur.
    pub kinds: BTreeMap<Kind, KindTelemetry>,
}

/// Measurements of the messages of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KindTelemetry {
    /// The gate's trust η.
    pub eta: f64,
    /// Correlation, within groups, of label and reward; absent until both have varied.
    pub correlation: Option<f64>,
    /// This kind's fraction of Σ|Â|.
    pub share: f64,
}

impl Telemetry {
    /// Measures a batch, the credit that [`token_advantages`](super::token_advantages) gave it with
    /// the same options and gate, and optionally each token's divergence from a reference.
    ///
    /// # Errors
    /// As for `token_advantages`; also vectors that do not match the batch.
    pub fn measure(
        batch: &[ScoredTrajectory],
        credit: &[Vec<f64>],
        divergences: Option<&[Vec<f64>]>,
        options: &CreditOptions,
        gate: &Gate,
    ) -> Result<Self, CreditError> {
        let readings = Reading::of_batch(batch, options)?;
        check_shape("credit", credit, batch)?;
        let mut counts = Counts::default();
        for ((scored, reading), credit) in batch.iter().zip(&readings).zip(credit) {
            counts.add(scored, reading, credit, options);
        }
        let mut telemetry = counts.ratios(options, gate);
        telemetry.conservation_error = conservation_error(batch, &readings, options, gate);
        if let Some(divergences) = divergences {
            check_shape("divergences", divergences, batch)?;
            let [masked, kept] = mean_divergences(batch, &readings, divergences);
            (telemetry.kl_masked, telemetry.kl_kept) = (masked, kept);
        }
        Ok(telemetry)
    }
}

#[derive(Default)]
struct Counts {
    tokens: f64,
    kept: f64,
    samples: f64,
    nothing_kept: f64,
    pivots: f64,
    segments: f64,
    messages: f64,
    /// Σ n |A|
    even: f64,
    /// Σ|Â| per kind.
    mass: BTreeMap<Kind, f64>,
    /// Messages by (sign of the sample > 0, label > 0).
    table: [[f64; 2]; 2],
}

impl Counts {
    fn add(
        &mut self,
        scored: &ScoredTrajectory,
        reading: &Reading,
        credit: &[f64],
        options: &CreditOptions,
    ) {
        let (trajectory, advantage) = (&scored.trajectory, scored.advantage);
        let tokens = reading.policy_tokens() as f64;
        let kept: f64 = weights::mask(&reading.labels, advantage).iter().sum();
        self.tokens += tokens;
        self.kept += kept;
        self.samples += 1.0;
        self.nothing_kept += f64::from(u8::from(kept == 0.0));
        self.pivots += reading.pivots(options.initial_label).len() as f64;
        self.segments += reading.segments.len() as f64;
        self.even += tokens * advantage.abs();
        for (_, message) in trajectory.policy_messages() {
            self.messages += 1.0;
            let mass: f64 = credit[message.range()].iter().map(|c| c.abs()).sum();
            *self.mass.entry(message.kind).or_default() += mass;
        }
        if advantage != 0.0 {
            for (_, label) in reading.closing_labels(trajectory) {
                self.table[usize::from(advantage > 0.0)][usize::from(label > 0.0)] += 1.0;
            }
        }
    }

    fn ratios(&self, options: &CreditOptions, gate: &Gate) -> Telemetry {
        let ratio = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let mass: f64 = self.mass.values().sum();
        let of_kind = |(&kind, &part): (&Kind, &f64)| {
            let (eta, correlation) = (gate.eta(kind, options), gate.correlation(kind));
            (kind, KindTelemetry { eta, correlation, share: ratio(part, mass) })
        };
        let [bad, good] = self.table.map(|labels| (labels[0] + labels[1], labels[1]));
        // With two-valued labels the curve has one corner.
        let auc =
            (bad.0 > 0.0 && good.0 > 0.0).then(|| 0.5 + 0.5 * (good.1 / good.0 - bad.1 / bad.0));
        Telemetry {
            kept_ratio: ratio(self.kept, self.tokens),
            nothing_kept_ratio: ratio(self.nothing_kept, self.samples),
            pivots_per_thousand: 1000.0 * ratio(self.pivots, self.tokens),
            segments_per_message: ratio(self.segments, self.messages),
            mass_ratio: ratio(mass, self.even),
            auc,
            kinds: self.mass.iter().map(of_kind).collect(),
            ..Telemetry::default()
        }
    }
}

fn conservation_error(
    batch: &[ScoredTrajectory],
    readings: &[Reading],
    options: &CreditOptions,
    gate: &Gate,
) -> Option<f64> {
    let largest = |errors: Vec<f64>| errors.into_iter().fold(0.0, f64::max);
    match options.mode {
        Mode::Mask => None,
        Mode::Dense => {
            let rewards = dense::batch_rewards(batch, readings, options, gate);
            let error = |(scored, rewards): (&ScoredTrajectory, Vec<f64>)| {
                let lost = rewards.iter().sum::<f64>() - scored.advantage;
                if rewards.is_empty() { 0.0 } else { lost.abs() }
            };
            Some(largest(batch.iter().zip(rewards).map(error).collect()))
        }
        Mode::Off | Mode::Conserved | Mode::Gated => {
            let error = |(scored, reading): (&ScoredTrajectory, &Reading)| {
                let trajectory = &scored.trajectory;
                let weights = token_weights(trajectory, reading, scored.advantage, options, gate);
                let tokens = reading.policy_tokens() as f64;
                (weights.iter().sum::<f64>() - tokens).abs() / tokens.max(1.0)
            };
            Some(largest(batch.iter().zip(readings).map(error).collect()))
        }
    }
}

/// Mean divergence of masked and of kept policy tokens; `None` where there are no such tokens.
fn mean_divergences(
    batch: &[ScoredTrajectory],
    readings: &[Reading],
    divergences: &[Vec<f64>],
) -> [Option<f64>; 2] {
    let mut sums = [(0.0, 0.0); 2];
    for ((scored, reading), divergences) in batch.iter().zip(readings).zip(divergences) {
        let mask = weights::mask(&reading.labels, scored.advantage);
        for ((&label, kept), divergence) in reading.labels.iter().zip(mask).zip(divergences) {
            if label != 0 {
                let (sum, count) = &mut sums[usize::from(kept > 0.0)];
                *sum += divergence;
                *count += 1.0;
            }
        }
    }
    sums.map(|(sum, count)| (count > 0.0).then(|| sum / count))
}

fn check_shape(
    field: &'static str,
    values: &[Vec<f64>],
    batch: &[ScoredTrajectory],
) -> Result<(), CreditError> {
    let check = |found, expected, unit| {
        if found == expected {
            Ok(())
        } else {
            Err(CreditError::Length { field, found, expected, unit })
        }
    };
    check(values.len(), batch.len(), "trajectory")?;
    let mut pairs = values.iter().zip(batch);
    pairs.try_for_each(|(values, scored)| check(values.len(), scored.trajectory.tokens, "token"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credit::{Message, Trajectory, token_advantages};

    /// Two messages of two tokens with the page of one token between them.
    fn scored(group: u64, scores: [f64; 5], advantage: f64) -> ScoredTrajectory {
        let message = |start, end, policy, kind| Message { start, end, policy, kind };
        let messages = vec![
            message(0, 2, true, Kind::Search),
            message(2, 3, false, Kind::Environment),
            message(3, 5, true, Kind::Buy),
        ];
        let trajectory = Trajectory { tokens: 5, messages, scores: scores.to_vec() };
        ScoredTrajectory { group, trajectory, reward: advantage, advantage }
    }

    fn batch() -> Vec<ScoredTrajectory> {
        vec![
            scored(0, [1.0, 1.0, 0.0, -1.0, -1.0], 1.0),
            scored(0, [1.0, 1.0, 0.0, 1.0, 1.0], -1.0),
        ]
    }

    fn measure(mode: Mode, divergences: Option<&[Vec<f64>]>) -> Telemetry {
        let options = CreditOptions { mode, ..CreditOptions::default() };
        let gate = Gate::fixed(0.5, 0.1).unwrap();
        let credit = token_advantages(&batch(), &options, &gate).unwrap();
        Telemetry::measure(&batch(), &credit, divergences, &options, &gate).unwrap()
    }

    #[test]
    fn telemetry_of_two_small_episodes_by_hand() {
        let telemetry = measure(Mode::Mask, None);
        let kind = |share| KindTelemetry { eta: 0.5, correlation: None, share };
        let expected = Telemetry {
            kept_ratio: 2.0 / 8.0,
            nothing_kept_ratio: 0.5,
            pivots_per_thousand: 125.0,
            segments_per_message: 1.0,
            mass_ratio: 2.0 / 8.0,
            // Half of the good sample's messages have the label +1, and all of the bad one's.
            auc: Some(0.25),
            conservation_error: None,
            kl_kept: None,
            kl_masked: None,
            kinds: BTreeMap::from([(Kind::Search, kind(1.0)), (Kind::Buy, kind(0.0))]),
        };
        assert_eq!(telemetry, expected);
    }

    #[test]
    fn every_mode_except_the_mask_reports_its_conservation_error() {
        for mode in [Mode::Off, Mode::Conserved, Mode::Gated, Mode::Dense] {
            let error = measure(mode, None).conservation_error.unwrap();
            assert!(error < 1e-12, "{mode:?} lost {error}");
        }
        assert_eq!(measure(Mode::Off, None).mass_ratio, 1.0);
        assert_eq!(measure(Mode::Conserved, None).mass_ratio, 1.0);
    }

    #[test]
    fn divergence_is_split_into_kept_and_masked_tokens() {
        let divergences = vec![vec![1.0, 3.0, 99.0, 0.5, 0.5], vec![0.5, 0.5, 99.0, 0.5, 0.5]];
        let telemetry = measure(Mode::Mask, Some(&divergences));
        assert_eq!((telemetry.kl_kept, telemetry.kl_masked), (Some(2.0), Some(0.5)));
    }

    #[test]
    fn credit_of_another_shape_is_refused() {
        let (options, gate) = (CreditOptions::default(), Gate::default());
        let check = |credit: &[Vec<f64>], expected: &str| {
            let error = Telemetry::measure(&batch(), credit, None, &options, &gate).unwrap_err();
            assert_eq!(error.to_string(), expected);
        };
        check(&[], "credit has 0 entries, expected 2: give one per trajectory");
        check(
            &[vec![0.0; 5], vec![0.0; 4]],
            "credit has 4 entries, expected 5: give one per token",
        );
    }
}
