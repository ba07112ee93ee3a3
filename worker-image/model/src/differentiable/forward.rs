//! The forward pass on tensors: over whole texts, or over new tokens after cached ones.

use candle_core::{D, IndexOp, Result, Tensor};

use super::DifferentiableNetwork;

/// Texts padded on the right to one width.
pub(super) struct Rectangle {
    /// Row by row. The padding is token 0. No token of the text attends to it, because it comes after all of them.
    pub(super) tokens: Vec<u32>,
    pub(super) height: usize,
    pub(super) width: usize,
}

impl Rectangle {
    pub(super) fn new(texts: &[&[u32]]) -> Self {
        let width = texts.iter().map(|text| text.len()).max().unwrap_or(0);
        let mut tokens = vec![0; texts.len() * width];
        for (row, text) in tokens.chunks_mut(width.max(1)).zip(texts) {
            row[..text.len()].copy_from_slice(text);
        }
        Self { tokens, height: texts.len(), width }
    }
}

/// One layer's tensors, shaped as in the layout.
#[derive(Debug)]
pub(super) struct Layer {
    input_norm: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    query_norm: Tensor,
    key_norm: Tensor,
    output: Tensor,
    post_attention_norm: Tensor,
    gate: Tensor,
    up: Tensor,
    down: Tensor,
}

/// All tensors by their purpose.
#[derive(Debug)]
pub(super) struct Weights {
    embedding: Tensor,
    layers: Vec<Layer>,
    final_norm: Tensor,
}

impl Weights {
    /// Takes the tensors in layout order.
    pub(super) fn new(tensors: impl Iterator<Item = Tensor>) -> Self {
        let tensors: Vec<Tensor> = tensors.collect();
        let [embedding, layers @ .., final_norm] = tensors.as_slice() else {
            unreachable!("a layout starts with the embedding and ends with the final norm")
        };
        let layers = layers.as_chunks().0.iter().cloned().map(
            |[
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
            ]| Layer {
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
            },
        );
        Self {
            embedding: embedding.clone(),
            layers: layers.collect(),
            final_norm: final_norm.clone(),
        }
    }
}

/// Rotary factors and attention mask of the tokens of one forward pass.
pub(super) struct Positions {
    /// Rotary factors, `[1 or rows, 1, width, head / 2]`.
    pub(super) cos: Tensor,
    pub(super) sin: Tensor,
    /// 0 where a token may attend, -inf elsewhere, `[1 or rows, 1, 1, width, keys]`.
    pub(super) mask: Tensor,
}

/// Turns a layer's new keys and values into those it attends to, `[rows, key heads, keys, head]`.
pub(super) trait Past {
    fn extend(&mut self, layer: usize, keys: Tensor, values: Tensor) -> Result<(Tensor, Tensor)>;
}

/// No cache: the new tokens are the whole text.
pub(super) struct Whole;

impl Past for Whole {
    fn extend(&mut self, _: usize, keys: Tensor, values: Tensor) -> Result<(Tensor, Tensor)> {
        Ok((keys, values))
    }
}

impl DifferentiableNetwork {
    /// The last layer's output for whole texts, `[height * width, hidden]`.
    pub(super) fn hidden(&self, weights: &Weights, texts: &Rectangle) -> Result<Tensor> {
        let width = texts.width;
        let future = |query: usize| {
            (0..width).map(move |key| if key > query { f32::NEG_INFINITY } else { 0.0 })
        };
        let mask: Vec<f32> = (0..width).flat_map(future).collect();
        let table = |table: &Tensor| table.i(..width)?.unsqueeze(0)?.unsqueeze(0);
        let positions = Positions {
            cos: table(&self.cos)?,
            sin: table(&self.sin)?,
            mask: Tensor::from_vec(mask, (1, 1, 1, width, width), &self.device)?,
        };
        self.pass(weights, texts, &positions, &mut Whole)
    }

    /// The last layer's output for the tokens of a rectangle, `[height * width, hidden]`.
    pub(super) fn pass(
        &self,
        weights: &Weights,
        texts: &Rectangle,
        positions: &Positions,
        past: &mut impl Past,
    ) -> Result<Tensor> {
        let tokens = Tensor::from_slice(&texts.tokens, texts.tokens.len(), &self.device)?;
        let mut x = weights.embedding.index_select(&tokens, 0)?;
        for (number, layer) in weights.layers.iter().enumerate() {
            let normed = self.norm(&x, &layer.input_norm)?;
            let attended =
                self.attend(number, layer, &normed, (texts.height, texts.width), positions, past)?;
            x = (x + linear(&attended, &layer.output)?)?;
            let normed = self.norm(&x, &layer.post_attention_norm)?;
            let gated = (linear(&normed, &layer.gate)?.silu()? * linear(&normed, &layer.up)?)?;
            x = (x + linear(&gated, &layer.down)?)?;
        }
        Ok(x)
    }

    /// Logits of the token after each of `rows` of `hidden`, `[rows, vocabulary]`.
    pub(super) fn logits_at(
        &self,
        weights: &Weights,
        hidden: &Tensor,
        rows: &[u32],
    ) -> Result<Tensor> {
        let rows = Tensor::from_slice(rows, rows.len(), &self.device)?;
        let normed = self.norm(&hidden.index_select(&rows, 0)?, &weights.final_norm)?;
        linear(&normed, &weights.embedding)
    }

    /// RMSNorm over the last dimension.
    fn norm(&self, x: &Tensor, gain: &Tensor) -> Result<Tensor> {
        let mean_square = x.sqr()?.mean_keepdim(D::Minus1)?;
        x.broadcast_div(&(mean_square + self.config.rms_norm_eps)?.sqrt()?)?.broadcast_mul(gain)
    }

    /// Grouped-query attention of `x` `[height * width, hidden]`, before the output projection.
    fn attend(
        &self,
        number: usize,
        layer: &Layer,
        x: &Tensor,
        (height, width): (usize, usize),
        positions: &Positions,
        past: &mut impl Past,
    ) -> Result<Tensor> {
        let (heads, shared, head) = (
            self.config.num_attention_heads,
            self.config.num_key_value_heads,
            self.config.head_dim,
        );
        let by_head = |x: Tensor, count: usize| x.reshape((height, width, count, head));
        let queries = self.norm(&by_head(linear(x, &layer.query)?, heads)?, &layer.query_norm)?;
        let keys = self.norm(&by_head(linear(x, &layer.key)?, shared)?, &layer.key_norm)?;
        let values = by_head(linear(x, &layer.value)?, shared)?.transpose(1, 2)?.contiguous()?;
        let queries = rotate(&queries.transpose(1, 2)?, positions)?;
        let keys = rotate(&keys.transpose(1, 2)?, positions)?;
        let (keys, values) = past.extend(number, keys, values)?;

        // Heads that share a key head are neighbours, so they can be rows of one product.
        let group = heads / shared;
        let queries = queries.reshape((height, shared, group * width, head))?;
        let scores = (queries.matmul(&keys.t()?)? * (head as f64).powf(-0.5))?;
        let scores =
            scores.reshape((height, shared, group, width, ()))?.broadcast_add(&positions.mask)?;
        let shares = softmax(&scores)?.reshape((height, shared, group * width, ()))?;
        let attended = shares.matmul(&values)?.reshape((height, heads, width, head))?;
        attended.transpose(1, 2)?.reshape((height * width, heads * head))
    }
}

/// `x wᵀ` for a matrix stored `[out, in]`.
fn linear(x: &Tensor, w: &Tensor) -> Result<Tensor> {
    x.matmul(&w.t()?)
}

/// Softmax over the last dimension. The maximum only limits the range of exp; it has no gradient.
fn softmax(x: &Tensor) -> Result<Tensor> {
    let exponentials = x.broadcast_sub(&x.max_keepdim(D::Minus1)?.detach())?.exp()?;
    exponentials.broadcast_div(&exponentials.sum_keepdim(D::Minus1)?)
}

/// Rotary embedding (half-split) of `[rows, heads, width, head]`; the result is contiguous.
fn rotate(x: &Tensor, positions: &Positions) -> Result<Tensor> {
    let half = x.dim(D::Minus1)? / 2;
    let (a, b) = (x.narrow(D::Minus1, 0, half)?, x.narrow(D::Minus1, half, half)?);
    let turned = |x: &Tensor, y: &Tensor| {
        Ok::<_, candle_core::Error>((
            x.broadcast_mul(&positions.cos)?,
            y.broadcast_mul(&positions.sin)?,
        ))
    };
    let (a_cos, b_sin) = turned(&a, &b)?;
    let (b_cos, a_sin) = turned(&b, &a)?;
    Tensor::cat(&[(a_cos - b_sin)?, (b_cos + a_sin)?], D::Minus1)?.contiguous()
}
