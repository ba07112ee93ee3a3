//! Sizes of the decoder, with the padding that the kernels need.

use crate::config::ModelConfig;
use crate::kernel::{Norm, padded};
use crate::parameters::Layout;

/// Sizes derived from a configuration. A `stride` is the distance between rows in working memory: the width rounded
/// up to whole panels.
#[derive(Clone, Debug)]
pub(crate) struct Geometry {
    pub(crate) vocabulary: usize,
    pub(crate) vocabulary_stride: usize,
    pub(crate) hidden: usize,
    pub(crate) hidden_stride: usize,
    /// Distance between rows of gate and up together.
    pub(crate) gate_up_stride: usize,
    pub(crate) inner: usize,
    pub(crate) inner_stride: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    pub(crate) key_value_heads: usize,
    pub(crate) head: usize,
    pub(crate) head_stride: usize,
    /// Width of all query heads.
    pub(crate) attended: usize,
    pub(crate) attended_stride: usize,
    /// Width of queries, keys and values together.
    pub(crate) qkv: usize,
    pub(crate) qkv_stride: usize,
    pub(crate) context: usize,
    pub(crate) epsilon: f32,
    /// Factor on attention scores: `head^-1/2`.
    pub(crate) scale: f32,
    pub(crate) theta: f64,
    pub(crate) layout: Layout,
}

impl Geometry {
    pub(crate) fn new(config: &ModelConfig) -> Self {
        let attended = config.query_width();
        let qkv = attended + 2 * config.key_value_width();
        Self {
            vocabulary: config.vocab_size,
            vocabulary_stride: padded(config.vocab_size),
            hidden: config.hidden_size,
            hidden_stride: padded(config.hidden_size),
            gate_up_stride: padded(2 * config.intermediate_size),
            inner: config.intermediate_size,
            inner_stride: padded(config.intermediate_size),
            layers: config.num_hidden_layers,
            heads: config.num_attention_heads,
            key_value_heads: config.num_key_value_heads,
            head: config.head_dim,
            head_stride: padded(config.head_dim),
            attended,
            attended_stride: padded(attended),
            qkv,
            qkv_stride: padded(qkv),
            context: config.max_position_embeddings,
            epsilon: config.rms_norm_eps as f32,
            scale: 1.0 / (config.head_dim as f32).sqrt(),
            theta: config.rope_theta,
            layout: Layout::new(config),
        }
    }

    /// The norm of rows of the residual stream.
    pub(crate) fn norm<'a>(&self, gain: &'a [f32]) -> Norm<'a> {
        Norm { gain, epsilon: self.epsilon, stride: self.hidden_stride }
    }

    /// The norm of heads `stride` values apart.
    pub(crate) fn head_norm<'a>(&self, gain: &'a [f32], stride: usize) -> Norm<'a> {
        Norm { gain, epsilon: self.epsilon, stride }
    }

    /// The key-value head that serves query head `head`.
    pub(crate) fn shared(&self, head: usize) -> usize {
        head / (self.heads / self.key_value_heads)
    }
}
