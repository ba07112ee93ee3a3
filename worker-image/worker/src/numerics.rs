//! The numerics class: workers of the same class compute the same bits.

use shoprl_model::kernel::KernelPath;

/// Build, architecture and kernel path of this process, for example `0.1.0/x86_64/avx512`.
///
/// Tests check that the kernels compute the same bits on every path. The path is included anyway: if two workers ever
/// disagree, it is the first thing to compare.
pub(crate) fn class() -> String {
    let (build, machine) = (env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    format!("{build}/{machine}/{}", KernelPath::detect())
}
