//! Training on the CPU: packed sequences, row kernels, and a hand-written backward pass.
//!
//! Texts follow each other without padding. The forward pass has the bits of the engine's ([`crate::engine`]). One
//! thread computes each micro-batch, and a fixed tree ([`TreeSum`]) adds the results, so gradients do not depend on
//! the number of threads. No sum depends on cache sizes or on the instruction set either: all machines compute the
//! same bits.

mod arena;
mod attention;
mod backward;
mod chunk;
mod context;
mod forward;
mod loss;
mod record;
mod tree;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use arena::Arena;
use context::GradientContext;
pub use tree::TreeSum;

use crate::batch::{BatchStatistics, MicroBatch, Objective};
use crate::config::ModelConfig;
use crate::decoder::geometry::Geometry;
use crate::decoder::layer::Context;
use crate::decoder::rotary::Rotary;
use crate::decoder::weights::{Transposes, Weights};
use crate::input::{check_batches, check_tokens, check_weights};
use crate::kernel::{KernelPath, add_rows};
use crate::network::{Network, NetworkError};
use crate::parameters::Parameters;

/// The decoder on the CPU, on the row kernels.
pub struct FusedNetwork {
    config: ModelConfig,
    geometry: Geometry,
    rotary: Rotary,
    path: KernelPath,
    threads: usize,
    memory: Mutex<Memory>,
}

/// Working memory of earlier calls, for reuse.
#[derive(Default)]
struct Memory {
    packed: Vec<(Weights, Transposes)>,
    arenas: Vec<Arena>,
    gradients: Vec<Vec<f32>>,
}

impl FusedNetwork {
    /// A network for `config`, computing with `threads` threads on the widest instruction set of this machine.
    #[must_use]
    pub fn new(config: &ModelConfig, threads: usize) -> Self {
        Self::with_path(config, threads, KernelPath::detect())
    }

    /// As [`FusedNetwork::new`], on a chosen instruction set. All sets give the same bits.
    #[must_use]
    pub fn with_path(config: &ModelConfig, threads: usize, path: KernelPath) -> Self {
        let geometry = Geometry::new(config);
        let rotary = Rotary::new(geometry.theta, geometry.head, geometry.context);
        let (config, threads) = (config.clone(), threads.max(1));
        Self { config, geometry, rotary, path, threads, memory: Mutex::default() }
    }

    fn context(&self) -> Context<'_> {
        Context { path: self.path, geometry: &self.geometry, rotary: &self.rotary }
    }

    /// The lock is held only to take or return buffers, so a panic cannot leave them half changed.
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_gradient(&self) -> Vec<f32> {
        let mut gradient = self.memory().gradients.pop().unwrap_or_default();
        gradient.clear();
        gradient.resize(self.geometry.layout.len(), 0.0);
        gradient
    }

    /// Runs `work` for every index below `count`, on up to `threads` threads, each with its own arena.
    fn for_each(&self, count: usize, work: impl Fn(usize, &mut Arena) + Sync) {
        let next = AtomicUsize::new(0);
        let run = || {
            let mut arena = self.memory().arenas.pop().unwrap_or_default();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    break;
                }
                work(index, &mut arena);
            }
            self.memory().arenas.push(arena);
        };
        std::thread::scope(|scope| {
            for _ in 1..self.threads.min(count) {
                scope.spawn(run);
            }
            run();
        });
    }

    /// The packed weights, in memory of an earlier call if there is some.
    fn packed(&self, parameters: &Parameters) -> (Weights, Transposes) {
        let packed = self.memory().packed.pop();
        let (mut weights, mut transposes) = packed
            .unwrap_or_else(|| (Weights::new(&self.geometry), Transposes::new(&self.geometry)));
        weights.pack(&self.geometry, parameters);
        transposes.pack(&self.geometry, parameters);
        (weights, transposes)
    }
}

impl Network for FusedNetwork {
    /// About two episodes, so that even a small batch uses all threads.
    fn micro_batch_tokens(&self) -> usize {
        256
    }

    fn gradients(
        &self,
        parameters: &Parameters,
        batches: &[MicroBatch],
        objective: &Objective,
    ) -> Result<(Vec<f32>, BatchStatistics), NetworkError> {
        check_weights(parameters.values.len(), self.geometry.layout.len())?;
        check_batches(&self.config, batches)?;
        let packed = self.packed(parameters);
        let tree = TreeSum::new(batches.len());
        let total = Mutex::new(None);
        self.for_each(batches.len(), |index, arena| {
            let mut gradient = self.take_gradient();
            let inputs = GradientContext {
                context: self.context(),
                weights: &packed.0,
                transposes: &packed.1,
                objective,
            };
            let sequences = &batches[index].sequences;
            let statistics = chunk::gradients(inputs, arena, sequences, &mut gradient);
            let sum = tree.insert(index, (gradient, statistics), |left, (right, statistics)| {
                add_rows(self.path, &mut left.0, &right);
                left.1 += statistics;
                self.memory().gradients.push(right);
            });
            if let Some(sum) = sum {
                *total.lock().unwrap_or_else(PoisonError::into_inner) = Some(sum);
            }
        });
        self.memory().packed.push(packed);
        let total = total.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(total.unwrap_or_else(|| (self.take_gradient(), BatchStatistics::default())))
    }

    fn log_probabilities(
        &self,
        parameters: &Parameters,
        sequences: &[Vec<u32>],
    ) -> Result<Vec<Vec<f32>>, NetworkError> {
        check_weights(parameters.values.len(), self.geometry.layout.len())?;
        for (index, tokens) in sequences.iter().enumerate() {
            check_tokens(&self.config, index, tokens)?;
        }
        let packed = self.packed(parameters);
        let chunks: Vec<&[Vec<u32>]> = chunk::cut(sequences, Vec::len).collect();
        let results: Vec<Mutex<Vec<Vec<f32>>>> = chunks.iter().map(|_| Mutex::default()).collect();
        self.for_each(chunks.len(), |index, arena| {
            let result = chunk::log_probabilities(self.context(), &packed.0, arena, chunks[index]);
            *results[index].lock().unwrap_or_else(PoisonError::into_inner) = result;
        });
        self.memory().packed.push(packed);
        Ok(results
            .into_iter()
            .flat_map(|r| r.into_inner().unwrap_or_else(PoisonError::into_inner))
            .collect())
    }

    fn logits(&self, parameters: &Parameters, tokens: &[u32]) -> Result<Vec<f32>, NetworkError> {
        check_weights(parameters.values.len(), self.geometry.layout.len())?;
        check_tokens(&self.config, 0, tokens)?;
        let packed = self.packed(parameters);
        let mut arena = self.memory().arenas.pop().unwrap_or_default();
        let logits = chunk::logits(self.context(), &packed.0, &mut arena, tokens);
        let mut memory = self.memory();
        memory.arenas.push(arena);
        memory.packed.push(packed);
        Ok(logits)
    }
}
