//! Explains one episode: the labels, segments, weights and credit of each mode, as data for people.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::assign::{spread, token_weights};
use super::labels::Scale;
use super::reading::Reading;
use super::{
    CreditError, CreditOptions, Gate, Kind, Message, Mode, ScoredTrajectory, Trajectory, dense,
    weights,
};

/// The tokens of an episode: their number or the tokens themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "tokens must be a count, a list of ids or a list of strings")]
pub enum Tokens {
    /// Their number.
    Count(usize),
    /// Their ids.
    Ids(Vec<u32>),
    /// Their texts; the explanation then quotes segments.
    Texts(Vec<String>),
}

/// An episode to explain, as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExplainInput {
    /// The tokens.
    pub tokens: Tokens,
    /// Messages that cover the tokens.
    pub messages: Vec<Message>,
    /// One score per token.
    pub scores: Vec<f64>,
    /// Sample reward.
    pub reward: f64,
    /// Sample advantage. Default: the reward, since a single episode has no group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advantage: Option<f64>,
    /// Options. Their mode is ignored, because all modes are explained.
    #[serde(default)]
    pub options: CreditOptions,
    /// η of the gated mode for every kind. Default 1: full trust.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta: Option<f64>,
    /// α of the dense mode. Default 1/K for K messages of the policy, so that verdicts of ±1 add
    /// up to at most 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slope: Option<f64>,
}

/// The explanation. Vectors have one entry per token unless stated otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Number of tokens T.
    pub tokens: usize,
    /// Tokens that the policy wrote, n.
    pub policy_tokens: usize,
    /// Policy tokens whose label agrees with the sample, k.
    pub kept_tokens: usize,
    /// The sample advantage A that was distributed.
    pub advantage: f64,
    /// +1 or −1 on the policy's tokens, 0 on the others.
    pub labels: Vec<i8>,
    /// The tokens at which the label changes.
    pub pivots: Vec<usize>,
    /// The policy's tokens in runs of one label.
    pub segments: Vec<ExplainedSegment>,
    /// Weights of the modes mask, conserved and gated. Of dense, the credit per token divided by A,
    /// unless A is 0.
    pub weights: BTreeMap<Mode, Vec<f64>>,
    /// Signed credit Â of every mode.
    pub advantages: BTreeMap<Mode, Vec<f64>>,
    /// The dense mode's reward per message of the policy; they sum to A.
    pub rewards: Vec<f64>,
}

/// A segment with the facts that readers need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedSegment {
    /// First token.
    pub start: usize,
    /// One past the last token.
    pub end: usize,
    /// Position of its message.
    pub message: usize,
    /// What that message does.
    pub kind: Kind,
    /// +1 or −1.
    pub label: i8,
    /// Whether the mask keeps it.
    pub kept: bool,
    /// Its tokens' texts, joined, if they were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Explains one episode. There is no group: nothing is centred, normalisation over the batch is
/// over this episode, and trust and slope are given instead of learnt.
///
/// ```
/// use shoprl_rl::credit::{ExplainInput, Mode, explain};
/// let input: ExplainInput = serde_json::from_str(r#"{
///     "tokens": ["search ", "red ", "shoes", "8 results", "buy ", "it"],
///     "messages": [
///         {"start": 0, "end": 3, "policy": true, "kind": "search"},
///         {"start": 3, "end": 4, "policy": false, "kind": "environment"},
///         {"start": 4, "end": 6, "policy": true, "kind": "buy"}],
///     "scores": [1, 1, 1, 0, -1, -1],
///     "reward": 0, "advantage": -0.5
/// }"#)?;
/// let explanation = explain(&input)?;
/// assert_eq!(explanation.segments[1].text.as_deref(), Some("buy it"));
/// assert_eq!(explanation.weights[&Mode::Mask], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
/// assert_eq!(explanation.weights[&Mode::Conserved], [0.0, 0.0, 0.0, 0.0, 2.5, 2.5]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The first wrong field, with its value and remedy.
pub fn explain(input: &ExplainInput) -> Result<Explanation, CreditError> {
    let scored = input.scored();
    scored.check()?;
    input.options.check()?;
    let trajectory = &scored.trajectory;
    let messages = trajectory.policy_messages().count();
    let slope = input.slope.unwrap_or(1.0 / messages.max(1) as f64);
    let gate = Gate::fixed(input.eta.unwrap_or(1.0), slope)?;

    let scale = Scale::of([trajectory].into_iter(), &input.options);
    let reading = Reading::new(trajectory, scale, &input.options);
    let steps = dense::steps(trajectory, &reading.levels, &input.options);
    let rewards = dense::rewards(&steps, gate.slope(), scored.advantage);
    let dense = spread(trajectory, &dense::advantages(&rewards, input.options.lambda));
    let (weights, advantages) = every_mode(input, &scored, &reading, &gate, dense);
    let mask = weights::mask(&reading.labels, scored.advantage);
    Ok(Explanation {
        tokens: trajectory.tokens,
        policy_tokens: reading.policy_tokens(),
        kept_tokens: mask.iter().filter(|kept| **kept > 0.0).count(),
        advantage: scored.advantage,
        pivots: reading.pivots(input.options.initial_label),
        segments: explained_segments(input, &reading, &mask),
        labels: reading.labels,
        weights,
        advantages,
        rewards,
    })
}

type PerMode = BTreeMap<Mode, Vec<f64>>;

fn every_mode(
    input: &ExplainInput,
    scored: &ScoredTrajectory,
    reading: &Reading,
    gate: &Gate,
    dense: Vec<f64>,
) -> (PerMode, PerMode) {
    let advantage = scored.advantage;
    let (mut weights, mut advantages) = (PerMode::new(), PerMode::new());
    for mode in [Mode::Off, Mode::Mask, Mode::Conserved, Mode::Gated] {
        let options = CreditOptions { mode, ..input.options.clone() };
        let of_mode = token_weights(&scored.trajectory, reading, advantage, &options, gate);
        advantages.insert(mode, of_mode.iter().map(|weight| weight * advantage).collect());
        weights.insert(mode, of_mode);
    }
    weights.remove(&Mode::Off);
    if advantage != 0.0 {
        weights.insert(Mode::Dense, dense.iter().map(|credit| credit / advantage).collect());
    }
    advantages.insert(Mode::Dense, dense);
    (weights, advantages)
}

fn explained_segments(
    input: &ExplainInput,
    reading: &Reading,
    mask: &[f64],
) -> Vec<ExplainedSegment> {
    let text = |range: std::ops::Range<usize>| match &input.tokens {
        Tokens::Texts(texts) => Some(texts[range].concat()),
        Tokens::Count(_) | Tokens::Ids(_) => None,
    };
    let segments = reading.segments.iter().map(|segment| ExplainedSegment {
        start: segment.start,
        end: segment.end,
        message: segment.message,
        kind: input.messages[segment.message].kind,
        label: segment.label,
        kept: mask[segment.start] > 0.0,
        text: text(segment.start..segment.end),
    });
    segments.collect()
}

impl ExplainInput {
    fn scored(&self) -> ScoredTrajectory {
        let tokens = match &self.tokens {
            Tokens::Count(count) => *count,
            Tokens::Ids(ids) => ids.len(),
            Tokens::Texts(texts) => texts.len(),
        };
        let (messages, scores) = (self.messages.clone(), self.scores.clone());
        ScoredTrajectory {
            group: 0,
            trajectory: Trajectory { tokens, messages, scores },
            reward: self.reward,
            advantage: self.advantage.unwrap_or(self.reward),
        }
    }
}

#[cfg(test)]
mod tests;
