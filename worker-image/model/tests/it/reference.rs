//! A plain decoder with its losses in double precision: one token, one head, one number at a time.

use shoprl_model::batch::{Objective, Sequence, Target};
use shoprl_model::config::ModelConfig;
use shoprl_model::parameters::{Layout, Parameters};
use shoprl_rl::seed::{Purpose, Stream};

/// A small geometry. Sizes are not multiples of sixteen, and query heads share key heads.
pub(crate) fn small() -> ModelConfig {
    let mut config = ModelConfig::preset("nano", 37).unwrap();
    config.hidden_size = 24;
    config.intermediate_size = 21;
    config.num_hidden_layers = 2;
    config.num_attention_heads = 4;
    config.num_key_value_heads = 2;
    config.head_dim = 6;
    config.max_position_embeddings = 80;
    config
}

/// Weights without special values: gains are not 1.
pub(crate) fn weights(config: &ModelConfig, seed: u64) -> Parameters {
    let layout = Layout::new(config);
    let mut stream = Stream::new(seed, Purpose::Initialization, &[]);
    let mut values = Vec::with_capacity(layout.len());
    for entry in layout.entries() {
        let scale = match entry.shape.len() {
            1 => 0.2,
            _ => 0.8 / (entry.shape[1] as f32).sqrt(),
        };
        let center = if entry.shape.len() == 1 { 1.0 } else { 0.0 };
        values.extend((0..entry.len()).map(|_| center + scale * stream.normal_f32()));
    }
    Parameters { layout: layout.into(), values }
}

/// Random tokens.
pub(crate) fn tokens(config: &ModelConfig, length: usize, seed: u64) -> Vec<u32> {
    let mut stream = Stream::new(seed, Purpose::Task, &[]);
    (0..length).map(|_| stream.below(config.vocab_size as u64) as u32).collect()
}

/// A sequence with targets of all kinds.
pub(crate) fn sequence(config: &ModelConfig, length: usize, seed: u64) -> Sequence {
    let mut stream = Stream::new(seed, Purpose::Persona, &[]);
    let target = |stream: &mut Stream| match stream.below(5) {
        0 => Target::None,
        1 => Target::Supervised { weight: 0.3 },
        2 => Target::Supervised { weight: 1.0 },
        n => Target::Policy {
            advantage: stream.normal_f32(),
            behavior: -3.0 + 0.5 * stream.normal_f32(),
            reference: (n == 3).then(|| -3.2 + 0.5 * stream.normal_f32()),
        },
    };
    let targets =
        (0..length).map(|t| if t == 0 { Target::None } else { target(&mut stream) }).collect();
    Sequence { tokens: tokens(config, length, seed), targets }
}

/// The objective in double precision for weights given in double precision.
pub(crate) fn objective(
    config: &ModelConfig,
    weights: &[f64],
    sequences: &[Sequence],
    o: &Objective,
) -> f64 {
    let mut total = 0.0;
    for sequence in sequences {
        let log_probabilities = log_probabilities(config, weights, &sequence.tokens);
        for (l, target) in log_probabilities.iter().zip(&sequence.targets) {
            total += match *target {
                Target::None => 0.0,
                Target::Supervised { weight } => -f64::from(weight) * l,
                Target::Policy { advantage, behavior, reference } => {
                    let (advantage, ratio) =
                        (f64::from(advantage), (l - f64::from(behavior)).exp());
                    let bounded =
                        ratio.clamp(1.0 - f64::from(o.clip.low), 1.0 + f64::from(o.clip.high));
                    let difference = reference.map_or(0.0, |r| f64::from(r) - l);
                    -(ratio * advantage).min(bounded * advantage)
                        + f64::from(o.kl_coefficient) * (difference.exp() - difference - 1.0)
                }
            };
        }
    }
    total / f64::from(o.normalizer)
}

/// ln p of every token, 0 for the first.
pub(crate) fn log_probabilities(config: &ModelConfig, weights: &[f64], tokens: &[u32]) -> Vec<f64> {
    let layout = Layout::new(config);
    let tensor = |name: &str| &weights[layout.entry(name).unwrap().range()];
    let hidden = config.hidden_size;
    let eps = config.rms_norm_eps;
    let embedding = tensor("model.embed_tokens.weight");
    let mut rows: Vec<Vec<f64>> =
        tokens.iter().map(|&t| embedding[t as usize * hidden..][..hidden].to_vec()).collect();
    for layer in 0..config.num_hidden_layers {
        let tensor = |name: &str| tensor(&format!("model.layers.{layer}.{name}.weight"));
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        for (position, row) in rows.iter_mut().enumerate() {
            let x = norm(row, tensor("input_layernorm"), eps);
            let turn = |matrix, gain| -> Vec<Vec<f64>> {
                let y = apply(tensor(matrix), &x);
                y.chunks(config.head_dim)
                    .map(|h| rotate(&norm(h, tensor(gain), eps), position, config))
                    .collect()
            };
            let queries = turn("self_attn.q_proj", "self_attn.q_norm");
            keys.push(turn("self_attn.k_proj", "self_attn.k_norm"));
            values.push(apply(tensor("self_attn.v_proj"), &x));
            let mut attended = Vec::new();
            for (head, query) in queries.iter().enumerate() {
                let shared = head * config.num_key_value_heads / config.num_attention_heads;
                let scale = (config.head_dim as f64).sqrt();
                let scores: Vec<f64> =
                    keys.iter().map(|k| dot(query, &k[shared]) / scale).collect();
                let total: f64 = scores.iter().map(|s| s.exp()).sum();
                for i in 0..config.head_dim {
                    let weighted = scores
                        .iter()
                        .zip(&values)
                        .map(|(s, v)| s.exp() * v[shared * config.head_dim + i]);
                    attended.push(weighted.sum::<f64>() / total);
                }
            }
            add(row, &apply(tensor("self_attn.o_proj"), &attended));
            let x = norm(row, tensor("post_attention_layernorm"), eps);
            let (gate, up) = (apply(tensor("mlp.gate_proj"), &x), apply(tensor("mlp.up_proj"), &x));
            let inner: Vec<f64> =
                gate.iter().zip(&up).map(|(g, u)| g / (1.0 + (-g).exp()) * u).collect();
            add(row, &apply(tensor("mlp.down_proj"), &inner));
        }
    }
    let mut result = vec![0.0];
    for (row, &next) in rows.iter().zip(&tokens[1..]) {
        let logits = apply(embedding, &norm(row, tensor("model.norm.weight"), eps));
        result.push(logits[next as usize] - logits.iter().map(|x| x.exp()).sum::<f64>().ln());
    }
    result
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn apply(matrix: &[f64], x: &[f64]) -> Vec<f64> {
    matrix.chunks(x.len()).map(|row| dot(row, x)).collect()
}

fn add(to: &mut [f64], x: &[f64]) {
    for (to, x) in to.iter_mut().zip(x) {
        *to += x;
    }
}

fn norm(x: &[f64], gain: &[f64], eps: f64) -> Vec<f64> {
    let rms = (dot(x, x) / x.len() as f64 + eps).sqrt();
    x.iter().zip(gain).map(|(x, g)| x / rms * g).collect()
}

fn rotate(x: &[f64], position: usize, config: &ModelConfig) -> Vec<f64> {
    let half = x.len() / 2;
    let mut y = vec![0.0; x.len()];
    for i in 0..half {
        let angle = position as f64 * config.rope_theta.powf(-2.0 * i as f64 / x.len() as f64);
        y[i] = x[i] * angle.cos() - x[i + half] * angle.sin();
        y[i + half] = x[i + half] * angle.cos() + x[i] * angle.sin();
    }
    y
}
