//! The numerics class: workers of equal class compute equal bits.

use shoprl_model::kernel::KernelPath;

/// Build, architecture and instruction set path of this process, for example `0.1.0/x86_64/avx512`.
///
/// The kernels are written and tested to give equal bits on every path. The path is named all the same: should two
/// workers ever disagree, it is the first thing to compare.
pub(crate) fn class() -> String {
    let (build, machine) = (env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    format!("{build}/{machine}/{}", KernelPath::detect())
}
