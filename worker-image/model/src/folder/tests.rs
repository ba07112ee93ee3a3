use std::error::Error;
use std::fs;

use super::*;
use crate::tokenizer;

fn example() -> (ModelConfig, Parameters, Tokenizer) {
    let words: Vec<String> = ["搜索", "打开", "¥50"].map(str::to_owned).to_vec();
    let tokenizer = Tokenizer::from_json(&tokenizer::build(&words).unwrap()).unwrap();
    let mut config = ModelConfig::preset("nano", tokenizer.vocab_size()).unwrap();
    (config.hidden_size, config.intermediate_size, config.num_hidden_layers, config.head_dim) =
        (16, 24, 2, 8);
    let parameters = Parameters::init(&config, 3);
    (config, parameters, tokenizer)
}

/// The error's text with its cause.
fn with_cause(error: &FolderError) -> String {
    let cause = error.source().map_or_else(String::new, |cause| format!(" ({cause})"));
    format!("{error}{cause}")
}

/// A saved example and the guard of its temporary folder.
fn saved() -> (tempfile::TempDir, ModelConfig, Parameters) {
    let (config, parameters, tokenizer) = example();
    let guard = tempfile::tempdir().unwrap();
    save(guard.path(), &config, &parameters, &tokenizer).unwrap();
    (guard, config, parameters)
}

#[test]
fn a_saved_folder_loads_with_the_same_bits() {
    let (guard, config, parameters) = saved();
    let (found, weights) = load(guard.path()).unwrap();
    assert_eq!((&found, weights.digest()), (&config, parameters.digest()));
    assert_eq!(load_tokenizer(guard.path(), &found).unwrap().word("¥50"), Some(261));
}

#[test]
fn the_folder_has_exactly_hugging_faces_files_and_reproducible_bytes() {
    let (guard, config, parameters) = saved();
    let mut names: Vec<String> = fs::read_dir(guard.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, [CONFIG, GENERATION_CONFIG, WEIGHTS, TOKENIZER, TOKENIZER_CONFIG]);
    for (name, bytes) in files(&config, &parameters, &example().2).unwrap() {
        assert!(fs::read(guard.path().join(name)).unwrap() == bytes, "{name}");
    }
}

#[test]
fn saving_again_replaces_the_files() {
    let (guard, config, mut parameters) = saved();
    parameters.values[5] = 0.25;
    save(guard.path(), &config, &parameters, &example().2).unwrap();
    assert_eq!(load(guard.path()).unwrap().1.digest(), parameters.digest());
}

#[test]
fn an_error_names_the_damaged_file_the_cause_and_the_remedy() {
    let check = |damage: &dyn Fn(&Path), expected: &[&str]| {
        let (guard, config, _) = saved();
        damage(guard.path());
        let error = match load(guard.path()) {
            Err(error) => error,
            Ok(_) => load_tokenizer(guard.path(), &config).unwrap_err(),
        };
        let message = with_cause(&error);
        for part in expected {
            assert!(message.contains(part), "`{part}` is not in: {message}");
        }
    };
    let edit = |name: &'static str, change: &'static dyn Fn(&mut Vec<u8>)| {
        move |dir: &Path| {
            let mut bytes = fs::read(dir.join(name)).unwrap();
            change(&mut bytes);
            fs::write(dir.join(name), bytes).unwrap();
        }
    };
    let replace = |name: &'static str, from: &'static str, to: &'static str| {
        move |dir: &Path| {
            let text = fs::read_to_string(dir.join(name)).unwrap();
            assert!(text.contains(from), "{text}");
            fs::write(dir.join(name), text.replacen(from, to, 1)).unwrap();
        }
    };
    check(&|dir| fs::remove_file(dir.join(CONFIG)).unwrap(), &["config.json does not exist"]);
    check(
        &|dir| fs::remove_file(dir.join(WEIGHTS)).unwrap(),
        &["model.safetensors does not exist"],
    );
    check(&|dir| fs::remove_file(dir.join(TOKENIZER)).unwrap(), &["tokenizer.json does not exist"]);
    check(
        &replace(CONFIG, "\"qwen3\"", "\"llama\""),
        &[
            "config.json cannot be used; export the model",
            "(`model_type` is llama, but must be qwen3)",
        ],
    );
    check(
        &edit(CONFIG, &|bytes| bytes.truncate(40)),
        &["config.json cannot be used", "(not a model configuration)"],
    );
    check(
        &replace(CONFIG, "\"head_dim\": 8", "\"head_dim\": 4"),
        &["q_proj.weight` is F32 [32, 16], but must be F32 [16, 16]"],
    );
    check(
        &replace(CONFIG, "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3"),
        &["tensor `model.layers.2.input_layernorm.weight` is missing"],
    );
    check(
        &replace(CONFIG, "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1"),
        &["tensor `model.layers.1.input_layernorm.weight` does not belong"],
    );
    check(
        &edit(WEIGHTS, &|bytes| bytes.truncate(5)),
        &["it is truncated: 5 bytes, but its header needs 8", "older checkpoint"],
    );
    check(
        &edit(WEIGHTS, &|bytes| bytes.truncate(100)),
        &["model.safetensors cannot be used", "(it is truncated: 100 bytes"],
    );
    check(
        &edit(WEIGHTS, &|bytes| bytes.truncate(bytes.len() - 1)),
        &["it is truncated: ", "copy the folder again"],
    );
    check(&edit(WEIGHTS, &|bytes| bytes.push(0)), &["not a safetensors file: incomplete metadata"]);
    check(&edit(WEIGHTS, &|bytes| bytes[10] = b'?'), &["not a safetensors file: invalid JSON"]);
    check(&edit(WEIGHTS, &|bytes| bytes[7] = 1), &["not a safetensors file: header too large"]);
    check(&edit(WEIGHTS, &|bytes| bytes.truncate(0)), &["it is truncated: 0 bytes"]);
    check(
        &edit(WEIGHTS, &|bytes| {
            let end = bytes.len();
            bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        }),
        &["tensor `model.norm.weight` holds NaN at position 15"],
    );
    check(
        &edit(TOKENIZER, &|bytes| bytes.truncate(1000)),
        &["tokenizer.json cannot be used", "(not a tokenizer: EOF"],
    );
    check(
        &replace(TOKENIZER, "<|end|>", "</s>"),
        &["tokenizer.json cannot be used", "(token 258 is `</s>`, but must be `<|end|>`)"],
    );
}

#[test]
fn parts_of_different_models_are_not_written() {
    let (config, parameters, tokenizer) = example();
    let dir = tempfile::tempdir().unwrap();
    let mut other = config.clone();
    other.vocab_size += 1;
    let message = save(dir.path(), &other, &parameters, &tokenizer).unwrap_err().to_string();
    assert!(
        message.starts_with("the tokenizer has 262 tokens, but `vocab_size` is 263"),
        "{message}"
    );
    let deeper = ModelConfig { num_hidden_layers: 3, ..config.clone() };
    assert!(matches!(
        save(dir.path(), &deeper, &parameters, &tokenizer),
        Err(FolderError::Geometry)
    ));
    let mut broken = parameters;
    broken.values[0] = f32::INFINITY;
    let message = with_cause(&save(dir.path(), &config, &broken, &tokenizer).unwrap_err());
    assert!(message.contains("`model.embed_tokens.weight` holds inf at position 0"), "{message}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let (config, parameters, tokenizer) = example();
    let guard = tempfile::tempdir().unwrap();
    let blocked = guard.path().join("file");
    fs::write(&blocked, "not a folder").unwrap();
    let message =
        save(&blocked.join("model"), &config, &parameters, &tokenizer).unwrap_err().to_string();
    assert!(
        message.starts_with(&format!("cannot create {}", blocked.join("model").display())),
        "{message}"
    );
    fs::create_dir(guard.path().join(WEIGHTS)).unwrap();
    let message = save(guard.path(), &config, &parameters, &tokenizer).unwrap_err().to_string();
    assert!(message.contains("cannot write") && message.contains(WEIGHTS), "{message}");
    let names = fs::read_dir(guard.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let partial = names.filter(|name| name.to_string_lossy().ends_with(shoprl_files::PARTIAL));
    assert_eq!(partial.count(), 0);
}
