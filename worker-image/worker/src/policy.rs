//! What all roles must agree on about the policy: tokenizer, geometry, and the tokens of an episode.

use shoprl_contract::{Exit, RunConfig};
use shoprl_model::config::ModelConfig;
use shoprl_model::tokenizer::{SHOP_TOKENIZER, Tokenizer};
use shoprl_rl::seed::{Purpose, StreamKey};
use shoprl_simulator::UNFINISHED;

/// The tokenizer of every policy.
pub(crate) fn tokenizer() -> Result<Tokenizer, Exit> {
    Tokenizer::from_json(SHOP_TOKENIZER)
        .map_err(|error| Exit::bad_configuration(format!("built-in tokenizer.json: {error}")))
}

/// The model geometry from the configuration.
pub(crate) fn model(config: &RunConfig, tokenizer: &Tokenizer) -> Result<ModelConfig, Exit> {
    let model = ModelConfig::preset(&config.policy.preset, tokenizer.vocab_size())
        .map_err(|error| Exit::bad_configuration(format!("policy.model.preset: {error}")))?;
    let longest = model.max_position_embeddings;
    if config.policy.context as usize > longest {
        return Err(Exit::bad_configuration(format!(
            "policy.context: {} exceeds the model's {longest} positions",
            config.policy.context
        )));
    }
    Ok(model)
}

/// Tokens of an observation, followed by the token that asks for an action.
pub(crate) fn observation_tokens(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let mut tokens = tokenizer.encode(text);
    tokens.push(tokenizer.act());
    tokens
}

/// The action text for the shop. An action that was cut off is marked as unfinished.
pub(crate) fn action_text(tokenizer: &Tokenizer, tokens: &[u32]) -> String {
    match tokens.split_last() {
        Some((last, rest)) if *last == tokenizer.end() => tokenizer.decode(rest),
        _ => tokenizer.decode(tokens) + UNFINISHED,
    }
}

/// Stream key of one action's random draws. It depends on seed, batch, group, member and turn only, never on the worker or
/// on the order of play.
pub(crate) fn sampling_key(
    seed: u64,
    batch: &str,
    group: u64,
    member: u32,
    turn: u32,
) -> StreamKey {
    StreamKey::new(
        seed,
        Purpose::Sampling,
        &[batch_number(batch), group, u64::from(member), u64::from(turn)],
    )
}

/// FNV-1a hash (64 bits) of a batch's name. A test of the trainer's batch names excludes collisions.
pub(crate) fn batch_number(batch: &str) -> u64 {
    batch.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
