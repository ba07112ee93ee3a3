//! The decoder's geometry, stored as the `config.json` of Hugging Face's `Qwen3ForCausalLM`.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::tokenizer::{END, PAD};

/// Names of the built-in geometries, as used in `model.preset` of a manifest.
pub const PRESETS: &[&str] = &["nano"];

/// The geometry of a Qwen3 decoder (Qwen3 technical report, section 2; field names of Hugging Face's `Qwen3Config`).
///
/// RMSNorm before attention and MLP, RMSNorm per head on queries and keys, grouped-query attention,
/// half-split rotary embedding, SwiGLU, no biases, input and output embedding shared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelConfig {
    /// Class names that a reader may instantiate; `Qwen3ForCausalLM` only.
    pub architectures: Vec<String>,
    /// Hugging Face's name of the architecture; always `qwen3`.
    pub model_type: String,
    /// Rows of the embedding, which is also the output projection.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the gate and up projections.
    pub intermediate_size: usize,
    /// Number of decoder layers.
    pub num_hidden_layers: usize,
    /// Query heads.
    pub num_attention_heads: usize,
    /// Key and value heads; each serves `num_attention_heads / num_key_value_heads` query heads.
    pub num_key_value_heads: usize,
    /// Width of one head; even, because the rotary embedding turns pairs.
    pub head_dim: usize,
    /// Activation of the gate; always `silu`.
    pub hidden_act: String,
    /// Longest context in tokens.
    pub max_position_embeddings: usize,
    /// Added to the mean square inside every RMSNorm.
    pub rms_norm_eps: f64,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
    /// Rescaling of the rotary positions; not supported, so always absent.
    #[serde(default)]
    pub rope_scaling: Option<serde_json::Value>,
    /// Biases in the attention projections; always false.
    #[serde(default)]
    pub attention_bias: bool,
    /// Dropout on attention weights; always 0.
    #[serde(default)]
    pub attention_dropout: f64,
    /// Sliding-window attention; always false.
    #[serde(default)]
    pub use_sliding_window: bool,
    /// Whether input and output embedding are one tensor; always true.
    #[serde(default)]
    pub tie_word_embeddings: bool,
    /// Whether generation keeps keys and values.
    #[serde(default = "yes")]
    pub use_cache: bool,
    /// Element type of the saved tensors; always `float32`.
    #[serde(default = "float32")]
    pub torch_dtype: String,
    /// First token of every text; the policy has none.
    #[serde(default)]
    pub bos_token_id: Option<u32>,
    /// Token that closes an action.
    #[serde(default)]
    pub eos_token_id: Option<u32>,
    /// Token that fills the tail of a padded row.
    #[serde(default)]
    pub pad_token_id: Option<u32>,
}

fn yes() -> bool {
    true
}

fn float32() -> String {
    "float32".to_owned()
}

/// Why a geometry cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// There is no preset of this name.
    #[error("model preset `{0}` does not exist; choose one of: {choices}", choices = PRESETS.join(", "))]
    UnknownPreset(String),
    /// The text is not a configuration.
    #[error("not a model configuration")]
    Json(#[from] serde_json::Error),
    /// This decoder does not implement the field's value.
    #[error("`{field}` is {found}, but must be {expected}")]
    Field {
        /// Name of the field as in `config.json`.
        field: &'static str,
        /// Value found.
        found: String,
        /// Values that are accepted.
        expected: String,
    },
}

impl ModelConfig {
    /// The built-in geometry `name` (see [`PRESETS`]) for a vocabulary of `vocab_size` tokens.
    ///
    /// `nano` is four layers of width 128: about 0.8 million parameters plus the embedding. The control tokens have
    /// fixed ids ([`crate::tokenizer`]); a vocabulary too small for one leaves its field empty.
    ///
    /// # Errors
    /// The preset is unknown, or the vocabulary is empty.
    pub fn preset(name: &str, vocab_size: usize) -> Result<Self, ConfigError> {
        if name != "nano" {
            return Err(ConfigError::UnknownPreset(name.to_owned()));
        }
        let control = |id: u32| (vocab_size > id as usize).then_some(id);
        let config = Self {
            architectures: vec!["Qwen3ForCausalLM".to_owned()],
            model_type: "qwen3".to_owned(),
            vocab_size,
            hidden_size: 128,
            intermediate_size: 352,
            num_hidden_layers: 4,
            num_attention_heads: 4,
            num_key_value_heads: 4,
            head_dim: 32,
            hidden_act: "silu".to_owned(),
            max_position_embeddings: 512,
            rms_norm_eps: 1e-6,
            rope_theta: 1e4,
            rope_scaling: None,
            attention_bias: false,
            attention_dropout: 0.0,
            use_sliding_window: false,
            tie_word_embeddings: true,
            use_cache: true,
            torch_dtype: float32(),
            bos_token_id: None,
            eos_token_id: control(END),
            pad_token_id: control(PAD),
        };
        config.validate()?;
        Ok(config)
    }

    /// Reads the text of a `config.json` and validates it.
    ///
    /// # Errors
    /// The text is not JSON, a field is missing, or a value is not implemented.
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        let config: Self = serde_json::from_str(text)?;
        config.validate()?;
        Ok(config)
    }

    /// The text of `config.json`, indented, with a final newline.
    ///
    /// # Errors
    /// A number that JSON cannot hold (an infinite `rope_theta`).
    pub fn to_json(&self) -> Result<String, ConfigError> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Checks that this decoder implements every value.
    ///
    /// # Errors
    /// The first field that it does not implement, with the accepted values.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let fixed =
            |field, found: &str, expected: &str| check(field, &found, expected, found == expected);
        let positive = |field, found: f64| {
            check(field, &found, "positive and finite", found > 0.0 && found.is_finite())
        };
        let absent = |field, found: bool| check(field, &found, "false", !found);
        let class = "Qwen3ForCausalLM".to_owned();
        let known = self.architectures.contains(&class);
        check("architectures", &self.architectures.join(", "), &class, known)?;
        fixed("model_type", &self.model_type, "qwen3")?;
        fixed("hidden_act", &self.hidden_act, "silu")?;
        fixed("torch_dtype", &self.torch_dtype, "float32")?;
        for (field, size) in self.sizes() {
            check(field, &size, "at least 1", size > 0)?;
        }
        let (queries, keys) = (self.num_attention_heads, self.num_key_value_heads);
        let divisor = format!("a divisor of num_attention_heads = {queries}");
        check("num_key_value_heads", &keys, &divisor, queries.is_multiple_of(keys))?;
        check("head_dim", &self.head_dim, "even", self.head_dim.is_multiple_of(2))?;
        positive("rms_norm_eps", self.rms_norm_eps)?;
        positive("rope_theta", self.rope_theta)?;
        let scaling = self.rope_scaling.as_ref().map_or("null", |_| "set");
        fixed("rope_scaling", scaling, "null")?;
        absent("attention_bias", self.attention_bias)?;
        check("attention_dropout", &self.attention_dropout, "0", self.attention_dropout == 0.0)?;
        absent("use_sliding_window", self.use_sliding_window)?;
        check("tie_word_embeddings", &self.tie_word_embeddings, "true", self.tie_word_embeddings)?;
        self.validate_tokens()
    }

    fn validate_tokens(&self) -> Result<(), ConfigError> {
        let tokens = [
            ("bos_token_id", self.bos_token_id),
            ("eos_token_id", self.eos_token_id),
            ("pad_token_id", self.pad_token_id),
        ];
        let limit = format!("below vocab_size = {}", self.vocab_size);
        for (field, id) in tokens {
            let id = id.unwrap_or(0);
            check(field, &id, &limit, (id as usize) < self.vocab_size)?;
        }
        Ok(())
    }

    /// Width of all query heads together.
    pub fn query_width(&self) -> usize {
        self.num_attention_heads * self.head_dim
    }

    /// Width of all key heads together, and of all value heads.
    pub fn key_value_width(&self) -> usize {
        self.num_key_value_heads * self.head_dim
    }

    fn sizes(&self) -> [(&'static str, usize); 8] {
        [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("num_key_value_heads", self.num_key_value_heads),
            ("head_dim", self.head_dim),
            ("max_position_embeddings", self.max_position_embeddings),
        ]
    }
}

fn check(
    field: &'static str,
    found: &impl ToString,
    expected: &str,
    holds: bool,
) -> Result<(), ConfigError> {
    if holds {
        return Ok(());
    }
    Err(ConfigError::Field { field, found: found.to_string(), expected: expected.to_owned() })
}

#[cfg(test)]
mod tests;
