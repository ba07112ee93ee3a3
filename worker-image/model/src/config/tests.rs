use std::error::Error;

use super::*;

fn nano() -> ModelConfig {
    ModelConfig::preset("nano", 400).unwrap()
}

#[test]
fn a_configuration_survives_its_json() {
    let config = nano();
    assert_eq!(ModelConfig::from_json(&config.to_json().unwrap()).unwrap(), config);
}

#[test]
fn unknown_keys_are_ignored() {
    let text = nano().to_json().unwrap().replacen('{', "{\"transformers_version\": \"4.51.0\",", 1);
    assert_eq!(ModelConfig::from_json(&text).unwrap(), nano());
}

#[test]
fn an_unknown_preset_is_refused_with_the_choices() {
    let message = ModelConfig::preset("giga", 400).unwrap_err().to_string();
    assert_eq!(message, "model preset `giga` does not exist; choose one of: nano");
}

#[test]
fn an_unsupported_value_is_refused_by_name() {
    let check = |change: &dyn Fn(&mut ModelConfig), expected: &str| {
        let mut config = nano();
        change(&mut config);
        assert_eq!(config.validate().unwrap_err().to_string(), expected);
    };
    check(&|c| c.model_type = "llama".to_owned(), "`model_type` is llama, but must be qwen3");
    check(
        &|c| c.architectures = vec!["LlamaForCausalLM".into()],
        "`architectures` is LlamaForCausalLM, but must be Qwen3ForCausalLM",
    );
    check(&|c| c.hidden_act = "gelu".to_owned(), "`hidden_act` is gelu, but must be silu");
    check(
        &|c| c.torch_dtype = "bfloat16".to_owned(),
        "`torch_dtype` is bfloat16, but must be float32",
    );
    check(&|c| c.vocab_size = 0, "`vocab_size` is 0, but must be at least 1");
    check(
        &|c| c.num_key_value_heads = 3,
        "`num_key_value_heads` is 3, but must be a divisor of num_attention_heads = 4",
    );
    check(&|c| c.head_dim = 31, "`head_dim` is 31, but must be even");
    check(&|c| c.rms_norm_eps = 0.0, "`rms_norm_eps` is 0, but must be positive and finite");
    check(&|c| c.rope_theta = f64::NAN, "`rope_theta` is NaN, but must be positive and finite");
    check(
        &|c| c.rope_scaling = Some(serde_json::json!({"type": "yarn"})),
        "`rope_scaling` is set, but must be null",
    );
    check(&|c| c.attention_bias = true, "`attention_bias` is true, but must be false");
    check(&|c| c.use_sliding_window = true, "`use_sliding_window` is true, but must be false");
    check(&|c| c.tie_word_embeddings = false, "`tie_word_embeddings` is false, but must be true");
    check(
        &|c| c.eos_token_id = Some(400),
        "`eos_token_id` is 400, but must be below vocab_size = 400",
    );
}

#[test]
fn a_missing_field_is_named() {
    let text = nano().to_json().unwrap().replace("\"rope_theta\": 10000.0,", "");
    let error = ModelConfig::from_json(&text).unwrap_err();
    let cause = error.source().unwrap().to_string();
    assert!(cause.contains("missing field `rope_theta`"), "{cause}");
}
