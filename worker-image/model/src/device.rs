//! The compute device: the CPU with the fused kernels, or a CUDA device with candle's operations.
//!
//! The two agree up to rounding, not in every bit. So the CPU is the default.

#[cfg(feature = "cuda")]
mod libraries;
#[cfg(test)]
mod tests;

use std::fmt;

use candle_core::Device;
use thiserror::Error;

use crate::config::ModelConfig;
use crate::differentiable::DifferentiableNetwork;
use crate::fused::FusedNetwork;
use crate::network::{Network, NetworkError};

/// The device that the configuration asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DeviceChoice {
    /// The CPU, even if there is a CUDA device.
    #[default]
    Cpu,
    /// A CUDA device; it is an error if there is none.
    Cuda,
    /// A CUDA device if there is one, else the CPU.
    Auto,
}

/// The device in use. `Display` describes it.
#[derive(Debug)]
pub enum ComputeDevice {
    /// The CPU. The reason is set if CUDA was wanted and is not available.
    Cpu(Option<NoCuda>),
    /// The machine's first CUDA device.
    Cuda(Device),
}

/// Why no CUDA device is available.
#[derive(Debug, Error)]
pub enum NoCuda {
    /// The program was built without CUDA.
    #[error("this program was built without CUDA; use the cuda variant of the image")]
    NotBuilt,
    /// A CUDA library cannot be loaded.
    #[error(
        "{0} cannot be loaded; the driver's library comes from the node, the others are in the cuda variant of the image"
    )]
    Library(&'static str),
    /// The libraries are loaded, but there is no usable device.
    #[error("no CUDA device: {0}")]
    Device(candle_core::Error),
}

impl ComputeDevice {
    /// Opens the device that `choice` asks for.
    ///
    /// # Errors
    /// `choice` is `Cuda` and no CUDA device is available.
    pub fn open(choice: DeviceChoice) -> Result<Self, NoCuda> {
        Self::select(choice, first_cuda_device)
    }

    /// As [`ComputeDevice::open`]. `cuda` is called only if CUDA is wanted, because the call loads CUDA's
    /// libraries.
    fn select(
        choice: DeviceChoice,
        cuda: impl FnOnce() -> Result<Device, NoCuda>,
    ) -> Result<Self, NoCuda> {
        match choice {
            DeviceChoice::Cpu => Ok(Self::Cpu(None)),
            DeviceChoice::Cuda => cuda().map(Self::Cuda),
            DeviceChoice::Auto => Ok(cuda().map_or_else(|why| Self::Cpu(Some(why)), Self::Cuda)),
        }
    }

    /// A network for `config` on this device. `threads` is for the CPU.
    ///
    /// # Errors
    /// The device has no memory for the network's tables.
    pub fn network(
        &self,
        config: &ModelConfig,
        threads: usize,
    ) -> Result<Box<dyn Network>, NetworkError> {
        Ok(match self {
            Self::Cpu(_) => Box::new(FusedNetwork::new(config, threads)),
            Self::Cuda(device) => Box::new(DifferentiableNetwork::new(config, device.clone())?),
        })
    }
}

impl fmt::Display for ComputeDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu(None) => f.write_str("the CPU"),
            Self::Cpu(Some(why)) => write!(f, "the CPU, because {why}"),
            Self::Cuda(_) => f.write_str("the first CUDA device"),
        }
    }
}

#[cfg(not(feature = "cuda"))]
fn first_cuda_device() -> Result<Device, NoCuda> {
    Err(NoCuda::NotBuilt)
}

#[cfg(feature = "cuda")]
fn first_cuda_device() -> Result<Device, NoCuda> {
    match libraries::missing() {
        Some(name) => Err(NoCuda::Library(name)),
        None => Device::new_cuda(0).map_err(NoCuda::Device),
    }
}
