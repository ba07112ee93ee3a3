//! The fused network against a plain double-precision network, and against itself on other threads and instruction
//! sets.

use shoprl_model::batch::{MicroBatch, Objective, Sequence, Target, micro_batches};
use shoprl_model::fused::FusedNetwork;
use shoprl_model::kernel::KernelPath;
use shoprl_model::network::{Network, NetworkError};
use shoprl_rl::policy_loss::Clip;

use crate::reference;

const OBJECTIVE: Objective =
    Objective { clip: Clip { low: 0.2, high: 0.28 }, kl_coefficient: 0.1, normalizer: 60.0 };

fn batch() -> Vec<Sequence> {
    let config = reference::small();
    // Lengths around the attention block of 16 and the chunk of 256 rows. A text of one token predicts nothing.
    [33, 1, 16, 17, 50, 2, 70, 64, 31, 80]
        .into_iter()
        .zip(0..)
        .map(|(n, seed)| reference::sequence(&config, n, seed))
        .collect()
}

fn exact(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

#[test]
fn loss_and_log_probabilities_agree_with_double_precision() {
    let config = reference::small();
    let parameters = reference::weights(&config, 1);
    let network = FusedNetwork::new(&config, 1);
    let check = |sequences: &[Sequence]| {
        let batch = MicroBatch { sequences: sequences.to_vec() };
        let (_, statistics) = network.gradients(&parameters, &[batch], &OBJECTIVE).unwrap();
        let expected =
            reference::objective(&config, &exact(&parameters.values), sequences, &OBJECTIVE);
        assert!(
            (statistics.loss - expected).abs() < 1e-5,
            "{} against {expected}",
            statistics.loss
        );
    };
    let of_kind = |kind: fn(&Target) -> bool| {
        let mut sequences = batch();
        sequences
            .iter_mut()
            .flat_map(|s| &mut s.targets)
            .filter(|t| !kind(t))
            .for_each(|t| *t = Target::None);
        sequences
    };
    check(&of_kind(|t| matches!(t, Target::Supervised { .. })));
    check(&of_kind(|t| matches!(t, Target::Policy { .. })));
    check(&batch());

    let texts: Vec<Vec<u32>> = batch().into_iter().map(|s| s.tokens).collect();
    let found = network.log_probabilities(&parameters, &texts).unwrap();
    for (text, found) in texts.iter().zip(found) {
        let expected = reference::log_probabilities(&config, &exact(&parameters.values), text);
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 2e-5, "{found} against {expected}");
        }
    }
}

#[test]
fn gradients_are_the_slopes_of_the_double_precision_loss() {
    let config = reference::small();
    let parameters = reference::weights(&config, 2);
    let sequences: Vec<Sequence> =
        [19, 34].map(|n| reference::sequence(&config, n, n as u64)).to_vec();
    let batch = MicroBatch { sequences: sequences.clone() };
    let (gradient, _) =
        FusedNetwork::new(&config, 1).gradients(&parameters, &[batch], &OBJECTIVE).unwrap();
    let mut weights = exact(&parameters.values);
    for entry in parameters.layout.entries() {
        let largest = gradient[entry.range()].iter().fold(0f32, |a, b| a.max(b.abs()));
        assert!(largest > 1e-5, "{} receives no gradient", entry.name);
        // Seven values spread over the tensor, including its first and last.
        for i in 0..7 {
            let at = entry.offset + (entry.len() - 1) * i / 6;
            let (value, h) = (weights[at], 1e-5);
            let mut loss = |weight| {
                weights[at] = weight;
                reference::objective(&config, &weights, &sequences, &OBJECTIVE)
            };
            let slope = (loss(value + h) - loss(value - h)) / (2.0 * h);
            loss(value);
            let found = f64::from(gradient[at]);
            let bound = 1e-6 + 1e-4 * f64::from(largest);
            assert!(
                (found - slope).abs() < bound,
                "{}[{}]: {found} against {slope}",
                entry.name,
                at - entry.offset
            );
        }
    }
}

#[test]
fn threads_and_instruction_sets_do_not_change_any_bit() {
    let config = reference::small();
    let parameters = reference::weights(&config, 3);
    let batches = micro_batches([batch(), batch(), batch()].concat(), 200);
    let texts: Vec<Vec<u32>> = batch().into_iter().map(|s| s.tokens).collect();
    let result = |threads, path| {
        let network = FusedNetwork::with_path(&config, threads, path);
        let once = network.gradients(&parameters, &batches, &OBJECTIVE).unwrap();
        let again = network.gradients(&parameters, &batches, &OBJECTIVE).unwrap();
        assert_eq!(once, again, "the result depends on memory of an earlier call");
        let bits: Vec<u32> = once.0.iter().map(|x| x.to_bits()).collect();
        (bits, once.1, network.log_probabilities(&parameters, &texts).unwrap())
    };
    let expected = result(1, KernelPath::SCALAR);
    for path in KernelPath::available() {
        for threads in [1, 2, 4] {
            assert!(result(threads, path) == expected, "{threads} threads on {path}");
        }
    }
}

#[test]
fn the_gradient_of_a_batch_is_the_sum_over_its_parts() {
    let config = reference::small();
    let parameters = reference::weights(&config, 4);
    let network = FusedNetwork::new(&config, 2);
    let whole =
        network.gradients(&parameters, &micro_batches(batch(), 10_000), &OBJECTIVE).unwrap();
    let parts = network.gradients(&parameters, &micro_batches(batch(), 1), &OBJECTIVE).unwrap();
    let distance = whole.0.iter().zip(&parts.0).fold(0f32, |a, (x, y)| a.max((x - y).abs()));
    assert!(distance < 1e-5, "differs by {distance}");
    assert!((whole.1.loss - parts.1.loss).abs() < 1e-9);
    assert_eq!(whole.1.policy_tokens, parts.1.policy_tokens);
}

#[test]
fn an_error_names_the_place_of_bad_input() {
    let config = reference::small();
    let parameters = reference::weights(&config, 5);
    let network = FusedNetwork::new(&config, 1);
    let check = |tokens: Vec<u32>, targets: usize, expected: &str| {
        let sequence = Sequence { tokens, targets: vec![Target::None; targets] };
        let batch = MicroBatch { sequences: vec![sequence] };
        let error: NetworkError = network.gradients(&parameters, &[batch], &OBJECTIVE).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    check(vec![], 0, "sequence 0 has no tokens");
    check(vec![1; 81], 81, "81 tokens, but the context ends at 80");
    check(vec![1, 37], 2, "position 1: token 37 is outside the vocabulary of 37");
    check(vec![1, 2], 1, "2 tokens but 1 targets");
}
