//! The model that a run starts from.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Instant;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use prime_policy::{
    AdapterFolder, AdapterUse, Decoder, DecoderConfig, LoraConfig, ModelFolder, SideFiles,
    Tokenizer, device_by_name,
};

use crate::activity;
use crate::config::Config;
use crate::data::demonstrations::Demonstrations;
use crate::data::tasks::{BOS, EOS, PAD};
use crate::error::TrainError;
use crate::not_finite::Stage;
use crate::progress::Progress;
use crate::run::INTERRUPTED;
use crate::sft::{SftRecord, warm_up, warm_up_on};
use crate::view;

/// A model with its tokenizer, warmed up or read from a folder.
#[derive(Clone)]
pub struct Start {
    /// On an autodiff device.
    pub model: Decoder,
    /// What lies under `model` when it has adapters.
    pub base: Option<Base>,
    /// Its shape.
    pub shape: DecoderConfig,
    /// Its vocabulary.
    pub tokenizer: Tokenizer,
    /// What else its folder holds; every checkpoint gets it too.
    pub side_files: SideFiles,
    /// Seconds that reading the model and the demonstrations took.
    pub opening: f64,
    /// Seconds that the warm-up took.
    pub seconds: f64,
    /// What the warm-up reported.
    pub warmup: Vec<SftRecord>,
}

/// The frozen part of a model with adapters.
#[derive(Clone)]
pub struct Base {
    /// The model without adapters; it shares its tensors with the one that has them.
    pub model: Decoder,
    /// Where it was read from; `None` for a fresh model.
    pub path: Option<PathBuf>,
    /// The adapters' settings.
    pub lora: LoraConfig,
}

/// Shape and tokenizer of the model that a configuration starts from, without its weights.
///
/// # Errors
/// A folder whose configuration or tokenizer cannot be read, or that has adapters without a base.
pub fn initial_shape(config: &Config) -> Result<(DecoderConfig, Tokenizer), TrainError> {
    // A device that is not there is to be known before a run as well.
    device_by_name(&config.device)?;
    let path = Path::new(&config.model.path);
    if config.model.path.is_empty() {
        let tokenizer = fresh_tokenizer(config)?;
        let shape = config.decoder(&tokenizer);
        shape.validate()?;
        return Ok((shape, tokenizer));
    }
    let folder = match AdapterFolder::is_one(path) {
        true => AdapterFolder::base_path(path)?,
        false => path.to_owned(),
    };
    Ok(ModelFolder::shape_of(
        &folder,
        &config.model.ignore_config_fields,
    )?)
}

/// The model that a configuration starts from, without warm-up. A model from a folder has its adapters already.
///
/// # Errors
/// An unknown device, or one that does not compute in `model.compute_dtype`; a folder that cannot be read; a shape that cannot be built; adapters that do not fit the model;
/// [`TrainError::Usage`] when `model.path` holds an adapter with other settings than `[lora]`.
pub fn initial_model(config: &Config) -> Result<Start, TrainError> {
    read(config)?.computing(config)
}

fn read(config: &Config) -> Result<Start, TrainError> {
    let device = device_by_name(&config.device)?.autodiff();
    let path = Path::new(&config.model.path);
    if config.model.path.is_empty() {
        return fresh(config, &device);
    }
    let lora = config.lora.settings();
    if AdapterFolder::is_one(path) {
        return from_adapter(config, path, lora.as_ref(), &device);
    }
    let ModelFolder {
        config: shape,
        model,
        tokenizer,
        side_files,
    } = ModelFolder::load_ignoring(path, &device, &config.model.ignore_config_fields)?;
    let start = Start {
        model,
        base: None,
        shape,
        tokenizer,
        side_files,
        opening: 0.0,
        seconds: 0.0,
        warmup: vec![],
    };
    start.adapted(config, Some(path))
}

impl Start {
    /// The same with models that compute as the configuration says.
    fn computing(self, config: &Config) -> Result<Self, TrainError> {
        let dtype = config.model.compute_dtype;
        let base = match self.base {
            Some(base) => Some(Base {
                model: base.model.with_compute_dtype(dtype)?,
                ..base
            }),
            None => None,
        };
        Ok(Self {
            model: self.model.with_compute_dtype(dtype)?,
            base,
            ..self
        })
    }

    /// The same with fresh adapters, if the configuration asks for them.
    fn adapted(self, config: &Config, path: Option<&Path>) -> Result<Self, TrainError> {
        let Some(lora) = config.lora.settings() else {
            return Ok(self);
        };
        Ok(Self {
            model: lora.attach(self.model.clone(), config.seed)?,
            base: Some(Base {
                model: self.model,
                path: path.map(Path::to_owned),
                lora,
            }),
            ..self
        })
    }
}

/// Goes on with an adapter when `[lora]` describes the same; merges it into its base when adapters are off.
fn from_adapter(
    config: &Config,
    path: &Path,
    lora: Option<&LoraConfig>,
    device: &Device,
) -> Result<Start, TrainError> {
    let purpose = match lora {
        Some(_) => AdapterUse::Training,
        // Merged, it is part of the weights.
        None => AdapterUse::Inference,
    };
    let ignore = &config.model.ignore_config_fields;
    let loaded = AdapterFolder::load_ignoring(path, device, purpose, ignore)?;
    let Some(lora) = lora else {
        let ModelFolder {
            config: shape,
            model,
            tokenizer,
            side_files,
        } = loaded.merged();
        return Ok(Start {
            model: model.unfreeze(),
            base: None,
            shape,
            tokenizer,
            side_files,
            opening: 0.0,
            seconds: 0.0,
            warmup: vec![],
        });
    };
    let of = |lora: &LoraConfig| (lora.rank, lora.alpha, lora.use_rslora);
    if of(lora) != of(&loaded.lora) {
        let (rank, alpha, rslora) = of(&loaded.lora);
        return Err(TrainError::Usage(format!(
            "the adapter in {} goes on with its own settings: set lora.rank={rank}, lora.alpha={alpha} and \
             lora.use_rslora={rslora}, or lora.rank=0 to merge it and train all weights",
            path.display()
        )));
    }
    Ok(Start {
        model: loaded.model,
        base: Some(Base {
            model: loaded.base.model,
            path: Some(loaded.base_path),
            lora: loaded.lora,
        }),
        shape: loaded.base.config,
        tokenizer: loaded.base.tokenizer,
        side_files: loaded.base.side_files,
        opening: 0.0,
        seconds: 0.0,
        warmup: vec![],
    })
}

fn fresh(config: &Config, device: &Device) -> Result<Start, TrainError> {
    let tokenizer = fresh_tokenizer(config)?;
    let shape = config.decoder(&tokenizer);
    let model = fresh_model(&shape, config.seed, device)?;
    Ok(Start {
        model,
        base: None,
        shape,
        tokenizer,
        side_files: SideFiles::default(),
        opening: 0.0,
        seconds: 0.0,
        warmup: vec![],
    })
}

/// The characters of the built-in task.
fn fresh_tokenizer(config: &Config) -> Result<Tokenizer, TrainError> {
    let Some(task) = config.data.task.builtin() else {
        return Err(TrainError::Usage(
            "data.task = \"rows\" needs model.path".to_owned(),
        ));
    };
    let special = [PAD, BOS, EOS];
    let characters = task
        .vocabulary()
        .into_iter()
        .filter(|token| !special.contains(&token.as_str()))
        .filter_map(|token| token.chars().next());
    Ok(Tokenizer::characters(characters)?)
}

/// Weights drawn from `seed`. The generator belongs to the whole process, so one model is drawn at a time, and all of
/// it: burn draws a parameter when it is first read.
fn fresh_model(shape: &DecoderConfig, seed: u64, device: &Device) -> Result<Decoder, TrainError> {
    static DRAWING: Mutex<()> = Mutex::new(());
    struct Touch;
    impl ModuleVisitor for Touch {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let _ = param.val();
        }
    }
    let _alone = DRAWING
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    device.seed(seed);
    let model = shape.init(device)?;
    model.visit(&mut Touch);
    Ok(model)
}

/// [`initial_model`], warmed up on demonstrations, with its adapters: those of `warmup.train_file`, else the built-in
/// task's; other rows have none.
///
/// # Errors
/// Those of [`initial_model`], of the demonstrations and of the warm-up; [`TrainError::InterruptedEarly`] after Ctrl-C.
pub fn warmed_up_model(config: &Config, progress: bool) -> Result<Start, TrainError> {
    let clock = Instant::now();
    let mut start = initial_model(config)?;
    let positions = Some(start.shape.max_position_embeddings).filter(|&positions| positions > 0);
    let own = match config.warmup.train_file.is_empty() {
        true => None,
        false => Some(Demonstrations::open(config, &start.tokenizer, positions)?),
    };
    let (held_out, notes) = Demonstrations::held_out(config, &start.tokenizer, positions)?;
    start.opening = clock.elapsed().as_secs_f64();
    let task = config.data.task.builtin();
    if config.warmup.steps > 0 && (own.is_some() || task.is_some()) {
        if let Some(own) = own.as_ref().filter(|_| progress) {
            say(own, config, &notes, held_out.len());
        }
        let clock = Instant::now();
        let mut bar = progress.then(|| Progress::new("warm-up", config.warmup.steps as u64));
        activity::phase("warm-up", "steps", config.warmup.steps as u64);
        let (mut steps, mut tokens) = (vec![], 0);
        let report = |record: SftRecord| {
            steps.push(record);
            match record {
                SftRecord::Step(done) => {
                    tokens += done.tokens;
                    if let Some(bar) = &mut bar {
                        let rate = tokens as f64 / clock.elapsed().as_secs_f64().max(1e-3);
                        bar.tick(&format!("loss {:.3}, {rate:.0} tokens/s", done.loss));
                    }
                }
                SftRecord::HeldOut(found) if progress => view::say(&format!(
                    "warm-up step {}: held-out loss {:.4} nats a token",
                    found.step, found.eval_loss
                )),
                SftRecord::HeldOut(_) => {}
            }
            match INTERRUPTED.load(Ordering::Relaxed) {
                true => Err(TrainError::InterruptedEarly),
                false => Ok(()),
            }
        };
        let tokenizer = &start.tokenizer;
        let explain = |error| Stage::WarmUp.explain(error);
        start.model = match (&own, task) {
            (Some(own), _) => {
                let demonstration = |place| own.get(place, tokenizer);
                warm_up_on(start.model, config, &demonstration, &held_out, report)
                    .map_err(explain)?
            }
            (None, Some(task)) => {
                warm_up(start.model, config, task.as_ref(), tokenizer, report).map_err(explain)?
            }
            (None, None) => start.model,
        };
        start.seconds = clock.elapsed().as_secs_f64();
        start.warmup = steps;
        if let Some(bar) = bar {
            bar.finish(&format!("{:.1} s", start.seconds));
        }
    }
    match start.base {
        Some(_) => Ok(start),
        None => start.adapted(config, None),
    }
}

fn say(own: &Demonstrations, config: &Config, held_out_notes: &[String], held_out: usize) {
    for note in own.notes().iter().chain(held_out_notes) {
        view::say(note);
    }
    if held_out > 0 {
        view::say(&format!("held-out loss of {held_out} demonstrations"));
    }
    let warmup = &config.warmup;
    let epochs = (warmup.steps * warmup.batch_size) as f64 / own.len().max(1) as f64;
    view::say(&format!(
        "warm-up: {} steps of {} demonstrations, {epochs:.2} epochs; the longest has {} tokens",
        warmup.steps,
        warmup.batch_size,
        own.longest()
    ));
}
