//! Sixteen `f32` lanes on each instruction set: the operations that tiles use.
#![allow(unsafe_code, reason = "vector intrinsics; the trait states the contract")]

/// Sixteen independent lanes.
///
/// # Safety
/// The caller has the instruction set of the implementing type, which [`super::KernelPath`] proves. `load` and
/// `store` access sixteen `f32` at the pointer; no alignment is needed.
pub(super) trait Lanes {
    /// The register or registers of sixteen lanes.
    type Vector: Copy;
    /// Most panels of a tile of 1, 2 and 3 to 6 rows; with more, accumulators spill out of the registers.
    const PANELS: [usize; 3];

    unsafe fn zero() -> Self::Vector;
    unsafe fn splat(x: f32) -> Self::Vector;
    unsafe fn load(from: *const f32) -> Self::Vector;
    unsafe fn store(to: *mut f32, v: Self::Vector);
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a * b + c` with one rounding.
    unsafe fn fma(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
}

/// Plain Rust. Machines other than x86-64 use it; their compiler vectorises it.
pub(super) struct Scalar;

impl Lanes for Scalar {
    type Vector = [f32; 16];
    const PANELS: [usize; 3] = [1, 1, 1];

    #[inline(always)]
    unsafe fn zero() -> [f32; 16] {
        [0.0; 16]
    }
    #[inline(always)]
    unsafe fn splat(x: f32) -> [f32; 16] {
        [x; 16]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> [f32; 16] {
        // SAFETY: the caller guarantees sixteen values; an array of f32 has the alignment of f32.
        unsafe { from.cast::<[f32; 16]>().read() }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, v: [f32; 16]) {
        // SAFETY: as for `load`.
        unsafe { to.cast::<[f32; 16]>().write(v) }
    }
    #[inline(always)]
    unsafe fn add(mut a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        for (a, b) in a.iter_mut().zip(b) {
            *a += b;
        }
        a
    }
    #[inline(always)]
    unsafe fn fma(a: [f32; 16], b: [f32; 16], mut c: [f32; 16]) -> [f32; 16] {
        for ((a, b), c) in a.into_iter().zip(b).zip(&mut c) {
            *c = a.mul_add(b, *c);
        }
        c
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Lanes;
    use std::arch::x86_64::{
        __m256, __m512, _mm256_add_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps,
        _mm256_setzero_ps, _mm256_storeu_ps, _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps,
        _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
    };

    /// One 512-bit register.
    pub(in crate::kernel) struct Avx512;

    // SAFETY of every block below: the trait's contract. The caller has the instruction set and sixteen values.
    impl Lanes for Avx512 {
        type Vector = __m512;
        // 6 x 4 accumulators and 4 weights fit into the 32 registers. Fewer rows need more panels to hide FMA
        // latency.
        const PANELS: [usize; 3] = [8, 4, 4];

        #[inline(always)]
        unsafe fn zero() -> __m512 {
            unsafe { _mm512_setzero_ps() }
        }
        #[inline(always)]
        unsafe fn splat(x: f32) -> __m512 {
            unsafe { _mm512_set1_ps(x) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> __m512 {
            unsafe { _mm512_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn store(to: *mut f32, v: __m512) {
            unsafe { _mm512_storeu_ps(to, v) }
        }
        #[inline(always)]
        unsafe fn add(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_add_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn fma(a: __m512, b: __m512, c: __m512) -> __m512 {
            unsafe { _mm512_fmadd_ps(a, b, c) }
        }
    }

    /// Two 256-bit registers.
    pub(in crate::kernel) struct Avx2;

    // SAFETY of every block below: as above; the second half starts eight values further.
    impl Lanes for Avx2 {
        type Vector = [__m256; 2];
        // 6 x 1 panels are 12 accumulators, 2 weights and 1 broadcast of the 16 registers.
        const PANELS: [usize; 3] = [4, 2, 1];

        #[inline(always)]
        unsafe fn zero() -> [__m256; 2] {
            unsafe { [_mm256_setzero_ps(); 2] }
        }
        #[inline(always)]
        unsafe fn splat(x: f32) -> [__m256; 2] {
            unsafe { [_mm256_set1_ps(x); 2] }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> [__m256; 2] {
            unsafe { [_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))] }
        }
        #[inline(always)]
        unsafe fn store(to: *mut f32, v: [__m256; 2]) {
            unsafe {
                _mm256_storeu_ps(to, v[0]);
                _mm256_storeu_ps(to.add(8), v[1]);
            }
        }
        #[inline(always)]
        unsafe fn add(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
            unsafe { [_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])] }
        }
        #[inline(always)]
        unsafe fn fma(a: [__m256; 2], b: [__m256; 2], c: [__m256; 2]) -> [__m256; 2] {
            unsafe { [_mm256_fmadd_ps(a[0], b[0], c[0]), _mm256_fmadd_ps(a[1], b[1], c[1])] }
        }
    }
}
