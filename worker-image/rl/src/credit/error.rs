//! Errors of credit assignment.

/// The first fault of a trajectory, a batch or the options: field, value and remedy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CreditError {
    /// A message does not start at the end of the previous message.
    #[error(
        "messages[{index}].start is {start}, expected {expected}: messages must cover the tokens \
         in order, without gaps or overlaps"
    )]
    MessageStart {
        /// Position in `messages`.
        index: usize,
        /// The value found.
        start: usize,
        /// End of the previous message.
        expected: usize,
    },
    /// A message has no tokens.
    #[error("messages[{index}] is {start}..{end}: a message must hold at least one token")]
    MessageEmpty {
        /// Position in `messages`.
        index: usize,
        /// Its start.
        start: usize,
        /// Its end.
        end: usize,
    },
    /// A message of the policy has the environment's kind.
    #[error(
        "messages[{index}] has policy: true and kind: environment: \
         set policy to false or name what the action does"
    )]
    PolicyEnvironment {
        /// Position in `messages`.
        index: usize,
    },
    /// The messages do not end at the last token.
    #[error("messages end at {reached}, tokens is {tokens}: the last message must end there")]
    Coverage {
        /// End of the last message.
        reached: usize,
        /// Number of tokens.
        tokens: usize,
    },
    /// The number of scores is not the number of tokens.
    #[error("scores has {scores} values, tokens is {tokens}: give one score per token")]
    ScoreCount {
        /// Number of scores.
        scores: usize,
        /// Number of tokens.
        tokens: usize,
    },
    /// A score is NaN or infinite.
    #[error("scores[{index}] is {value}: every score must be a finite number")]
    Score {
        /// Position in `scores`.
        index: usize,
        /// The value found.
        value: f64,
    },
    /// A number is NaN or infinite.
    #[error("{field} is {value}: it must be a finite number")]
    NotFinite {
        /// The field's name.
        field: &'static str,
        /// The value found.
        value: f64,
    },
    /// An option is outside its range.
    #[error("{field} is {value}: it must be {expected}")]
    Option {
        /// The field's name.
        field: &'static str,
        /// The value found.
        value: f64,
        /// The range.
        expected: &'static str,
    },
    /// Two vectors over the batch disagree in length.
    #[error("{field} has {found} entries, expected {expected}: give one per {unit}")]
    Length {
        /// The argument's name.
        field: &'static str,
        /// Its length.
        found: usize,
        /// The required length.
        expected: usize,
        /// What each entry belongs to.
        unit: &'static str,
    },
    /// One trajectory of a batch is wrong.
    #[error("trajectory {index} of the batch, group {group}: {error}")]
    InBatch {
        /// Position in the batch.
        index: usize,
        /// Its group.
        group: u64,
        /// The fault.
        error: Box<CreditError>,
    },
}
