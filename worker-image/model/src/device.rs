//! Where a network computes: on the CPU by the fused kernels, or on a CUDA device in candle's operations.
//!
//! The two agree to rounding and not to the bit, so the CPU is the default wherever nobody asked.

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

/// What was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DeviceChoice {
    /// The CPU, whatever else there is.
    #[default]
    Cpu,
    /// A CUDA device, or nothing.
    Cuda,
    /// A CUDA device where there is one, else the CPU.
    Auto,
}

/// What it came to. Its text says so in words.
#[derive(Debug)]
pub enum ComputeDevice {
    /// The CPU; the reason is there when CUDA was wanted and could not be had.
    Cpu(Option<NoCuda>),
    /// The machine's first CUDA device.
    Cuda(Device),
}

/// Why there is no CUDA device.
#[derive(Debug, Error)]
pub enum NoCuda {
    /// The program has no CUDA in it.
    #[error("this program was built without CUDA; use the cuda variant of the image")]
    NotBuilt,
    /// A library cannot be loaded.
    #[error(
        "{0} cannot be loaded; the driver's library comes from the node, the others are in the cuda variant of the image"
    )]
    Library(&'static str),
    /// The libraries are there and offer no device.
    #[error("no CUDA device: {0}")]
    Device(candle_core::Error),
}

impl ComputeDevice {
    /// Settles a choice on this machine.
    ///
    /// # Errors
    /// CUDA alone was asked for and there is none.
    pub fn open(choice: DeviceChoice) -> Result<Self, NoCuda> {
        Self::settle(choice, first_cuda_device)
    }

    /// As [`ComputeDevice::open`]; `cuda` is asked only when CUDA is wanted, for asking loads its libraries.
    fn settle(
        choice: DeviceChoice,
        cuda: impl FnOnce() -> Result<Device, NoCuda>,
    ) -> Result<Self, NoCuda> {
        match choice {
            DeviceChoice::Cpu => Ok(Self::Cpu(None)),
            DeviceChoice::Cuda => cuda().map(Self::Cuda),
            DeviceChoice::Auto => Ok(cuda().map_or_else(|why| Self::Cpu(Some(why)), Self::Cuda)),
        }
    }

    /// A network for `config` there. `threads` are the CPU's.
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
