//! The instruction set that the kernels use.

use std::fmt;

/// An instruction set of this machine. Values exist only for detected sets, so a value proves that calling
/// functions compiled for its set is sound. All paths give equal bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KernelPath(pub(super) InstructionSet);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum InstructionSet {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Scalar,
}

impl KernelPath {
    /// The path of every machine.
    pub const SCALAR: Self = Self(InstructionSet::Scalar);

    /// The widest instruction set this machine has.
    #[must_use]
    pub fn detect() -> Self {
        Self::available()[0]
    }

    /// Every path this machine can run, widest first; the last is always [`KernelPath::SCALAR`].
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut paths = Vec::with_capacity(3);
        #[cfg(target_arch = "x86_64")]
        {
            let fma = std::arch::is_x86_feature_detected!("fma");
            // The row operations are compiled with these four extensions, so all of them must be present.
            let avx512 = std::arch::is_x86_feature_detected!("avx512f")
                && std::arch::is_x86_feature_detected!("avx512bw")
                && std::arch::is_x86_feature_detected!("avx512dq")
                && std::arch::is_x86_feature_detected!("avx512vl");
            if fma && avx512 {
                paths.push(Self(InstructionSet::Avx512));
            }
            if fma && std::arch::is_x86_feature_detected!("avx2") {
                paths.push(Self(InstructionSet::Avx2));
            }
        }
        paths.push(Self::SCALAR);
        paths
    }
}

impl fmt::Display for KernelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => "avx2+fma",
            InstructionSet::Scalar => "scalar",
        })
    }
}
