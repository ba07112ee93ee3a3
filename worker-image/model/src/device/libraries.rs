//! Whether CUDA's libraries can be loaded. Whoever uses one that cannot gets a panic from its bindings, so it is asked before.
//!
//! The question exists only in bindings that load: worker-image/cuda/build makes them of candle's, which link.

#![allow(unsafe_code, reason = "loading a library runs its initialisers, which no compiler sees")]

use candle_core::cuda_backend::cudarc::{cublas, curand, driver};

/// The first library that a device needs and that is not there.
pub(super) fn missing() -> Option<&'static str> {
    // SAFETY: each call loads a library and lets go of it. What that runs is code of NVIDIA's libraries, the same that
    // using the device would run a moment later; no memory of this program is handed to it.
    let found = unsafe {
        [
            ("libcuda", driver::sys::is_culib_present()),
            ("libcublas", cublas::sys::is_culib_present()),
            ("libcurand", curand::sys::is_culib_present()),
        ]
    };
    found.into_iter().find_map(|(name, is_there)| (!is_there).then_some(name))
}
