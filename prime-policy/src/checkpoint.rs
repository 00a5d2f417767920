//! Model folders: `config.json`, `model.safetensors`, `tokenizer.json`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use crate::config::DecoderConfig;
use crate::decoder::Decoder;
use crate::error::PolicyError;
use crate::tokenizer::Tokenizer;

const WEIGHTS: &str = "model.safetensors";

/// Writes `bytes` to `path` so that a crash leaves either the old file or the new one.
///
/// # Errors
/// [`PolicyError::Io`] names the path.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), PolicyError> {
    let io = |source| PolicyError::Io {
        path: path.to_owned(),
        source,
    };
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(io)?;
    file.write_all(bytes).map_err(io)?;
    file.as_file().sync_all().map_err(io)?;
    file.persist(path).map_err(|error| io(error.error))?;
    Ok(())
}

/// A decoder with its tokenizer, as a Hugging Face folder holds them.
#[derive(Debug, Clone)]
pub struct ModelFolder {
    /// The shape.
    pub config: DecoderConfig,
    /// The weights.
    pub model: Decoder,
    /// The vocabulary.
    pub tokenizer: Tokenizer,
}

impl ModelFolder {
    /// Reads a folder onto `device`.
    ///
    /// # Errors
    /// The first file that is missing, broken or does not fit the others, by name.
    pub fn load(folder: &Path, device: &Device) -> Result<Self, PolicyError> {
        let path = folder.join("config.json");
        let text = fs::read_to_string(&path).map_err(|source| PolicyError::Io {
            path: path.clone(),
            source,
        })?;
        let config: DecoderConfig =
            serde_json::from_str(&text).map_err(|error| PolicyError::Format {
                path,
                reason: error.to_string(),
            })?;
        let tokenizer = Tokenizer::from_file(&folder.join("tokenizer.json"), None)?;
        if tokenizer.vocab_size() > config.vocab_size {
            return Err(PolicyError::VocabularyMismatch {
                tokenizer: tokenizer.vocab_size(),
                model: config.vocab_size,
            });
        }
        let model = load_weights(config.init(device)?, &folder.join(WEIGHTS))?;
        Ok(Self {
            config,
            model,
            tokenizer,
        })
    }

    /// Writes the folder, creating it if need be; files appear by atomic rename. Adapters are merged into the weights.
    ///
    /// # Errors
    /// [`PolicyError::Io`] names the file.
    pub fn save(&self, folder: &Path) -> Result<(), PolicyError> {
        fs::create_dir_all(folder).map_err(|source| PolicyError::Io {
            path: folder.to_owned(),
            source,
        })?;
        let config =
            serde_json::to_string_pretty(&self.config).map_err(|error| PolicyError::Format {
                path: folder.join("config.json"),
                reason: error.to_string(),
            })?;
        save_weights(&self.model.clone().materialize(), &folder.join(WEIGHTS))?;
        self.tokenizer.save(folder)?;
        write_atomically(
            &folder.join("config.json"),
            format!("{config}\n").as_bytes(),
        )
    }
}

/// Paths of nested modules while a module is walked.
#[derive(Default)]
struct Names(Vec<String>);

impl Names {
    fn name(&self) -> String {
        self.0.join(".")
    }
}

/// Matrices of linear layers: stored `[in, out]` by burn, `[out, in]` on disk.
fn is_linear(name: &str, rank: usize) -> bool {
    rank == 2 && !name.contains("embed_tokens")
}

pub(crate) fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(values.len());
    for column in 0..columns {
        out.extend((0..rows).map(|row| values[row * columns + column]));
    }
    out
}

/// Writes all parameters of a module as f32 `safetensors`, named by their path, linear weights as `[out, in]`.
///
/// # Errors
/// [`PolicyError::Io`] names the path.
pub fn save_weights<M: Module>(model: &M, path: &Path) -> Result<(), PolicyError> {
    struct Collect {
        names: Names,
        tensors: BTreeMap<String, (Vec<usize>, Vec<u8>)>,
    }
    impl ModuleVisitor for Collect {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.names.0.push(name.to_owned());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.names.0.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let name = self.names.name();
            let data = param.val().into_data();
            let mut shape: Vec<usize> = data.shape().to_vec();
            let mut values: Vec<f32> = data.iter::<f32>().collect();
            if is_linear(&name, D) {
                values = transpose(&values, shape[0], shape[1]);
                shape.swap(0, 1);
            }
            let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            self.tensors.insert(name, (shape, bytes));
        }
    }
    let mut collect = Collect {
        names: Names::default(),
        tensors: BTreeMap::new(),
    };
    model.visit(&mut collect);
    let format = |error: safetensors::SafeTensorError| PolicyError::Format {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let views = collect
        .tensors
        .iter()
        .map(|(name, (shape, bytes))| {
            Ok((
                name.as_str(),
                TensorView::new(Dtype::F32, shape.clone(), bytes)?,
            ))
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(format)?;
    let metadata = [("format".to_owned(), "pt".to_owned())]
        .into_iter()
        .collect();
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(format)?;
    write_atomically(path, &bytes)
}

/// Replaces all parameters of `model` by the tensors of an f32, f16 or bf16 `safetensors` file.
///
/// # Errors
/// [`PolicyError::Io`], [`PolicyError::Format`], or [`PolicyError::WeightsMismatch`] with every tensor that is
/// missing, unexpected or of another shape.
pub fn load_weights<M: Module>(model: M, path: &Path) -> Result<M, PolicyError> {
    struct Fill<'a> {
        names: Names,
        file: BTreeMap<String, TensorView<'a>>,
        missing: Vec<String>,
        mis_shaped: Vec<String>,
        unreadable: Option<String>,
    }
    impl ModuleMapper for Fill<'_> {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.names.0.push(name.to_owned());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.names.0.pop();
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let name = self.names.name();
            let Some(view) = self.file.remove(&name) else {
                self.missing.push(name);
                return param;
            };
            let shape: Vec<usize> = param.shape().to_vec();
            let transposed = is_linear(&name, D);
            let mut stored = shape.clone();
            if transposed {
                stored.swap(0, 1);
            }
            if view.shape() != stored {
                self.mis_shaped.push(format!(
                    "{name}: found {:?}, expected {stored:?}",
                    view.shape()
                ));
                return param;
            }
            let mut values = match decode(&view) {
                Ok(values) => values,
                Err(reason) => {
                    self.unreadable = Some(format!("{name}: {reason}"));
                    return param;
                }
            };
            if transposed {
                values = transpose(&values, stored[0], stored[1]);
            }
            let (id, tensor, mapper) = param.consume();
            let device = tensor.device();
            let tracked = tensor.is_require_grad();
            let loaded = Tensor::from_data(TensorData::new(values, shape), &device);
            Param::from_mapped_value(id, loaded.set_require_grad(tracked), mapper)
        }
    }
    let bytes = fs::read(path).map_err(|source| PolicyError::Io {
        path: path.to_owned(),
        source,
    })?;
    let format = |reason: String| PolicyError::Format {
        path: path.to_owned(),
        reason,
    };
    let file = SafeTensors::deserialize(&bytes).map_err(|error| format(error.to_string()))?;
    let mut fill = Fill {
        names: Names::default(),
        file: file.tensors().into_iter().collect(),
        missing: vec![],
        mis_shaped: vec![],
        unreadable: None,
    };
    let model = model.map(&mut fill);
    if let Some(reason) = fill.unreadable {
        return Err(format(reason));
    }
    if fill.missing.is_empty() && fill.mis_shaped.is_empty() && fill.file.is_empty() {
        return Ok(model);
    }
    Err(PolicyError::WeightsMismatch {
        path: path.to_owned(),
        missing: fill.missing,
        unexpected: fill.file.into_keys().collect(),
        mis_shaped: fill.mis_shaped,
    })
}

pub(crate) fn decode(view: &TensorView<'_>) -> Result<Vec<f32>, String> {
    let bytes = view.data();
    Ok(match view.dtype() {
        Dtype::F32 => {
            let (words, _) = bytes.as_chunks::<4>();
            words.iter().map(|w| f32::from_le_bytes(*w)).collect()
        }
        Dtype::BF16 => {
            let (words, _) = bytes.as_chunks::<2>();
            words
                .iter()
                .map(|w| f32::from_bits(u32::from(u16::from_le_bytes(*w)) << 16))
                .collect()
        }
        Dtype::F16 => {
            let (words, _) = bytes.as_chunks::<2>();
            words
                .iter()
                .map(|w| burn::tensor::f16::from_bits(u16::from_le_bytes(*w)).to_f32())
                .collect()
        }
        other => return Err(format!("element type {other:?}; accepted: F32, F16, BF16")),
    })
}
