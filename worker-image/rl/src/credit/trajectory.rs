//! The input of credit assignment: one episode's tokens, messages and scores.

use serde::{Deserialize, Serialize};

use super::CreditError;

/// The action of a message. The reliability of scores is tracked by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A query to the shop.
    Search,
    /// Opening a result.
    Open,
    /// Reading an item's details.
    Details,
    /// Choosing a colour or size.
    Option,
    /// Turning a page.
    Page,
    /// Going back.
    Back,
    /// A question to the shopper.
    Ask,
    /// Buying.
    Buy,
    /// Giving up.
    Decline,
    /// An action that the shop could not parse.
    Invalid,
    /// Text that the policy did not write: pages, replies, instructions.
    Environment,
}

impl Kind {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Open => "open",
            Self::Details => "details",
            Self::Option => "option",
            Self::Page => "page",
            Self::Back => "back",
            Self::Ask => "ask",
            Self::Buy => "buy",
            Self::Decline => "decline",
            Self::Invalid => "invalid",
            Self::Environment => "environment",
        }
    }
}

/// Tokens `start..end` of an episode, written by one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Message {
    /// First token.
    pub start: usize,
    /// One past the last token.
    pub end: usize,
    /// Whether the policy wrote these tokens; only then do they have credit.
    pub policy: bool,
    /// The message's action.
    pub kind: Kind,
}

/// One scored episode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Trajectory {
    /// Number of tokens T.
    pub tokens: usize,
    /// Messages that cover `0..tokens` in order, without gaps.
    pub messages: Vec<Message>,
    /// One score per token; [`ScoreKind`](super::ScoreKind) says what it means. Scores of tokens
    /// that the policy did not write are ignored, except that a level is also read just before a
    /// message starts ([`Mode::Dense`](super::Mode::Dense)).
    pub scores: Vec<f64>,
}

/// A trajectory with its group, its reward and the advantage of the sample as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredTrajectory {
    /// The group: trajectories of one task.
    pub group: u64,
    /// The episode.
    pub trajectory: Trajectory,
    /// Sample reward R.
    pub reward: f64,
    /// Sample advantage A, normally [`group_relative`](crate::advantage::group_relative).
    pub advantage: f64,
}

impl Trajectory {
    /// Checks lengths, coverage and finiteness. Nothing is repaired.
    ///
    /// # Errors
    /// The first wrong field, with its value.
    pub fn check(&self) -> Result<(), CreditError> {
        let mut reached = 0;
        for (index, message) in self.messages.iter().enumerate() {
            let Message { start, end, policy, kind } = *message;
            if start != reached {
                return Err(CreditError::MessageStart { index, start, expected: reached });
            }
            if end <= start {
                return Err(CreditError::MessageEmpty { index, start, end });
            }
            if policy && kind == Kind::Environment {
                return Err(CreditError::PolicyEnvironment { index });
            }
            reached = end;
        }
        if reached != self.tokens {
            return Err(CreditError::Coverage { reached, tokens: self.tokens });
        }
        if self.scores.len() != self.tokens {
            let (scores, tokens) = (self.scores.len(), self.tokens);
            return Err(CreditError::ScoreCount { scores, tokens });
        }
        match self.scores.iter().position(|score| !score.is_finite()) {
            Some(index) => Err(CreditError::Score { index, value: self.scores[index] }),
            None => Ok(()),
        }
    }

    /// The messages that the policy wrote, with their indices.
    pub(super) fn policy_messages(&self) -> impl Iterator<Item = (usize, &Message)> {
        self.messages.iter().enumerate().filter(|(_, message)| message.policy)
    }
}

impl Message {
    /// The tokens of the message.
    pub(super) fn range(&self) -> std::ops::Range<usize> {
        self.start..self.end
    }
}

impl ScoredTrajectory {
    /// Checks the trajectory, the reward and the advantage.
    pub(super) fn check(&self) -> Result<(), CreditError> {
        for (field, value) in [("reward", self.reward), ("advantage", self.advantage)] {
            if !value.is_finite() {
                return Err(CreditError::NotFinite { field, value });
            }
        }
        self.trajectory.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_kind_is_the_one_in_json() {
        let names = "search open details option page back ask buy decline invalid environment";
        for name in names.split(' ') {
            let kind: Kind = serde_json::from_value(name.into()).unwrap();
            assert_eq!(kind.name(), name);
        }
    }
}
