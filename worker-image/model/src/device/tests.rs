use super::*;
use crate::batch::{Objective, Sequence, Target, micro_batches};
use crate::parameters::Parameters;
use shoprl_rl::policy_loss::Clip;

fn missing() -> Result<Device, NoCuda> {
    Err(NoCuda::Library("libcublas"))
}

#[test]
fn the_cpu_is_selected_without_loading_cuda() {
    let probe = || panic!("CUDA's libraries were loaded");
    let device = ComputeDevice::select(DeviceChoice::Cpu, probe).unwrap();
    assert_eq!(device.to_string(), "the CPU");
    assert_eq!(DeviceChoice::default(), DeviceChoice::Cpu);
}

#[test]
fn cuda_is_refused_with_the_name_of_what_is_missing() {
    let refused = ComputeDevice::select(DeviceChoice::Cuda, missing).unwrap_err();
    assert!(refused.to_string().starts_with("libcublas cannot be loaded"), "{refused}");
    let driver = || Err(NoCuda::Device(candle_core::Error::Msg("CUDA_ERROR_NO_DEVICE".into())));
    let refused = ComputeDevice::select(DeviceChoice::Cuda, driver).unwrap_err();
    assert_eq!(refused.to_string(), "no CUDA device: CUDA_ERROR_NO_DEVICE");
}

#[test]
fn auto_falls_back_to_the_cpu_and_gives_the_reason() {
    let device = ComputeDevice::select(DeviceChoice::Auto, missing).unwrap();
    let said = device.to_string();
    assert!(said.starts_with("the CPU, because libcublas cannot be loaded"), "{said}");
}

#[test]
fn an_available_device_is_used() {
    for choice in [DeviceChoice::Cuda, DeviceChoice::Auto] {
        let device = ComputeDevice::select(choice, || Ok(Device::Cpu)).unwrap();
        assert_eq!(device.to_string(), "the first CUDA device");
    }
}

#[test]
#[cfg(not(feature = "cuda"))]
fn a_build_without_cuda_refuses_cuda() {
    let refused = ComputeDevice::open(DeviceChoice::Cuda).unwrap_err();
    assert!(refused.to_string().contains("built without CUDA"), "{refused}");
}

/// candle's CPU device takes the place of a CUDA device: the operations are the same.
#[test]
fn the_networks_of_both_devices_compute_the_same_loss() {
    let config = ModelConfig::preset("nano", 300).unwrap();
    let parameters = Parameters::init(&config, 3);
    let target = |t| if t == 0 { Target::None } else { Target::Supervised { weight: 1.0 } };
    let sequence = Sequence { tokens: (0..24).collect(), targets: (0..24).map(target).collect() };
    let batches = micro_batches(vec![sequence], 64);
    let clip = Clip { low: 0.2, high: 0.2 };
    let objective = Objective { clip, kl_coefficient: 0.0, normalizer: 23.0 };
    let loss = |place: &ComputeDevice| {
        let network = place.network(&config, 1).unwrap();
        network.gradients(&parameters, &batches, &objective).unwrap().1.loss
    };
    let (fused, candle) =
        (loss(&ComputeDevice::Cpu(None)), loss(&ComputeDevice::Cuda(Device::Cpu)));
    assert!(fused > 1.0 && (fused - candle).abs() < 1e-4, "{fused} {candle}");
    // Other micro-batches would give other weights, on every machine.
    let sizes = [ComputeDevice::Cpu(None), ComputeDevice::Cuda(Device::Cpu)]
        .map(|place| place.network(&config, 1).unwrap().micro_batch_tokens());
    assert_eq!(sizes, [256, 8192]);
}
