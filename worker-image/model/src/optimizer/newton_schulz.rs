//! Orthogonalisation by Newton-Schulz iterations.

use super::gradient::sum_of_squares;
use crate::kernel::{KernelPath, Left, Output, Right, Shape, Start, padded, product};

/// Coefficients of x -> a x + b x^3 + c x^5 on the singular values: the steepest at 0 of those that end near 1
/// after five rounds (Jordan et al. 2024).
const POLYNOMIAL: (f32, f32, f32) = (3.4445, -4.7750, 2.0315);
const ROUNDS: usize = 5;

/// Values in a cache line: the unit of strips, of mirrored squares and of row strides.
const TILE: usize = 16;

/// Buffers, reused from matrix to matrix.
#[derive(Default)]
pub(super) struct Workspace {
    /// For the caller: the matrix to orthogonalise.
    pub(super) update: Vec<f32>,
    x: Vec<f32>,
    next: Vec<f32>,
    gram: Vec<f32>,
    polynomial: Vec<f32>,
}

impl Workspace {
    /// Replaces `matrix` (rows x columns) by approximately U Vᵀ of its singular value decomposition U S Vᵀ.
    ///
    /// Works on the tall form x (the transpose of a wide matrix), where one round is x (a + b g + c g²) with the
    /// small square g = xᵀx. Both g and the bracket are symmetric in every bit, so only their upper halves are
    /// computed.
    pub(super) fn orthogonalize(&mut self, matrix: &mut [f32], rows: usize, columns: usize) {
        let path = KernelPath::detect();
        let (long, short) = (rows.max(columns), rows.min(columns));
        // Columns after the last are zero and stay zero. The row stride is an odd number of cache lines, because
        // rows a power of two apart would share the same few sets of the cache.
        let side = padded(short);
        let stride = side | TILE;
        let scale = (1.0 / (sum_of_squares(matrix).sqrt() + 1e-7)) as f32;
        self.x.clear();
        self.x.resize(long * stride, 0.0);
        let at = |row, column| {
            if rows >= columns { row * stride + column } else { column * stride + row }
        };
        for (row, values) in matrix.chunks_exact(columns).enumerate() {
            for (column, value) in values.iter().enumerate() {
                self.x[at(row, column)] = value * scale;
            }
        }
        self.next.resize(long * stride, 0.0);
        self.gram.resize(side * stride, 0.0);
        self.polynomial.resize(side * stride, 0.0);
        for _ in 0..ROUNDS {
            self.round(path, long, side, stride);
        }
        for (row, values) in matrix.chunks_exact_mut(columns).enumerate() {
            for (column, value) in values.iter_mut().enumerate() {
                *value = self.x[at(row, column)];
            }
        }
    }

    fn round(&mut self, path: KernelPath, long: usize, side: usize, stride: usize) {
        for from in (0..side).step_by(TILE) {
            let left = Left { data: &self.x[from..], row_stride: 1, step_stride: stride };
            let (right, out) =
                (columns(&self.x, from, stride), &mut self.gram[from * stride + from..]);
            product(
                path,
                Shape { rows: TILE, columns: side - from, steps: long },
                left,
                right,
                Output { data: out, row_stride: stride },
                Start::Zero,
            );
        }
        mirror(&mut self.gram, side, stride);
        let (a, b, c) = POLYNOMIAL;
        for from in (0..side).step_by(TILE) {
            let left =
                Left { data: &self.gram[from * stride..], row_stride: stride, step_stride: 1 };
            let (right, out) =
                (columns(&self.gram, from, stride), &mut self.polynomial[from * stride + from..]);
            product(
                path,
                Shape { rows: TILE, columns: side - from, steps: side },
                left,
                right,
                Output { data: out, row_stride: stride },
                Start::Zero,
            );
            for row in from..from + TILE {
                let range = row * stride + from..row * stride + side;
                for (value, gram) in
                    self.polynomial[range.clone()].iter_mut().zip(&self.gram[range])
                {
                    *value = *value * c + gram * b;
                }
                self.polynomial[row * stride + row] += a;
            }
        }
        mirror(&mut self.polynomial, side, stride);
        let left = Left { data: &self.x, row_stride: stride, step_stride: 1 };
        let right = columns(&self.polynomial, 0, stride);
        product(
            path,
            Shape { rows: long, columns: side, steps: side },
            left,
            right,
            Output { data: &mut self.next, row_stride: stride },
            Start::Zero,
        );
        std::mem::swap(&mut self.x, &mut self.next);
    }
}

/// The columns of a matrix, starting at `from`.
fn columns(matrix: &[f32], from: usize, stride: usize) -> Right<'_> {
    Right { data: &matrix[from..], panel_stride: TILE, step_stride: stride }
}

/// Copies the upper half of a square matrix to the lower half, tile by tile.
fn mirror(square: &mut [f32], side: usize, stride: usize) {
    for top in (0..side).step_by(TILE) {
        for left in (top + TILE..side).step_by(TILE) {
            let mut tile = [[0.0; TILE]; TILE];
            for (row, values) in tile.iter_mut().enumerate() {
                values.copy_from_slice(&square[(top + row) * stride + left..][..TILE]);
            }
            for column in 0..TILE {
                let out = &mut square[(left + column) * stride + top..][..TILE];
                for (value, row) in out.iter_mut().zip(&tile) {
                    *value = row[column];
                }
            }
        }
    }
}
