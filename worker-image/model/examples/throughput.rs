//! Tokens per second of training, prefill and decoding on this machine: `throughput [threads] [seconds per figure]
//! [cpu or cuda]`. Generation runs on the CPU, so `cuda` has no figures for prefill and decoding.
//!
//! The geometry is nano with a vocabulary of 800; texts are as long as an episode. Each figure is the best of many
//! short runs, to exclude other load on the machine.

#![allow(clippy::disallowed_methods, reason = "an example that measures time")]

use std::error::Error;
use std::time::{Duration, Instant};

use shoprl_model::batch::{Objective, Sequence, Target, micro_batches};
use shoprl_model::config::ModelConfig;
use shoprl_model::device::{ComputeDevice, DeviceChoice};
use shoprl_model::engine::{Engine, Generation};
use shoprl_model::kernel::KernelPath;
use shoprl_model::network::Network;
use shoprl_model::optimizer::{Method, Optimizer, Rates, Settings, clip_gradient_norm};
use shoprl_model::parameters::Parameters;
use shoprl_rl::policy_loss::Clip;
use shoprl_rl::seed::{Purpose, Stream, StreamKey};

const LENGTH: usize = 130;
const VOCABULARY: usize = 800;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let threads = arguments.next().map_or(Ok(2), |a| a.parse())?;
    let seconds = arguments.next().map_or(Ok(2.0), |a| a.parse())?;
    let device = match arguments.next().as_deref() {
        None | Some("cpu") => ComputeDevice::open(DeviceChoice::Cpu)?,
        Some("cuda") => ComputeDevice::open(DeviceChoice::Cuda)?,
        Some(other) => return Err(format!("unknown device {other}; choose cpu or cuda").into()),
    };
    let config = ModelConfig::preset("nano", VOCABULARY)?;
    let parameters = Parameters::init(&config, 1);
    println!("{} parameters, {threads} threads, {}", parameters.values.len(), KernelPath::detect());
    let bench = Bench { threads, time: Duration::from_secs_f64(seconds), config, parameters };
    println!("gradients on {device}");
    let network = device.network(&bench.config, threads)?;
    // A GPU needs larger micro-batches to be busy.
    let sizes: &[usize] = if matches!(device, ComputeDevice::Cpu(_)) { &[8] } else { &[8, 64] };
    for &texts in sizes {
        println!("micro-batches of {texts} texts");
        bench.training(network.as_ref(), texts)?;
    }
    bench.log_probabilities(network.as_ref());
    if matches!(device, ComputeDevice::Cuda(_)) {
        return Ok(());
    }
    bench.prefill();
    for texts in [1, 4, 16, 32, 64, 128] {
        bench.decode(texts);
    }
    Ok(())
}

struct Bench {
    threads: usize,
    time: Duration,
    config: ModelConfig,
    parameters: Parameters,
}

impl Bench {
    /// Repeats `run`, which returns the number of tokens and the time they took, and prints the best rate.
    fn best(&self, name: &str, mut run: impl FnMut() -> (usize, Duration)) {
        let (start, mut best, mut runs) = (Instant::now(), 0.0f64, 0);
        while runs < 3 || start.elapsed() < self.time {
            let (tokens, time) = run();
            best = best.max(tokens as f64 / time.as_secs_f64());
            runs += 1;
        }
        println!("{name:28} {best:9.0} tokens/s   (best of {runs})");
    }

    fn tokens(&self, text: u64) -> Vec<u32> {
        let mut stream = Stream::new(1, Purpose::Task, &[text]);
        (0..LENGTH).map(|_| stream.below(VOCABULARY as u64) as u32).collect()
    }

    fn training(&self, network: &dyn Network, texts: usize) -> Result<(), Box<dyn Error>> {
        let clip = Clip { low: 0.2, high: 0.28 };
        let objective = Objective { clip, kl_coefficient: 0.0, normalizer: 1e4 };
        let supervised: fn(usize) -> Target = |t| match t {
            0 => Target::None,
            _ => Target::Supervised { weight: 1.0 },
        };
        // About a sixth of an episode's tokens are actions, as in the pilot.
        let policy: fn(usize) -> Target = |t| match t % 6 {
            5 => Target::Policy { advantage: 0.5, behavior: -6.0, reference: None },
            _ => Target::None,
        };
        for (name, target) in [("training, supervised", supervised), ("training, policy", policy)] {
            let sequence = |text| Sequence {
                tokens: self.tokens(text),
                targets: (0..LENGTH).map(target).collect(),
            };
            let batches = micro_batches((0..64).map(sequence).collect(), texts * LENGTH);
            network.gradients(&self.parameters, &batches, &objective)?;
            self.best(name, || {
                let start = Instant::now();
                let result = network.gradients(&self.parameters, &batches, &objective);
                assert!(result.is_ok(), "the batch fits the geometry");
                (64 * LENGTH, start.elapsed())
            });
        }
        for (name, method) in [("AdamW", Method::AdamW), ("Muon", Method::Muon)] {
            self.step(&format!("training step, {name}"), method, network, &objective, texts);
        }
        Ok(())
    }

    fn log_probabilities(&self, network: &dyn Network) {
        let texts: Vec<Vec<u32>> = (0..64).map(|text| self.tokens(text)).collect();
        self.best("log-probabilities", || {
            let start = Instant::now();
            let result = network.log_probabilities(&self.parameters, &texts);
            assert!(result.is_ok(), "the texts fit the geometry");
            (64 * LENGTH, start.elapsed())
        });
    }

    /// The parts of a step of supervised training: gradient, clipping, optimiser.
    fn step(
        &self,
        name: &str,
        method: Method,
        network: &dyn Network,
        objective: &Objective,
        texts: usize,
    ) {
        let sequence = |text| {
            let mut targets = vec![Target::Supervised { weight: 1.0 }; LENGTH];
            targets[0] = Target::None;
            Sequence { tokens: self.tokens(text), targets }
        };
        let batches = micro_batches((0..64).map(sequence).collect(), texts * LENGTH);
        let mut parameters = self.parameters.clone();
        let layout = parameters.layout.clone();
        let settings = Settings::new(method, 0.01);
        let mut optimizer = Optimizer::new(layout.clone(), settings, self.threads);
        self.best(name, || {
            let start = Instant::now();
            let result = network.gradients(&parameters, &batches, objective);
            let (mut gradients, _) = result.expect("the batch fits the geometry");
            clip_gradient_norm(&layout, &mut gradients, 1.0).expect("the gradient is finite");
            optimizer.step(&mut parameters, &gradients, Rates { adamw: 1e-4, muon: 1e-3 });
            (64 * LENGTH, start.elapsed())
        });
    }

    fn engine(&self, texts: usize) -> Engine {
        let mut engine = Engine::new(&self.config, texts, 512, self.threads);
        engine.load(&self.parameters);
        engine
    }

    fn prefill(&self) {
        let mut engine = self.engine(32);
        self.best("prefill, 32 texts", || {
            let slots: Vec<_> = (0..32).filter_map(|_| engine.open()).collect();
            for (slot, text) in slots.iter().zip(0..) {
                assert!(engine.append(*slot, &self.tokens(text)).is_ok(), "the context is longer");
            }
            let start = Instant::now();
            while engine.busy() {
                engine.step();
            }
            let time = start.elapsed();
            slots.into_iter().for_each(|slot| engine.close(slot));
            (32 * LENGTH, time)
        });
    }

    /// Generates tokens 40 to 130, the span of an episode.
    fn decode(&self, texts: usize) {
        let mut engine = self.engine(texts);
        self.best(&format!("decode, {texts} texts"), || {
            let slots: Vec<_> = (0..texts).filter_map(|_| engine.open()).collect();
            for (slot, text) in slots.iter().zip(0..) {
                assert!(
                    engine.append(*slot, &self.tokens(text)[..40]).is_ok(),
                    "the context is longer"
                );
            }
            while engine.busy() {
                engine.step();
            }
            for (slot, text) in slots.iter().zip(0..) {
                let stream = StreamKey::new(1, Purpose::Sampling, &[text]);
                // No token has this id, so every text reaches its limit.
                engine.generate(
                    *slot,
                    Generation { max_tokens: 90, end: u32::MAX, temperature: 1.0, stream },
                );
            }
            let start = Instant::now();
            while engine.busy() {
                engine.step();
            }
            let time = start.elapsed();
            slots.into_iter().for_each(|slot| engine.close(slot));
            (texts * 90, time)
        });
    }
}
