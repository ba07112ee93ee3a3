//! The decoder in candle's differentiable operations: it runs on GPUs, and the tests compare the fused network with
//! it.
//!
//! Only operations with a gradient are used. candle's fused operations (`rms_norm`, `softmax_last_dim`, `rope`,
//! `sdpa`) silently cut the gradient; here a variable without a gradient is an error.
//!
//! Texts are padded on the right to a rectangle. Results depend on the device and, in the last bits, on the
//! rectangle. [`crate::fused`] has the same bits everywhere.

mod decode;
mod forward;
mod loss;

use candle_core::{Device, Tensor, Var};

pub use decode::{Generated, Generator};
use forward::{Rectangle, Weights};
use loss::Predictions;

use crate::batch::{BatchStatistics, MicroBatch, Objective};
use crate::config::ModelConfig;
use crate::decoder::rotary::Rotary;
use crate::fused::TreeSum;
use crate::input::{check_batches, check_tokens, check_weights};
use crate::network::{Network, NetworkError};
use crate::parameters::{Layout, Parameters};

/// Tokens per forward pass: without padding in training, with padding in [`Network::log_probabilities`].
const TOKENS_PER_PASS: usize = 8192;

/// The decoder on a candle device.
#[derive(Clone, Debug)]
pub struct DifferentiableNetwork {
    config: ModelConfig,
    layout: Layout,
    device: Device,
    /// Rotary tables, `[context, head / 2]` each.
    cos: Tensor,
    sin: Tensor,
}

type Summand = candle_core::Result<(Vec<Tensor>, BatchStatistics)>;

impl DifferentiableNetwork {
    /// A network for `config` on `device`.
    ///
    /// # Errors
    /// The device has no memory for the rotary tables.
    pub fn new(config: &ModelConfig, device: Device) -> Result<Self, NetworkError> {
        let (context, half) = (config.max_position_embeddings, config.head_dim / 2);
        let rotary = Rotary::new(config.rope_theta, config.head_dim, context);
        let (mut cos, mut sin) = (Vec::new(), Vec::new());
        for position in 0..context {
            let (c, s) = rotary.at(position);
            cos.extend_from_slice(c);
            sin.extend_from_slice(s);
        }
        let cos = Tensor::from_vec(cos, (context, half), &device)?;
        let sin = Tensor::from_vec(sin, (context, half), &device)?;
        Ok(Self { config: config.clone(), layout: Layout::new(config), device, cos, sin })
    }

    /// The weights as tensors on the device, in layout order.
    fn tensors(&self, parameters: &Parameters) -> Result<Vec<Tensor>, NetworkError> {
        check_weights(parameters.values.len(), self.layout.len())?;
        let tensor = |entry: &crate::parameters::Entry| {
            Tensor::from_slice(
                &parameters.values[entry.range()],
                entry.shape.as_slice(),
                &self.device,
            )
        };
        Ok(self.layout.entries().iter().map(tensor).collect::<candle_core::Result<_>>()?)
    }

    fn micro_batch_gradient(
        &self,
        variables: &[Var],
        batch: &MicroBatch,
        objective: &Objective,
    ) -> Summand {
        let weights = Weights::new(variables.iter().map(|variable| variable.as_tensor().clone()));
        let texts: Vec<&[u32]> =
            batch.sequences.iter().map(|sequence| sequence.tokens.as_slice()).collect();
        let rectangle = Rectangle::new(&texts);
        let predictions = Predictions::new(&batch.sequences, rectangle.width);
        let tokens = texts.iter().map(|text| text.len() as u64).sum();
        if predictions.is_empty() {
            let zeros = variables
                .iter()
                .map(|variable| variable.zeros_like())
                .collect::<candle_core::Result<_>>()?;
            return Ok((zeros, BatchStatistics { tokens, ..BatchStatistics::default() }));
        }
        let hidden = self.hidden(&weights, &rectangle)?;
        let logits = self.logits_at(&weights, &hidden, &predictions.rows)?;
        let (loss, mut statistics) = predictions.loss(&logits, objective)?;
        statistics.tokens = tokens;
        let mut store = loss.backward()?;
        let gradients = variables.iter().zip(self.layout.entries()).map(|(variable, entry)| {
            store.remove(variable).ok_or_else(|| {
                candle_core::Error::Msg(format!(
                    "`{}` has no gradient: an operation without a gradient is in its path",
                    entry.name
                ))
            })
        });
        Ok((gradients.collect::<candle_core::Result<_>>()?, statistics))
    }
}

fn add(left: &mut Summand, right: Summand) {
    let taken = std::mem::replace(left, Ok((Vec::new(), BatchStatistics::default())));
    *left = taken.and_then(|(mut sums, mut statistics)| {
        let (others, other) = right?;
        for (sum, other) in sums.iter_mut().zip(&others) {
            *sum = sum.add(other)?;
        }
        statistics += other;
        Ok((sums, statistics))
    });
}

impl Network for DifferentiableNetwork {
    /// A device's time for a micro-batch hardly depends on its size: on an H200, training on 64 episodes per
    /// micro-batch was 4.6 times as fast as on 8 (docs/runbooks/cuda.md).
    fn micro_batch_tokens(&self) -> usize {
        TOKENS_PER_PASS
    }

    fn gradients(
        &self,
        parameters: &Parameters,
        batches: &[MicroBatch],
        objective: &Objective,
    ) -> Result<(Vec<f32>, BatchStatistics), NetworkError> {
        check_batches(&self.config, batches)?;
        let tensors = self.tensors(parameters)?;
        let variables =
            tensors.iter().map(Var::from_tensor).collect::<candle_core::Result<Vec<_>>>()?;
        let tree = TreeSum::new(batches.len());
        let mut total = None;
        for (index, batch) in batches.iter().enumerate() {
            total =
                tree.insert(index, self.micro_batch_gradient(&variables, batch, objective), add);
        }
        let Some(total) = total else {
            return Ok((vec![0.0; self.layout.len()], BatchStatistics::default()));
        };
        let (gradients, statistics) = total?;
        let mut flat = Vec::with_capacity(self.layout.len());
        for gradient in gradients {
            flat.extend(gradient.flatten_all()?.to_vec1::<f32>()?);
        }
        Ok((flat, statistics))
    }

    fn log_probabilities(
        &self,
        parameters: &Parameters,
        sequences: &[Vec<u32>],
    ) -> Result<Vec<Vec<f32>>, NetworkError> {
        for (index, tokens) in sequences.iter().enumerate() {
            check_tokens(&self.config, index, tokens)?;
        }
        let weights = Weights::new(self.tensors(parameters)?.into_iter());
        let mut found = Vec::with_capacity(sequences.len());
        let mut rest = sequences;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(fitting(rest));
            found.extend(self.log_probabilities_of_pass(&weights, now)?);
            rest = later;
        }
        Ok(found)
    }

    fn logits(&self, parameters: &Parameters, tokens: &[u32]) -> Result<Vec<f32>, NetworkError> {
        check_tokens(&self.config, 0, tokens)?;
        let weights = Weights::new(self.tensors(parameters)?.into_iter());
        let hidden = self.hidden(&weights, &Rectangle::new(&[tokens]))?;
        let logits = self.logits_at(&weights, &hidden, &[tokens.len() as u32 - 1])?;
        Ok(logits.flatten_all()?.to_vec1()?)
    }
}

impl DifferentiableNetwork {
    fn log_probabilities_of_pass(
        &self,
        weights: &Weights,
        texts: &[Vec<u32>],
    ) -> Result<Vec<Vec<f32>>, NetworkError> {
        let slices: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
        let rectangle = Rectangle::new(&slices);
        let predictions = Predictions::of_all(&slices, rectangle.width);
        let mut found: Vec<Vec<f32>> = texts.iter().map(|text| vec![0.0; text.len()]).collect();
        if !predictions.is_empty() {
            let hidden = self.hidden(weights, &rectangle)?;
            let logits = self.logits_at(weights, &hidden, &predictions.rows)?;
            let mut values = predictions.log_probabilities(&logits)?.to_vec1::<f32>()?.into_iter();
            for slot in found.iter_mut().flat_map(|text| &mut text[1..]) {
                *slot = values.next().unwrap_or(f32::NAN);
            }
        }
        Ok(found)
    }
}

/// Number of texts from the front that make a rectangle of at most [`TOKENS_PER_PASS`]; at least one.
fn fitting(texts: &[Vec<u32>]) -> usize {
    let mut width = 0;
    let fits = texts.iter().enumerate().take_while(|(index, text)| {
        width = width.max(text.len());
        *index == 0 || width * (index + 1) <= TOKENS_PER_PASS
    });
    fits.count()
}
