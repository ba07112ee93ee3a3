//! The policy as a Hugging Face folder: `transformers` loads it as `Qwen3ForCausalLM`, and checkpoints hold it.

mod disk;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use thiserror::Error;

use crate::config::{ConfigError, ModelConfig};
use crate::parameters::{Layout, Parameters};
use crate::tensor_file::{self, TensorFileError};
use crate::tokenizer::{Tokenizer, TokenizerError};

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const TOKENIZER: &str = "tokenizer.json";
const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const GENERATION_CONFIG: &str = "generation_config.json";

/// Remedy for a file that cannot be used.
const REMEDY: &str = "copy the folder again from its source, or use an older checkpoint";

/// Why a folder cannot be written or read.
#[derive(Debug, Error)]
pub enum FolderError {
    /// A file of the folder does not exist.
    #[error("{} does not exist; a model folder holds {CONFIG}, {WEIGHTS} and {TOKENIZER}", .0.display())]
    Missing(PathBuf),
    /// The operating system refused an operation.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// The operation: `read`, `write`, `create`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// This decoder does not implement the geometry.
    #[error("{} cannot be used; export the model as Qwen3ForCausalLM in float32", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The field and its accepted values.
        source: ConfigError,
    },
    /// The weights are damaged or of another geometry.
    #[error("{} cannot be used; {REMEDY}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: TensorFileError,
    },
    /// The tokenizer is damaged or is not one of this policy.
    #[error("{} cannot be used; {REMEDY}", path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: TokenizerError,
    },
    /// The tokenizer and the weights are of different models.
    #[error(
        "the tokenizer has {tokenizer} tokens, but `vocab_size` is {config}: the tokenizer and the weights are of different models; {REMEDY}"
    )]
    Vocabulary {
        /// Tokens of the tokenizer.
        tokenizer: usize,
        /// Rows of the embedding.
        config: usize,
    },
    /// The weights to write are of another geometry than the configuration.
    #[error("the weights are of another geometry than the configuration to write")]
    Geometry,
}

/// The files of a model folder as (name, content), in the order in which [`save`] writes them.
///
/// # Errors
/// The configuration, the weights and the tokenizer are of different models, or a weight is not finite.
pub fn files(
    config: &ModelConfig,
    parameters: &Parameters,
    tokenizer: &Tokenizer,
) -> Result<Vec<(&'static str, Vec<u8>)>, FolderError> {
    if tokenizer.vocab_size() != config.vocab_size {
        return Err(FolderError::Vocabulary {
            tokenizer: tokenizer.vocab_size(),
            config: config.vocab_size,
        });
    }
    if *parameters.layout != Layout::new(config) {
        return Err(FolderError::Geometry);
    }
    let config_error = |source| FolderError::Config { path: CONFIG.into(), source };
    let text = config.to_json().map_err(config_error)?;
    let weights = weights(parameters)
        .map_err(|source| FolderError::Weights { path: WEIGHTS.into(), source })?;
    Ok(vec![
        (CONFIG, text.into_bytes()),
        (GENERATION_CONFIG, pretty(&generation_config(tokenizer))),
        (TOKENIZER_CONFIG, pretty(&tokenizer_config(config, tokenizer))),
        (TOKENIZER, tokenizer.json().as_bytes().to_vec()),
        (WEIGHTS, weights),
    ])
}

/// Writes the folder `dir` and creates it if needed. Every file appears whole or not at all, and survives a power
/// loss once this returns.
///
/// # Errors
/// As [`files`], or the system refuses (no space, no permission). The old file of that name is then still whole.
pub fn save(
    dir: &Path,
    config: &ModelConfig,
    parameters: &Parameters,
    tokenizer: &Tokenizer,
) -> Result<(), FolderError> {
    disk::write(dir, &files(config, parameters, tokenizer)?)
}

/// Reads the geometry and the weights of the folder `dir`.
///
/// # Errors
/// A file is missing, truncated, corrupt or of another geometry. The error names the file, the fault and the
/// remedy.
pub fn load(dir: &Path) -> Result<(ModelConfig, Parameters), FolderError> {
    let path = dir.join(CONFIG);
    let config = match ModelConfig::from_json(&String::from_utf8_lossy(&disk::read(&path)?)) {
        Ok(config) => config,
        Err(source) => return Err(FolderError::Config { path, source }),
    };
    let path = dir.join(WEIGHTS);
    let layout = Arc::new(Layout::new(&config));
    let mut values = Vec::with_capacity(layout.len());
    let expected =
        layout.entries().iter().map(|entry| (entry.name.clone(), entry.shape.as_slice()));
    tensor_file::read(&disk::read(&path)?, expected, |_, tensor| values.extend(tensor))
        .map_err(|source| FolderError::Weights { path, source })?;
    Ok((config, Parameters { layout, values }))
}

/// Reads the tokenizer of the folder `dir`. Its vocabulary must have the size that `config` states.
///
/// # Errors
/// The file is missing or damaged, is not a tokenizer of this policy, or has another vocabulary size.
pub fn load_tokenizer(dir: &Path, config: &ModelConfig) -> Result<Tokenizer, FolderError> {
    let path = dir.join(TOKENIZER);
    let tokenizer = match Tokenizer::from_json(&String::from_utf8_lossy(&disk::read(&path)?)) {
        Ok(tokenizer) => tokenizer,
        Err(source) => return Err(FolderError::Tokenizer { path, source }),
    };
    if tokenizer.vocab_size() != config.vocab_size {
        return Err(FolderError::Vocabulary {
            tokenizer: tokenizer.vocab_size(),
            config: config.vocab_size,
        });
    }
    Ok(tokenizer)
}

fn weights(parameters: &Parameters) -> Result<Vec<u8>, TensorFileError> {
    let tensors = parameters.layout.entries().iter();
    for entry in tensors.clone() {
        let values = &parameters.values[entry.range()];
        if let Some(position) = values.iter().position(|value| !value.is_finite()) {
            return Err(TensorFileError::NotFinite {
                name: entry.name.clone(),
                value: values[position],
                position,
            });
        }
    }
    tensor_file::write(tensors.map(|entry| {
        (entry.name.clone(), entry.shape.as_slice(), &parameters.values[entry.range()])
    }))
}

fn generation_config(tokenizer: &Tokenizer) -> serde_json::Value {
    json!({
        "do_sample": true,
        "temperature": 1.0,
        "eos_token_id": tokenizer.end(),
        "pad_token_id": tokenizer.pad(),
    })
}

fn tokenizer_config(config: &ModelConfig, tokenizer: &Tokenizer) -> serde_json::Value {
    let spelling = |token| tokenizer.decode(&[token]);
    json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": config.max_position_embeddings,
        "eos_token": spelling(tokenizer.end()),
        "pad_token": spelling(tokenizer.pad()),
        "additional_special_tokens": [spelling(tokenizer.act())],
        // Decoding must return exactly what was encoded.
        "clean_up_tokenization_spaces": false,
    })
}

fn pretty(value: &serde_json::Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

#[cfg(test)]
mod tests;
