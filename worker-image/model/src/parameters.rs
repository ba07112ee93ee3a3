//! The policy's weights as one flat vector, and the layout that names its parts.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use shoprl_rl::seed::{Purpose, Stream};
use thiserror::Error;

use crate::config::ModelConfig;

/// Learning-rate scale of the gains of normalised queries and keys. These gains alone control how sharply a head
/// attends: Muon moves a matrix by a fixed distance per step, and the norm after it removes the scale. Chosen for
/// that reason; on seed 1 the loss over the first 0.4M tokens was the same with 1 and with 10.
const ATTENTION_GAIN_SCALE: f32 = 10.0;

/// The purpose of a tensor, which decides how it is initialised and optimised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A linear map `[out, in]`; orthogonalised by Muon.
    Matrix,
    /// The embedding table `[vocab, hidden]`, which is also the output projection.
    Embedding,
    /// The gain of an RMSNorm.
    Norm,
}

/// The place of one tensor in the flat vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Hugging Face's name of the tensor.
    pub name: String,
    /// Sizes, outermost first; row-major order.
    pub shape: Vec<usize>,
    /// Index of its first value.
    pub offset: usize,
    /// The tensor's purpose.
    pub class: Class,
    /// Factor on AdamW's learning rate (see [`Layout::new`]).
    pub learning_rate_scale: f32,
}

impl Entry {
    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no values; no valid geometry has such a tensor.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its range in the flat vector.
    pub fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.len()
    }
}

/// The tensors of one decoder layer as ranges of the flat vector. Matrices are `[out, in]` in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerRanges {
    /// Gain before attention, `[hidden]`.
    pub input_norm: Range<usize>,
    /// Queries, `[heads * head_dim, hidden]`.
    pub query: Range<usize>,
    /// Keys, `[kv_heads * head_dim, hidden]`; directly after the queries.
    pub key: Range<usize>,
    /// Values, `[kv_heads * head_dim, hidden]`; directly after the keys.
    pub value: Range<usize>,
    /// Gain of every query head, `[head_dim]`.
    pub query_norm: Range<usize>,
    /// Gain of every key head, `[head_dim]`.
    pub key_norm: Range<usize>,
    /// Attention output, `[hidden, heads * head_dim]`.
    pub output: Range<usize>,
    /// Gain before the MLP, `[hidden]`.
    pub post_attention_norm: Range<usize>,
    /// Gate, `[intermediate, hidden]`.
    pub gate: Range<usize>,
    /// Up, `[intermediate, hidden]`; directly after the gate.
    pub up: Range<usize>,
    /// Down, `[hidden, intermediate]`.
    pub down: Range<usize>,
}

/// The ordered list of all tensors of one geometry.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    entries: Vec<Entry>,
    index: BTreeMap<String, usize>,
    layers: Vec<LayerRanges>,
    len: usize,
}

impl Layout {
    /// The layout for `config`: embedding, layers in order, final norm.
    ///
    /// The embedding has unit scale, and the final norm's gain (initially `hidden^-1/2`) brings the tied logits
    /// back to unit scale. An embedding of scale `hidden^-1/2` that is multiplied by `sqrt(hidden)` on input is the
    /// same function in other coordinates. AdamW's step does not depend on the gradient's scale, so it follows the
    /// same path if the embedding's learning rate is multiplied by `sqrt(hidden)` and the final norm's by
    /// `hidden^-1/2`. Those are the scales of this layout.
    pub fn new(config: &ModelConfig) -> Self {
        let mut layout =
            Self { entries: Vec::new(), index: BTreeMap::new(), layers: Vec::new(), len: 0 };
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let (queries, keys, head) =
            (config.query_width(), config.key_value_width(), config.head_dim);
        let root = (hidden as f32).sqrt();
        layout.push(
            "model.embed_tokens.weight",
            &[config.vocab_size, hidden],
            Class::Embedding,
            root,
        );
        for number in 0..config.num_hidden_layers {
            let prefix = format!("model.layers.{number}");
            let norm = |name: &str, width: usize| {
                (format!("{prefix}.{name}.weight"), vec![width], Class::Norm)
            };
            let matrix = |name: &str, rows: usize, columns: usize| {
                (format!("{prefix}.{name}.weight"), vec![rows, columns], Class::Matrix)
            };
            let parts = [
                norm("input_layernorm", hidden),
                matrix("self_attn.q_proj", queries, hidden),
                matrix("self_attn.k_proj", keys, hidden),
                matrix("self_attn.v_proj", keys, hidden),
                norm("self_attn.q_norm", head),
                norm("self_attn.k_norm", head),
                matrix("self_attn.o_proj", hidden, queries),
                norm("post_attention_layernorm", hidden),
                matrix("mlp.gate_proj", inner, hidden),
                matrix("mlp.up_proj", inner, hidden),
                matrix("mlp.down_proj", hidden, inner),
            ];
            let [
                input_norm,
                query,
                key,
                value,
                query_norm,
                key_norm,
                output,
                post_attention_norm,
                gate,
                up,
                down,
            ] = parts.map(|(name, shape, class)| {
                let sharpens = name.ends_with("q_norm.weight") || name.ends_with("k_norm.weight");
                let scale = if sharpens { ATTENTION_GAIN_SCALE } else { 1.0 };
                layout.push(&name, &shape, class, scale)
            });
            layout.layers.push(LayerRanges {
                input_norm,
                query,
                key,
                value,
                query_norm,
                key_norm,
                output,
                post_attention_norm,
                gate,
                up,
                down,
            });
        }
        layout.push("model.norm.weight", &[hidden], Class::Norm, 1.0 / root);
        layout
    }

    fn push(
        &mut self,
        name: &str,
        shape: &[usize],
        class: Class,
        learning_rate_scale: f32,
    ) -> Range<usize> {
        let entry = Entry {
            name: name.to_owned(),
            shape: shape.to_vec(),
            offset: self.len,
            class,
            learning_rate_scale,
        };
        let range = entry.range();
        self.len = range.end;
        self.index.insert(entry.name.clone(), self.entries.len());
        self.entries.push(entry);
        range
    }

    /// The tensors, in the order of the flat vector.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The tensor called `name`, if the geometry has it.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.index.get(name).map(|&number| &self.entries[number])
    }

    /// The ranges of every layer, in order.
    pub fn layers(&self) -> &[LayerRanges] {
        &self.layers
    }

    /// The embedding table `[vocab, hidden]`.
    pub fn embedding(&self) -> Range<usize> {
        self.entries[0].range()
    }

    /// The gain of the last RMSNorm, `[hidden]`.
    pub fn final_norm(&self) -> Range<usize> {
        self.entries[self.entries.len() - 1].range()
    }

    /// Number of values of all tensors.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no values; no valid geometry is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// The number of bytes is not that of the layout.
#[derive(Debug, Error)]
#[error(
    "weights hold {found} bytes, but this geometry has {expected} ({values} float32 values): the weights are of another model configuration"
)]
pub struct WrongLength {
    /// Bytes found.
    pub found: usize,
    /// Bytes that the layout needs.
    pub expected: usize,
    /// Values of the layout.
    pub values: usize,
}

/// All weights of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    /// The layout of the values.
    pub layout: Arc<Layout>,
    /// The values, in layout order.
    pub values: Vec<f32>,
}

impl Parameters {
    /// Random weights: a function of the geometry and `seed`.
    ///
    /// The embedding is N(0, 1) and the final gain `hidden^-1/2` (unit logits, see [`Layout::new`]). Query, key,
    /// value, gate and up are N(0, 1/in). The two maps that write to the residual stream are N(0, 1/(2 layers in)),
    /// so that its variance does not grow with depth (GPT-2's rule). All other gains are 1. Every tensor draws from
    /// its own stream.
    pub fn init(config: &ModelConfig, seed: u64) -> Self {
        let layout = Layout::new(config);
        let mut values = vec![1.0; layout.len()];
        let residual = 1.0 / ((2 * config.num_hidden_layers) as f32).sqrt();
        for (number, entry) in layout.entries().iter().enumerate() {
            let writes_residual =
                entry.name.ends_with("o_proj.weight") || entry.name.ends_with("down_proj.weight");
            let deviation = match entry.class {
                Class::Norm => continue,
                Class::Embedding => 1.0,
                Class::Matrix => {
                    1.0 / (entry.shape[1] as f32).sqrt()
                        * if writes_residual { residual } else { 1.0 }
                }
            };
            let mut stream = Stream::new(seed, Purpose::Initialization, &[number as u64]);
            values[entry.range()].fill_with(|| stream.normal_f32() * deviation);
        }
        values[layout.final_norm()].fill(1.0 / (config.hidden_size as f32).sqrt());
        Self { layout: Arc::new(layout), values }
    }

    /// The values of the tensor called `name`, if the geometry has it.
    pub fn tensor(&self, name: &str) -> Option<&[f32]> {
        self.layout.entry(name).map(|entry| &self.values[entry.range()])
    }

    /// The values as little-endian float32 in layout order: the form that rollouts receive.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    /// Reads what [`Parameters::to_bytes`] wrote for the same layout.
    ///
    /// # Errors
    /// The number of bytes is not that of the layout.
    pub fn from_bytes(layout: Arc<Layout>, bytes: &[u8]) -> Result<Self, WrongLength> {
        let expected = layout.len() * 4;
        if bytes.len() != expected {
            return Err(WrongLength { found: bytes.len(), expected, values: layout.len() });
        }
        let values =
            bytes.as_chunks::<4>().0.iter().map(|&value| f32::from_le_bytes(value)).collect();
        Ok(Self { layout, values })
    }

    /// SHA-256 of [`Parameters::to_bytes`], in hexadecimal.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for block in self.values.chunks(4096) {
            let bytes: Vec<u8> = block.iter().flat_map(|value| value.to_le_bytes()).collect();
            hash.update(&bytes);
        }
        base16ct::lower::encode_string(&hash.finalize())
    }
}

#[cfg(test)]
mod tests;
