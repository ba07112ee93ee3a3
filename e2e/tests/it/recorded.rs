//! The model API server gives the answers that `simulate --record` recorded from the real one.

use std::path::Path;

use serde_json::Value;
use shoprl_e2e::simulation::recording::{SEQUENCES, by_the_model, read};

#[test]
fn the_model_answers_all_recorded_sequences_like_the_real_api_server() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/answers.jsonl.gz");
    let recorded = read(&path).expect("the recording is committed");
    assert_eq!(recorded.len() as u64, SEQUENCES);
    let mut differences = Vec::new();
    for (number, real) in (0..).zip(&recorded) {
        let model = by_the_model(number).expect("the model understands the requests");
        if model != *real {
            differences.push(first_difference(number, &model, real));
        }
    }
    let all = differences.len();
    differences.truncate(20);
    assert!(all == 0, "{all} sequences differ\n{}", differences.join("\n"));
}

fn first_difference(number: u64, model: &str, real: &str) -> String {
    let answers =
        |line: &str| -> Vec<Value> { serde_json::from_str(line).expect("a line is JSON") };
    let (model, real) = (answers(model), answers(real));
    let at = model.iter().zip(&real).position(|(model, real)| model != real).unwrap_or_default();
    format!("sequence {number}, answer {at}\n  model {}\n  real  {}", model[at], real[at])
}
