//! Generation on a device: a fixed number of texts in lock step, with their keys and values kept.

use candle_core::{DType, Result, Tensor};
use shoprl_rl::sampling::sample;

use super::DifferentiableNetwork;
use super::forward::{Past, Places, Rectangle, Weights};
use crate::engine::Generation;
use crate::input::check_tokens;
use crate::network::NetworkError;
use crate::parameters::Parameters;

/// A generation that has come to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    /// The tokens, with the closing one.
    pub tokens: Vec<u32>,
    /// Log-probability of each token under the distribution it was drawn from, in nats.
    pub log_probabilities: Vec<f32>,
    /// Entropy of each of those distributions, in nats.
    pub entropies: Vec<f32>,
    /// Whether it ended with the closing token, and not at a limit.
    pub closed: bool,
}

/// Texts on a device, by number. The device computes logits; the choice is made on the host by the one definition of
/// `shoprl_rl::sampling`, so that a policy acts alike wherever it runs (up to the rounding of its logits).
#[derive(Debug)]
pub struct Generator<'a> {
    network: &'a DifferentiableNetwork,
    weights: Weights,
    cache: Cache,
    texts: Vec<Text>,
}

/// Positions `0..computed` are in the cache; `pending` follows, the last generated token included.
#[derive(Clone, Debug, Default)]
struct Text {
    computed: usize,
    pending: Vec<u32>,
}

/// Keys and values of every layer, `[texts, key heads, context + 1, head]`. Padding writes to the last position,
/// which nobody reads.
#[derive(Debug)]
struct Cache {
    layers: Vec<(Tensor, Tensor)>,
    /// Where the tokens of the pass under way go, `[texts, key heads, width, head]`.
    to: Tensor,
    /// Positions that somebody in the pass may look at.
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
    /// Room for `texts` texts under the given weights.
    ///
    /// # Errors
    /// The weights belong to another geometry, or the device has no memory for them and the keys and values.
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
    /// Forgets text number `text`.
    pub fn clear(&mut self, text: usize) {
        self.texts[text] = Text::default();
    }

    /// Tokens of text number `text`, generated ones included.
    pub fn length(&self, text: usize) -> usize {
        self.texts[text].computed + self.texts[text].pending.len()
    }

    /// Adds tokens to text number `text`.
    ///
    /// # Errors
    /// They do not fit into the context, or one is outside the vocabulary; then nothing was added.
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

    /// Generates after the texts of `requests` (number, what), all at once; results come in the order of the
    /// requests. A text that is closed or at a limit waits until the last one is.
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
                .filter(|&at| self.goes_on(&requests[at], &results[at]))
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

    fn goes_on(&self, (text, request): &(usize, Generation), result: &Generated) -> bool {
        let full = self.length(*text) >= self.network.config.max_position_embeddings;
        !result.closed && !full && result.tokens.len() < request.max_tokens
    }

    /// Computes what is pending of `texts`; returns the scores of the token after each.
    fn advance(&mut self, texts: &[usize]) -> Result<Vec<Vec<f32>>> {
        let mut pending: Vec<&[u32]> = vec![&[]; self.texts.len()];
        for &text in texts {
            pending[text] = &self.texts[text].pending;
        }
        let rectangle = Rectangle::new(&pending);
        let width = rectangle.width;
        let ends: Vec<usize> = pending.iter().map(|tokens| tokens.len()).collect();
        let places = self.places(&ends, width)?;
        let hidden = self.network.pass(&self.weights, &rectangle, &places, &mut self.cache)?;
        let rows: Vec<u32> =
            texts.iter().map(|&text| (text * width + ends[text] - 1) as u32).collect();
        for &text in texts {
            let text = &mut self.texts[text];
            text.computed += text.pending.len();
            text.pending.clear();
        }
        self.network.logits_at(&self.weights, &hidden, &rows)?.to_vec2()
    }

    /// Places of `ends[text]` new tokens of each text in a rectangle `width` wide, and where the cache puts them.
    fn places(&mut self, ends: &[usize], width: usize) -> Result<Places> {
        let config = &self.network.config;
        let nowhere = config.max_position_embeddings;
        let starts: Vec<usize> = self.texts.iter().map(|text| text.computed).collect();
        let position =
            |text: usize, at: usize| if at < ends[text] { starts[text] + at } else { nowhere };
        let positions: Vec<usize> =
            (0..ends.len()).flat_map(|text| (0..width).map(move |at| position(text, at))).collect();
        let length = starts.iter().zip(ends).map(|(start, end)| start + end).max().unwrap_or(0);
        let looks = |position: usize| {
            (0..length).map(move |key| if key > position { f32::NEG_INFINITY } else { 0.0 })
        };
        let mask: Vec<f32> = positions.iter().flat_map(|&position| looks(position)).collect();
        let device = &self.network.device;
        let to: Vec<u32> = positions.iter().map(|&position| position as u32).collect();
        let shape = (ends.len(), config.num_key_value_heads, width, config.head_dim);
        self.cache.to = Tensor::from_vec(to, (ends.len(), 1, width, 1), device)?
            .broadcast_as(shape)?
            .contiguous()?;
        self.cache.length = length;
        // The padding needs some angle; it is thrown away.
        let angles: Vec<u32> =
            positions.iter().map(|&position| position.min(nowhere - 1) as u32).collect();
        let angles = Tensor::from_vec(angles, positions.len(), device)?;
        let table =
            |table: &Tensor| table.index_select(&angles, 0)?.reshape((ends.len(), 1, width, ()));
        Ok(Places {
            cos: table(&self.network.cos)?,
            sin: table(&self.network.sin)?,
            mask: Tensor::from_vec(mask, (ends.len(), 1, 1, width, length), device)?,
        })
    }
}
