//! Generation: a text has the same tokens and numbers alone, with others, in pieces and on other threads.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use shoprl_model::config::ModelConfig;
use shoprl_model::engine::{Engine, Finished, Generation, Slot};
use shoprl_model::fused::FusedNetwork;
use shoprl_model::kernel::KernelPath;
use shoprl_model::network::Network;
use shoprl_rl::seed::{Purpose, StreamKey};

use crate::reference;

const END: u32 = 2;

fn config() -> ModelConfig {
    reference::small()
}

fn engine(slots: usize, threads: usize, path: KernelPath) -> Engine {
    let mut engine = Engine::with_path(&config(), slots, 80, threads, path);
    engine.load(&reference::weights(&config(), 7));
    engine
}

fn request(text: u64, max_tokens: usize) -> Generation {
    let stream = StreamKey::new(1, Purpose::Sampling, &[text]);
    Generation { max_tokens, end: END, temperature: 1.0, stream }
}

fn prompt(text: u64) -> Vec<u32> {
    reference::tokens(&config(), 3 + (text as usize * 5) % 43, 100 + text)
}

fn finish(engine: &mut Engine) -> BTreeMap<Slot, Finished> {
    let mut finished = BTreeMap::new();
    while engine.busy() {
        for f in engine.step() {
            assert!(finished.insert(f.slot, f).is_none(), "a generation finished twice");
        }
    }
    finished
}

/// A generation without its slot.
type Result = (Vec<u32>, Vec<u32>, Vec<u32>, bool);

fn result(f: &Finished) -> Result {
    let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect();
    (f.tokens.clone(), bits(&f.log_probabilities), bits(&f.entropies), f.closed)
}

fn alone(text: u64, path: KernelPath) -> Result {
    let mut engine = engine(1, 1, path);
    let slot = engine.open().unwrap();
    engine.append(slot, &prompt(text)).unwrap();
    engine.generate(slot, request(text, 12));
    result(&finish(&mut engine)[&slot])
}

#[test]
fn a_text_has_the_same_bits_alone_and_with_others_on_all_threads_and_paths() {
    let expected: Vec<Result> = (0..16).map(|text| alone(text, KernelPath::SCALAR)).collect();
    assert!(
        expected.iter().any(|r| r.3) && expected.iter().any(|r| !r.3),
        "both ways to end must occur"
    );
    for path in KernelPath::available() {
        for threads in [1, 2, 3] {
            let mut engine = engine(16, threads, path);
            let slots: Vec<Slot> = (0..16).map(|_| engine.open().unwrap()).collect();
            assert_eq!(engine.open(), None);
            for (slot, text) in slots.iter().zip(0..) {
                engine.append(*slot, &prompt(text)).unwrap();
                engine.generate(*slot, request(text, 12));
            }
            let finished = finish(&mut engine);
            for (slot, expected) in slots.iter().zip(&expected) {
                assert!(result(&finished[slot]) == *expected, "{threads} threads on {path}");
            }
        }
    }
}

#[test]
fn a_prompt_in_pieces_has_the_bits_of_a_whole_prompt() {
    let expected = alone(7, KernelPath::detect());
    let prompt = prompt(7);
    for piece in [1, 2, 5, 16, 17] {
        let mut engine = engine(3, 1, KernelPath::detect());
        // A used slot, which still holds keys and values of another text.
        let slot = engine.open().unwrap();
        engine.append(slot, &reference::tokens(&config(), 70, 1)).unwrap();
        finish(&mut engine);
        engine.close(slot);
        let slot = engine.open().unwrap();
        for tokens in prompt.chunks(piece) {
            engine.append(slot, tokens).unwrap();
            engine.step();
        }
        engine.generate(slot, request(7, 12));
        assert!(result(&finish(&mut engine)[&slot]) == expected, "pieces of {piece}");
    }
}

#[test]
fn a_fork_continues_like_a_fresh_text() {
    for cut in [1, 15, 16, 17, 30] {
        let mut engine = engine(3, 2, KernelPath::detect());
        let prompt = prompt(8);
        let from = engine.open().unwrap();
        engine.append(from, &prompt[..cut]).unwrap();
        finish(&mut engine);
        let forks = [engine.fork(from).unwrap(), engine.fork(from).unwrap()];
        assert_eq!(engine.fork(from), None);
        for slot in forks {
            engine.append(slot, &prompt[cut..]).unwrap();
            engine.generate(slot, request(8, 12));
        }
        let finished = finish(&mut engine);
        for slot in forks {
            assert!(result(&finished[&slot]) == alone(8, KernelPath::detect()), "fork after {cut}");
            assert_eq!(engine.length(slot), prompt.len() + finished[&slot].tokens.len());
        }
        assert_eq!(engine.length(from), cut);
    }
}

#[test]
fn training_computes_the_log_probabilities_of_generation_bit_for_bit() {
    let parameters = reference::weights(&config(), 7);
    let mut engine = engine(6, 2, KernelPath::detect());
    let mut texts = BTreeMap::new();
    for text in 0..6 {
        let slot = engine.open().unwrap();
        texts.insert(slot, (Vec::new(), Vec::new()));
        let (tokens, log_probabilities): &mut (Vec<u32>, Vec<u32>) = texts.get_mut(&slot).unwrap();
        tokens.extend(prompt(text));
        log_probabilities.resize(tokens.len(), 0);
        engine.append(slot, tokens).unwrap();
    }
    // Three turns of an episode: observation, action, and the next observation after the action's closing token.
    for turn in 0..3 {
        for (slot, (tokens, log_probabilities)) in &mut texts {
            let observation = reference::tokens(&config(), 3, turn);
            if engine.append(*slot, &observation).is_ok() {
                tokens.extend(&observation);
                log_probabilities.resize(tokens.len(), 0);
                engine.generate(*slot, request(turn, 6));
            }
        }
        for (slot, finished) in finish(&mut engine) {
            let (tokens, log_probabilities) = texts.get_mut(&slot).unwrap();
            tokens.extend(&finished.tokens);
            log_probabilities.extend(finished.log_probabilities.iter().map(|x| x.to_bits()));
        }
    }
    let sequences: Vec<Vec<u32>> = texts.values().map(|t| t.0.clone()).collect();
    let found = FusedNetwork::new(&config(), 2).log_probabilities(&parameters, &sequences).unwrap();
    let mut sampled = 0;
    for ((_, expected), found) in texts.values().zip(found) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected).filter(|(_, e)| **e != 0) {
            assert_eq!(found.to_bits(), *expected);
            sampled += 1;
        }
    }
    assert!(sampled > 40, "{sampled} tokens were compared");
}

#[test]
fn greedy_generation_takes_the_most_probable_token() {
    let parameters = reference::weights(&config(), 7);
    let mut engine = engine(1, 1, KernelPath::detect());
    let slot = engine.open().unwrap();
    engine.append(slot, &prompt(9)).unwrap();
    engine.generate(slot, Generation { temperature: 0.0, ..request(9, 10) });
    let finished = finish(&mut engine).remove(&slot).unwrap();
    let network = FusedNetwork::new(&config(), 1);
    let mut text = prompt(9);
    for token in finished.tokens {
        let logits = network.logits(&parameters, &text).unwrap();
        assert_eq!(logits.len(), 37);
        assert!(logits.iter().all(|&x| x <= logits[token as usize]));
        text.push(token);
    }
}

#[test]
fn a_full_context_ends_a_generation_and_refuses_tokens() {
    let mut engine = engine(2, 1, KernelPath::detect());
    let slot = engine.open().unwrap();
    engine.append(slot, &[5; 78]).unwrap();
    let error = engine.append(slot, &[5; 3]).unwrap_err();
    assert_eq!((error.length, error.appended, error.context), (78, 3, 80));
    engine.generate(slot, Generation { end: 1000, ..request(0, 9) });
    let finished = finish(&mut engine).remove(&slot).unwrap();
    assert_eq!((finished.tokens.len(), finished.closed), (2, false));
    assert_eq!(engine.length(slot), 80);
    engine.generate(slot, request(0, 9));
    let finished = finish_one(&mut engine, slot);
    assert_eq!((finished.tokens.len(), finished.closed), (0, false));

    engine.close(slot);
    assert_eq!(engine.free(), 2);
}

fn finish_one(engine: &mut Engine, slot: Slot) -> Finished {
    finish(engine).remove(&slot).unwrap()
}

#[test]
fn prompts_that_exceed_the_rows_of_a_step_are_all_computed() {
    let mut engine = engine(12, 2, KernelPath::detect());
    let slots: Vec<Slot> = (0..12).map(|_| engine.open().unwrap()).collect();
    for (slot, text) in slots.iter().zip(0..) {
        engine.append(*slot, &reference::tokens(&config(), 60, text)).unwrap();
        engine.generate(*slot, request(text, 4));
    }
    let finished = finish(&mut engine);
    assert_eq!(finished.into_keys().collect::<Vec<_>>(), slots);
}

#[test]
#[should_panic(expected = "weights were loaded while a text is open")]
fn weights_cannot_change_under_an_open_text() {
    let mut engine = engine(1, 1, KernelPath::detect());
    engine.open();
    engine.load(&reference::weights(&config(), 8));
}

#[test]
fn a_closed_slot_is_refused_by_every_method() {
    type Call = fn(&mut Engine, Slot);
    let calls: [Call; 6] = [
        |engine, slot| assert!(engine.append(slot, &[1]).is_ok()),
        |engine, slot| engine.generate(slot, request(0, 1)),
        |engine, slot| engine.close(slot),
        |engine, slot| assert_eq!(engine.fork(slot), None),
        |engine, slot| assert_eq!(engine.length(slot), 0),
        |engine, slot| assert_eq!(engine.waiting(slot), 0),
    ];
    for (number, call) in calls.into_iter().enumerate() {
        let mut engine = engine(1, 1, KernelPath::SCALAR);
        let slot = engine.open().unwrap();
        engine.close(slot);
        let result = catch_unwind(AssertUnwindSafe(|| call(&mut engine, slot)));
        let message = *result.unwrap_err().downcast::<String>().unwrap();
        assert_eq!(message, "slot 0 is not open", "call {number}");
        assert_eq!(engine.free(), 1, "call {number} opened a slot");
    }
}

#[test]
fn a_fork_has_the_computed_and_the_pending_tokens() {
    let mut engine = engine(2, 1, KernelPath::detect());
    let from = engine.open().unwrap();
    engine.append(from, &prompt(3)).unwrap();
    finish(&mut engine);
    engine.append(from, &[1, 2, 3]).unwrap();
    let copy = engine.fork(from).unwrap();
    assert_eq!(engine.length(copy), prompt(3).len() + 3);
    assert_eq!((engine.waiting(copy), engine.waiting(from)), (3, 3));
}
