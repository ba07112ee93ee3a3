//! The learner: weights, optimiser and gradients. No transport, no files.

use std::sync::Arc;

use shoprl_contract::{Exit, RunConfig, error_chain};
use shoprl_model::batch::{BatchStatistics, Objective, Sequence, micro_batches};
use shoprl_model::config::ModelConfig;
use shoprl_model::device::ComputeDevice;
use shoprl_model::network::{Network, NetworkError};
use shoprl_model::optimizer::{Method, Optimizer, Rates, Settings, clip_gradient_norm};
use shoprl_model::parameters::{Layout, Parameters};
use shoprl_rl::policy_loss::Clip;

/// Gradients are clipped to this global norm.
const GRADIENT_NORM_LIMIT: f64 = 1.0;
/// Decoupled weight decay of the warm-up; reinforcement learning uses none.
const WARMUP_WEIGHT_DECAY: f32 = 0.01;

/// The weights with their optimiser.
pub(super) struct Learner {
    network: Box<dyn Network>,
    pub(super) parameters: Parameters,
    optimizer: Optimizer,
    threads: usize,
}

/// Measurements of one update.
#[derive(Debug, Clone, Copy)]
pub(super) struct Update {
    pub(super) statistics: BatchStatistics,
    /// Norm before clipping.
    pub(super) gradient_norm: f64,
}

impl Learner {
    /// Initial weights for the warm-up. `device` computes gradients; the optimiser always runs on the CPU.
    pub(super) fn new(
        device: &ComputeDevice,
        model: &ModelConfig,
        config: &RunConfig,
        threads: usize,
    ) -> Result<Self, Exit> {
        let network = device.network(model, threads).map_err(|error| network_failed(&error))?;
        let parameters = Parameters::init(model, config.seed);
        let optimizer = Optimizer::new(Arc::clone(&parameters.layout), warmup_settings(), threads);
        Ok(Self { network, parameters, optimizer, threads })
    }

    /// Switches to reinforcement learning: AdamW for all weights, with empty state.
    pub(super) fn begin_training(&mut self) {
        self.optimizer =
            Optimizer::new(Arc::clone(self.layout()), training_settings(), self.threads);
    }

    /// Restores weights and optimiser from a checkpoint.
    pub(super) fn restore(
        &mut self,
        parameters: Parameters,
        optimizer: &[u8],
        training: bool,
    ) -> Result<(), String> {
        if parameters.layout.entries() != self.layout().entries() {
            return Err("the weights have another geometry".to_owned());
        }
        let settings = if training { training_settings() } else { warmup_settings() };
        self.optimizer =
            Optimizer::from_bytes(Arc::clone(self.layout()), settings, self.threads, optimizer)
                .map_err(|error| error.to_string())?;
        self.parameters = parameters;
        Ok(())
    }

    /// Layout of the weights.
    pub(super) fn layout(&self) -> &Arc<Layout> {
        &self.parameters.layout
    }

    /// State of the optimiser as a safetensors file.
    pub(super) fn optimizer_bytes(&self) -> Result<Vec<u8>, String> {
        self.optimizer.to_bytes().map_err(|error| error.to_string())
    }

    /// Log-probabilities of every token under `parameters`, for the KL penalty.
    pub(super) fn log_probabilities(
        &self,
        parameters: &Parameters,
        sequences: &[Vec<u32>],
    ) -> Result<Vec<Vec<f32>>, Exit> {
        self.network
            .log_probabilities(parameters, sequences)
            .map_err(|error| network_failed(&error))
    }

    /// One optimiser update on a batch.
    pub(super) fn update(
        &mut self,
        sequences: Vec<Sequence>,
        objective: &Objective,
        rates: Rates,
    ) -> Result<Update, Exit> {
        let batches = micro_batches(sequences, self.network.micro_batch_tokens());
        let (mut gradients, statistics) = self
            .network
            .gradients(&self.parameters, &batches, objective)
            .map_err(|error| network_failed(&error))?;
        let gradient_norm = clip_gradient_norm(self.layout(), &mut gradients, GRADIENT_NORM_LIMIT)
            .map_err(|error| {
                Exit::bad_configuration(format!(
                    "{error}; lower the learning rates of the manifest"
                ))
            })?;
        self.optimizer.step(&mut self.parameters, &gradients, rates);
        Ok(Update { statistics, gradient_norm })
    }
}

/// The objective of supervised learning, where the clip has no effect.
pub(super) fn supervised_objective(normalizer: f32) -> Objective {
    Objective { clip: Clip { low: 0.2, high: 0.2 }, kl_coefficient: 0.0, normalizer }
}

/// The objective of a step of reinforcement learning with `tokens` policy tokens.
pub(super) fn policy_objective(config: &RunConfig, tokens: usize) -> Objective {
    let grpo = &config.training.grpo;
    Objective {
        clip: Clip { low: grpo.clip_low as f32, high: grpo.clip_high as f32 },
        kl_coefficient: grpo.kl_coefficient as f32,
        normalizer: tokens as f32,
    }
}

fn warmup_settings() -> Settings {
    Settings::new(Method::Muon, WARMUP_WEIGHT_DECAY)
}

fn training_settings() -> Settings {
    Settings::new(Method::AdamW, 0.0)
}

/// A failed device may work after a restart; every other error repeats.
fn network_failed(error: &NetworkError) -> Exit {
    let exit: fn(String) -> Exit = match error {
        NetworkError::Device(_) => Exit::temporary,
        _ => Exit::bad_configuration,
    };
    exit(format!("gradient: {}", error_chain(error)))
}
