//! The register tile: a few rows by a few panels, every lane one chain of fused multiply-adds.
#![allow(
    clippy::needless_range_loop,
    reason = "constant bounds of several arrays at once: the compiler unrolls these loops into registers"
)]
#![allow(
    unsafe_code,
    reason = "raw pointers whose bounds `product` has checked, see the contract of `tiles`"
)]

use std::mem::MaybeUninit;

use super::LANES;
use super::lanes::Lanes;
use super::product::Start;

/// A product in raw pointers. Strides count `f32`.
pub(super) struct Raw {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) steps: usize,
    pub(super) a: *const f32,
    pub(super) a_row: usize,
    pub(super) a_step: usize,
    pub(super) b: *const f32,
    pub(super) b_row: usize,
    pub(super) b_panel: usize,
    pub(super) b_step: usize,
    pub(super) c: *mut f32,
    pub(super) c_row: usize,
    pub(super) start: Start,
}

/// Rows of the largest tile.
const ROWS: usize = 6;

/// Accumulators of a tile whose rows have operands of their own. Nothing is read twice there, so all that matters is
/// that memory is read as few, long streams: a narrow tile.
const OWN_TILE: usize = 8;

/// Computes the whole product tile by tile: panels outside, so that a group of panels stays in the nearest cache
/// while all rows pass; rows inside, cut evenly so that no short tile is left over.
///
/// # Safety
/// The caller has the instruction set of `L`, and for every row < rows, step < steps, panel < columns / 16 rounded
/// up: `a + row * a_row + step * a_step` is readable, sixteen values at `b + row * b_row + panel * b_panel + step * b_step` are
/// readable, and `columns` values at `c + row * c_row` are readable and writable and overlap neither `a` nor `b`.
#[inline(always)]
pub(super) unsafe fn tiles<L: Lanes>(raw: &Raw) {
    let panels = raw.columns.div_ceil(LANES);
    let blocks = raw.rows.div_ceil(ROWS);
    let widest = match raw.b_row {
        0 => L::PANELS[raw.rows.min(3) - 1],
        _ => (OWN_TILE / raw.rows.min(ROWS)).clamp(1, L::PANELS[raw.rows.min(3) - 1]),
    };
    let mut panel = 0;
    while panel < panels {
        let width = widest.min(panels - panel);
        for block in 0..blocks {
            let (first, end) = (raw.rows * block / blocks, raw.rows * (block + 1) / blocks);
            // SAFETY: rows and panels lie inside the product, so the contract passes on.
            unsafe { by_rows::<L>(raw, first, end - first, panel, width) };
        }
        panel += width;
    }
}

#[inline(always)]
unsafe fn by_rows<L: Lanes>(raw: &Raw, first: usize, rows: usize, panel: usize, width: usize) {
    // SAFETY: contract of `tiles`.
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

#[inline(always)]
unsafe fn by_width<L: Lanes, const R: usize>(raw: &Raw, first: usize, panel: usize, width: usize) {
    // Known at compile time: arms that no product takes on this instruction set are not compiled.
    let most = L::PANELS[if R < 3 { R - 1 } else { 2 }];
    // SAFETY: contract of `tiles`.
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

#[inline(always)]
unsafe fn by_layout<L: Lanes, const R: usize, const P: usize>(
    raw: &Raw,
    first: usize,
    panel: usize,
) {
    // SAFETY: contract of `tiles`.
    unsafe {
        if raw.b_row != 0 {
            tile::<L, R, P, false, true>(raw, first, panel);
        } else if raw.a_row == 1 {
            tile::<L, R, P, true, false>(raw, first, panel);
        } else {
            tile::<L, R, P, false, false>(raw, first, panel);
        }
    }
}

/// `ADJACENT`: the rows of the left operand lie side by side (`a_row == 1`, a transposed operand), so one moving
/// pointer serves all of them; otherwise each row has its own. `OWN`: each row has its own right operand.
///
/// The loops over `R` and `P` stay this plain because they must unroll completely: an accumulator that is indexed by
/// a variable anywhere lives in memory everywhere.
#[inline(always)]
unsafe fn tile<L: Lanes, const R: usize, const P: usize, const ADJACENT: bool, const OWN: bool>(
    raw: &Raw,
    first: usize,
    panel: usize,
) {
    // SAFETY: every address is one of those named in the contract of `tiles`: rows first..first + R, panels
    // panel..panel + P, steps 0..steps. A last panel that is not full goes through `edge`, as long as a tile.
    unsafe {
        let c = raw.c.add(first * raw.c_row + panel * LANES);
        let columns = (raw.columns - panel * LANES).min(P * LANES);
        let mut edge = MaybeUninit::<Edge>::uninit();
        let (tile, tile_row) = if columns == P * LANES {
            (c, raw.c_row)
        } else {
            let edge = edge.as_mut_ptr().cast::<f32>();
            if !matches!(raw.start, Start::Zero) {
                read_edge(edge, R, c, raw.c_row, columns);
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
        let a = raw.a.add(first * raw.a_row);
        let mut rows = [a; R];
        for r in 0..R {
            rows[r] = a.add(r * raw.a_row);
        }
        let b = raw.b.add(first * raw.b_row + panel * raw.b_panel);
        for step in 0..raw.steps {
            let at = b.add(step * raw.b_step);
            let mut weights = [L::zero(); P];
            if !OWN {
                for p in 0..P {
                    weights[p] = L::load(at.add(p * raw.b_panel));
                }
            }
            for r in 0..R {
                let x = if ADJACENT {
                    a.add(step * raw.a_step + r)
                } else {
                    rows[r].add(step * raw.a_step)
                };
                let x = L::splat(*x);
                for p in 0..P {
                    let weight = if OWN {
                        L::load(at.add(r * raw.b_row + p * raw.b_panel))
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
            write_edge(tile, R, c, raw.c_row, columns);
        }
    }
}

/// Length of a row of the largest tile.
const EDGE: usize = 8 * LANES;

/// A tile's worth of output on the stack, for a tile that reaches beyond the last column.
type Edge = [[f32; EDGE]; ROWS];

/// Fills `rows` rows of the edge with `columns` values of `c`, and zero beyond.
///
/// # Safety
/// `edge` has `rows` writable rows, `c` has `columns` (at most a row of the edge) readable values in each.
#[cold]
unsafe fn read_edge(edge: *mut f32, rows: usize, c: *const f32, c_row: usize, columns: usize) {
    for row in 0..rows {
        // SAFETY: the contract above.
        unsafe {
            edge.add(row * EDGE).write_bytes(0, EDGE);
            std::ptr::copy_nonoverlapping(c.add(row * c_row), edge.add(row * EDGE), columns);
        }
    }
}

/// Copies `columns` values of `rows` rows of the edge to `c`.
///
/// # Safety
/// The edge's rows have been written; `c` has `columns` (at most a row of the edge) writable values in each.
#[cold]
unsafe fn write_edge(edge: *const f32, rows: usize, c: *mut f32, c_row: usize, columns: usize) {
    for row in 0..rows {
        // SAFETY: the contract above.
        unsafe { std::ptr::copy_nonoverlapping(edge.add(row * EDGE), c.add(row * c_row), columns) };
    }
}
