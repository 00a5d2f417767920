//! Everything that can go wrong in this crate.

use std::path::PathBuf;

/// An error of prime-policy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A field of a [`DecoderConfig`](crate::DecoderConfig) has a value that the decoder does not support.
    #[error("model config: {field} is {value}; accepted: {accepted}")]
    Config {
        /// The field's name.
        field: &'static str,
        /// Its value.
        value: String,
        /// What would be accepted.
        accepted: &'static str,
    },
    /// A field of a `config.json` file has a value that the decoder does not support.
    #[error("{path}: {field} is {value}; accepted: {accepted}", path = path.display())]
    ConfigFile {
        /// The file.
        path: PathBuf,
        /// The field's name, `outer.inner` for one of an object.
        field: String,
        /// Its value as JSON, or `missing`.
        value: String,
        /// What would be accepted.
        accepted: String,
    },
    /// A `config.json` has fields that the decoder does not honour.
    #[error(
        "{path}: not honoured for model_type \"{family}\": {fields}; {way_out}",
        path = path.display(),
        fields = listed(fields),
        way_out = ignoring(fields)
    )]
    UnknownFields {
        /// The file.
        path: PathBuf,
        /// The `model_type`.
        family: &'static str,
        /// All of them.
        fields: Vec<RefusedField>,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}{way_out}", path = path.display(), way_out = way_out(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's message.
        source: std::io::Error,
    },
    /// A file was read but its content is not what it should be.
    #[error("{path}: {reason}", path = path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong and what was expected.
        reason: String,
    },
    /// The tensors of a checkpoint do not fit the model.
    #[error(
        "{path} does not fit the model: {misfits}; check that its config.json belongs to it",
        path = path.display(),
        misfits = misfits(&[
            ("missing tensors", missing),
            ("unexpected tensors", unexpected),
            ("other shapes or element types", mis_shaped),
        ])
    )]
    WeightsMismatch {
        /// The weights file.
        path: PathBuf,
        /// Parameters of the model that the file lacks.
        missing: Vec<String>,
        /// Tensors in the file that the model has no place for.
        unexpected: Vec<String>,
        /// `name: found [..], expected [..]`, or `name: element type .. (accepted: ..)`.
        mis_shaped: Vec<String>,
    },
    /// Weights are read or written for a model with adapters, whose effective weights are not its stored ones.
    #[error(
        "{path}: the model has adapters on [{parameters}], which a weights file has no place for; merge them first \
         (burn's Module::materialize), or load the weights before adapters are attached",
        path = path.display(),
        parameters = .parameters.join(", ")
    )]
    AdaptersAttached {
        /// The weights file or folder.
        path: PathBuf,
        /// The parameters with an adapter.
        parameters: Vec<String>,
    },
    /// The tokenizer rejected a text or could not be built.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    /// The tokenizer and the model disagree on the number of tokens.
    #[error(
        "the tokenizer has {tokenizer} tokens but the model's vocab_size is {model}; take tokenizer.json and config.json \
         from the same model"
    )]
    VocabularyMismatch {
        /// Tokens in the tokenizer.
        tokenizer: usize,
        /// `vocab_size` of the model.
        model: usize,
    },
    /// A device name is unknown or was not compiled in.
    #[error("device \"{name}\": {reason}")]
    Device {
        /// The name that was asked for.
        name: String,
        /// Why it cannot be had, and the way out.
        reason: String,
    },
    /// A sampling parameter is out of range.
    #[error("sampling: {name} is {value}; accepted: {accepted}")]
    Sampling {
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: String,
        /// What would be accepted.
        accepted: &'static str,
    },
    /// A sequence cannot be processed.
    #[error("sequence {index}: {reason}")]
    Sequence {
        /// Position in the batch that was given.
        index: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A loss, gradient or log-prob is not a finite number.
    #[error("{what} is not finite{at}: {value}")]
    NotFinite {
        /// The quantity.
        what: &'static str,
        /// The value seen.
        value: f64,
        /// Where, as ` (row 3, token 7)`, or empty.
        at: String,
    },
    /// Inputs of a loss disagree in length.
    #[error("{what}: expected {expected} values, got {found}")]
    LengthMismatch {
        /// The input.
        what: &'static str,
        /// The length that the batch asks for.
        expected: usize,
        /// The length given.
        found: usize,
    },
    /// An adapter cannot be attached or saved.
    #[error("LoRA: {0}")]
    Lora(String),
    /// An optimiser state does not belong to this model.
    #[error("optimizer state: {0}")]
    OptimizerState(String),
    /// A parameter of an objective is out of range.
    #[error("objective {objective}: {field} is {value}; accepted: {accepted}")]
    Objective {
        /// The objective's name.
        objective: &'static str,
        /// The parameter.
        field: &'static str,
        /// Its value.
        value: String,
        /// What would be accepted.
        accepted: &'static str,
    },
    /// A chat template cannot be compiled, or refuses a conversation.
    #[error("{origin}{at}: {reason}", at = line.map_or(String::new(), |line| format!(", line {line} of the chat template")))]
    ChatTemplate {
        /// The file, and which of its templates.
        origin: String,
        /// The line within the template.
        line: Option<usize>,
        /// What is wrong, and the way out.
        reason: String,
    },
    /// `generation_config.json` asks for a way of sampling that this crate does not have.
    #[error("{path}: {field} is {value}; {accepted}", path = path.display())]
    GenerationConfig {
        /// The file.
        path: PathBuf,
        /// The field's name.
        field: String,
        /// Its value.
        value: String,
        /// What would be accepted, and the way out.
        accepted: String,
    },
}

impl PolicyError {
    /// What turns the system's message into an error that names `path`.
    pub(crate) fn io(path: &std::path::Path) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    /// [`Self::Config`] as an error of the file that the shape was read from.
    pub(crate) fn in_file(self, path: &std::path::Path) -> Self {
        match self {
            Self::Config {
                field,
                value,
                accepted,
            } => Self::ConfigFile {
                path: path.to_owned(),
                field: field.to_owned(),
                value,
                accepted: accepted.to_owned(),
            },
            other => other,
        }
    }

    /// The same error about sequences that were given at `indices` of a longer list.
    pub(crate) fn with_sequence_indices(self, indices: &[usize]) -> Self {
        match self {
            Self::Sequence { index, reason } => Self::Sequence {
                index: indices.get(index).copied().unwrap_or(index),
                reason,
            },
            other => other,
        }
    }
}

/// A field of `config.json` that is not honoured.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedField {
    /// Its name, `outer.inner` for one of an object.
    pub name: String,
    /// Its value as JSON, shortened.
    pub value: String,
    /// What it is or what would be accepted, where that is known.
    pub why: Option<String>,
    /// Whether it can be left out on request: not where the model is known to compute something else then.
    pub ignorable: bool,
}

/// What to do about an error of the system.
fn way_out(source: &std::io::Error) -> &'static str {
    use std::io::ErrorKind;
    match source.kind() {
        ErrorKind::NotFound => "; check the path",
        ErrorKind::PermissionDenied => "; check whose it is and its permissions",
        ErrorKind::StorageFull => "; make room on the disk",
        ErrorKind::IsADirectory => ": a file should be there",
        ErrorKind::NotADirectory => ": a part of the path is a file",
        ErrorKind::InvalidData => ": it is no text; download it again",
        _ => "",
    }
}

/// `name is value (why)`, one after the other.
fn listed(fields: &[RefusedField]) -> String {
    let one = |field: &RefusedField| {
        let why = field.why.as_ref().map(|why| format!(" ({why})"));
        format!(
            "{} is {}{}",
            field.name,
            field.value,
            why.unwrap_or_default()
        )
    };
    fields.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// What to do about refused fields.
fn ignoring(fields: &[RefusedField]) -> String {
    let names: Vec<String> = fields
        .iter()
        .filter(|field| field.ignorable)
        .map(|field| format!("\"{}\"", field.name))
        .collect();
    if names.len() < fields.len() || names.is_empty() {
        return "this model cannot be read".to_owned();
    }
    format!(
        "if that changes nothing that the model computes, set model.ignore_config_fields = [{}]; otherwise this model \
         cannot be read",
        names.join(", ")
    )
}

/// The kinds of misfit that occur, each with its list.
fn misfits(kinds: &[(&str, &Vec<String>)]) -> String {
    let occurring = kinds.iter().filter(|(_, tensors)| !tensors.is_empty());
    occurring
        .map(|(kind, tensors)| format!("{kind} [{}]", tensors.join(", ")))
        .collect::<Vec<_>>()
        .join(", ")
}
