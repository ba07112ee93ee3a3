use shoprl_rl::seed::{Purpose, Stream};

use super::*;
use crate::config::ModelConfig;
use crate::tensor_file::TensorFileError;

fn config() -> ModelConfig {
    let mut config = ModelConfig::preset("nano", 50).unwrap();
    // 20 and 44 are no multiples of the kernels' sixteen columns; keys are narrower than queries.
    (config.hidden_size, config.intermediate_size, config.num_hidden_layers, config.head_dim) =
        (20, 44, 2, 6);
    config.num_key_value_heads = 2;
    config
}

fn noise(length: usize, coordinate: u64) -> Vec<f32> {
    let mut stream = Stream::new(1, Purpose::Initialization, &[99, coordinate]);
    (0..length).map(|_| stream.normal_f32()).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Weights after `steps` steps on pseudo-random gradients. Every step starts with the optimiser that `between`
/// returns.
fn train(
    method: Method,
    threads: usize,
    steps: u64,
    between: impl Fn(Optimizer) -> Optimizer,
) -> Vec<u32> {
    let mut parameters = Parameters::init(&config(), 1);
    let mut optimizer =
        Optimizer::new(parameters.layout.clone(), Settings::new(method, 0.01), threads);
    for step in 0..steps {
        optimizer = between(optimizer);
        let gradients = noise(parameters.values.len(), step);
        optimizer.step(&mut parameters, &gradients, Rates { adamw: 2e-3, muon: 2e-2 });
    }
    bits(&parameters.values)
}

#[test]
fn the_number_of_threads_does_not_change_the_bits() {
    for method in [Method::AdamW, Method::Muon] {
        let one = train(method, 1, 3, |optimizer| optimizer);
        for threads in [2, 4, 64] {
            assert!(
                train(method, threads, 3, |optimizer| optimizer) == one,
                "{method:?} on {threads} threads"
            );
        }
    }
}

#[test]
fn a_run_resumed_from_its_state_file_continues_with_the_same_bits() {
    for method in [Method::AdamW, Method::Muon] {
        let resumed = train(method, 1, 3, |optimizer| {
            let bytes = optimizer.to_bytes().unwrap();
            let Optimizer { layout, settings, .. } = optimizer;
            let again = Optimizer::from_bytes(layout, settings, 1, &bytes).unwrap();
            assert!(again.to_bytes().unwrap() == bytes);
            again
        });
        assert!(resumed == train(method, 1, 3, |optimizer| optimizer), "{method:?}");
    }
}

#[test]
fn the_state_of_another_method_is_refused_by_name() {
    let layout = Arc::new(Layout::new(&config()));
    let bytes =
        Optimizer::new(layout.clone(), Settings::new(Method::AdamW, 0.0), 1).to_bytes().unwrap();
    let error =
        Optimizer::from_bytes(layout, Settings::new(Method::Muon, 0.0), 1, &bytes).unwrap_err();
    assert_eq!(
        error,
        TensorFileError::Missing("model.layers.0.self_attn.q_proj.weight.momentum".into())
    );
}

#[test]
fn adamw_follows_its_definition() {
    // Two steps against the definition in f64, one scalar at a time.
    let (rate, decay) = (0.003, 0.1);
    let mut parameters = Parameters::init(&config(), 1);
    let before = parameters.values.clone();
    let gradients: Vec<Vec<f32>> = (0..2).map(|step| noise(before.len(), step)).collect();
    let mut optimizer =
        Optimizer::new(parameters.layout.clone(), Settings::new(Method::AdamW, decay as f32), 1);
    for gradient in &gradients {
        optimizer.step(&mut parameters, gradient, Rates { adamw: rate as f32, muon: 0.0 });
    }
    assert_eq!(optimizer.steps(), 2);
    for entry in parameters.layout.entries() {
        let scale = f64::from(entry.learning_rate_scale);
        for i in entry.range() {
            let (mut x, mut m, mut v) = (f64::from(before[i]), 0.0, 0.0);
            for (t, gradient) in (1..).zip(&gradients) {
                let g = f64::from(gradient[i]);
                m = 0.9 * m + 0.1 * g;
                v = 0.95 * v + 0.05 * g * g;
                let (mean, square) = (m / (1.0 - 0.9f64.powi(t)), v / (1.0 - 0.95f64.powi(t)));
                x -= rate * decay * x + rate * scale * mean / (square.sqrt() + 1e-8);
            }
            let difference = (f64::from(parameters.values[i]) - x).abs();
            assert!(difference < 1e-6 * (1.0 + x.abs()), "{} {i}: {difference}", entry.name);
        }
    }
    let scales =
        ["model.embed_tokens.weight", "model.norm.weight", "model.layers.0.mlp.up_proj.weight"]
            .map(|name| parameters.layout.entry(name).unwrap().learning_rate_scale);
    assert_eq!(scales, [20f32.sqrt(), 1.0 / 20f32.sqrt(), 1.0]);
}

/// Row-major product of `a` (n x k) and `b` (k x m) in f64.
fn dot(a: &[f64], b: &[f64], k: usize) -> Vec<f64> {
    let m = b.len() / k;
    a.chunks(k)
        .flat_map(|row| {
            (0..m).map(move |j| row.iter().zip(0..).map(|(x, i)| x * b[i * m + j]).sum())
        })
        .collect()
}

fn transpose(a: &[f64], columns: usize) -> Vec<f64> {
    (0..columns).flat_map(|column| a.iter().skip(column).step_by(columns).copied()).collect()
}

/// Five rounds of x <- a x + (b g + c g²) x with g = x xᵀ, as published, in f64.
fn published(update: &[f64], columns: usize) -> Vec<f64> {
    let rows = update.len() / columns;
    if rows > columns {
        return transpose(&published(&transpose(update, columns), rows), rows);
    }
    let norm = update.iter().map(|x| x * x).sum::<f64>().sqrt();
    let mut x: Vec<f64> = update.iter().map(|x| x / norm).collect();
    for _ in 0..5 {
        let gram = dot(&x, &transpose(&x, columns), columns);
        let square = dot(&gram, &gram, rows);
        let bracket: Vec<f64> =
            gram.iter().zip(&square).map(|(g, s)| -4.7750 * g + 2.0315 * s).collect();
        x = x.iter().zip(dot(&bracket, &x, rows)).map(|(x, y)| 3.4445 * x + y).collect();
    }
    x
}

#[test]
fn muon_follows_its_definition_and_adamw_updates_the_other_tensors() {
    let (rate, decay) = (0.02, 0.01);
    let mut parameters = Parameters::init(&config(), 1);
    let before = parameters.clone();
    let gradients: Vec<Vec<f32>> = (0..2).map(|step| noise(before.values.len(), step)).collect();
    let rates = Rates { adamw: 2e-3, muon: rate as f32 };
    let mut optimizer =
        Optimizer::new(parameters.layout.clone(), Settings::new(Method::Muon, decay as f32), 1);
    let mut plain = before.clone();
    let mut adamw =
        Optimizer::new(parameters.layout.clone(), Settings::new(Method::AdamW, decay as f32), 1);
    for gradient in &gradients {
        optimizer.step(&mut parameters, gradient, rates);
        adamw.step(&mut plain, gradient, rates);
    }
    for entry in parameters.layout.entries() {
        if entry.class != Class::Matrix {
            assert_eq!(
                bits(parameters.tensor(&entry.name).unwrap()),
                bits(plain.tensor(&entry.name).unwrap())
            );
            continue;
        }
        let (rows, columns) = (entry.shape[0], entry.shape[1]);
        let mut values: Vec<f64> =
            before.values[entry.range()].iter().map(|&x| f64::from(x)).collect();
        let mut momentum = vec![0.0; values.len()];
        for gradient in &gradients {
            let slopes = gradient[entry.range()].iter().map(|&x| f64::from(x));
            let ahead: Vec<f64> = slopes
                .zip(&mut momentum)
                .map(|(g, m)| {
                    *m = 0.95 * *m + 0.05 * g;
                    0.05 * g + 0.95 * *m
                })
                .collect();
            let size = rate * (rows as f64 / columns as f64).max(1.0).sqrt();
            for (value, direction) in values.iter_mut().zip(published(&ahead, columns)) {
                *value -= rate * decay * *value + size * direction;
            }
        }
        for (found, expected) in parameters.values[entry.range()].iter().zip(&values) {
            assert!(
                (f64::from(*found) - expected).abs() < 1e-6,
                "{}: {found} {expected}",
                entry.name
            );
        }
    }
}

#[test]
fn a_gradient_is_clipped_to_its_limit_and_never_enlarged() {
    let layout = Layout::new(&config());
    let check = |limit: f64, expected: f64| {
        let mut gradients = noise(layout.len(), 5);
        let exact = gradients.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
        let norm = clip_gradient_norm(&layout, &mut gradients, limit).unwrap();
        let clipped = gradients.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
        assert!((norm / exact - 1.0).abs() < 1e-12, "{norm} {exact}");
        assert!(
            (clipped / (expected * exact) - 1.0).abs() < 1e-6 && clipped <= limit,
            "{clipped} for {limit}"
        );
    };
    let exact = noise(layout.len(), 5).iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
    check(exact / 8.0, 0.125);
    check(exact * 2.0, 1.0);
}

#[test]
fn a_gradient_with_nan_or_infinity_is_refused_and_unchanged() {
    let layout = Layout::new(&config());
    for bad in [f32::NAN, f32::INFINITY] {
        let mut gradients = noise(layout.len(), 5);
        let entry = layout.entry("model.layers.1.mlp.down_proj.weight").unwrap();
        gradients[entry.offset + 3] = bad;
        let before = bits(&gradients);
        let error = clip_gradient_norm(&layout, &mut gradients, 1.0).unwrap_err();
        assert_eq!(
            (error.tensor.as_str(), error.position),
            ("model.layers.1.mlp.down_proj.weight", 3)
        );
        assert_eq!(bits(&gradients), before);
    }
}

#[test]
fn learning_rates_rise_and_fall_as_stated() {
    let check =
        |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    check(warm_up(0, 30), 1.0 / 30.0);
    check(warm_up(14, 30), 0.5);
    check(warm_up(29, 30), 1.0);
    check(warm_up(1000, 30), 1.0);
    check(warm_up(0, 0), 1.0);
    check(cosine(0.0, 0.1), 1.0);
    check(cosine(0.5, 0.1), 0.55);
    check(cosine(1.0, 0.1), 0.1);
    check(cosine(7.0, 0.1), 0.1);
}
