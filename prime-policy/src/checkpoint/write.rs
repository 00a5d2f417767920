//! Writing a `safetensors` file tensor by tensor.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::ops::Range;
use std::path::Path;

use burn::tensor::Tensor;
use safetensors::tensor::{Metadata, TensorInfo};

use super::atomic::replace_file;
use super::element::WeightDtype;
use super::tensor_file::CHUNK;
use crate::error::PolicyError;

type Rows<'a> = Box<dyn Fn(Range<usize>) -> Result<Vec<f32>, String> + 'a>;

/// A tensor to be written. Its values are asked for a few rows at a time, so that no copy of it is made.
pub(crate) struct NamedTensor<'a> {
    /// The name in the file.
    pub name: String,
    /// The shape in the file; a row is all elements of one index of the first dimension.
    shape: Vec<usize>,
    rows: Rows<'a>,
}

impl<'a> NamedTensor<'a> {
    /// A tensor of this shape whose `rows` (of one number each, for a scalar) are computed on demand.
    pub(crate) fn new(
        name: impl Into<String>,
        shape: Vec<usize>,
        rows: impl Fn(Range<usize>) -> Result<Vec<f32>, String> + 'a,
    ) -> Self {
        Self {
            name: name.into(),
            shape,
            rows: Box::new(rows),
        }
    }

    /// The values of a burn tensor, read from its device row by row.
    pub(crate) fn from_tensor<const D: usize>(name: impl Into<String>, tensor: Tensor<D>) -> Self {
        let tensor = tensor.without_autodiff();
        let shape = tensor.shape().to_vec();
        Self::new(name, shape, move |rows| {
            let rows = tensor.clone().slice_dim(0, rows);
            rows.try_into_data()
                .map_err(|error| error.to_string())?
                .try_into_vec_as::<f32>()
                .map_err(|error| error.to_string())
        })
    }

    /// Number of elements.
    pub(crate) fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Bytes in a file of element type `dtype`.
    pub(crate) fn bytes(&self, dtype: WeightDtype) -> usize {
        self.elements() * dtype.size()
    }
}

/// Writes `tensors`, in this order, as a `safetensors` file that appears whole or not at all.
///
/// # Errors
/// [`PolicyError::Io`] names the path; [`PolicyError::Format`] names a tensor whose values could not be had.
pub(crate) fn write_tensors(
    path: &Path,
    tensors: &[NamedTensor<'_>],
    dtype: WeightDtype,
) -> Result<(), PolicyError> {
    let format = |reason: String| PolicyError::Format {
        path: path.to_owned(),
        reason,
    };
    let header = header(tensors, dtype).map_err(format)?;
    let io = PolicyError::io(path);
    replace_file(path, |out| {
        out.write_all(&(header.len() as u64).to_le_bytes())
            .and_then(|()| out.write_all(&header))
            .map_err(&io)?;
        let mut bytes = Vec::new();
        for tensor in tensors {
            let (rows, width) = match tensor.shape.split_first() {
                Some((&rows, rest)) => (rows, rest.iter().product::<usize>()),
                None => (1, 1),
            };
            let panel = (CHUNK / width.max(1)).max(1);
            for first in (0..rows).step_by(panel) {
                let wanted = first..rows.min(first + panel);
                let expected = wanted.len() * width;
                let values = (tensor.rows)(wanted)
                    .map_err(|error| format(format!("{}: {error}", tensor.name)))?;
                if values.len() != expected {
                    return Err(format(format!(
                        "{}: {} values where its shape asks for {expected}",
                        tensor.name,
                        values.len()
                    )));
                }
                bytes.clear();
                dtype.encode(&values, &mut bytes);
                out.write_all(&bytes).map_err(&io)?;
            }
        }
        Ok(())
    })
}

/// The JSON header, padded so that the tensors start at a multiple of 8 bytes.
fn header(tensors: &[NamedTensor<'_>], dtype: WeightDtype) -> Result<Vec<u8>, String> {
    let mut names = HashSet::new();
    if let Some(twice) = tensors.iter().find(|tensor| !names.insert(&tensor.name)) {
        return Err(format!("two tensors are named {}", twice.name));
    }
    let mut offset = 0;
    let entries = tensors
        .iter()
        .map(|tensor| {
            let start = offset;
            offset += tensor.bytes(dtype);
            let info = TensorInfo {
                dtype: dtype.stored(),
                shape: tensor.shape.clone(),
                data_offsets: (start, offset),
            };
            (tensor.name.clone(), info)
        })
        .collect();
    // `transformers` asks which framework's layout the file follows.
    let framework = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let metadata = Metadata::new(Some(framework), entries).map_err(|error| error.to_string())?;
    let mut json = serde_json::to_vec(&metadata).map_err(|error| error.to_string())?;
    json.resize(json.len().next_multiple_of(8), b' ');
    Ok(json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::tensor_file::TensorFile;
    use burn::tensor::{Device, TensorData};

    fn counting(name: &str, shape: &[usize], start: usize) -> NamedTensor<'static> {
        let width: usize = shape.iter().skip(1).product();
        NamedTensor::new(name, shape.to_vec(), move |rows| {
            Ok((rows.start * width..rows.end * width)
                .map(|at| (start + at) as f32)
                .collect())
        })
    }

    #[test]
    fn tensors_larger_than_a_chunk_come_back_value_by_value() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.safetensors");
        // 700 rows of 1 000: several panels, the last one not full. One row of more than a chunk, and no row at all.
        let shapes: [(&str, &[usize]); 5] = [
            ("a", &[700, 1000]),
            ("b", &[1, CHUNK + 3]),
            ("c", &[0, 4]),
            ("d", &[3, 2, 5]),
            ("e", &[]),
        ];
        let tensors: Vec<_> = shapes
            .iter()
            .enumerate()
            .map(|(at, (name, shape))| counting(name, shape, at))
            .collect();
        write_tensors(&path, &tensors, WeightDtype::F32).unwrap();
        let file = TensorFile::open(&path).unwrap();
        assert_eq!(file.names().collect::<Vec<_>>(), ["a", "b", "c", "d", "e"]);
        for (at, (name, shape)) in shapes.iter().enumerate() {
            assert_eq!(file.get(name).unwrap().shape, *shape);
            let values = file.read_f32(name).unwrap();
            assert_eq!(values.len(), shape.iter().product::<usize>());
            assert!(
                values
                    .iter()
                    .enumerate()
                    .all(|(i, v)| *v == (at + i) as f32)
            );
        }
        for name in ["a", "b", "c"] {
            let &[rows, columns] = file.get(name).unwrap().shape.as_slice() else {
                panic!()
            };
            let plain = file.read_f32(name).unwrap();
            let transposed = file.read_f32_transposed(name).unwrap();
            assert!((0..rows).all(|row| {
                (0..columns)
                    .all(|column| transposed[column * rows + row] == plain[row * columns + column])
            }));
        }
        assert!(file.read_f32_transposed("d").is_err());
        let error = file.read_f32("f").unwrap_err().to_string();
        assert!(error.ends_with("x.safetensors: has no tensor f"), "{error}");
    }

    #[test]
    fn the_format_crate_reads_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.safetensors");
        let data = TensorData::new(vec![1.5f32, -2.0, 3.25, 0.0, 1e-3, 6.0], [2, 3]);
        let tensor = burn::tensor::Tensor::<2>::from_data(data, &Device::flex());
        for dtype in [WeightDtype::F32, WeightDtype::Bf16, WeightDtype::F16] {
            let named = NamedTensor::from_tensor("w", tensor.clone().transpose());
            write_tensors(&path, &[named], dtype).unwrap();
            let bytes = std::fs::read(&path).unwrap();
            let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
            let view = file.tensor("w").unwrap();
            assert_eq!((view.shape(), view.dtype()), (&[3, 2][..], dtype.stored()));
            let mut expected = vec![];
            dtype.encode(&[1.5, 0.0, -2.0, 1e-3, 3.25, 6.0], &mut expected);
            assert_eq!(view.data(), expected);
            let start = u64::from_le_bytes(bytes[..8].try_into().unwrap());
            assert!(start.is_multiple_of(8));
        }
    }

    #[test]
    fn a_tensor_that_cannot_be_had_is_named_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.safetensors");
        let lost = NamedTensor::new("lost", vec![2], |_| Err("device lost".to_owned()));
        let short = NamedTensor::new("short", vec![2], |_| Ok(vec![1.0]));
        for (tensors, expected) in [
            (vec![lost], "lost: device lost"),
            (vec![short], "short: 1 values where its shape asks for 2"),
            (
                vec![counting("w", &[1], 0), counting("w", &[2], 0)],
                "two tensors are named w",
            ),
        ] {
            let error = write_tensors(&path, &tensors, WeightDtype::F32).unwrap_err();
            assert_eq!(error.to_string(), format!("{}: {expected}", path.display()));
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }
}
