//! MiniShop: eight tasks, six messages of twelve tokens; one token of each message decides.

use shoprl_rl::credit::{Kind, Message, Trajectory};
use shoprl_rl::seed::Stream;

use super::policy::Row;

pub(crate) const TASKS: usize = 8;
/// Options of every token, deciding or not.
pub(crate) const CHOICES: usize = 6;
const LENGTH: usize = 12;
const KINDS: [Kind; 6] =
    [Kind::Search, Kind::Open, Kind::Details, Kind::Option, Kind::Ask, Kind::Buy];
pub(crate) const TOKENS: usize = KINDS.len() * LENGTH;
/// Position of the deciding token: the middle of the message.
const DECISION: usize = 6;
/// The kind of message that the blind-spot scorer always judges wrongly.
const BLIND: usize = 3;

/// The deciding tokens, one per message. The right choice is always 0; no method knows that.
fn decisions() -> impl Iterator<Item = usize> {
    (0..KINDS.len()).map(|message| message * LENGTH + DECISION)
}

/// The fraction of right decisions.
pub(crate) fn reward(choices: &[usize]) -> f64 {
    decisions().filter(|&t| choices[t] == 0).count() as f64 / KINDS.len() as f64
}

/// The probability that a new episode decides everything right, averaged over the tasks.
pub(crate) fn success(probabilities: &[Row]) -> f64 {
    let all_right = |rows: &[Row]| decisions().map(|t| rows[t][0]).product::<f64>();
    probabilities.chunks(TOKENS).map(all_right).sum::<f64>() / TASKS as f64
}

/// Judges decisions. After each decision the score stays at its verdict until the next one, with
/// noise on every token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scorer {
    /// Always right.
    Good,
    /// Every verdict is a coin flip.
    Random,
    /// Right, except for one kind of message, where it is always wrong.
    BlindSpot,
}

impl Scorer {
    pub(crate) fn trajectory(self, choices: &[usize], stream: &mut Stream) -> Trajectory {
        const NOISE: f64 = 0.3;
        let mut verdict = 0.0;
        let mut scores = Vec::with_capacity(TOKENS);
        for (t, &choice) in choices.iter().enumerate() {
            if t % LENGTH == DECISION {
                verdict = if self.approves(t / LENGTH, choice == 0, stream) { 1.0 } else { -1.0 };
            }
            scores.push(verdict + NOISE * f64::from(stream.normal_f32()));
        }
        let message =
            |(i, &kind)| Message { start: i * LENGTH, end: (i + 1) * LENGTH, policy: true, kind };
        let messages = KINDS.iter().enumerate().map(message).collect();
        Trajectory { tokens: TOKENS, messages, scores }
    }

    fn approves(self, message: usize, right: bool, stream: &mut Stream) -> bool {
        match self {
            Self::Good => right,
            Self::Random => stream.bernoulli(0.5),
            Self::BlindSpot => right != (message == BLIND),
        }
    }
}
