//! Element types of stored weights.

use burn::tensor::{bf16, f16};
use safetensors::Dtype;
use serde::{Deserialize, Serialize};

/// How a weight is stored on disk. In memory weights are f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum WeightDtype {
    /// IEEE 754 binary32: 4 bytes, exact.
    #[default]
    F32,
    /// bfloat16: 2 bytes, the range of f32 with 8 bits of precision; rounds to nearest, ties to even.
    Bf16,
    /// IEEE 754 binary16: 2 bytes, 11 bits of precision; rounds to nearest, ties to even, and magnitudes of 65 520 and
    /// more become infinite.
    F16,
}

impl WeightDtype {
    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::Bf16 | Self::F16 => 2,
        }
    }

    /// The name that `config.json` has for it (`dtype`, formerly `torch_dtype`).
    pub fn config_name(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::Bf16 => "bfloat16",
            Self::F16 => "float16",
        }
    }

    /// The accepted type that `dtype` is, if it is one.
    pub(crate) fn from_stored(dtype: Dtype) -> Option<Self> {
        match dtype {
            Dtype::F32 => Some(Self::F32),
            Dtype::BF16 => Some(Self::Bf16),
            Dtype::F16 => Some(Self::F16),
            _ => None,
        }
    }

    pub(crate) fn stored(self) -> Dtype {
        match self {
            Self::F32 => Dtype::F32,
            Self::Bf16 => Dtype::BF16,
            Self::F16 => Dtype::F16,
        }
    }

    /// Appends the values of little-endian `bytes` to `values`.
    pub(crate) fn decode(self, bytes: &[u8], values: &mut Vec<f32>) {
        match self {
            Self::F32 => {
                let (words, _) = bytes.as_chunks::<4>();
                values.extend(words.iter().map(|word| f32::from_le_bytes(*word)));
            }
            Self::Bf16 => {
                let (words, _) = bytes.as_chunks::<2>();
                values.extend(words.iter().map(|word| bf16::from_le_bytes(*word).to_f32()));
            }
            Self::F16 => {
                let (words, _) = bytes.as_chunks::<2>();
                values.extend(words.iter().map(|word| f16::from_le_bytes(*word).to_f32()));
            }
        }
    }

    /// Appends `values` to `bytes`, little-endian.
    pub(crate) fn encode(self, values: &[f32], bytes: &mut Vec<u8>) {
        match self {
            Self::F32 => bytes.extend(values.iter().flat_map(|value| value.to_le_bytes())),
            Self::Bf16 => bytes.extend(
                values
                    .iter()
                    .flat_map(|&value| bf16::from_f32(value).to_le_bytes()),
            ),
            Self::F16 => bytes.extend(
                values
                    .iter()
                    .flat_map(|&value| f16::from_f32(value).to_le_bytes()),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(dtype: WeightDtype, values: &[f32]) -> Vec<f32> {
        let (mut bytes, mut back) = (vec![], vec![]);
        dtype.encode(values, &mut bytes);
        assert_eq!(bytes.len(), values.len() * dtype.size());
        dtype.decode(&bytes, &mut back);
        back
    }

    #[test]
    fn every_half_is_read_exactly_and_written_back_as_the_same_bits() {
        for dtype in [WeightDtype::Bf16, WeightDtype::F16] {
            let bytes: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
            let (mut values, mut again) = (vec![], vec![]);
            dtype.decode(&bytes, &mut values);
            for (bits, value) in (0..=u16::MAX).zip(&values) {
                let expected = match dtype {
                    WeightDtype::Bf16 => f32::from_bits(u32::from(bits) << 16),
                    _ => binary16(bits),
                };
                assert!(
                    value.to_bits() == expected.to_bits() || value.is_nan() && expected.is_nan()
                );
            }
            dtype.encode(&values, &mut again);
            for ((value, old), new) in values.iter().zip(bytes.chunks(2)).zip(again.chunks(2)) {
                assert!(old == new || value.is_nan(), "{value}: {old:?} {new:?}");
            }
        }
    }

    /// IEEE 754-2019, §3.4: sign, 5 bits of exponent with bias 15, 10 bits of fraction.
    fn binary16(bits: u16) -> f32 {
        let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
        let exponent = i32::from(bits >> 10 & 31);
        let fraction = f32::from(bits & 1023) / 1024.0;
        sign * match exponent {
            0 => fraction * 2f32.powi(-14),
            31 if fraction == 0.0 => f32::INFINITY,
            31 => f32::NAN,
            _ => (1.0 + fraction) * 2f32.powi(exponent - 15),
        }
    }

    #[test]
    fn halves_between_two_values_go_to_the_even_one() {
        let ulp = 2f32.powi(-7);
        let ties = [1.0 + ulp * 0.5, 1.0 + ulp * 1.5, 1.0 + ulp * 0.500_1];
        assert_eq!(
            round_trip(WeightDtype::Bf16, &ties),
            [1.0, 1.0 + 2.0 * ulp, 1.0 + ulp]
        );
        let ulp = 2f32.powi(-10);
        let ties = [1.0 + ulp * 0.5, 1.0 + ulp * 1.5, 65_519.0, 65_520.0];
        assert_eq!(
            round_trip(WeightDtype::F16, &ties),
            [1.0, 1.0 + 2.0 * ulp, 65_504.0, f32::INFINITY]
        );
    }
}
