//! A model with all that belongs to it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use burn::tensor::Device;

use super::atomic::write_atomically;
use super::lacking;
use super::load::load_weights;
use super::names::{INDEX, SINGLE};
use super::save::{WeightFormat, save_sharded};
use super::side_files::SideFiles;
use crate::config::DecoderConfig;
use crate::decoder::Decoder;
use crate::error::PolicyError;
use crate::tokenizer::Tokenizer;

/// A decoder with its tokenizer, as a Hugging Face folder holds them.
#[derive(Debug, Clone)]
pub struct ModelFolder {
    /// The shape.
    pub config: DecoderConfig,
    /// The weights.
    pub model: Decoder,
    /// The vocabulary.
    pub tokenizer: Tokenizer,
    /// What else the folder holds.
    pub side_files: SideFiles,
}

impl ModelFolder {
    /// Reads a folder onto `device`: `config.json`, `tokenizer.json`, `model.safetensors` or its index with the shards,
    /// and the [`SideFiles`]. The peak of memory is the model and a few MB.
    ///
    /// # Errors
    /// The first file that is missing, broken or does not fit the others, by name; for the weights, see [`load_weights`].
    pub fn load(folder: &Path, device: &Device) -> Result<Self, PolicyError> {
        Self::load_ignoring(folder, device, &[])
    }

    /// [`Self::load`], with fields of `config.json` that are not honoured left out on request, as
    /// [`DecoderConfig::from_json_ignoring`] does.
    ///
    /// # Errors
    /// Those of [`Self::load`] and of [`DecoderConfig::from_json_ignoring`].
    pub fn load_ignoring(
        folder: &Path,
        device: &Device,
        ignore: &[String],
    ) -> Result<Self, PolicyError> {
        let config = read_config(folder, ignore)?;
        let tokenizer = Tokenizer::from_file(&folder.join("tokenizer.json"), None)?;
        if tokenizer.vocab_size() > config.vocab_size {
            return Err(PolicyError::VocabularyMismatch {
                tokenizer: tokenizer.vocab_size(),
                model: config.vocab_size,
            });
        }
        let model = load_weights(config.init(device)?, folder)?;
        Ok(Self {
            config,
            model,
            tokenizer,
            side_files: SideFiles::read(folder)?,
        })
    }

    /// Shape and vocabulary of the model in a folder, whose weights are not read.
    ///
    /// # Errors
    /// Those of [`Self::load_ignoring`] about the two files; [`PolicyError::Format`] for a folder without weights.
    pub fn shape_of(
        folder: &Path,
        ignore: &[String],
    ) -> Result<(DecoderConfig, Tokenizer), PolicyError> {
        let config = read_config(folder, ignore)?;
        let tokenizer = Tokenizer::from_file(&folder.join("tokenizer.json"), None)?;
        if tokenizer.vocab_size() > config.vocab_size {
            return Err(PolicyError::VocabularyMismatch {
                tokenizer: tokenizer.vocab_size(),
                model: config.vocab_size,
            });
        }
        match folder.join(SINGLE).exists() || folder.join(INDEX).exists() {
            true => Ok((config, tokenizer)),
            false => Err(lacking::no_weights(folder)),
        }
    }

    /// Writes the folder in f32 and shards of 5 GB, creating it if need be. See [`Self::save_as`].
    ///
    /// # Errors
    /// Those of [`Self::save_as`].
    pub fn save(&self, folder: &Path) -> Result<(), PolicyError> {
        self.save_as(folder, &WeightFormat::default())
    }

    /// Writes the folder, creating it if need be: the weights as [`save_sharded`] does, `tokenizer.json`, the side files
    /// and `config.json`, in which `dtype` says what
    /// the weights are stored as.
    ///
    /// Over a folder of the same shape a crash leaves the old model or the new one. Over one of another shape it can leave
    /// weights that do not belong to `config.json`, which loading reports.
    ///
    /// # Errors
    /// [`PolicyError::Io`] names the file; [`PolicyError::AdaptersAttached`] when the model has adapters.
    pub fn save_as(&self, folder: &Path, format: &WeightFormat) -> Result<(), PolicyError> {
        let path = folder.join("config.json");
        let config = DecoderConfig {
            torch_dtype: format.dtype.config_name().to_owned(),
            ..self.config.clone()
        }
        .to_json()?;
        save_sharded(&self.model, folder, format)?;
        self.tokenizer.save(folder)?;
        self.side_files.write(folder)?;
        write_atomically(&path, config.as_bytes())
    }
}

fn read_config(folder: &Path, ignore: &[String]) -> Result<DecoderConfig, PolicyError> {
    lacking::check_folder(folder)?;
    let path = folder.join(lacking::CONFIG);
    let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => lacking::no_config(folder),
        _ => PolicyError::io(&path)(error),
    })?;
    DecoderConfig::from_json_ignoring(&text, &path, ignore)
}
