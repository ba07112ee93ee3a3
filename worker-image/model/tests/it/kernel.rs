//! The row kernels: correct, and with the same bits on every path and in every batch.

use proptest::prelude::*;
use shoprl_model::kernel::{
    KernelPath, LANES, Left, Norm, Output, Panels, Right, Shape, Start, attention_softmax, padded,
    product, rms_norm, rotate, row_products, swiglu,
};
use shoprl_rl::seed::{Purpose, Stream};

fn random(n: usize, seed: u64) -> Vec<f32> {
    let mut stream = Stream::new(seed, Purpose::Fault, &[n as u64]);
    (0..n).map(|_| stream.normal_f32()).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

/// The definition: each output is one chain of fused multiply-adds.
fn chain(start: f32, terms: impl Iterator<Item = (f32, f32)>) -> f32 {
    terms.fold(start, |sum, (a, b)| a.mul_add(b, sum))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_linear_layer_is_one_chain_per_output_on_every_path(
        m in 1usize..20, n in 1usize..150, k in 1usize..70, seed: u64,
    ) {
        let (x, w, y) = (random(m * k, seed), random(n * k, seed ^ 1), random(m * padded(n), seed ^ 2));
        let packed = Panels::pack(&w, n, k);
        let mut transposed = vec![0.0; n * k];
        for (i, value) in w.iter().enumerate() {
            transposed[i % k * n + i / k] = *value;
        }
        let repacked = Panels::pack_transposed(&transposed, n, k);
        for path in KernelPath::available() {
            for start in [Start::Zero, Start::Continue, Start::Add] {
                let mut expected = y.clone();
                for (i, y) in expected.chunks_exact_mut(padded(n)).enumerate() {
                    for (j, y) in y[..n].iter_mut().enumerate() {
                        let terms = || x[i * k..][..k].iter().copied().zip(w[j * k..][..k].iter().copied());
                        *y = match start {
                            Start::Zero => chain(0.0, terms()),
                            Start::Continue => chain(*y, terms()),
                            Start::Add => *y + chain(0.0, terms()),
                        };
                    }
                }
                for w in [&packed, &repacked] {
                    let mut found = y.clone();
                    let x = Left { data: &x, row_stride: k, step_stride: 1 };
                    product(path, Shape { rows: m, columns: n, steps: k }, x, w.right(), Output { data: &mut found, row_stride: padded(n) }, start);
                    prop_assert_eq!(bits(&found), bits(&expected), "{} {:?}", path, start);
                }
            }
        }
    }

    #[test]
    fn a_weight_gradient_is_one_chain_over_the_rows_in_any_number_of_calls(
        rows in 1usize..40, n in 1usize..40, k in 1usize..90, cut in 0usize..40, seed: u64,
    ) {
        let (dy, x) = (random(rows * n, seed), random(rows * padded(k), seed ^ 1));
        let mut expected = vec![0.0; n * k];
        for (i, dw) in expected.iter_mut().enumerate() {
            *dw = chain(0.0, (0..rows).map(|r| (dy[r * n + i / k], x[r * padded(k) + i % k])));
        }
        let cut = cut.min(rows);
        for path in KernelPath::available() {
            let mut found = vec![0.0; n * k];
            for range in [0..cut, cut..rows] {
                let left = Left { data: &dy[range.start * n..], row_stride: 1, step_stride: n };
                let right = Right { data: &x[range.start * padded(k)..], panel_stride: LANES, step_stride: padded(k) };
                product(path, Shape { rows: n, columns: k, steps: range.len() }, left, right, Output { data: &mut found, row_stride: k }, Start::Continue);
            }
            prop_assert_eq!(bits(&found), bits(&expected), "{}", path);
        }
    }

    #[test]
    fn rows_with_their_own_operands_have_the_bits_of_single_products(
        rows in 1usize..9, n in 1usize..150, k in 1usize..40, seed: u64,
    ) {
        let own = k * padded(n);
        let (a, b) = (random(rows * k, seed), random(rows * own, seed ^ 1));
        let right = |row: usize| Right { data: &b[row * own..], panel_stride: LANES, step_stride: padded(n) };
        for path in KernelPath::available() {
            let (mut found, mut expected) = (vec![0.0; rows * n], vec![0.0; rows * n]);
            let left = Left { data: &a, row_stride: k, step_stride: 1 };
            row_products(path, Shape { rows, columns: n, steps: k }, left, right(0), own, Output { data: &mut found, row_stride: n });
            for row in 0..rows {
                let left = Left { data: &a[row * k..], row_stride: k, step_stride: 1 };
                let to = &mut expected[row * n..];
                product(path, Shape { rows: 1, columns: n, steps: k }, left, right(row), Output { data: to, row_stride: n }, Start::Zero);
            }
            prop_assert_eq!(bits(&found), bits(&expected), "{}", path);
        }
    }

    #[test]
    fn row_operations_have_equal_bits_on_every_path(rows in 1usize..5, half in 1usize..40, seed: u64) {
        let width = 2 * half;
        let stride = padded(2 * width);
        let (x, gain) = (random(rows * stride, seed), random(width, seed ^ 1));
        let (cos, sin) = (random(half, seed ^ 2), random(half, seed ^ 3));
        let run = |path| {
            let mut normed = vec![0.0; x.len()];
            let norm = Norm { gain: &gain, epsilon: 1e-6, stride };
            rms_norm(path, norm, &x, &mut normed);
            let mut rotated = vec![0.0; rows * width];
            let heads: Vec<f32> = x.chunks(stride).flat_map(|row| &row[..width]).copied().collect();
            rotate(path, Norm { stride: width, ..norm }, (&cos, &sin), &heads, &mut rotated);
            let mut gated = vec![0.0; rows * padded(width)];
            swiglu(path, &x, stride, width, &mut gated, padded(width));
            let mut scores = x.clone();
            attention_softmax(path, &mut scores, stride, width, 1, 0.3);
            bits(&[normed, rotated, gated, scores].concat())
        };
        let expected = run(KernelPath::SCALAR);
        for path in KernelPath::available() {
            prop_assert!(run(path) == expected, "{}", path);
        }
    }
}

#[test]
fn hidden_scores_become_zero_and_visible_ones_a_distribution() {
    let mut scores = random(3 * 32, 1);
    attention_softmax(KernelPath::detect(), &mut scores, 32, 17, 1, 0.5);
    for (r, row) in scores.chunks(32).enumerate() {
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!(row[..17 + r].iter().all(|&p| p > 0.0) && row[17 + r..].iter().all(|&p| p == 0.0));
    }
}

#[test]
#[should_panic(expected = "right operand is too short")]
fn an_operand_too_short_for_its_strides_is_refused() {
    let (a, b) = ([1.0; 8], [1.0; 31]);
    let (left, right) = (
        Left { data: &a, row_stride: 4, step_stride: 1 },
        Right { data: &b, panel_stride: 16, step_stride: 8 },
    );
    product(
        KernelPath::SCALAR,
        Shape { rows: 2, columns: 16, steps: 4 },
        left,
        right,
        Output { data: &mut [0.0; 32], row_stride: 16 },
        Start::Zero,
    );
}
