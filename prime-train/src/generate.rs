//! Responses to one prompt, sampled as the model's makers say.
//!
//! Training and evaluation sample by `[sampling]` whatever the model's `generation_config.json` says: what is trained on
//! has to come from the distribution that the objective is about. To talk to a model is another matter.

use std::path::{Path, PathBuf};

use prime_policy::{
    AdapterFolder, GenerationConfig, GenerationRequest, SamplingConfig, SamplingDefaults,
    TextOptions, Tokenizer, generate,
};

use crate::config::{Config, Layer};
use crate::data::chat::PromptFormat;
use crate::data::rows::Message;
use crate::error::TrainError;
use crate::start::initial_model;

/// What to sample.
pub(crate) struct GenerateOptions {
    /// `model.path` is the model.
    pub(crate) config: Config,
    /// What the user set of `config`.
    pub(crate) layers: Vec<Layer>,
    /// The prompt's text.
    pub(crate) prompt: String,
    /// Whether the prompt is a user's message in the model's chat template.
    pub(crate) chat: bool,
    /// Responses.
    pub(crate) samples: usize,
    /// Whether the model's `generation_config.json` counts.
    pub(crate) model_defaults: bool,
}

/// Prints the responses; how they are sampled goes to standard error.
///
/// # Errors
/// A model that cannot be read, a prompt that it cannot read, settings out of range; [`TrainError::Usage`] names a field of
/// `generation_config.json` that is not supported.
pub(crate) fn run(options: &GenerateOptions) -> Result<(), TrainError> {
    let config = &options.config;
    // Before the weights are read, which may take long.
    let defaults = match options.model_defaults {
        true => model_defaults(Path::new(&config.model.path))?,
        false => None,
    };
    let start = initial_model(config)?;
    let tokenizer = &start.tokenizer;
    let ids = match options.chat {
        true => chat_prompt(config, tokenizer, &options.prompt)?,
        false => tokenizer.encode_prompt(&options.prompt)?,
    };
    let sampling = sampling(config, &options.layers, defaults.as_ref(), ids.len())?;
    let given = |layer: &Layer| layer.gives("sampling", "stop_strings");
    let stop_strings = match &defaults {
        Some(found) if !options.layers.iter().any(given) => &found.defaults.stop_strings,
        _ => &config.sampling.stop_strings,
    };
    eprintln!("{}", described(&sampling, stop_strings, defaults.as_ref()));
    let stop_strings: Vec<&str> = stop_strings.iter().map(String::as_str).collect();
    let decode = |ids: &[u32]| tokenizer.decode_response(ids);
    let prompts = [ids.as_slice()];
    let request = GenerationRequest {
        samples: options.samples,
        stop: tokenizer.stop_ids(),
        seed: config.seed,
        text: (!stop_strings.is_empty()).then_some(TextOptions {
            decode: &decode,
            stop: &stop_strings,
        }),
        ..GenerationRequest::new(&prompts, &sampling)
    };
    for response in generate(&start.model, &request)?.into_iter().flatten() {
        println!("{}", tokenizer.decode_response(&response.tokens)?);
    }
    Ok(())
}

/// What a model's folder says about sampling.
struct ModelDefaults {
    path: PathBuf,
    defaults: SamplingDefaults,
}

/// Those of the model in `folder`, or of the base that an adapter there has.
fn model_defaults(folder: &Path) -> Result<Option<ModelDefaults>, TrainError> {
    let folder = match AdapterFolder::is_one(folder) {
        true => AdapterFolder::base_path(folder)?,
        false => folder.to_owned(),
    };
    let Some(config) = GenerationConfig::from_folder(&folder)? else {
        return Ok(None);
    };
    let defaults = config.sampling_defaults().map_err(|error| {
        TrainError::Usage(format!(
            "{error} (--ignore-generation-config samples by [sampling] alone)"
        ))
    })?;
    Ok(Some(ModelDefaults {
        path: folder.join("generation_config.json"),
        defaults,
    }))
}

/// `[sampling]` with the model's defaults for what the user has not set.
fn sampling(
    config: &Config,
    layers: &[Layer],
    found: Option<&ModelDefaults>,
    prompt_tokens: usize,
) -> Result<SamplingConfig, TrainError> {
    let own = config.sampling();
    let Some(ModelDefaults { defaults, .. }) = found else {
        return Ok(own);
    };
    let given = |key| layers.iter().any(|layer| layer.gives("sampling", key));
    let mut defaults = defaults.clone();
    if given("temperature") {
        defaults.temperature = own.temperature;
    }
    if given("top_k") {
        defaults.top_k = own.top_k;
    }
    if given("top_p") {
        defaults.top_p = own.top_p;
    }
    if given("min_p") {
        defaults.min_p = own.min_p;
    }
    if given("max_new_tokens") {
        defaults.max_new_tokens = Some(own.max_new_tokens);
    }
    let sampling = SamplingConfig::from_defaults(&defaults, prompt_tokens, own.max_new_tokens)?;
    Ok(sampling)
}

fn described(sampling: &SamplingConfig, stop: &[String], found: Option<&ModelDefaults>) -> String {
    let SamplingConfig {
        temperature,
        top_k,
        top_p,
        min_p,
        max_new_tokens,
    } = sampling;
    let from = match found {
        Some(found) => format!("{}, then the settings given", found.path.display()),
        None => "[sampling]".to_owned(),
    };
    format!(
        "sampling: temperature {temperature}, top_k {top_k}, top_p {top_p}, min_p {min_p}, max_new_tokens \
         {max_new_tokens}, stop strings {stop:?} (from {from})"
    )
}

/// What a user says, up to the start of the answer.
fn chat_prompt(
    config: &Config,
    tokenizer: &Tokenizer,
    prompt: &str,
) -> Result<Vec<u32>, TrainError> {
    let format = PromptFormat::open(config, tokenizer)?;
    if !format.is_chat() {
        return Err(TrainError::Usage(
            "--chat needs a chat template, and the model has none; give one by --set data.chat_template=FILE"
                .to_owned(),
        ));
    }
    let question = Message {
        role: "user".to_owned(),
        content: prompt.to_owned(),
    };
    Ok(format.encode(&[question], tokenizer)?.1)
}
