//! The fused and the differentiable network are the same model: loss, gradients, log-probabilities, generation.
//!
//! The differentiable network uses candle's CPU device. With the feature `cuda` it uses the first CUDA device, and
//! these tests fail if there is none (worker-image/cuda/check).

use candle_core::Device;
use shoprl_model::batch::{MicroBatch, Objective, Sequence, Target, micro_batches};
use shoprl_model::config::ModelConfig;
#[cfg(feature = "cuda")]
use shoprl_model::device::{ComputeDevice, DeviceChoice};
use shoprl_model::differentiable::{DifferentiableNetwork, Generated};
use shoprl_model::engine::{Engine, Generation};
use shoprl_model::fused::FusedNetwork;
use shoprl_model::network::Network;
use shoprl_model::parameters::Parameters;
use shoprl_rl::policy_loss::Clip;
use shoprl_rl::seed::{Purpose, StreamKey};

use crate::reference;

const OBJECTIVE: Objective =
    Objective { clip: Clip { low: 0.2, high: 0.28 }, kl_coefficient: 0.1, normalizer: 60.0 };

/// Four query heads on two key heads with odd sizes, and the geometry that jobs train.
fn geometries() -> [(ModelConfig, Parameters); 2] {
    let shared = reference::small();
    let nano = ModelConfig::preset("nano", 300).unwrap();
    [shared, nano].map(|config| {
        let parameters = reference::weights(&config, 1);
        (config, parameters)
    })
}

#[cfg(not(feature = "cuda"))]
fn device() -> Device {
    Device::Cpu
}

#[cfg(feature = "cuda")]
fn device() -> Device {
    match ComputeDevice::open(DeviceChoice::Cuda).unwrap() {
        ComputeDevice::Cuda(device) => device,
        ComputeDevice::Cpu(_) => panic!("the CPU was opened instead of CUDA"),
    }
}

fn networks(config: &ModelConfig) -> (FusedNetwork, DifferentiableNetwork) {
    (FusedNetwork::new(config, 2), DifferentiableNetwork::new(config, device()).unwrap())
}

/// Texts of many lengths: one predicts nothing, one has no target.
fn batch(config: &ModelConfig) -> Vec<Sequence> {
    let mut batch: Vec<Sequence> = [33, 1, 16, 64, 5]
        .into_iter()
        .zip(0..)
        .map(|(n, seed)| reference::sequence(config, n, seed))
        .collect();
    batch.push(Sequence { tokens: vec![3; 9], targets: vec![Target::None; 9] });
    batch
}

/// The largest difference relative to the largest value.
fn distance(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0f32, |largest, x| largest.max(x.abs()));
    found.iter().zip(expected).fold(0f32, |distance, (x, y)| distance.max((x - y).abs())) / largest
}

#[test]
fn gradients_agree_in_every_tensor_and_none_is_zero() {
    for (config, parameters) in geometries() {
        let (fused, differentiable) = networks(&config);
        let batches = micro_batches(batch(&config), 60);
        assert!(batches.len() > 1);
        let (found, statistics) = fused.gradients(&parameters, &batches, &OBJECTIVE).unwrap();
        let (expected, measured) =
            differentiable.gradients(&parameters, &batches, &OBJECTIVE).unwrap();
        for entry in parameters.layout.entries() {
            let (found, expected) = (&found[entry.range()], &expected[entry.range()]);
            for gradient in [found, expected] {
                assert!(
                    gradient.iter().any(|x| x.abs() > 1e-6),
                    "{} receives no gradient",
                    entry.name
                );
            }
            let distance = distance(found, expected);
            assert!(distance < 1e-4, "{}: {distance}", entry.name);
        }
        let close = |x: f64, y: f64, what: &str| {
            assert!((x - y).abs() < 1e-4 * (1.0 + y.abs()), "{what}: {x} {y}");
        };
        close(statistics.loss, measured.loss, "loss");
        close(statistics.supervised_nll_sum, measured.supervised_nll_sum, "likelihood");
        close(statistics.supervised_weight, measured.supervised_weight, "weight");
        close(statistics.entropy_sum, measured.entropy_sum, "entropy");
        close(statistics.kl_sum, measured.kl_sum, "divergence");
        close(statistics.largest_log_ratio, measured.largest_log_ratio, "log ratio");
        let counts = |s: &shoprl_model::batch::BatchStatistics| {
            (s.tokens, s.supervised_tokens, s.policy_tokens, s.clipped)
        };
        assert_eq!(counts(&statistics), counts(&measured));
        assert!(
            statistics.clipped > 0 && statistics.kl_sum > 0.0,
            "the batch must reach clip and penalty"
        );
    }
}

#[test]
fn a_batch_without_targets_has_no_gradient_on_either_path() {
    let (config, parameters) = &geometries()[0];
    let (fused, differentiable) = networks(config);
    let silent = vec![MicroBatch {
        sequences: vec![Sequence { tokens: vec![1, 2], targets: vec![Target::None; 2] }],
    }];
    for batches in [silent, vec![]] {
        let expected = fused.gradients(parameters, &batches, &OBJECTIVE).unwrap();
        assert!(expected.0.iter().all(|&x| x == 0.0));
        assert_eq!(differentiable.gradients(parameters, &batches, &OBJECTIVE).unwrap(), expected);
    }
}

#[test]
fn log_probabilities_and_logits_agree() {
    for (config, parameters) in geometries() {
        let (fused, differentiable) = networks(&config);
        let texts: Vec<Vec<u32>> =
            batch(&config).into_iter().map(|sequence| sequence.tokens).collect();
        let found = fused.log_probabilities(&parameters, &texts).unwrap();
        let expected = differentiable.log_probabilities(&parameters, &texts).unwrap();
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-4, "{found} {expected}");
            }
        }
        let logits = |network: &dyn Network| network.logits(&parameters, &texts[0]).unwrap();
        assert!(distance(&logits(&fused), &logits(&differentiable)) < 1e-4);
        assert!(differentiable.log_probabilities(&parameters, &[]).unwrap().is_empty());
    }
}

/// Tokens and request of each text; a text without them waits this turn.
type Turn = Vec<Option<(Vec<u32>, Generation)>>;

/// Results of some turns over three texts of unequal length on the engine.
fn on_the_engine(config: &ModelConfig, parameters: &Parameters, turns: &[Turn]) -> Vec<Generated> {
    let mut engine = Engine::new(config, 3, config.max_position_embeddings, 1);
    engine.load(parameters);
    let slots = [(); 3].map(|()| engine.open().unwrap());
    let mut results = Vec::new();
    for turn in turns {
        for (slot, (tokens, request)) in
            slots.iter().zip(turn).filter_map(|(slot, asked)| Some((slot, asked.as_ref()?)))
        {
            engine.append(*slot, tokens).unwrap();
            engine.generate(*slot, *request);
        }
        let mut finished = Vec::new();
        while engine.busy() {
            finished.extend(engine.step());
        }
        finished.sort_by_key(|finished| finished.slot);
        results.extend(finished.into_iter().map(|f| Generated {
            tokens: f.tokens,
            log_probabilities: f.log_probabilities,
            entropies: f.entropies,
            closed: f.closed,
        }));
    }
    results
}

fn on_the_device(config: &ModelConfig, parameters: &Parameters, turns: &[Turn]) -> Vec<Generated> {
    let network = DifferentiableNetwork::new(config, device()).unwrap();
    let mut generator = network.generator(parameters, 3).unwrap();
    let mut results = Vec::new();
    for turn in turns {
        let mut requests = Vec::new();
        for (text, asked) in turn.iter().enumerate() {
            let Some((tokens, request)) = asked else { continue };
            generator.append(text, tokens).unwrap();
            requests.push((text, *request));
        }
        results.extend(generator.generate(&requests).unwrap());
    }
    results
}

#[test]
fn generation_on_the_device_follows_the_engine_over_turns() {
    let (mut closed, mut cut) = (0, 0);
    for (config, parameters) in geometries() {
        for temperature in [0.0, 1.0] {
            let turn = |turn: u64, lengths: [usize; 3]| -> Turn {
                let ask = |(length, text): (usize, u64)| {
                    let stream = StreamKey::new(5, Purpose::Sampling, &[turn, text]);
                    // Any token ends the sampled texts early often enough that both kinds of endings occur.
                    let end = reference::tokens(&config, 40, 77)[(turn * 3 + text) as usize];
                    let request = Generation { max_tokens: 12, end, temperature, stream };
                    (length > 0)
                        .then(|| (reference::tokens(&config, length, turn * 3 + text), request))
                };
                lengths.into_iter().zip(0..).map(ask).collect()
            };
            // A text may wait a turn. In the last turn the small geometry's context of 80 fills up.
            let turns = [
                turn(0, [9, 1, 17]),
                turn(1, [4, 0, 2]),
                turn(2, [1, 30, 8]),
                turn(3, [20, 2, 16]),
            ];
            let expected = on_the_engine(&config, &parameters, &turns);
            let found = on_the_device(&config, &parameters, &turns);
            assert_eq!(found.len(), 11);
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!((&found.tokens, found.closed), (&expected.tokens, expected.closed));
                let pairs = found.log_probabilities.iter().zip(&expected.log_probabilities);
                for (x, y) in pairs.chain(found.entropies.iter().zip(&expected.entropies)) {
                    assert!((x - y).abs() < 1e-4, "{x} {y}");
                }
                closed += usize::from(found.closed);
                cut += usize::from(!found.closed);
            }
        }
    }
    assert!(closed > 0 && cut > 0, "both endings must occur: {closed} closed, {cut} cut");
}

#[test]
fn an_error_names_the_place_of_input_that_does_not_fit() {
    let (config, parameters) = &geometries()[0];
    let network = DifferentiableNetwork::new(config, device()).unwrap();
    let refused = |tokens: Vec<u32>, expected: &str| {
        let message =
            network.log_probabilities(parameters, &[vec![1], tokens]).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}");
    };
    refused(vec![], "sequence 1 has no tokens");
    refused(vec![0; 81], "sequence 1 has 81 tokens, but the context ends at 80");
    refused(vec![4, 37], "sequence 1, position 1: token 37 is outside the vocabulary of 37");

    let mut generator = network.generator(parameters, 2).unwrap();
    generator.append(1, &[1; 70]).unwrap();
    let message = generator.append(1, &[1; 11]).unwrap_err().to_string();
    assert!(message.starts_with("sequence 1 has 81 tokens"), "{message}");
    assert_eq!(generator.length(1), 70);
    let stream = StreamKey::new(5, Purpose::Sampling, &[]);
    let request = Generation { max_tokens: 3, end: 36, temperature: 0.0, stream };
    let message = generator.generate(&[(0, request)]).unwrap_err().to_string();
    assert!(message.starts_with("sequence 0 has no tokens"), "{message}");
    generator.clear(1);
    assert_eq!(generator.length(1), 0);

    let other = reference::weights(&ModelConfig::preset("nano", 300).unwrap(), 1);
    let message = network.logits(&other, &[1]).unwrap_err().to_string();
    assert!(message.starts_with("the weights hold "), "{message}");
}
