//! The matrix product behind every linear layer, attention score and weight gradient.
#![allow(
    unsafe_code,
    reason = "hands checked slices to the tiles; each block says what was checked"
)]

use super::LANES;
use super::lanes::Scalar;
#[cfg(target_arch = "x86_64")]
use super::lanes::{Avx2, Avx512};
use super::path::{Isa, KernelPath};
use super::tile::{Raw, tiles};

/// The left operand: the value of (row, step) lies at `row * row_stride + step * step_stride`.
#[derive(Clone, Copy, Debug)]
pub struct Left<'a> {
    /// The values.
    pub data: &'a [f32],
    /// Distance of one output row from the next, in values.
    pub row: usize,
    /// Distance of one step of the sum from the next, in values.
    pub step: usize,
}

/// The right operand: sixteen neighbouring columns of (panel, step) lie at `panel * panel_stride + step * step_stride`.
/// A row-major matrix `[steps, columns]` is `panel: 16, step: its row length`; see [`super::Panels`] for packed weights.
#[derive(Clone, Copy, Debug)]
pub struct Right<'a> {
    /// The values; the last panel of every step is read whole, so columns are padded to a multiple of sixteen.
    pub data: &'a [f32],
    /// Distance of one panel (sixteen columns) from the next, in values.
    pub panel: usize,
    /// Distance of one step of the sum from the next, in values.
    pub step: usize,
}

/// Where the sums start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// `c = sum`.
    Zero,
    /// The chain goes on from `c`: a sum cut into several calls has the bits of one call.
    Continue,
    /// `c = c + sum`, the sum computed by itself first: a residual connection.
    Add,
}

/// `c[row, column] = sum over step of a[row, step] * b[step, column]` for `rows x columns` outputs.
///
/// Each output is one chain of fused multiply-adds in step order, so its bits depend on its own row and column
/// only: not on `rows`, not on `path`. `c` has row stride `c_row`; only `columns` values of a row are written.
///
/// # Panics
/// When an operand is too short for its strides, or rows of `c` overlap.
#[allow(
    clippy::too_many_arguments,
    reason = "a product has three sizes and three operands; a struct would only rename them"
)]
pub fn product(
    path: KernelPath,
    rows: usize,
    columns: usize,
    steps: usize,
    a: Left<'_>,
    b: Right<'_>,
    c: &mut [f32],
    c_row: usize,
    start: Start,
) {
    checked(path, [rows, columns, steps], a, (b, 0), c, c_row, start);
}

/// As [`product`] from zero, but every row has a right operand of its own, `b_row` values after the previous row's:
/// the heads of one token, each with its own keys. Bits are those of one product per row.
///
/// # Panics
/// As for [`product`].
#[allow(clippy::too_many_arguments, reason = "as for `product`")]
pub fn row_products(
    path: KernelPath,
    rows: usize,
    columns: usize,
    steps: usize,
    a: Left<'_>,
    b: Right<'_>,
    b_row: usize,
    c: &mut [f32],
    c_row: usize,
) {
    checked(path, [rows, columns, steps], a, (b, b_row), c, c_row, Start::Zero);
}

fn checked(
    path: KernelPath,
    [rows, columns, steps]: [usize; 3],
    a: Left<'_>,
    (b, b_row): (Right<'_>, usize),
    c: &mut [f32],
    c_row: usize,
    start: Start,
) {
    if rows == 0 || columns == 0 {
        return;
    }
    let panels = columns.div_ceil(LANES);
    if steps > 0 {
        assert!(
            a.data.len() > (rows - 1) * a.row + (steps - 1) * a.step,
            "left operand is too short"
        );
        assert!(
            b.data.len()
                >= (rows - 1) * b_row + (panels - 1) * b.panel + (steps - 1) * b.step + LANES,
            "right operand is too short"
        );
    }
    assert!(rows == 1 || c_row >= columns, "rows of the output overlap");
    assert!(c.len() >= (rows - 1) * c_row + columns, "output is too short");
    let raw = Raw {
        rows,
        columns,
        steps,
        a: a.data.as_ptr(),
        a_row: a.row,
        a_step: a.step,
        b: b.data.as_ptr(),
        b_row,
        b_panel: b.panel,
        b_step: b.step,
        c: c.as_mut_ptr(),
        c_row,
        start,
    };
    // SAFETY: the largest address of each operand was checked above, all strides are non-negative, `c` is borrowed
    // exclusively, and the path's existence proves its instruction set.
    match path.0 {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { avx512(&raw) },
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { avx2(&raw) },
        Isa::Scalar => unsafe { tiles::<Scalar>(&raw) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn avx512(raw: &Raw) {
    // SAFETY: the caller's contract is that of `tiles`; the instruction set is enabled here.
    unsafe { tiles::<Avx512>(raw) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(raw: &Raw) {
    // SAFETY: as above.
    unsafe { tiles::<Avx2>(raw) }
}
