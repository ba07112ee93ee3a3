//! What every role must agree on about the policy: tokenizer, geometry, and how an episode becomes tokens.

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

/// The configured geometry.
pub(crate) fn model(config: &RunConfig, tokenizer: &Tokenizer) -> Result<ModelConfig, Exit> {
    let model = ModelConfig::preset(&config.policy.preset, tokenizer.vocab_size())
        .map_err(|error| Exit::bad_configuration(format!("policy.model.preset: {error}")))?;
    let longest = model.max_position_embeddings;
    if config.policy.context as usize > longest {
        return Err(Exit::bad_configuration(format!(
            "policy.context: {} is more than the model's {longest} positions",
            config.policy.context
        )));
    }
    Ok(model)
}

/// Tokens of an observation, with the mark that asks for an action.
pub(crate) fn observation_tokens(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let mut tokens = tokenizer.encode(text);
    tokens.push(tokenizer.act());
    tokens
}

/// What the shop is told when the policy wrote `tokens`: an action that was cut off says so.
pub(crate) fn action_text(tokenizer: &Tokenizer, tokens: &[u32]) -> String {
    match tokens.split_last() {
        Some((last, rest)) if *last == tokenizer.end() => tokenizer.decode(rest),
        _ => tokenizer.decode(tokens) + UNFINISHED,
    }
}

/// Random draws of one action: a function of who plays what when, never of where or in which order.
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

/// A number of a batch's name (FNV-1a, 64 bits): names are few and fixed, and a test of the trainer's names excludes collisions.
pub(crate) fn batch_number(batch: &str) -> u64 {
    batch.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
