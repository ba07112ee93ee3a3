//! The register tile: a few rows by a few panels, every lane one chain of fused multiply-adds.
#![allow(
    unsafe_code,
    reason = "raw pointers whose bounds `product` has checked, see the contract of `tiles`"
)]

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
    pub(super) b_panel: usize,
    pub(super) b_step: usize,
    pub(super) c: *mut f32,
    pub(super) c_row: usize,
    pub(super) start: Start,
}

/// Rows of the largest tile.
const ROWS: usize = 6;

/// Computes the whole product tile by tile: panels outside, so that a group of panels stays in the nearest cache
/// while all rows pass; rows inside, cut evenly so that no short tile is left over.
///
/// # Safety
/// The caller has the instruction set of `L`, and for every row < rows, step < steps, panel < columns / 16 rounded
/// up: `a + row * a_row + step * a_step` is readable, sixteen values at `b + panel * b_panel + step * b_step` are
/// readable, and `columns` values at `c + row * c_row` are readable and writable and overlap neither `a` nor `b`.
#[inline(always)]
pub(super) unsafe fn tiles<L: Lanes>(raw: &Raw) {
    let panels = raw.columns.div_ceil(LANES);
    let blocks = raw.rows.div_ceil(ROWS);
    let widest = L::PANELS[raw.rows.min(3) - 1];
    let mut panel = 0;
    while panel < panels {
        let width = widest.min(panels - panel);
        // A tile has 1, 2, 3, 4 or 8 panels.
        let width = if width >= 8 { 8 } else { width.min(4) };
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
        if raw.a_row == 1 {
            tile::<L, R, P, true>(raw, first, panel);
        } else {
            tile::<L, R, P, false>(raw, first, panel);
        }
    }
}

/// `ADJACENT`: the rows of the left operand lie side by side (`a_row == 1`, a transposed operand), so one moving
/// pointer serves all of them; otherwise each row has its own.
#[inline(always)]
unsafe fn tile<L: Lanes, const R: usize, const P: usize, const ADJACENT: bool>(
    raw: &Raw,
    first: usize,
    panel: usize,
) {
    // SAFETY: every address is one of those named in the contract of `tiles`: rows first..first + R, panels
    // panel..panel + P, steps 0..steps. A last panel that is not full goes through a buffer on the stack.
    unsafe {
        let c = raw.c.add(first * raw.c_row + panel * LANES);
        let valid = (raw.columns - panel * LANES).min(P * LANES);
        let mut sums = [[L::zero(); P]; R];
        if matches!(raw.start, Start::Continue) {
            for r in 0..R {
                for p in 0..P {
                    sums[r][p] =
                        load_part::<L>(c.add(r * raw.c_row + p * LANES), valid - p * LANES);
                }
            }
        }
        let a = raw.a.add(first * raw.a_row);
        let mut rows = [a; R];
        for (r, row) in rows.iter_mut().enumerate() {
            *row = a.add(r * raw.a_row);
        }
        let b = raw.b.add(panel * raw.b_panel);
        for step in 0..raw.steps {
            let at = b.add(step * raw.b_step);
            let mut weights = [L::zero(); P];
            for (p, weight) in weights.iter_mut().enumerate() {
                *weight = L::load(at.add(p * raw.b_panel));
            }
            for r in 0..R {
                let x = if ADJACENT {
                    *a.add(step * raw.a_step + r)
                } else {
                    *rows[r].add(step * raw.a_step)
                };
                let x = L::splat(x);
                for p in 0..P {
                    sums[r][p] = L::fma(x, weights[p], sums[r][p]);
                }
            }
        }
        for r in 0..R {
            for p in 0..P {
                let to = c.add(r * raw.c_row + p * LANES);
                let lanes = valid - p * LANES;
                let sum = match raw.start {
                    Start::Add => L::add(load_part::<L>(to, lanes), sums[r][p]),
                    Start::Zero | Start::Continue => sums[r][p],
                };
                store_part::<L>(to, sum, lanes);
            }
        }
    }
}

/// Loads the first `lanes` (at least one, sixteen or more: all) values, zero beyond.
#[inline(always)]
unsafe fn load_part<L: Lanes>(from: *const f32, lanes: usize) -> L::Vector {
    // SAFETY: contract of `tiles` gives `lanes` readable values.
    unsafe {
        if lanes >= LANES {
            return L::load(from);
        }
        let mut buffer = [0.0f32; LANES];
        std::ptr::copy_nonoverlapping(from, buffer.as_mut_ptr(), lanes);
        L::load(buffer.as_ptr())
    }
}

/// Stores the first `lanes` values.
#[inline(always)]
unsafe fn store_part<L: Lanes>(to: *mut f32, v: L::Vector, lanes: usize) {
    // SAFETY: contract of `tiles` gives `lanes` writable values.
    unsafe {
        if lanes >= LANES {
            return L::store(to, v);
        }
        let mut buffer = [0.0f32; LANES];
        L::store(buffer.as_mut_ptr(), v);
        std::ptr::copy_nonoverlapping(buffer.as_ptr(), to, lanes);
    }
}
