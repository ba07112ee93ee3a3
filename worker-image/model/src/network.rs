//! The interface of a trainable network.

use thiserror::Error;

use crate::batch::{BatchStatistics, MicroBatch, Objective};
use crate::parameters::Parameters;

/// A decoder that can be evaluated and differentiated.
///
/// The weights are an argument: a network holds only the geometry and working memory.
pub trait Network: Send + Sync {
    /// Most tokens of a micro-batch. The number decides which sums are formed, and so the last bits of the weights:
    /// it is a constant of the network, the same on all machines.
    fn micro_batch_tokens(&self) -> usize;

    /// The gradient of the objective in layout order (as long as the weights), and the batch's statistics.
    ///
    /// [`crate::fused::TreeSum`] adds the micro-batches in the order of their indices.
    ///
    /// # Errors
    /// A sequence does not fit the geometry, the weights are of another geometry, or the device failed.
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

    /// Logits of the token that follows `tokens`, one per vocabulary entry.
    ///
    /// # Errors
    /// As for [`Network::gradients`], or `tokens` is empty.
    fn logits(&self, parameters: &Parameters, tokens: &[u32]) -> Result<Vec<f32>, NetworkError>;
}

/// Why a network refused its input or failed.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// The text is empty.
    #[error("sequence {sequence} has no tokens; a text needs at least one")]
    Empty {
        /// Index of the sequence in the call.
        sequence: usize,
    },
    /// A text exceeds the context.
    #[error(
        "sequence {sequence} has {length} tokens, but the context ends at {limit} (max_position_embeddings)"
    )]
    TooLong {
        /// Index of the sequence in the call.
        sequence: usize,
        /// Its length in tokens.
        length: usize,
        /// Most tokens of a text.
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
    /// The weights are of another geometry.
    #[error("the weights hold {found} values, but this geometry has {expected}")]
    Weights {
        /// Values found.
        found: usize,
        /// Values of the geometry.
        expected: usize,
    },
    /// The tensor library or the device failed.
    #[error("the device failed")]
    Device(#[from] candle_core::Error),
}
