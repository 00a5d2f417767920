//! Devices by name.

use burn::tensor::Device;

use crate::error::PolicyError;

/// Backends this build knows by name, and the cargo feature that brings each.
const NAMES: [&str; 6] = ["flex", "cuda", "rocm", "vulkan", "metal", "wgpu"];

/// The device called `name`: `flex` (CPU), or `cuda`, `rocm`, `vulkan`, `metal`, `wgpu`, optionally with an index as in `cuda:1`.
///
/// # Errors
/// [`PolicyError::Device`] for an unknown name (the known ones are listed) or a backend that was not compiled in (the
/// cargo feature to enable is named).
pub fn device_by_name(name: &str) -> Result<Device, PolicyError> {
    let fail = |reason: String| {
        Err(PolicyError::Device {
            name: name.to_owned(),
            reason,
        })
    };
    let (backend, index) = match name.split_once(':') {
        None => (name, 0),
        Some((backend, index)) => match index.parse::<usize>() {
            Ok(index) => (backend, index),
            Err(_) => {
                return fail(format!(
                    "\"{index}\" is not a device number; write {backend}:0"
                ));
            }
        },
    };
    match backend {
        #[cfg(feature = "flex")]
        "flex" if index == 0 => Ok(Device::flex()),
        #[cfg(feature = "flex")]
        "flex" => fail("the CPU is one device; write flex".to_owned()),
        #[cfg(feature = "cuda")]
        "cuda" => Ok(Device::cuda(index)),
        #[cfg(feature = "rocm")]
        "rocm" => Ok(Device::rocm(index)),
        #[cfg(feature = "vulkan")]
        "vulkan" => Ok(Device::vulkan(burn::tensor::DeviceKind::DiscreteGpu(index))),
        #[cfg(feature = "metal")]
        "metal" => Ok(Device::metal(burn::tensor::DeviceKind::DefaultDevice)),
        #[cfg(feature = "wgpu")]
        "wgpu" => Ok(Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)),
        known if NAMES.contains(&known) => fail(format!(
            "this build does not have it; rebuild with --features {known}"
        )),
        _ => fail(format!("unknown; known devices: {}", NAMES.join(", "))),
    }
}
