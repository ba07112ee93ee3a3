//! The matrix product behind every linear layer, attention score and weight gradient.
#![allow(
    unsafe_code,
    reason = "passes checked slices to the tiles; each block says what was checked"
)]

use super::LANES;
use super::lanes::Scalar;
#[cfg(target_arch = "x86_64")]
use super::lanes::{Avx2, Avx512};
use super::operand::{Left, Output, Right, Shape, Start};
use super::path::{InstructionSet, KernelPath};
use super::tile::{RawProduct, tiles};

/// `output[row, column] = sum over step of left[row, step] * right[step, column]`.
///
/// Each output is one chain of fused multiply-adds in step order, so its bits depend only on its own row and column,
/// not on the number of rows and not on `path`.
///
/// # Panics
/// When an operand is too short for its strides, or rows of the output overlap.
pub fn product(
    path: KernelPath,
    shape: Shape,
    left: Left<'_>,
    right: Right<'_>,
    output: Output<'_>,
    start: Start,
) {
    checked(path, shape, left, (right, 0), output, start);
}

/// As [`product`] from zero, but every row has its own right operand, `right_row_stride` values after the previous
/// row's: the heads of one token, each with its own keys. The bits are those of one product per row.
///
/// # Panics
/// As for [`product`].
pub fn row_products(
    path: KernelPath,
    shape: Shape,
    left: Left<'_>,
    right: Right<'_>,
    right_row_stride: usize,
    output: Output<'_>,
) {
    checked(path, shape, left, (right, right_row_stride), output, Start::Zero);
}

fn checked(
    path: KernelPath,
    Shape { rows, columns, steps }: Shape,
    left: Left<'_>,
    (right, right_row): (Right<'_>, usize),
    Output { data, row_stride: output_row }: Output<'_>,
    start: Start,
) {
    if rows == 0 || columns == 0 {
        return;
    }
    let (last_row, last_panel) = (rows - 1, columns.div_ceil(LANES) - 1);
    if let Some(last_step) = steps.checked_sub(1) {
        let left_end = last_row * left.row_stride + last_step * left.step_stride + 1;
        assert!(left.data.len() >= left_end, "left operand is too short");
        let right_end = last_row * right_row
            + last_panel * right.panel_stride
            + last_step * right.step_stride
            + LANES;
        assert!(right.data.len() >= right_end, "right operand is too short");
    }
    assert!(rows == 1 || output_row >= columns, "rows of the output overlap");
    assert!(data.len() >= last_row * output_row + columns, "output is too short");
    let raw = RawProduct {
        shape: Shape { rows, columns, steps },
        left: left.data.as_ptr(),
        left_row: left.row_stride,
        left_step: left.step_stride,
        right: right.data.as_ptr(),
        right_row,
        right_panel: right.panel_stride,
        right_step: right.step_stride,
        output: data.as_mut_ptr(),
        output_row,
        start,
    };
    // SAFETY: the largest address of each operand was checked above, strides cannot be negative, the output is borrowed
    // exclusively, and a path exists only where its instruction set was detected.
    match path.0 {
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => unsafe { avx512(&raw) },
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => unsafe { avx2(&raw) },
        InstructionSet::Scalar => unsafe { tiles::<Scalar>(&raw) },
    }
}

/// # Safety
/// The contract of [`tiles`]; the processor has AVX-512F.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn avx512(raw: &RawProduct) {
    // SAFETY: the contract above; the instruction set is enabled for this function.
    unsafe { tiles::<Avx512>(raw) }
}

/// # Safety
/// The contract of [`tiles`]; the processor has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(raw: &RawProduct) {
    // SAFETY: the contract above; the instruction set is enabled for this function.
    unsafe { tiles::<Avx2>(raw) }
}
