//! Writes random models as Hugging Face folders with logits to compare: `export_logits DIR`.
//!
//! `DIR/nano` and `DIR/grouped` (query heads share key heads) each hold the folder and `expected.json`: logits
//! after some texts, and tokens of some texts. The programs in `e2e/model/` read them.

use std::error::Error;
use std::path::Path;

use serde_json::json;
use shoprl_model::config::ModelConfig;
use shoprl_model::folder;
use shoprl_model::fused::FusedNetwork;
use shoprl_model::network::Network;
use shoprl_model::parameters::{Class, Parameters};
use shoprl_model::tokenizer::{self, Tokenizer};
use shoprl_rl::seed::{Purpose, Stream};

/// Words that contain each other, a sign that is also a letter of GPT-2's byte alphabet, and control tokens as
/// text.
const WORDS: [&str; 8] = ["搜索", "打开", "红色", "红色运动鞋", "运动", "#1", "¥50", "¥500"];
const TEXTS: [&str; 4] = ["搜索红色运动鞋柜¥500", "打开#12", "é × 红 <0xA5>\n¥5", ""];

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args().nth(1).ok_or("usage: export_logits DIR")?;
    let tokenizer = Tokenizer::from_json(&tokenizer::build(&WORDS.map(str::to_owned))?)?;
    let nano = ModelConfig::preset("nano", tokenizer.vocab_size())?;
    let mut grouped = nano.clone();
    // A head width other than hidden / heads, odd sizes, and constants that are no default, so that no wrong reader
    // passes by accident.
    (grouped.num_key_value_heads, grouped.head_dim, grouped.intermediate_size) = (2, 24, 100);
    (grouped.rope_theta, grouped.rms_norm_eps) = (5e3, 1e-3);
    export(&Path::new(&directory).join("nano"), &nano, &tokenizer)?;
    export(&Path::new(&directory).join("grouped"), &grouped, &tokenizer)
}

fn export(
    directory: &Path,
    config: &ModelConfig,
    tokenizer: &Tokenizer,
) -> Result<(), Box<dyn Error>> {
    let parameters = parameters(config);
    folder::save(directory, config, &parameters, tokenizer)?;
    // The comparison is about the folder, so the weights are read back from it.
    let (config, parameters) = folder::load(directory)?;
    let network = FusedNetwork::new(&config, 1);
    let mut stream = Stream::new(2, Purpose::Task, &[]);
    let mut logits = Vec::new();
    for length in [1, 2, 33, 300] {
        let tokens: Vec<u32> =
            (0..length).map(|_| stream.below(config.vocab_size as u64) as u32).collect();
        let after = network.logits(&parameters, &tokens)?;
        logits.push(json!({"tokens": tokens, "logits": after}));
    }
    let texts: Vec<_> =
        TEXTS.iter().map(|text| json!({"text": text, "tokens": tokenizer.encode(text)})).collect();
    std::fs::write(
        directory.join("expected.json"),
        json!({"logits": logits, "texts": texts}).to_string(),
    )?;
    println!("{}: {} parameters", directory.display(), parameters.values.len());
    Ok(())
}

/// Initial weights with gains other than 1: ignoring a gain of 1 would go unnoticed.
fn parameters(config: &ModelConfig) -> Parameters {
    let mut parameters = Parameters::init(config, 1);
    let mut stream = Stream::new(1, Purpose::Scorer, &[]);
    let layout = parameters.layout.clone();
    for entry in layout.entries().iter().filter(|entry| entry.class == Class::Norm) {
        for gain in &mut parameters.values[entry.range()] {
            *gain *= 1.0 + 0.3 * stream.normal_f32();
        }
    }
    parameters
}
