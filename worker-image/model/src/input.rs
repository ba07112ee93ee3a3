//! Checks of a network's input.

use crate::batch::MicroBatch;
use crate::config::ModelConfig;
use crate::network::NetworkError;

/// The number of weights must be that of the geometry.
pub(crate) fn check_weights(found: usize, expected: usize) -> Result<(), NetworkError> {
    if found == expected { Ok(()) } else { Err(NetworkError::Weights { found, expected }) }
}

/// Sequence number `sequence` must have tokens, all inside the vocabulary, and fit into the context.
pub(crate) fn check_tokens(
    config: &ModelConfig,
    sequence: usize,
    tokens: &[u32],
) -> Result<(), NetworkError> {
    let (length, limit, vocabulary) =
        (tokens.len(), config.max_position_embeddings, config.vocab_size);
    if length == 0 {
        return Err(NetworkError::Empty { sequence });
    }
    if length > limit {
        return Err(NetworkError::TooLong { sequence, length, limit });
    }
    match tokens.iter().position(|&token| token as usize >= vocabulary) {
        Some(position) => {
            let token = tokens[position];
            Err(NetworkError::UnknownToken { sequence, position, token, vocabulary })
        }
        None => Ok(()),
    }
}

/// Every sequence of every micro-batch must fit and have one target per token. Errors number the sequences across
/// batches.
pub(crate) fn check_batches(
    config: &ModelConfig,
    batches: &[MicroBatch],
) -> Result<(), NetworkError> {
    for (index, sequence) in batches.iter().flat_map(|batch| &batch.sequences).enumerate() {
        check_tokens(config, index, &sequence.tokens)?;
        let (tokens, targets) = (sequence.tokens.len(), sequence.targets.len());
        if tokens != targets {
            return Err(NetworkError::Targets { sequence: index, tokens, targets });
        }
    }
    Ok(())
}
