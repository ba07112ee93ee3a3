//! Operations on rows: plain safe Rust, compiled once for every instruction set.
//!
//! Rust neither reorders floating-point sums nor contracts `a * b + c`, so all copies give equal bits. Sums over a
//! row go through sixteen lanes and one tree.
#![allow(
    unsafe_code,
    reason = "calls of copies compiled for an instruction set that the path proves"
)]

use shoprl_rl::math::{exp_f32, sigmoid_f32};

use super::LANES;

/// Defines a function whose body is compiled for every instruction set and chosen by a first argument `path`.
macro_rules! on_every_path {
    ($($(#[$meta:meta])* pub fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block)*) => {$(
        $(#[$meta])*
        pub fn $name(path: $crate::kernel::KernelPath, $($arg: $type),*) $(-> $result)? {
            #[inline(always)]
            fn body($($arg: $type),*) $(-> $result)? $body
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,fma")]
            fn avx512($($arg: $type),*) $(-> $result)? { body($($arg),*) }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($arg: $type),*) $(-> $result)? { body($($arg),*) }
            match path.0 {
                // SAFETY: a path exists only where its instruction set was detected.
                #[cfg(target_arch = "x86_64")]
                $crate::kernel::path::Isa::Avx512 => unsafe { avx512($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::kernel::path::Isa::Avx2 => unsafe { avx2($($arg),*) },
                $crate::kernel::path::Isa::Scalar => body($($arg),*),
            }
        }
    )*};
}
pub(super) use on_every_path;

/// Sum of sixteen lanes by a fixed tree.
#[inline(always)]
fn tree(mut lanes: [f32; LANES]) -> f32 {
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
    }
    lanes[0]
}

/// Sum of `term(a, b, c)` over three rows of one length.
#[inline(always)]
fn sum(a: &[f32], b: &[f32], c: &[f32], term: impl Fn(f32, f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let (mut a, mut b, mut c) =
        (a.chunks_exact(LANES), b.chunks_exact(LANES), c.chunks_exact(LANES));
    for ((a, b), c) in (&mut a).zip(&mut b).zip(&mut c) {
        for i in 0..LANES {
            lanes[i] += term(a[i], b[i], c[i]);
        }
    }
    for (i, ((a, b), c)) in a.remainder().iter().zip(b.remainder()).zip(c.remainder()).enumerate() {
        lanes[i] += term(*a, *b, *c);
    }
    tree(lanes)
}

#[inline(always)]
fn inverse_rms(x: &[f32], epsilon: f32) -> f32 {
    1.0 / (sum(x, x, x, |x, _, _| x * x) / x.len() as f32 + epsilon).sqrt()
}

/// `dx += d/dx`, `dgain += d/dgain` of `y = x * r(x) * gain` (Zhang and Sennrich 2019), for one row.
#[inline(always)]
fn rms_norm_row_backward(
    x: &[f32],
    gain: &[f32],
    epsilon: f32,
    dy: &[f32],
    dx: &mut [f32],
    dgain: &mut [f32],
) {
    let r = inverse_rms(x, epsilon);
    let s = sum(x, gain, dy, |x, gain, dy| dy * gain * x);
    let c = s * r * r * r / x.len() as f32;
    for ((((dx, dgain), &dy), &x), &gain) in dx.iter_mut().zip(dgain).zip(dy).zip(x).zip(gain) {
        *dx += dy * gain * r - x * c;
        *dgain += dy * x * r;
    }
}

on_every_path! {
    /// Root-mean-square norm of rows: `y = x / sqrt(mean(x^2) + epsilon) * gain`.
    ///
    /// `x` and `y` hold rows of `gain.len()` values at distance `stride`.
    pub fn rms_norm(x: &[f32], stride: usize, gain: &[f32], epsilon: f32, y: &mut [f32]) {
        for (x, y) in x.chunks_exact(stride).zip(y.chunks_exact_mut(stride)) {
            let x = &x[..gain.len()];
            let r = inverse_rms(x, epsilon);
            for ((y, &x), &gain) in y.iter_mut().zip(x).zip(gain) {
                *y = x * r * gain;
            }
        }
    }

    /// Gradient of [`rms_norm`], added to `dx` and `dgain`; rows at distance `stride`.
    pub fn rms_norm_backward(
        x: &[f32], stride: usize, gain: &[f32], epsilon: f32, dy: &[f32], dx: &mut [f32], dgain: &mut [f32],
    ) {
        let width = gain.len();
        for ((x, dy), dx) in x.chunks_exact(stride).zip(dy.chunks_exact(stride)).zip(dx.chunks_exact_mut(stride)) {
            rms_norm_row_backward(&x[..width], gain, epsilon, &dy[..width], &mut dx[..width], dgain);
        }
    }

    /// Norm and rotary embedding of the heads of one row: `x` is `[heads][gain.len()]`, head `h` goes to
    /// `y[h * y_head..]`. `cos` and `sin` belong to the row's position, half a head long (half-split rotation).
    pub fn rotate(x: &[f32], gain: &[f32], epsilon: f32, cos: &[f32], sin: &[f32], y: &mut [f32], y_head: usize) {
        let width = gain.len();
        for (h, x) in x.chunks_exact(width).enumerate() {
            let y = &mut y[h * y_head..][..width];
            let r = inverse_rms(x, epsilon);
            let half = width / 2;
            let (low, high) = y.split_at_mut(half);
            let (x_low, x_high) = x.split_at(half);
            let (gain_low, gain_high) = gain.split_at(half);
            for i in 0..half {
                let a = x_low[i] * r * gain_low[i];
                let b = x_high[i] * r * gain_high[i];
                low[i] = a * cos[i] - b * sin[i];
                high[i] = b * cos[i] + a * sin[i];
            }
        }
    }

    /// Gradient of [`rotate`]: `dx` (laid out as `x`) is written, `dgain` is added to, `dy` is used up.
    pub fn rotate_back(
        x: &[f32], gain: &[f32], epsilon: f32, cos: &[f32], sin: &[f32], dy: &mut [f32], dy_head: usize,
        dx: &mut [f32], dgain: &mut [f32],
    ) {
        let width = gain.len();
        for (h, (x, dx)) in x.chunks_exact(width).zip(dx.chunks_exact_mut(width)).enumerate() {
            let dy = &mut dy[h * dy_head..][..width];
            let (low, high) = dy.split_at_mut(width / 2);
            for (((low, high), &cos), &sin) in low.iter_mut().zip(high).zip(cos).zip(sin) {
                let (a, b) = (*low, *high);
                *low = a * cos + b * sin;
                *high = b * cos - a * sin;
            }
            dx.fill(0.0);
            rms_norm_row_backward(x, gain, epsilon, dy, dx, dgain);
        }
    }

    /// `y = silu(gate) * up` (Shazeer 2020) for rows `[gate, up]` of twice `width` at distance `stride`; rows of `y`
    /// at distance `y_stride`.
    pub fn swiglu(gate_up: &[f32], stride: usize, width: usize, y: &mut [f32], y_stride: usize) {
        for (row, y) in gate_up.chunks_exact(stride).zip(y.chunks_exact_mut(y_stride)) {
            let (gate, up) = row[..2 * width].split_at(width);
            for ((y, &g), &u) in y.iter_mut().zip(gate).zip(up) {
                *y = g * sigmoid_f32(g) * u;
            }
        }
    }

    /// Gradient of [`swiglu`] in place: `gate_up` becomes its gradient, and `dy` becomes the `y` of the forward
    /// pass, which the gradient of the next matrix needs and which was not kept.
    pub fn swiglu_backward(gate_up: &mut [f32], stride: usize, width: usize, dy: &mut [f32], y_stride: usize) {
        for (row, dy) in gate_up.chunks_exact_mut(stride).zip(dy.chunks_exact_mut(y_stride)) {
            let (gate, up) = row[..2 * width].split_at_mut(width);
            for ((dy, gate), up) in dy.iter_mut().zip(gate).zip(up) {
                let (d, g, u) = (*dy, *gate, *up);
                let s = sigmoid_f32(g);
                let a = g * s;
                *dy = a * u;
                *up = d * a;
                *gate = d * u * (s + a * (1.0 - s));
            }
        }
    }

    /// Turns rows of `stride` (a multiple of sixteen) attention scores into probabilities
    /// `softmax(scale * score)`; row `r` sees its first `visible + r` entries, the others become zero.
    pub fn attention_softmax(scores: &mut [f32], stride: usize, visible: usize, scale: f32) {
        for (r, row) in scores.chunks_exact_mut(stride).enumerate() {
            let visible = visible + r;
            // Hidden entries take part in no maximum and, exp(-inf) being zero, in no sum.
            row[visible..].fill(f32::NEG_INFINITY);
            let mut lanes = [f32::NEG_INFINITY; LANES];
            for chunk in row.chunks_exact(LANES) {
                for i in 0..LANES {
                    lanes[i] = if chunk[i] > lanes[i] { chunk[i] } else { lanes[i] };
                }
            }
            let maximum = lanes.into_iter().fold(f32::NEG_INFINITY, |a, b| if b > a { b } else { a });
            let mut lanes = [0.0; LANES];
            for chunk in row.chunks_exact_mut(LANES) {
                for i in 0..LANES {
                    chunk[i] = exp_f32((chunk[i] - maximum) * scale);
                    lanes[i] += chunk[i];
                }
            }
            let inverse = 1.0 / tree(lanes);
            for p in row {
                *p *= inverse;
            }
        }
    }

    /// Gradient of [`attention_softmax`] in place: `gradient` of the probabilities becomes that of the scores.
    pub fn attention_score_gradient(probabilities: &[f32], gradient: &mut [f32], stride: usize, scale: f32) {
        for (p, d) in probabilities.chunks_exact(stride).zip(gradient.chunks_exact_mut(stride)) {
            let mean = sum(p, d, d, |p, d, _| p * d);
            for (&p, d) in p.iter().zip(d) {
                *d = p * (*d - mean) * scale;
            }
        }
    }

    /// `y += x`.
    pub fn add_rows(y: &mut [f32], x: &[f32]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y += x;
        }
    }
}
