//! Devices by name.

use burn::tensor::Device;

use crate::error::PolicyError;

/// The names that [`device_by_name`] knows, without an index; the cargo feature that brings each has the same name.
pub const DEVICE_NAMES: [&str; 6] = ["flex", "cuda", "rocm", "vulkan", "metal", "wgpu"];

/// The device called `name`: `flex` (CPU), or `cuda`, `rocm`, `vulkan`, `metal`, `wgpu`, optionally with an index as in
/// `cuda:1`.
///
/// Without an index `vulkan`, `metal` and `wgpu` take the device that the graphics API calls its best; with one, the
/// discrete GPU of that number. `cuda` and `rocm` mean number 0.
///
/// # Errors
/// [`PolicyError::Device`] for an unknown name (the known ones are listed), an index that is no number, or a backend that
/// was not compiled in (the cargo feature to enable is named).
pub fn device_by_name(name: &str) -> Result<Device, PolicyError> {
    let fail = |reason: String| {
        Err(PolicyError::Device {
            name: name.to_owned(),
            reason,
        })
    };
    let (backend, index) = match name.split_once(':') {
        None => (name, None),
        Some((backend, digits)) => match digits.parse::<usize>() {
            Ok(index) => (backend, Some(index)),
            Err(_) => {
                return fail(format!(
                    "\"{digits}\" is not a device number; write {backend}:0"
                ));
            }
        },
    };
    match backend {
        #[cfg(feature = "flex")]
        "flex" if index.unwrap_or(0) == 0 => Ok(Device::flex()),
        #[cfg(feature = "flex")]
        "flex" => fail("the CPU is one device; write flex".to_owned()),
        #[cfg(feature = "cuda")]
        "cuda" => Ok(Device::cuda(index.unwrap_or(0))),
        #[cfg(feature = "rocm")]
        "rocm" => Ok(Device::rocm(index.unwrap_or(0))),
        #[cfg(feature = "vulkan")]
        "vulkan" => Ok(Device::vulkan(graphics(index))),
        #[cfg(feature = "metal")]
        "metal" => Ok(Device::metal(graphics(index))),
        #[cfg(feature = "wgpu")]
        "wgpu" => Ok(Device::wgpu(graphics(index))),
        known if DEVICE_NAMES.contains(&known) => fail(format!(
            "this build does not have it; rebuild with --features {known}"
        )),
        _ => fail(format!(
            "unknown; known devices: {}",
            DEVICE_NAMES.join(", ")
        )),
    }
}

#[cfg(any(feature = "vulkan", feature = "metal", feature = "wgpu"))]
fn graphics(index: Option<usize>) -> burn::tensor::DeviceKind {
    use burn::tensor::DeviceKind;
    index.map_or(DeviceKind::DefaultDevice, DeviceKind::DiscreteGpu)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(name: &str) -> String {
        device_by_name(name).unwrap_err().to_string()
    }

    #[test]
    fn names_that_are_no_device_say_what_to_write() {
        let known = "known devices: flex, cuda, rocm, vulkan, metal, wgpu";
        assert!(message("gpu").contains(known), "{}", message("gpu"));
        assert!(message("").contains(known));
        assert!(message("flex:x").contains("write flex:0"));
        assert!(message("cuda:-1").contains("write cuda:0"));
        assert!(message("cuda:").contains("write cuda:0"));
    }

    #[cfg(feature = "flex")]
    #[test]
    fn the_cpu_is_one_device() {
        assert_eq!(device_by_name("flex").unwrap(), Device::flex());
        assert_eq!(device_by_name("flex:0").unwrap(), Device::flex());
        assert!(message("flex:1").contains("write flex"));
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_device_that_was_not_compiled_in_names_its_feature() {
        assert!(message("cuda:0").contains("--features cuda"));
    }

    #[cfg(not(feature = "metal"))]
    #[test]
    fn so_does_a_graphics_device() {
        assert!(message("metal:1").contains("--features metal"));
    }
}
