//! Generation on a device: a fixed number of texts in lock step, with cached keys and values.

use candle_core::{DType, Result, Tensor};
use shoprl_rl::sampling::sample;

use super::DifferentiableNetwork;
use super::forward::{Past, Positions, Rectangle, Weights};
use crate::engine::Generation;
use crate::input::check_tokens;
use crate::network::NetworkError;
use crate::parameters::Parameters;

/// A completed generation.
#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    /// The tokens, including the closing one.
    pub tokens: Vec<u32>,
    /// Log-probability of each token under the distribution it was drawn from, in nats.
    pub log_probabilities: Vec<f32>,
    /// Entropy of each of those distributions, in nats.
    pub entropies: Vec<f32>,
    /// Whether it ended with the closing token; otherwise it ended at a limit.
    pub closed: bool,
}

/// Texts on a device, by number. The device computes logits; the host draws tokens with `shoprl_rl::sampling`, so a
/// policy acts alike on all devices up to the rounding of its logits.
#[derive(Debug)]
pub struct Generator<'a> {
    network: &'a DifferentiableNetwork,
    weights: Weights,
    cache: Cache,
    texts: Vec<Text>,
}

/// Positions `0..computed` are in the cache; `pending` follows and includes the last generated token.
#[derive(Clone, Debug, Default)]
struct Text {
    computed: usize,
    pending: Vec<u32>,
}

/// Keys and values of every layer, `[texts, key heads, context + 1, head]`. Padding writes to the last position,
/// which no token reads.
#[derive(Debug)]
struct Cache {
    layers: Vec<(Tensor, Tensor)>,
    /// Cache positions of the tokens that are being computed, `[texts, key heads, width, head]`.
    to: Tensor,
    /// Number of positions that any of these tokens may attend to.
    length: usize,
}

impl Past for Cache {
    fn extend(&mut self, layer: usize, keys: Tensor, values: Tensor) -> Result<(Tensor, Tensor)> {
        let (all_keys, all_values) = &self.layers[layer];
        all_keys.scatter_set(&self.to, &keys, 2)?;
        all_values.scatter_set(&self.to, &values, 2)?;
        Ok((all_keys.narrow(2, 0, self.length)?, all_values.narrow(2, 0, self.length)?))
    }
}

impl DifferentiableNetwork {
    /// A generator for `texts` texts with the given weights.
    ///
    /// # Errors
    /// The weights are of another geometry, or the device has no memory for them and for the keys and values.
    pub fn generator(
        &self,
        parameters: &Parameters,
        texts: usize,
    ) -> std::result::Result<Generator<'_>, NetworkError> {
        let config = &self.config;
        let shape = (
            texts,
            config.num_key_value_heads,
            config.max_position_embeddings + 1,
            config.head_dim,
        );
        let zeros = || Tensor::zeros(shape, DType::F32, &self.device);
        let layers = (0..config.num_hidden_layers).map(|_| Ok((zeros()?, zeros()?)));
        let layers = layers.collect::<Result<_>>()?;
        let cache = Cache { layers, to: Tensor::zeros(1, DType::U32, &self.device)?, length: 0 };
        let weights = Weights::new(self.tensors(parameters)?.into_iter());
        Ok(Generator { network: self, weights, cache, texts: vec![Text::default(); texts] })
    }
}

impl Generator<'_> {
    /// Empties text number `text`.
    pub fn clear(&mut self, text: usize) {
        self.texts[text] = Text::default();
    }

    /// Tokens of text number `text`, including generated ones.
    pub fn length(&self, text: usize) -> usize {
        self.texts[text].computed + self.texts[text].pending.len()
    }

    /// Adds tokens to text number `text`.
    ///
    /// # Errors
    /// The tokens do not fit into the context, or one is outside the vocabulary. Nothing is added then.
    pub fn append(&mut self, text: usize, tokens: &[u32]) -> std::result::Result<(), NetworkError> {
        let (length, limit) =
            (self.length(text) + tokens.len(), self.network.config.max_position_embeddings);
        if length > limit {
            return Err(NetworkError::TooLong { sequence: text, length, limit });
        }
        if !tokens.is_empty() {
            check_tokens(&self.network.config, text, tokens)?;
        }
        self.texts[text].pending.extend_from_slice(tokens);
        Ok(())
    }

    /// Generates after the texts of `requests` (text number, request), all in parallel. Results are in the order of
    /// the requests. A completed text waits until the last one is complete.
    ///
    /// # Errors
    /// A text is empty (nothing to predict from), or the device failed.
    pub fn generate(
        &mut self,
        requests: &[(usize, Generation)],
    ) -> std::result::Result<Vec<Generated>, NetworkError> {
        if let Some(&(sequence, _)) =
            requests.iter().find(|(text, _)| self.texts[*text].pending.is_empty())
        {
            return Err(NetworkError::Empty { sequence });
        }
        let nothing = Generated {
            tokens: Vec::new(),
            log_probabilities: Vec::new(),
            entropies: Vec::new(),
            closed: false,
        };
        let mut results = vec![nothing; requests.len()];
        loop {
            let open: Vec<usize> = (0..requests.len())
                .filter(|&at| self.continues(&requests[at], &results[at]))
                .collect();
            if open.is_empty() {
                return Ok(results);
            }
            let texts: Vec<usize> = open.iter().map(|&at| requests[at].0).collect();
            for (at, logits) in open.into_iter().zip(self.advance(&texts)?) {
                let (text, request) = &requests[at];
                let result = &mut results[at];
                let uniform = request.stream.uniform_f32(result.tokens.len() as u64);
                let choice = sample(&logits, request.temperature, uniform);
                result.tokens.push(choice.token);
                result.log_probabilities.push(choice.log_probability);
                result.entropies.push(choice.entropy);
                result.closed = choice.token == request.end;
                self.texts[*text].pending.push(choice.token);
            }
        }
    }

    fn continues(&self, (text, request): &(usize, Generation), result: &Generated) -> bool {
        let full = self.length(*text) >= self.network.config.max_position_embeddings;
        !result.closed && !full && result.tokens.len() < request.max_tokens
    }

    /// Computes the pending tokens of `texts`. Returns the logits of the token after each text.
    fn advance(&mut self, texts: &[usize]) -> Result<Vec<Vec<f32>>> {
        let mut pending: Vec<&[u32]> = vec![&[]; self.texts.len()];
        for &text in texts {
            pending[text] = &self.texts[text].pending;
        }
        let rectangle = Rectangle::new(&pending);
        let width = rectangle.width;
        let ends: Vec<usize> = pending.iter().map(|tokens| tokens.len()).collect();
        let positions = self.positions(&ends, width)?;
        let hidden = self.network.pass(&self.weights, &rectangle, &positions, &mut self.cache)?;
        let rows: Vec<u32> =
            texts.iter().map(|&text| (text * width + ends[text] - 1) as u32).collect();
        for &text in texts {
            let text = &mut self.texts[text];
            text.computed += text.pending.len();
            text.pending.clear();
        }
        self.network.logits_at(&self.weights, &hidden, &rows)?.to_vec2()
    }

    /// Positions of `ends[text]` new tokens of each text in a rectangle `width` wide. Also sets where the cache
    /// stores them.
    fn positions(&mut self, ends: &[usize], width: usize) -> Result<Positions> {
        let config = &self.network.config;
        let discarded = config.max_position_embeddings;
        let starts: Vec<usize> = self.texts.iter().map(|text| text.computed).collect();
        let position =
            |text: usize, at: usize| if at < ends[text] { starts[text] + at } else { discarded };
        let positions: Vec<usize> =
            (0..ends.len()).flat_map(|text| (0..width).map(move |at| position(text, at))).collect();
        let length = starts.iter().zip(ends).map(|(start, end)| start + end).max().unwrap_or(0);
        let attends = |position: usize| {
            (0..length).map(move |key| if key > position { f32::NEG_INFINITY } else { 0.0 })
        };
        let mask: Vec<f32> = positions.iter().flat_map(|&position| attends(position)).collect();
        let device = &self.network.device;
        let to: Vec<u32> = positions.iter().map(|&position| position as u32).collect();
        let shape = (ends.len(), config.num_key_value_heads, width, config.head_dim);
        self.cache.to = Tensor::from_vec(to, (ends.len(), 1, width, 1), device)?
            .broadcast_as(shape)?
            .contiguous()?;
        self.cache.length = length;
        // The padding needs some angle; its results are discarded.
        let angles: Vec<u32> =
            positions.iter().map(|&position| position.min(discarded - 1) as u32).collect();
        let angles = Tensor::from_vec(angles, positions.len(), device)?;
        let table =
            |table: &Tensor| table.index_select(&angles, 0)?.reshape((ends.len(), 1, width, ()));
        Ok(Positions {
            cos: table(&self.network.cos)?,
            sin: table(&self.network.sin)?,
            mask: Tensor::from_vec(mask, (ends.len(), 1, 1, width, length), device)?,
        })
    }
}
