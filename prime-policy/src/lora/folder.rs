//! Adapter folders: `adapter_config.json` and `adapter_model.safetensors`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::Device;

use super::attach::{Factors, attach, factors};
use super::base::BaseReference;
use super::config::LoraConfig;
use super::layers::{LinearLayer, linear_layers};
use super::peft;
use crate::checkpoint::lacking;
use crate::checkpoint::stand_in::stand_in;
use crate::checkpoint::tensor_file::TensorFile;
use crate::checkpoint::write::{NamedTensor, write_tensors};
use crate::checkpoint::{ModelFolder, WeightDtype, write_atomically};
use crate::error::PolicyError;

const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";
const PICKLED: &str = "adapter_model.bin";

/// What PEFT puts before the path of a layer in the base model.
const PREFIX: &str = "base_model.model.";

/// The names in the file of a layer's A (`[rank, in]` there) and B (`[out, rank]`).
fn names(layer: &str) -> [String; 2] {
    ["A", "B"].map(|factor| format!("{PREFIX}{layer}.lora_{factor}.weight"))
}

/// A row-major matrix of this shape, for a file that holds it the other way round.
fn transposed(name: String, values: Vec<f32>, [rows, columns]: [usize; 2]) -> NamedTensor<'static> {
    NamedTensor::new(name, vec![columns, rows], move |wanted| {
        let column = |at: usize| values.iter().skip(at).step_by(columns).copied();
        Ok(wanted.flat_map(column).collect())
    })
}

fn format(path: &Path, reason: impl std::fmt::Display) -> PolicyError {
    PolicyError::Format {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

/// Writes the adapters of `model`, which were attached with `lora`, as a folder that `peft` loads over the model at
/// `base` (a path or a hub name). Files appear by atomic rename, as f32.
///
/// # Errors
/// [`PolicyError::Lora`] when the adapters of `model` are not those that `lora` describes; [`PolicyError::Io`] names the
/// file.
pub fn save_adapter<M: Module>(
    model: &M,
    lora: &LoraConfig,
    base: &str,
    folder: &Path,
) -> Result<(), PolicyError> {
    lora.validate()?;
    let layers = linear_layers(model);
    let chosen = lora.target_modules.choose(&layers)?;
    let mut found = factors(model);
    let mut tensors = vec![];
    for LinearLayer {
        name,
        input,
        output,
    } in chosen.into_iter().map(|at| &layers[at])
    {
        let rank = lora.rank;
        let fits = |f: &Factors| f.a.len() == input * rank && f.b.len() == rank * output;
        let Some(Factors { a, b }) = found.remove(name).filter(fits) else {
            return Err(PolicyError::Lora(format!(
                "layer {name} has no adapter of rank {rank}; save with the settings that the adapters were attached with"
            )));
        };
        let [a_name, b_name] = names(name);
        tensors.push(transposed(a_name, a, [*input, rank]));
        tensors.push(transposed(b_name, b, [rank, *output]));
    }
    if let Some(name) = found.keys().next() {
        return Err(PolicyError::Lora(format!(
            "layer {name} has an adapter, but target_modules does not name it"
        )));
    }
    fs::create_dir_all(folder).map_err(PolicyError::io(folder))?;
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    write_tensors(&folder.join(WEIGHTS), &tensors, WeightDtype::F32)?;
    let path = folder.join(CONFIG);
    let text = peft::write(lora, &layers, base).map_err(|reason| format(&path, reason))?;
    write_atomically(&path, text.as_bytes())
}

/// What an adapter is loaded for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdapterUse {
    /// Sampling, scoring, or merging into the base. `lora_dropout` has no effect.
    Inference,
    /// Training it further. A `lora_dropout` above 0 is an error: it would have to act, and does not.
    Training,
}

/// Freezes all parameters of `model` and attaches the adapter in `folder`, in f32, f16 or bf16 on disk.
///
/// # Errors
/// [`PolicyError::Io`]; [`PolicyError::Format`] for a file that cannot be read or a field of `adapter_config.json` that
/// is not honoured for this use; [`PolicyError::Lora`] for a target that the model has no layer for, or a model that has adapters;
/// [`PolicyError::WeightsMismatch`] with every tensor that is missing, unexpected or of another shape.
pub fn load_adapter<M: Module>(
    model: M,
    folder: &Path,
    purpose: AdapterUse,
) -> Result<(M, LoraConfig), PolicyError> {
    let (lora, _) = read_config(folder)?;
    check_use(&lora, folder, purpose)?;
    let path = folder.join(WEIGHTS);
    let file = TensorFile::open(&path).map_err(|error| no_weights(folder, error))?;
    let mut unexpected: BTreeSet<String> = file.names().map(str::to_owned).collect();
    let layers = linear_layers(&model);
    let mut found = BTreeMap::new();
    let (mut missing, mut mis_shaped) = (vec![], vec![]);
    for layer in lora.target_modules.choose(&layers)? {
        let LinearLayer {
            name,
            input,
            output,
        } = &layers[layer];
        let mut take = |key: String, shape: [usize; 2]| {
            unexpected.remove(&key);
            match file.get(&key) {
                None => missing.push(key),
                Some(stored) if stored.shape != shape => {
                    let found = &stored.shape;
                    mis_shaped.push(format!("{key}: found {found:?}, expected {shape:?}"));
                }
                Some(_) => return file.read_f32_transposed(&key),
            }
            Ok(vec![])
        };
        let [a_name, b_name] = names(name);
        let pair = Factors {
            a: take(a_name, [lora.rank, *input])?,
            b: take(b_name, [*output, lora.rank])?,
        };
        found.insert(name.clone(), pair);
    }
    if !(missing.is_empty() && mis_shaped.is_empty() && unexpected.is_empty()) {
        return Err(PolicyError::WeightsMismatch {
            path,
            missing,
            unexpected: unexpected.into_iter().collect(),
            mis_shaped,
        });
    }
    let model = attach(model, found, lora.rank, lora.scale())?;
    Ok((model, lora))
}

fn check_use(lora: &LoraConfig, folder: &Path, purpose: AdapterUse) -> Result<(), PolicyError> {
    let checked = match purpose {
        AdapterUse::Inference => Ok(()),
        AdapterUse::Training => lora.validate_for_training(),
    };
    checked.map_err(|reason| format(&folder.join(CONFIG), reason))
}

fn read_config(folder: &Path) -> Result<(LoraConfig, Option<String>), PolicyError> {
    let path = folder.join(CONFIG);
    let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => no_adapter(folder),
        _ => PolicyError::io(&path)(error),
    })?;
    peft::read(&text).map_err(|reason| match stand_in(text.as_bytes()) {
        Some(what) => format(&path, what),
        None => format(&path, reason),
    })
}

/// Why `folder` has no `adapter_config.json`.
fn no_adapter(folder: &Path) -> PolicyError {
    if !folder.is_dir() {
        return lacking::check_folder(folder)
            .err()
            .unwrap_or_else(|| format(folder, "cannot be read as a folder"));
    }
    let reason = match folder.join(lacking::CONFIG).exists() {
        true => "is not there: the folder holds a whole model, where an adapter is wanted",
        false => "is not there: the folder holds no adapter; check the path",
    };
    format(&folder.join(CONFIG), reason)
}

/// The error for an adapter's weights that are not there, or `error` for what is.
fn no_weights(folder: &Path, error: PolicyError) -> PolicyError {
    let path = folder.join(WEIGHTS);
    match error {
        PolicyError::Io { ref source, .. } if source.kind() == ErrorKind::NotFound => {
            let shown = folder.display();
            let reason = match folder.join(PICKLED).exists() {
                true => format!(
                    "is not there; {PICKLED} is a pickle, which is not read; convert it: python -c \"import torch, \
                     safetensors.torch as s; s.save_file(torch.load('{shown}/{PICKLED}', map_location='cpu', \
                     weights_only=True), '{shown}/{WEIGHTS}')\""
                ),
                false => "is not there; download or copy it too".to_owned(),
            };
            format(&path, reason)
        }
        other => other,
    }
}

/// The base model that the adapter in `folder` names: a path or a hub name.
///
/// # Errors
/// [`PolicyError::Io`] or [`PolicyError::Format`] for its `adapter_config.json`.
pub fn adapter_base(folder: &Path) -> Result<Option<String>, PolicyError> {
    Ok(read_config(folder)?.1)
}

/// An adapter folder with the base model that it names.
#[derive(Debug, Clone)]
pub struct AdapterFolder {
    /// The base model, without the adapter.
    pub base: ModelFolder,
    /// Where the base model is.
    pub base_path: PathBuf,
    /// The base model with the adapter; the two share the base's tensors.
    pub model: crate::Decoder,
    /// The adapter's settings.
    pub lora: LoraConfig,
}

impl AdapterFolder {
    /// Whether `folder` holds an adapter and no model of its own.
    pub fn is_one(folder: &Path) -> bool {
        folder.join(CONFIG).exists() && !folder.join("config.json").exists()
    }

    /// The folder of the base model that `base_model_name_or_path` names: an absolute path, or one from the working
    /// directory or from the adapter folder.
    ///
    /// # Errors
    /// [`PolicyError::Io`] or [`PolicyError::Format`] for the `adapter_config.json`, also when the base is not a folder
    /// here.
    pub fn base_path(folder: &Path) -> Result<PathBuf, PolicyError> {
        let named = adapter_base(folder)?.unwrap_or_default();
        let places = [PathBuf::from(&named), folder.join(&named)];
        places
            .into_iter()
            .find(|place| !named.is_empty() && place.is_dir())
            .ok_or_else(|| {
                let way_out = match lacking::hub_name(Path::new(&named)) {
                    Some(name) => {
                        format!("{}; then write its path there", lacking::to_download(&name))
                    }
                    None => "write the path of the base model's folder there".to_owned(),
                };
                let reason = format!(
                    "base_model_name_or_path is \"{named}\", which is no folder here; {way_out}"
                );
                format(&folder.join(CONFIG), reason)
            })
    }

    /// Reads an adapter folder and the model folder at its [`Self::base_path`], which is the one that the adapter was
    /// trained on where the folder holds a [`BaseReference`].
    ///
    /// # Errors
    /// Those of [`Self::base_path`], [`BaseReference::load`], [`ModelFolder::load`] and [`load_adapter`].
    pub fn load(folder: &Path, device: &Device, purpose: AdapterUse) -> Result<Self, PolicyError> {
        Self::load_ignoring(folder, device, purpose, &[])
    }

    /// [`Self::load`], with fields of the base's `config.json` that are not honoured left out on request, as
    /// [`ModelFolder::load_ignoring`] does.
    ///
    /// # Errors
    /// Those of [`Self::load`] and of [`ModelFolder::load_ignoring`].
    pub fn load_ignoring(
        folder: &Path,
        device: &Device,
        purpose: AdapterUse,
        ignore: &[String],
    ) -> Result<Self, PolicyError> {
        // Before the base is read, which may take long.
        check_use(&read_config(folder)?.0, folder, purpose)?;
        let base_path = Self::base_path(folder)?;
        let base = match BaseReference::read(folder)? {
            Some(mut reference) => {
                reference.path.clone_from(&base_path);
                reference.ignore_config_fields.extend_from_slice(ignore);
                let place = "base_model_name_or_path in adapter_config.json";
                reference.load_named(folder, place, device)?
            }
            None => ModelFolder::load_ignoring(&base_path, device, ignore)?,
        };
        let (model, lora) = load_adapter(base.model.clone(), folder, purpose)?;
        Ok(Self {
            base,
            base_path,
            model,
            lora,
        })
    }

    /// The ordinary model folder that computes the same: the adapter merged into its base.
    pub fn merged(self) -> ModelFolder {
        ModelFolder {
            model: self.model.materialize(),
            ..self.base
        }
    }
}
