//! From a module into files.

use std::fs;
use std::ops::Range;
use std::path::Path;

use burn::module::Module;
use serde::{Deserialize, Serialize};

use super::element::WeightDtype;
use super::replace::{Found, NewWeights, plan};
use super::walk::named_tensors;
use super::write::{NamedTensor, write_tensors};
use crate::error::PolicyError;

/// How the weights of a model folder are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WeightFormat {
    /// The element type of every tensor.
    pub dtype: WeightDtype,
    /// Bytes of tensors above which the weights are cut into several files of at most this size. A tensor that is larger
    /// has a file to itself.
    pub max_shard_bytes: u64,
}

impl Default for WeightFormat {
    /// f32, 5 GB.
    fn default() -> Self {
        Self {
            dtype: WeightDtype::F32,
            max_shard_bytes: 5_000_000_000,
        }
    }
}

/// Writes all float parameters of a module to one f32 `safetensors` file, named by their paths, the matrices of linear
/// layers as `[out, in]`. The file appears whole or not at all, and no second copy of the model is made.
///
/// # Errors
/// [`PolicyError::Io`] names the path; [`PolicyError::AdaptersAttached`] when the model has adapters, under which a weight
/// is not what is stored.
pub fn save_weights<M: Module>(model: &M, path: &Path) -> Result<(), PolicyError> {
    write_tensors(path, &named_tensors(model, path)?, WeightDtype::F32)
}

/// Writes all float parameters of a module to `folder`, as [`save_weights`] does, in the layout of `transformers`:
/// `model.safetensors`, or `model-00001-of-0000N.safetensors` and so on with `model.safetensors.index.json`.
///
/// Weights that the folder already holds are replaced so that a crash at any moment leaves them or the new ones, and no
/// mixture. After it their files are gone.
///
/// # Errors
/// [`PolicyError::Io`] names the file; [`PolicyError::AdaptersAttached`] as for [`save_weights`].
pub fn save_sharded<M: Module>(
    model: &M,
    folder: &Path,
    format: &WeightFormat,
) -> Result<(), PolicyError> {
    let tensors = named_tensors(model, folder)?;
    fs::create_dir_all(folder).map_err(PolicyError::io(folder))?;
    let shards = split(&tensors, format);
    let new = NewWeights {
        tensors: &tensors,
        dtype: format.dtype,
        shards: &shards,
    };
    let steps = plan(&Found::in_folder(folder)?, &shards);
    new.carry_out(&steps, folder)
}

/// Cuts `tensors` into runs, each as long as the limit allows; at least one.
fn split(tensors: &[NamedTensor<'_>], format: &WeightFormat) -> Vec<Range<usize>> {
    let mut shards = vec![];
    let (mut first, mut size) = (0, 0);
    for (at, tensor) in tensors.iter().enumerate() {
        let bytes = tensor.bytes(format.dtype) as u64;
        if at > first && size + bytes > format.max_shard_bytes {
            shards.push(first..at);
            (first, size) = (at, 0);
        }
        size += bytes;
    }
    shards.push(first..tensors.len());
    shards
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_full_at_its_limit_and_the_next_starts_from_nothing() {
        let zeros = |rows: Range<usize>| Ok(vec![0.0; rows.len()]);
        let tensor = |elements: usize| NamedTensor::new("t", vec![elements], zeros);
        let shards = |sizes: &[usize], dtype, max_shard_bytes| {
            let tensors: Vec<_> = sizes.iter().map(|&elements| tensor(elements)).collect();
            split(
                &tensors,
                &WeightFormat {
                    dtype,
                    max_shard_bytes,
                },
            )
        };
        let even = [2, 2, 2, 2, 2];
        assert_eq!(shards(&even, WeightDtype::F32, 16), [0..2, 2..4, 4..5]);
        assert_eq!(shards(&even, WeightDtype::Bf16, 16), [0..4, 4..5]);
        assert_eq!(
            shards(&even, WeightDtype::F32, 15),
            [0..1, 1..2, 2..3, 3..4, 4..5]
        );
        // One that is larger than a shard has one of its own.
        assert_eq!(
            shards(&[1, 9, 1, 1], WeightDtype::F32, 16),
            [0..1, 1..2, 2..4]
        );
    }
}
