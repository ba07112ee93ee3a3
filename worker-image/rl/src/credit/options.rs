//! Settings of credit assignment.

use serde::{Deserialize, Serialize};

use super::CreditError;

/// How the advantage of a sample is distributed over its tokens.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// Every policy token gets the sample's advantage.
    #[default]
    Off,
    /// The paper's mask: only tokens whose label agrees with the sample's sign have credit.
    Mask,
    /// The mask with the weight of masked tokens moved to the kept ones: weights sum to n.
    Conserved,
    /// [`Conserved`](Self::Conserved) to the degree that the labels of each kind of message have
    /// predicted the reward. The recommended mode.
    Gated,
    /// Rewards redistributed over messages by a potential; they sum to the sample's reward.
    Dense,
}

/// The meaning of one score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ScoreKind {
    /// A judgement of the present action: a rule's verdict.
    #[default]
    Verdict,
    /// A judgement of the episode so far: a value or reward model read at every token.
    Level,
    /// The change that a token makes, summed inside its message: an implicit reward such as β
    /// ln(π/π_ref).
    Delta,
}

/// How scores are scaled for the threshold: u = (score − center) / spread.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Normalization {
    /// The same numbers for every batch.
    Fixed {
        /// Subtracted.
        center: f64,
        /// Divided by.
        spread: f64,
    },
    /// Center: the mean over the batch's policy tokens. Spread 1.
    BatchMean,
    /// Center: the median over the batch's policy tokens. Spread: 1.4826 times the median absolute
    /// deviation, 1 if that is zero.
    BatchRobust,
}

/// All settings of credit assignment. Absent fields take their defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CreditOptions {
    /// How advantage reaches tokens. Default off.
    pub mode: Mode,
    /// What the scores say. Default verdict.
    pub score_kind: ScoreKind,
    /// The scale of the scores. Default fixed, center 0, spread 1.
    pub normalization: Normalization,
    /// θ: a label becomes +1 at u ≥ θ and −1 at u ≤ −θ, and is unchanged in between. Default 0.3,
    /// read off the authors' figure; 0 is the rule of their released code.
    pub threshold: f64,
    /// Label before the first decisive score, +1 or −1. Default +1.
    pub initial_label: i8,
    /// Shorter runs join the previous run of their message. Default 1: none do. Above 1 a label
    /// depends on up to this many later scores of its message.
    pub minimum_segment: usize,
    /// The largest weight of a kept token before the remaining weight is spread evenly. Default 4.
    pub maximum_weight: f64,
    /// Correlation of labels with reward at which the gate is fully open. Default 0.35.
    pub reference_correlation: f64,
    /// Decay per batch of the gate's statistics. Default 0.9.
    pub gate_decay: f64,
    /// λ of the dense mode's advantage. Default 1: unbiased for any scorer.
    pub lambda: f64,
    /// Number of scores at the end of a message that are averaged into its verdict or level (dense
    /// mode). Default 4.
    pub smoothing: usize,
}

impl Default for CreditOptions {
    fn default() -> Self {
        Self {
            mode: Mode::Off,
            score_kind: ScoreKind::Verdict,
            normalization: Normalization::Fixed { center: 0.0, spread: 1.0 },
            threshold: 0.3,
            initial_label: 1,
            minimum_segment: 1,
            maximum_weight: 4.0,
            reference_correlation: 0.35,
            gate_decay: 0.9,
            lambda: 1.0,
            smoothing: 4,
        }
    }
}

impl CreditOptions {
    /// Checks every field against its range.
    ///
    /// # Errors
    /// The first field outside its range, with its value and the range.
    pub fn check(&self) -> Result<(), CreditError> {
        let require = |good: bool, field, value, expected| {
            if good { Ok(()) } else { Err(CreditError::Option { field, value, expected }) }
        };
        let positive = |x: f64| x.is_finite() && x > 0.0;
        if let Normalization::Fixed { center, spread } = self.normalization {
            require(center.is_finite(), "normalization.fixed.center", center, "finite")?;
            require(positive(spread), "normalization.fixed.spread", spread, "finite and above 0")?;
        }
        let t = self.threshold;
        require(t.is_finite() && t >= 0.0, "threshold", t, "finite and at least 0")?;
        let label = f64::from(self.initial_label);
        require(label.abs() == 1.0, "initialLabel", label, "1 or -1")?;
        let least = self.minimum_segment as f64;
        require(least >= 1.0, "minimumSegment", least, "at least 1")?;
        let w = self.maximum_weight;
        require(w.is_finite() && w >= 1.0, "maximumWeight", w, "finite and at least 1")?;
        let c = self.reference_correlation;
        require(positive(c) && c <= 1.0, "referenceCorrelation", c, "above 0 and at most 1")?;
        let d = self.gate_decay;
        require((0.0..1.0).contains(&d), "gateDecay", d, "at least 0 and below 1")?;
        let l = self.lambda;
        require((0.0..=1.0).contains(&l), "lambda", l, "between 0 and 1")?;
        let s = self.smoothing as f64;
        require(s >= 1.0, "smoothing", s, "at least 1")
    }
}
