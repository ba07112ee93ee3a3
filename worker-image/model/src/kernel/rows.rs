//! Operations on rows: plain safe Rust, compiled for every instruction set.
//!
//! Rust neither reorders floating-point sums nor contracts `a * b + c`, so all compiled copies give equal bits.
//! Sums over a row use sixteen lanes and one tree.
#![allow(
    unsafe_code,
    reason = "calls functions compiled for an instruction set that the path proves"
)]

use shoprl_rl::math::{exp_f32, sigmoid_f32};

use super::LANES;

/// Defines functions that are compiled for every instruction set; their first argument `path` selects the copy.
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
                $crate::kernel::path::InstructionSet::Avx512 => unsafe { avx512($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::kernel::path::InstructionSet::Avx2 => unsafe { avx2($($arg),*) },
                $crate::kernel::path::InstructionSet::Scalar => body($($arg),*),
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

/// The larger number, in a form that compiles to one instruction.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[inline(always)]
fn inverse_rms(x: &[f32], epsilon: f32) -> f32 {
    1.0 / (sum(x, x, x, |x, _, _| x * x) / x.len() as f32 + epsilon).sqrt()
}

/// The constants of a root-mean-square norm (Zhang and Sennrich 2019).
#[derive(Clone, Copy, Debug)]
pub struct Norm<'a> {
    /// Factor of each value of a row; its length is the row's width.
    pub gain: &'a [f32],
    /// Added to the mean square.
    pub epsilon: f32,
    /// Distance of one row from the next, in values.
    pub stride: usize,
}

/// `dx += d/dx`, `dgain += d/dgain` of `y = x * r(x) * gain` for one row.
#[inline(always)]
fn norm_row_backward(norm: Norm<'_>, x: &[f32], dy: &[f32], dx: &mut [f32], dgain: &mut [f32]) {
    let r = inverse_rms(x, norm.epsilon);
    let s = sum(x, norm.gain, dy, |x, gain, dy| dy * gain * x);
    let c = s * r * r * r / x.len() as f32;
    for ((((dx, dgain), &dy), &x), &gain) in dx.iter_mut().zip(dgain).zip(dy).zip(x).zip(norm.gain)
    {
        *dx += dy * gain * r - x * c;
        *dgain += dy * x * r;
    }
}

on_every_path! {
    /// Norm of rows: `y = x / sqrt(mean(x^2) + epsilon) * gain`.
    pub fn rms_norm(norm: Norm<'_>, x: &[f32], y: &mut [f32]) {
        let Norm { gain, epsilon, stride } = norm;
        for (x, y) in x.chunks_exact(stride).zip(y.chunks_exact_mut(stride)) {
            let x = &x[..gain.len()];
            let r = inverse_rms(x, epsilon);
            for ((y, &x), &gain) in y.iter_mut().zip(x).zip(gain) {
                *y = x * r * gain;
            }
        }
    }

    /// Gradient of [`rms_norm`], added to `dx` and `dgain`.
    pub fn rms_norm_backward(
        norm: Norm<'_>,
        x: &[f32],
        dy: &[f32],
        dx: &mut [f32],
        dgain: &mut [f32],
    ) {
        let (width, stride) = (norm.gain.len(), norm.stride);
        let rows = x.chunks_exact(stride).zip(dy.chunks_exact(stride));
        for ((x, dy), dx) in rows.zip(dx.chunks_exact_mut(stride)) {
            norm_row_backward(norm, &x[..width], &dy[..width], &mut dx[..width], dgain);
        }
    }

    /// `angles` are cosine and sine at the row's position, half a head long (the rotation splits heads in halves).
    pub fn rotate(
        norm: Norm<'_>,
        angles: (&[f32], &[f32]),
        x: &[f32],
        y: &mut [f32],
    ) {
        let (Norm { gain, epsilon, stride }, (cos, sin)) = (norm, angles);
        let width = gain.len();
        let half = width / 2;
        let (gain_low, gain_high) = gain.split_at(half);
        for (h, x) in x.chunks_exact(width).enumerate() {
            let r = inverse_rms(x, epsilon);
            let (low, high) = y[h * stride..][..width].split_at_mut(half);
            let (x_low, x_high) = x.split_at(half);
            let outputs = low.iter_mut().zip(high);
            let inputs = x_low.iter().zip(x_high).zip(gain_low.iter().zip(gain_high));
            for (((low, high), ((&a, &b), (gain_a, gain_b))), (&cos, &sin)) in
                outputs.zip(inputs).zip(cos.iter().zip(sin))
            {
                let (a, b) = (a * r * gain_a, b * r * gain_b);
                *low = a * cos - b * sin;
                *high = b * cos + a * sin;
            }
        }
    }

    /// Gradient of [`rotate`]: `dx` (laid out as `x`) is overwritten, `dgain` is added to, `dy` (laid out as `y`)
    /// is destroyed.
    pub fn rotate_back(
        norm: Norm<'_>,
        angles: (&[f32], &[f32]),
        x: &[f32],
        dy: &mut [f32],
        dx: &mut [f32],
        dgain: &mut [f32],
    ) {
        let (width, (cos, sin)) = (norm.gain.len(), angles);
        for (h, (x, dx)) in x.chunks_exact(width).zip(dx.chunks_exact_mut(width)).enumerate() {
            let dy = &mut dy[h * norm.stride..][..width];
            let (low, high) = dy.split_at_mut(width / 2);
            for (((low, high), &cos), &sin) in low.iter_mut().zip(high).zip(cos).zip(sin) {
                let (a, b) = (*low, *high);
                *low = a * cos + b * sin;
                *high = b * cos - a * sin;
            }
            dx.fill(0.0);
            norm_row_backward(norm, x, dy, dx, dgain);
        }
    }

    /// `y = silu(gate) * up` (Shazeer 2020) for rows `[gate, up]` of twice `width`, `stride` values apart; rows of
    /// `y` are `y_stride` values apart.
    pub fn swiglu(gate_up: &[f32], stride: usize, width: usize, y: &mut [f32], y_stride: usize) {
        for (row, y) in gate_up.chunks_exact(stride).zip(y.chunks_exact_mut(y_stride)) {
            let (gate, up) = row[..2 * width].split_at(width);
            for ((y, &g), &u) in y.iter_mut().zip(gate).zip(up) {
                *y = g * sigmoid_f32(g) * u;
            }
        }
    }

    /// Gradient of [`swiglu`] in place: `gate_up` becomes its gradient, and `dy` becomes the forward pass's `y`.
    /// The gradient of the next matrix needs `y`, and it was not kept.
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

    /// Turns rows of `stride` (a multiple of sixteen) attention scores into probabilities `softmax(scale * score)`.
    /// Row `r` sees its first `visible + r * growth` entries; the others become zero.
    pub fn attention_softmax(
        scores: &mut [f32],
        stride: usize,
        visible: usize,
        growth: usize,
        scale: f32,
    ) {
        for (r, row) in scores.chunks_exact_mut(stride).enumerate() {
            let visible = visible + r * growth;
            // Hidden entries affect no maximum and, since exp(-inf) is zero, no sum.
            row[visible..].fill(f32::NEG_INFINITY);
            let mut lanes = [f32::NEG_INFINITY; LANES];
            for chunk in row.as_chunks::<LANES>().0 {
                for i in 0..LANES {
                    lanes[i] = larger(chunk[i], lanes[i]);
                }
            }
            for half in [8, 4, 2, 1] {
                for i in 0..half {
                    lanes[i] = larger(lanes[i + half], lanes[i]);
                }
            }
            let maximum = lanes[0];
            let mut lanes = [0.0; LANES];
            for chunk in row.as_chunks_mut::<LANES>().0 {
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
