//! One episode explained: what each mode would do with it, as data for people.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    CreditError, CreditOptions, Gate, Kind, Message, Mode, ScoredTrajectory, Trajectory,
    assign::{spread, token_weights},
    dense,
    labels::Scale,
    reading::Reading,
    weights,
};

/// The tokens of an episode: how many, or which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "tokens must be a count, a list of ids or a list of strings")]
pub enum Tokens {
    /// Their number.
    Count(usize),
    /// Their ids.
    Ids(Vec<u32>),
    /// Their texts; segments are then quoted.
    Texts(Vec<String>),
}

/// An episode to explain, as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExplainInput {
    /// The tokens.
    pub tokens: Tokens,
    /// Messages covering them.
    pub messages: Vec<Message>,
    /// One score per token.
    pub scores: Vec<f64>,
    /// Sample reward.
    pub reward: f64,
    /// Sample advantage; without it the reward counts as one, since a single episode has no group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advantage: Option<f64>,
    /// Options; their mode is ignored, all modes are explained.
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

/// What the modes make of an episode. Vectors have one entry per token unless said otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Number of tokens T.
    pub tokens: usize,
    /// Of which the policy wrote n.
    pub policy_tokens: usize,
    /// Of which k have a label that agrees with the sample.
    pub kept_tokens: usize,
    /// The sample advantage A that was distributed.
    pub advantage: f64,
    /// +1 or −1 on the policy's tokens, 0 on the others.
    pub labels: Vec<i8>,
    /// The tokens at which the label turns.
    pub pivots: Vec<usize>,
    /// The policy's tokens in runs of one label.
    pub segments: Vec<ExplainedSegment>,
    /// Weights of the modes mask, conserved and gated; and of dense, whose credit per token is
    /// divided by A, unless A is 0.
    pub weights: BTreeMap<Mode, Vec<f64>>,
    /// Signed credit Â of every mode.
    pub advantages: BTreeMap<Mode, Vec<f64>>,
    /// The dense mode's reward per message of the policy; they sum to A.
    pub rewards: Vec<f64>,
}

/// A segment with what a reader wants beside it.
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

/// Explains one episode. There is no group: nothing is centred, a normalisation over the batch is
/// one over this episode, and trust and slope are given, not learnt.
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
/// The first field that is wrong, with its value and remedy.
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
mod tests {
    use super::*;

    const EPISODE: &str = r#"{
        "tokens": 6,
        "messages": [
            {"start": 0, "end": 3, "policy": true, "kind": "search"},
            {"start": 3, "end": 4, "policy": false, "kind": "environment"},
            {"start": 4, "end": 6, "policy": true, "kind": "buy"}],
        "scores": [0.1, -0.5, -0.1, 9, 0.4, 0.2],
        "reward": 0.75
    }"#;

    /// The episode with one piece of its text replaced.
    fn explained(from: &str, to: &str) -> Result<Explanation, String> {
        assert!(EPISODE.contains(from));
        let input = serde_json::from_str::<ExplainInput>(&EPISODE.replacen(from, to, 1));
        input
            .map_err(|e| e.to_string())
            .and_then(|input| explain(&input).map_err(|e| e.to_string()))
    }

    #[test]
    fn an_episode_is_explained_in_every_mode() {
        let explanation = explained("0.75", "0.75").unwrap();
        assert_eq!(explanation.labels, [1, -1, -1, 0, 1, 1]);
        assert_eq!(explanation.pivots, [1, 4]);
        let runs = explanation.segments.iter().map(|s| (s.start, s.end, s.kind, s.kept));
        let expected =
            [(0, 1, Kind::Search, true), (1, 3, Kind::Search, false), (4, 6, Kind::Buy, true)];
        assert_eq!(runs.collect::<Vec<_>>(), expected);
        assert_eq!((explanation.policy_tokens, explanation.kept_tokens), (5, 3));
        assert_eq!(explanation.advantage, 0.75, "without an advantage the reward counts as one");

        let mode = |mode| explanation.advantages[&mode].as_slice();
        assert_eq!(mode(Mode::Off), [0.75, 0.75, 0.75, 0.0, 0.75, 0.75]);
        assert_eq!(mode(Mode::Mask), [0.75, 0.0, 0.0, 0.0, 0.75, 0.75]);
        assert_eq!(mode(Mode::Conserved), [1.25, 0.0, 0.0, 0.0, 1.25, 1.25]);
        assert_eq!(mode(Mode::Conserved), mode(Mode::Gated), "trust is full by default");
        // The search came to -1/6, half of which is the first reward.
        let first = -0.5 / 6.0;
        assert!((explanation.rewards[0] - first).abs() < 1e-12, "{:?}", explanation.rewards);
        assert!((mode(Mode::Dense)[5] - (0.75 - first)).abs() < 1e-12);
        assert_eq!(explanation.weights.len(), 4);
    }

    #[test]
    fn trust_and_options_are_taken_from_the_input() {
        let with =
            |fields: &str| explained("\"reward\"", &format!("{fields}, \"reward\"")).unwrap();
        let distrusted = with("\"eta\": 0");
        assert_eq!(distrusted.advantages[&Mode::Gated], distrusted.advantages[&Mode::Off]);
        let wide = with("\"options\": {\"threshold\": 1}");
        assert_eq!(wide.pivots, [0_usize; 0]);
        let nothing = with("\"advantage\": 0");
        assert!(nothing.advantages[&Mode::Gated].iter().all(|credit| *credit == 0.0));
        assert!(!nothing.weights.contains_key(&Mode::Dense));
        assert_eq!(nothing.kept_tokens, 5, "without a sign there is nothing to disagree with");
    }

    #[test]
    fn an_error_names_the_field_its_value_and_the_remedy() {
        let check = |from: &str, to: &str, expected: &str| {
            let error = explained(from, to).unwrap_err();
            assert!(error.contains(expected), "{to}: {error}");
        };
        check("\"tokens\": 6", "\"tokens\": 7", "messages end at 6, tokens is 7");
        check("\"tokens\": 6", "\"tokens\": \"six\"", "tokens must be a count, a list of ids");
        check("\"end\": 3", "\"end\": 2", "messages[1].start is 3, expected 2");
        check("\"end\": 3", "\"end\": 0", "messages[0] is 0..0");
        check("\"search\"", "\"environment\"", "messages[0] has policy: true");
        check("\"search\"", "\"seek\"", "unknown variant `seek`, expected one of `search`");
        check("0.4, 0.2", "0.4", "scores has 5 values, tokens is 6");
        check("0.75", "0.75, \"eta\": 1.5", "eta is 1.5: it must be between 0 and 1");
        check("0.75", "0.75, \"slope\": -1", "slope is -1: it must be finite and at least 0");
        check("0.75", "0.75, \"goal\": 1", "unknown field `goal`");
        let option = |text: &str| format!("0.75, \"options\": {{{text}}}");
        check("0.75", &option("\"threshold\": -1"), "threshold is -1: it must be finite");
        check("0.75", &option("\"initialLabel\": 0"), "initialLabel is 0: it must be 1 or -1");
        check("0.75", &option("\"theta\": 0"), "unknown field `theta`");
    }

    #[test]
    fn numbers_that_json_cannot_write_are_refused_too() {
        let mut input: ExplainInput = serde_json::from_str(EPISODE).unwrap();
        input.scores[4] = f64::NAN;
        let error = explain(&input).unwrap_err().to_string();
        assert_eq!(error, "scores[4] is NaN: every score must be a finite number");
        input.scores[4] = 0.0;
        input.reward = f64::INFINITY;
        let error = explain(&input).unwrap_err().to_string();
        assert_eq!(error, "reward is inf: it must be a finite number");
    }
}
