//! What training asks of a model, whoever computes it.

use thiserror::Error;

use crate::batch::{BatchStatistics, MicroBatch, Objective};
use crate::parameters::Parameters;

/// A decoder that can be evaluated and differentiated.
///
/// The weights are an argument: a network holds geometry and working memory only.
pub trait Network: Send + Sync {
    /// How many tokens a micro-batch shall have at most. It decides which sums are formed, and with them the last bits of the
    /// weights: a constant of the network, whatever the machine.
    fn micro_batch_tokens(&self) -> usize;

    /// Gradient of the objective in layout order (as long as the weights), and the batch's statistics.
    ///
    /// Micro-batches are summed by the binary tree of [`crate::fused::TreeSum`] over their indices.
    ///
    /// # Errors
    /// A sequence does not fit the geometry, the weights belong to another one, or the device failed.
    fn gradients(
        &self,
        parameters: &Parameters,
        batches: &[MicroBatch],
        objective: &Objective,
    ) -> Result<(Vec<f32>, BatchStatistics), NetworkError>;

    /// `ln p(tokens[t] | tokens[..t])` for every token of every sequence, in nats; 0 for the first, which nothing
    /// predicts.
    ///
    /// # Errors
    /// As for [`Network::gradients`].
    fn log_probabilities(
        &self,
        parameters: &Parameters,
        sequences: &[Vec<u32>],
    ) -> Result<Vec<Vec<f32>>, NetworkError>;

    /// Scores of the token that follows `tokens`, one per vocabulary entry.
    ///
    /// # Errors
    /// As for [`Network::gradients`]; also an empty text.
    fn logits(&self, parameters: &Parameters, tokens: &[u32]) -> Result<Vec<f32>, NetworkError>;
}

/// Why a network refused its input or failed on it.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// There is nothing to predict from.
    #[error("sequence {sequence} has no tokens; a text needs at least one")]
    Empty {
        /// Index of the sequence in the call.
        sequence: usize,
    },
    /// A text exceeds the positions the geometry has.
    #[error(
        "sequence {sequence} has {length} tokens, but the context ends at {limit} (max_position_embeddings)"
    )]
    TooLong {
        /// Index of the sequence in the call.
        sequence: usize,
        /// Its length in tokens.
        length: usize,
        /// The most tokens the geometry allows.
        limit: usize,
    },
    /// A token id is outside the vocabulary.
    #[error(
        "sequence {sequence}, position {position}: token {token} is outside the vocabulary of {vocabulary}"
    )]
    UnknownToken {
        /// Index of the sequence in the call.
        sequence: usize,
        /// Index of the token in the sequence.
        position: usize,
        /// The token id.
        token: u32,
        /// Size of the vocabulary.
        vocabulary: usize,
    },
    /// Targets do not match the tokens.
    #[error(
        "sequence {sequence} has {tokens} tokens but {targets} targets; each token needs one, the first `None`"
    )]
    Targets {
        /// Index of the sequence in the call.
        sequence: usize,
        /// Its length in tokens.
        tokens: usize,
        /// Number of its targets.
        targets: usize,
    },
    /// The weights are those of another geometry.
    #[error("the weights hold {found} values, but this geometry has {expected}")]
    Weights {
        /// Values found.
        found: usize,
        /// Values of the geometry.
        expected: usize,
    },
    /// The tensor library or the device failed.
    #[error("device: {0}")]
    Device(#[from] candle_core::Error),
}
