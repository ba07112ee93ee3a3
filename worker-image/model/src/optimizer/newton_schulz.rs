//! Orthogonalisation by Newton-Schulz iterations.

use super::gradient::sum_of_squares;
use crate::kernel::{KernelPath, Left, Right, Start, padded, product};

/// Coefficients of x -> a x + b x^3 + c x^5 on the singular values: steepest at 0 among those that end near 1 after
/// five rounds (Jordan et al. 2024).
const POLYNOMIAL: (f32, f32, f32) = (3.4445, -4.7750, 2.0315);
const ROUNDS: usize = 5;

/// Values in a cache line: the unit of strips, of mirrored squares and of the distance between rows.
const TILE: usize = 16;

/// Buffers kept from matrix to matrix.
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
    /// Replaces `matrix` (rows x columns) by nearly U Vᵀ of its singular value decomposition U S Vᵀ.
    ///
    /// Works on the tall form x (the transpose of a wide matrix), where one round is x (a + b g + c g²) with the small
    /// square g = xᵀx. Both g and the bracket are symmetric to the bit, so only their upper halves are computed.
    pub(super) fn orthogonalize(&mut self, matrix: &mut [f32], rows: usize, columns: usize) {
        let path = KernelPath::detect();
        let (long, short) = (rows.max(columns), rows.min(columns));
        // Columns beyond the last are zero and stay zero. An odd number of cache lines from row to row, because rows
        // a power of two apart would fall into the same few sets of the cache.
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
            let left = Left { data: &self.x[from..], row: 1, step: stride };
            let (right, out) =
                (columns(&self.x, from, stride), &mut self.gram[from * stride + from..]);
            product(path, TILE, side - from, long, left, right, out, stride, Start::Zero);
        }
        mirror(&mut self.gram, side, stride);
        let (a, b, c) = POLYNOMIAL;
        for from in (0..side).step_by(TILE) {
            let left = Left { data: &self.gram[from * stride..], row: stride, step: 1 };
            let (right, out) =
                (columns(&self.gram, from, stride), &mut self.polynomial[from * stride + from..]);
            product(path, TILE, side - from, side, left, right, out, stride, Start::Zero);
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
        let left = Left { data: &self.x, row: stride, step: 1 };
        let right = columns(&self.polynomial, 0, stride);
        product(path, long, side, side, left, right, &mut self.next, stride, Start::Zero);
        std::mem::swap(&mut self.x, &mut self.next);
    }
}

/// The columns of a matrix from `from` on.
fn columns(matrix: &[f32], from: usize, stride: usize) -> Right<'_> {
    Right { data: &matrix[from..], panel: TILE, step: stride }
}

/// Copies the upper half of a square to the lower, tile by tile.
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
