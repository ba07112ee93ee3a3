//! The register tile: a few rows by a few panels, where every lane is one chain of fused multiply-adds.
#![allow(
    clippy::needless_range_loop,
    reason = "one constant bound for several arrays: the compiler unrolls these loops into registers"
)]
#![allow(
    unsafe_code,
    reason = "raw pointers whose bounds `product` has checked; see the contract of `tiles`"
)]

use std::mem::MaybeUninit;

use super::LANES;
use super::lanes::Lanes;
use super::operand::{Shape, Start};

/// A product in raw pointers. Strides count `f32`.
pub(super) struct RawProduct {
    pub(super) shape: Shape,
    pub(super) left: *const f32,
    pub(super) left_row: usize,
    pub(super) left_step: usize,
    pub(super) right: *const f32,
    /// Not zero: every row has its own right operand.
    pub(super) right_row: usize,
    pub(super) right_panel: usize,
    pub(super) right_step: usize,
    pub(super) output: *mut f32,
    pub(super) output_row: usize,
    pub(super) start: Start,
}

/// Rows of the largest tile.
const ROWS: usize = 6;

/// Accumulators of a tile whose rows have their own right operands. Nothing is read twice there, so a narrow tile is
/// best: it reads memory in few, long streams.
const OWN_ACCUMULATORS: usize = 8;

/// Computes the whole product tile by tile. The outer loop runs over panels, so that a group of panels stays in the L1
/// cache while all rows use it; rows are cut evenly, so that no short tile is left over.
///
/// # Safety
/// The processor has the instruction set of `L`. For every row < rows, step < steps and panel < columns / 16 rounded up:
/// * `left + row * left_row + step * left_step` is readable,
/// * sixteen values at `right + row * right_row + panel * right_panel + step * right_step` are readable,
/// * `columns` values at `output + row * output_row` are readable and writable and overlap neither `left` nor `right`.
#[inline(always)]
pub(super) unsafe fn tiles<L: Lanes>(raw: &RawProduct) {
    let panels = raw.shape.columns.div_ceil(LANES);
    let blocks = raw.shape.rows.div_ceil(ROWS);
    let widest = match raw.right_row {
        0 => L::PANELS[raw.shape.rows.min(3) - 1],
        _ => (OWN_ACCUMULATORS / raw.shape.rows.min(ROWS))
            .clamp(1, L::PANELS[raw.shape.rows.min(3) - 1]),
    };
    let mut panel = 0;
    while panel < panels {
        let width = widest.min(panels - panel);
        for block in 0..blocks {
            let (first, end) =
                (raw.shape.rows * block / blocks, raw.shape.rows * (block + 1) / blocks);
            // SAFETY: the rows and panels are inside the product, and a block has at most `ROWS` rows.
            unsafe { by_rows::<L>(raw, first, end - first, panel, width) };
        }
        panel += width;
    }
}

/// Chooses the tile's number of rows at compile time.
///
/// # Safety
/// The contract of [`tiles`]; rows `first..first + rows` and panels `panel..panel + width` are inside the product, and
/// `rows` is at most [`ROWS`].
#[inline(always)]
unsafe fn by_rows<L: Lanes>(
    raw: &RawProduct,
    first: usize,
    rows: usize,
    panel: usize,
    width: usize,
) {
    // SAFETY: this function's contract, with `rows` as `R`.
    unsafe {
        match rows {
            1 => by_width::<L, 1>(raw, first, panel, width),
            2 => by_width::<L, 2>(raw, first, panel, width),
            3 => by_width::<L, 3>(raw, first, panel, width),
            4 => by_width::<L, 4>(raw, first, panel, width),
            5 => by_width::<L, 5>(raw, first, panel, width),
            _ => by_width::<L, ROWS>(raw, first, panel, width),
        }
    }
}

/// Chooses the tile's number of panels at compile time.
///
/// # Safety
/// As for [`by_rows`], with `R` rows; `width` is at most the `PANELS` of `L` for `R` rows.
#[inline(always)]
unsafe fn by_width<L: Lanes, const R: usize>(
    raw: &RawProduct,
    first: usize,
    panel: usize,
    width: usize,
) {
    // A constant: match arms that this instruction set never takes are not compiled.
    let most = L::PANELS[if R < 3 { R - 1 } else { 2 }];
    // SAFETY: this function's contract, with `width` as `P`.
    unsafe {
        match width {
            8 if most >= 8 => by_layout::<L, R, 8>(raw, first, panel),
            7 if most >= 7 => by_layout::<L, R, 7>(raw, first, panel),
            6 if most >= 6 => by_layout::<L, R, 6>(raw, first, panel),
            5 if most >= 5 => by_layout::<L, R, 5>(raw, first, panel),
            4 if most >= 4 => by_layout::<L, R, 4>(raw, first, panel),
            3 if most >= 3 => by_layout::<L, R, 3>(raw, first, panel),
            2 if most >= 2 => by_layout::<L, R, 2>(raw, first, panel),
            _ => by_layout::<L, R, 1>(raw, first, panel),
        }
    }
}

/// Chooses the loads by the operands' layout at compile time.
///
/// # Safety
/// As for [`by_rows`], with `R` rows and `P` panels.
#[inline(always)]
unsafe fn by_layout<L: Lanes, const R: usize, const P: usize>(
    raw: &RawProduct,
    first: usize,
    panel: usize,
) {
    // SAFETY: this function's contract; `ADJACENT` and `OWN` are what was tested.
    unsafe {
        if raw.right_row != 0 {
            tile::<L, R, P, false, true>(raw, first, panel);
        } else if raw.left_row == 1 {
            tile::<L, R, P, true, false>(raw, first, panel);
        } else {
            tile::<L, R, P, false, false>(raw, first, panel);
        }
    }
}

/// Computes one tile of `R` rows and `P` panels.
///
/// `ADJACENT`: the rows of the left operand are neighbours (`left_row == 1`, a transposed operand), so one moving pointer
/// serves all of them; otherwise each row has its own pointer. `OWN`: each row has its own right operand.
///
/// The loops over `R` and `P` are plain because they must unroll completely: an accumulator array with one variable index
/// is kept in memory instead of registers.
///
/// # Safety
/// As for [`by_rows`], with `R` rows and `P` panels. `ADJACENT` only if `left_row == 1`.
#[inline(always)]
unsafe fn tile<L: Lanes, const R: usize, const P: usize, const ADJACENT: bool, const OWN: bool>(
    raw: &RawProduct,
    first: usize,
    panel: usize,
) {
    // SAFETY: every address is one that the contract of `tiles` names: rows first..first + R, panels panel..panel + P,
    // steps 0..steps. A last panel that is not full goes through `edge`, which holds a whole tile.
    unsafe {
        let output = raw.output.add(first * raw.output_row + panel * LANES);
        let columns = (raw.shape.columns - panel * LANES).min(P * LANES);
        let mut edge = MaybeUninit::<Edge>::uninit();
        let (tile, tile_row) = if columns == P * LANES {
            (output, raw.output_row)
        } else {
            let edge = edge.as_mut_ptr().cast::<f32>();
            if !matches!(raw.start, Start::Zero) {
                read_edge(edge, R, output, raw.output_row, columns);
            }
            (edge, EDGE)
        };
        let mut sums = [[L::zero(); P]; R];
        if matches!(raw.start, Start::Continue) {
            for r in 0..R {
                for p in 0..P {
                    sums[r][p] = L::load(tile.add(r * tile_row + p * LANES));
                }
            }
        }
        let left = raw.left.add(first * raw.left_row);
        let mut rows = [left; R];
        for r in 0..R {
            rows[r] = left.add(r * raw.left_row);
        }
        let right = raw.right.add(first * raw.right_row + panel * raw.right_panel);
        for step in 0..raw.shape.steps {
            let at = right.add(step * raw.right_step);
            let mut weights = [L::zero(); P];
            if !OWN {
                for p in 0..P {
                    weights[p] = L::load(at.add(p * raw.right_panel));
                }
            }
            for r in 0..R {
                let x = if ADJACENT {
                    left.add(step * raw.left_step + r)
                } else {
                    rows[r].add(step * raw.left_step)
                };
                let x = L::splat(*x);
                for p in 0..P {
                    let weight = if OWN {
                        L::load(at.add(r * raw.right_row + p * raw.right_panel))
                    } else {
                        weights[p]
                    };
                    sums[r][p] = L::fma(x, weight, sums[r][p]);
                }
            }
        }
        if matches!(raw.start, Start::Add) {
            for r in 0..R {
                for p in 0..P {
                    sums[r][p] = L::add(L::load(tile.add(r * tile_row + p * LANES)), sums[r][p]);
                }
            }
        }
        for r in 0..R {
            for p in 0..P {
                L::store(tile.add(r * tile_row + p * LANES), sums[r][p]);
            }
        }
        if columns < P * LANES {
            write_edge(tile, R, output, raw.output_row, columns);
        }
    }
}

/// Values in a row of the largest tile.
const EDGE: usize = 8 * LANES;

/// Output of one tile on the stack, for tiles that reach beyond the last column.
type Edge = [[f32; EDGE]; ROWS];

/// Fills `rows` rows of the edge with `columns` values of the output, and zeros after them.
///
/// # Safety
/// `edge` has `rows` writable rows; the output has `columns` readable values in each row, at most a row of the edge.
#[cold]
unsafe fn read_edge(
    edge: *mut f32,
    rows: usize,
    output: *const f32,
    output_row: usize,
    columns: usize,
) {
    for row in 0..rows {
        // SAFETY: the contract above.
        unsafe {
            edge.add(row * EDGE).write_bytes(0, EDGE);
            std::ptr::copy_nonoverlapping(
                output.add(row * output_row),
                edge.add(row * EDGE),
                columns,
            );
        }
    }
}

/// Copies `columns` values of `rows` rows of the edge to the output.
///
/// # Safety
/// The edge's rows are initialised; the output has `columns` writable values in each row, at most a row of the edge.
#[cold]
unsafe fn write_edge(
    edge: *const f32,
    rows: usize,
    output: *mut f32,
    output_row: usize,
    columns: usize,
) {
    for row in 0..rows {
        // SAFETY: the contract above.
        unsafe {
            std::ptr::copy_nonoverlapping(
                edge.add(row * EDGE),
                output.add(row * output_row),
                columns,
            );
        }
    }
}
