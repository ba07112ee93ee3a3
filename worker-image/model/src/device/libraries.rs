//! Whether CUDA's libraries can be loaded. The CUDA bindings panic if a library is missing, so this module probes
//! for them first.
//!
//! Only bindings that load libraries at run time can probe. candle links them; worker-image/cuda/build changes
//! that.

#![allow(
    unsafe_code,
    reason = "loading a library runs its initialisers, which the compiler cannot check"
)]

use candle_core::cuda_backend::cudarc::{cublas, curand, driver};

/// Returns the first missing library that a device needs.
pub(super) fn missing() -> Option<&'static str> {
    // SAFETY: each call loads a library and releases it. That runs initialisers of NVIDIA's libraries, which using
    // the device would run anyway; they get no memory of this program.
    let found = unsafe {
        [
            ("libcuda", driver::sys::is_culib_present()),
            ("libcublas", cublas::sys::is_culib_present()),
            ("libcurand", curand::sys::is_culib_present()),
        ]
    };
    found.into_iter().find_map(|(name, is_present)| (!is_present).then_some(name))
}
