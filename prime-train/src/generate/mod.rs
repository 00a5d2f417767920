//! Responses to one prompt, sampled as the model's makers say.
//!
//! Training and evaluation sample by `[sampling]` whatever the model's `generation_config.json` says: what is trained on
//! has to come from the distribution that the objective is about. To talk to a model is another matter.

mod asked;

use std::path::{Path, PathBuf};

use prime_policy::{
    AdapterFolder, GenerationConfig, GenerationRequest, SamplingConfig, SamplingDefaults,
    TextOptions, generate,
};

use crate::config::{Config, Layer};
use crate::error::TrainError;
use crate::start::initial_model;

pub(crate) use asked::Prompt;

/// What to sample.
pub(crate) struct GenerateOptions {
    /// `model.path` is the model.
    pub(crate) config: Config,
    /// What the user set of `config`.
    pub(crate) layers: Vec<Layer>,
    /// What is asked.
    pub(crate) prompt: Prompt,
    /// Whether the prompt is shown, as the model reads it.
    pub(crate) show_prompt: bool,
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
    let (_, ids) = asked::encode(&options.prompt, config, tokenizer)?;
    if options.show_prompt {
        let shown = tokenizer.decode_with_special_tokens(&ids)?;
        crate::view::say(&format!("prompt, {} tokens:\n{shown}\n", ids.len()));
    }
    let sampling = sampling(config, &options.layers, defaults.as_ref(), ids.len())?;
    let sampling = within(
        start.shape.max_position_embeddings,
        ids.len(),
        sampling,
        options,
    )?;
    let given = |layer: &Layer| layer.gives("sampling", "stop_strings");
    let stop_strings = match &defaults {
        Some(found) if !options.layers.iter().any(given) => &found.defaults.stop_strings,
        _ => &config.sampling.stop_strings,
    };
    crate::view::say(&described(&sampling, stop_strings, defaults.as_ref()));
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
        crate::stdout::line(format_args!(
            "{}",
            tokenizer.decode_response(&response.tokens)?
        ))?;
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

/// A length that nobody asked for ends where the model's positions do.
fn within(
    positions: usize,
    prompt_tokens: usize,
    sampling: SamplingConfig,
    options: &GenerateOptions,
) -> Result<SamplingConfig, TrainError> {
    let given = |layer: &Layer| layer.gives("sampling", "max_new_tokens");
    if options.layers.iter().any(given) {
        return Ok(sampling);
    }
    let room = positions.saturating_sub(prompt_tokens);
    if room == 0 {
        return Err(TrainError::Usage(format!(
            "the prompt has {prompt_tokens} tokens, and the model {positions} positions (max_position_embeddings): there is no \
             room for a response; shorten the prompt"
        )));
    }
    let max_new_tokens = sampling.max_new_tokens.min(room);
    Ok(SamplingConfig {
        max_new_tokens,
        ..sampling
    })
}
