//! The element type that a model computes its products in.

use burn::module::{ModuleMapper, Param};
use burn::tensor::{Device, FloatDType, Tensor};
use serde::{Deserialize, Serialize};

use crate::error::PolicyError;

/// The element type of a decoder's matrix products; its parameters, their gradients and the optimiser's moments are f32
/// whatever it is.
///
/// With [`BFloat16`](Self::BFloat16) the operands of every linear layer, of both products of attention and of the output
/// head are rounded to bfloat16 on their way in, and what comes out is bfloat16; the key/value cache holds bfloat16. All
/// else stays f32: the residual stream, biases, norms, rotary positions, softmax, SwiGLU, log-probs, entropies and losses.
/// These are the rules of `torch.autocast`, which rounds biases and the steps of SwiGLU too. Updates that are too small
/// for bfloat16's eight bits add up in the f32 parameters (Micikevicius et al. 2018, *Mixed precision training*, §3.1);
/// its range is that of f32, so that no loss scale is needed.
///
/// The names in files are torch's: `float32` and `bfloat16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ComputeDtype {
    /// 24 bits of precision.
    #[default]
    Float32,
    /// 8 bits of precision, half the memory, and several times the speed where a device has units for it.
    BFloat16,
}

impl ComputeDtype {
    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::BFloat16 => "bfloat16",
        }
    }

    /// Bytes of a number.
    pub fn bytes(self) -> u64 {
        match self {
            Self::Float32 => 4,
            Self::BFloat16 => 2,
        }
    }

    pub(crate) fn float(self) -> FloatDType {
        match self {
            Self::Float32 => FloatDType::F32,
            Self::BFloat16 => FloatDType::BF16,
        }
    }

    /// `x` as an operand of a product; the gradient comes back in x's own type.
    pub(crate) fn operand<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        x.cast(self.float())
    }

    /// Fails unless `device` computes in this type.
    pub(crate) fn check(self, device: &Device) -> Result<(), PolicyError> {
        self.refused(device.supports_dtype(self.float()), device)
    }

    fn refused(self, supported: bool, device: &Device) -> Result<(), PolicyError> {
        match supported {
            true => Ok(()),
            false => Err(PolicyError::Device {
                name: format!("{:?}", device.clone().without_autodiff()),
                reason: format!(
                    "it stores {name} at most, and does not compute in it; set compute_dtype to \"{other}\", or take a \
                     device with {name} arithmetic",
                    name = self.name(),
                    other = Self::default().name(),
                ),
            }),
        }
    }
}

/// Brings the matrices of linear layers to an element type, those aside that a gradient reaches: their f32 values are
/// what trains. Biases are no operands of products.
pub(crate) struct CastFrozen {
    dtype: FloatDType,
    /// Linear layers that the walk is inside of.
    linear: usize,
}

impl CastFrozen {
    pub(crate) fn to(dtype: ComputeDtype) -> Self {
        Self {
            dtype: dtype.float(),
            linear: 0,
        }
    }
}

/// What burn calls a [`Linear`](burn::nn::Linear) on a walk through a module.
const LINEAR: &str = "Struct:Linear";

impl ModuleMapper for CastFrozen {
    fn enter_module(&mut self, _: &str, container: &str) {
        self.linear += usize::from(container == LINEAR);
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        self.linear -= usize::from(container == LINEAR);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.linear == 0 || D != 2 || param.is_require_grad() {
            return param;
        }
        param.map(|value| value.cast(self.dtype))
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;

    #[test]
    fn names_in_files_are_those_of_torch() {
        for dtype in [ComputeDtype::Float32, ComputeDtype::BFloat16] {
            let text = serde_json::to_string(&dtype).unwrap();
            assert_eq!(text, format!("\"{}\"", dtype.name()));
            assert_eq!(serde_json::from_str::<ComputeDtype>(&text).unwrap(), dtype);
        }
        assert!(serde_json::from_str::<ComputeDtype>("\"bf16\"").is_err());
    }

    #[test]
    fn a_device_without_the_type_is_named_with_the_way_out() {
        let device = Device::flex();
        assert!(ComputeDtype::BFloat16.check(&device).is_ok());
        assert!(
            ComputeDtype::BFloat16
                .check(&device.clone().autodiff())
                .is_ok()
        );
        let error = ComputeDtype::BFloat16.refused(false, &device.autodiff());
        let message = error.unwrap_err().to_string();
        for part in ["Flex", "bfloat16", "compute_dtype to \"float32\""] {
            assert!(message.contains(part), "{message}");
        }
        assert!(!message.contains("utodiff"), "{message}");
    }
}
