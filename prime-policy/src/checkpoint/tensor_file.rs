//! Reading a `safetensors` file tensor by tensor.
//!
//! The file is an 8-byte little-endian header length, a JSON header, and the tensors' bytes. Only the header is read when
//! a file is opened; a tensor is then read from its place, a chunk at a time, so that nothing but the result is in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::element::WeightDtype;
use super::stand_in::stand_in;
use crate::error::PolicyError;

/// Elements that are read or written at a time.
pub(crate) const CHUNK: usize = 1 << 18;

/// The longest header that other readers of the format accept, in bytes.
const LONGEST_HEADER: u64 = 100_000_000;

/// Bytes of the header's length.
const LENGTH_BYTES: u64 = 8;

/// What the header says about a tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredTensor {
    /// Element type; not every one can be read as f32.
    pub dtype: Dtype,
    /// Dimensions, outermost first.
    pub shape: Vec<usize>,
    /// Where its bytes start in the file.
    offset: u64,
}

impl StoredTensor {
    pub(crate) fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

/// An open `safetensors` file.
#[derive(Debug)]
pub(crate) struct TensorFile {
    path: PathBuf,
    file: File,
    tensors: BTreeMap<String, StoredTensor>,
}

impl TensorFile {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// [`PolicyError::Io`]; [`PolicyError::Format`] when the header is no `safetensors` header or promises another
    /// number of bytes than the file has.
    pub(crate) fn open(path: &Path) -> Result<Self, PolicyError> {
        let io = PolicyError::io(path);
        let format = |reason: String| PolicyError::Format {
            path: path.to_owned(),
            reason,
        };
        let mut file = File::open(path).map_err(&io)?;
        let size = file.metadata().map_err(&io)?.len();
        if size < LENGTH_BYTES {
            return Err(format(format!(
                "has {size} bytes, too few for a safetensors header; copy or download it again"
            )));
        }
        let mut length = [0; LENGTH_BYTES as usize];
        file.read_exact(&mut length).map_err(&io)?;
        if let Some(what) = stands_in(&mut file, length, size).map_err(&io)? {
            return Err(format(what.to_owned()));
        }
        let length = u64::from_le_bytes(length);
        if length > LONGEST_HEADER {
            return Err(format(format!(
                "is not a safetensors file: its header would have {length} bytes, at most {LONGEST_HEADER} are \
                 allowed"
            )));
        }
        if length > size - LENGTH_BYTES {
            return Err(format(format!(
                "is truncated: its header has {length} bytes, the whole file {size}; copy or download it again"
            )));
        }
        let mut header = vec![0; length as usize];
        file.read_exact(&mut header).map_err(&io)?;
        let metadata: Metadata = serde_json::from_slice(&header)
            .map_err(|error| format(format!("has no valid safetensors header: {error}")))?;
        let start = LENGTH_BYTES + length;
        let promised = start.saturating_add(metadata.data_len() as u64);
        if promised != size {
            let (how, way_out) = match promised > size {
                true => ("is truncated", "; copy or download it again"),
                false => ("has bytes after its last tensor", ""),
            };
            return Err(format(format!(
                "{how}: its header promises {promised} bytes, the file has {size}{way_out}"
            )));
        }
        let tensors = metadata
            .tensors()
            .into_iter()
            .map(|(name, info)| {
                let tensor = StoredTensor {
                    dtype: info.dtype,
                    shape: info.shape.clone(),
                    offset: start + info.data_offsets.0 as u64,
                };
                (name, tensor)
            })
            .collect();
        Ok(Self {
            path: path.to_owned(),
            file,
            tensors,
        })
    }

    /// The names of all tensors, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// What the header says about a tensor.
    pub(crate) fn get(&self, name: &str) -> Option<&StoredTensor> {
        self.tensors.get(name)
    }

    /// The values of a tensor as f32, in the order of the file.
    ///
    /// # Errors
    /// [`PolicyError::Format`] for a tensor that is not there or whose elements are not f32, f16 or bf16;
    /// [`PolicyError::Io`].
    pub(crate) fn read_f32(&self, name: &str) -> Result<Vec<f32>, PolicyError> {
        let all = 0..self.tensor(name)?.0.elements();
        self.read_part(name, all)
    }

    /// The values of the elements `part` of a tensor, counted in the order of the file.
    ///
    /// # Errors
    /// Those of [`Self::read_f32`].
    pub(crate) fn read_part(
        &self,
        name: &str,
        part: Range<usize>,
    ) -> Result<Vec<f32>, PolicyError> {
        let mut values = Vec::with_capacity(part.len());
        self.chunks(name, part, CHUNK, |chunk| values.extend_from_slice(chunk))?;
        Ok(values)
    }

    /// The values of a matrix `[rows, columns]` as f32, in the order of its transpose `[columns, rows]`.
    ///
    /// # Errors
    /// Those of [`Self::read_f32`], and [`PolicyError::Format`] for a tensor that is not a matrix.
    pub(crate) fn read_f32_transposed(&self, name: &str) -> Result<Vec<f32>, PolicyError> {
        let &[rows, columns] = self.tensor(name)?.0.shape.as_slice() else {
            return Err(self.error(format!("{name} is not a matrix")));
        };
        let mut values = vec![0.0; rows * columns];
        let panel = (CHUNK / columns.max(1)).max(1);
        let mut first = 0;
        self.chunks(name, 0..rows * columns, panel * columns, |chunk| {
            let height = chunk.len() / columns;
            for column in 0..columns {
                let target = column * rows + first;
                for (row, value) in values[target..target + height].iter_mut().enumerate() {
                    *value = chunk[row * columns + column];
                }
            }
            first += height;
        })?;
        Ok(values)
    }

    /// Hands the elements `part` of a tensor to `take`, at most `length` at a time.
    fn chunks(
        &self,
        name: &str,
        part: Range<usize>,
        length: usize,
        mut take: impl FnMut(&[f32]),
    ) -> Result<(), PolicyError> {
        let (tensor, dtype) = self.tensor(name)?;
        let read_error = |source: std::io::Error| match source.kind() {
            ErrorKind::UnexpectedEof => self.error(format!("became shorter while {name} was read")),
            _ => PolicyError::io(&self.path)(source),
        };
        let mut left = part.len();
        let length = length.clamp(1, left.max(1));
        let mut bytes = vec![0; length * dtype.size()];
        let mut values = Vec::with_capacity(length);
        let mut file = &self.file;
        let start = tensor.offset + (part.start * dtype.size()) as u64;
        file.seek(SeekFrom::Start(start)).map_err(read_error)?;
        while left > 0 {
            let now = left.min(length);
            let bytes = &mut bytes[..now * dtype.size()];
            file.read_exact(bytes).map_err(read_error)?;
            values.clear();
            dtype.decode(bytes, &mut values);
            take(&values);
            left -= now;
        }
        Ok(())
    }

    fn tensor(&self, name: &str) -> Result<(&StoredTensor, WeightDtype), PolicyError> {
        let tensor = self
            .get(name)
            .ok_or_else(|| self.error(format!("has no tensor {name}")))?;
        let dtype = WeightDtype::from_stored(tensor.dtype)
            .ok_or_else(|| self.error(unreadable(name, tensor.dtype)))?;
        Ok((tensor, dtype))
    }

    fn error(&self, reason: String) -> PolicyError {
        PolicyError::Format {
            path: self.path.clone(),
            reason,
        }
    }
}

/// What a file is instead, judged by `first` and a few bytes more; the position in the file is kept.
fn stands_in(
    file: &mut File,
    first: [u8; LENGTH_BYTES as usize],
    size: u64,
) -> std::io::Result<Option<&'static str>> {
    let mut start = vec![0; size.min(64) as usize];
    let known = start.len().min(first.len());
    start[..known].copy_from_slice(&first[..known]);
    file.read_exact(&mut start[known..])?;
    file.seek(SeekFrom::Start(LENGTH_BYTES))?;
    Ok(stand_in(&start))
}

/// Why a tensor of another element type is refused.
pub(crate) fn unreadable(name: &str, dtype: Dtype) -> String {
    format!("{name}: element type {dtype} (accepted: F32, F16, BF16)")
}
