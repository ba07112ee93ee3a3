//! The numerics class: workers of equal class compute equal bits.

/// Build, architecture and instruction set path of this process, for example `0.1.0/x86_64/avx512`.
///
/// The row kernels give equal bits on every path; gemm, which the trainer alone uses, does not, so the
/// path belongs to the class.
pub(crate) fn class() -> String {
    format!("{}/{}/{}", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH, instruction_path())
}

#[cfg(target_arch = "x86_64")]
fn instruction_path() -> &'static str {
    if is_x86_feature_detected!("avx512f") {
        "avx512"
    } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        "avx2"
    } else {
        "scalar"
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn instruction_path() -> &'static str {
    "scalar"
}
