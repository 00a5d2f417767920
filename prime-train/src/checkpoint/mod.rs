//! The state of a run on disk: everything needed to go on as if nothing had happened.
//!
//! `checkpoints/step-000040/` holds `policy/` and `prm/` (each a model folder with its optimiser's state), the value
//! head where there is one, and `state.json`. `checkpoints/reference/` is the model before the first step.
//!
//! With adapters `policy/` and `prm/` are adapter folders in PEFT's layout and `reference/adapter/` is the adapter that the
//! run started from. The base, read from a folder, stays where it is: `reference/base.json`, and one beside each adapter,
//! says where, and what its files were, so that another model in its place is seen. A fresh base is kept in `reference/`.
//!
//! Each of these folders has `sums.json`, the size and SHA-256 of its files, which is written last.

mod best;
mod steps;
mod sums;

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use prime_policy::{
    AdapterUse, BaseReference, Decoder, DecoderConfig, LoraConfig, ModelFolder, SideFiles,
    Tokenizer, adapter_base, load_adapter, load_weights, save_adapter, save_weights,
};
use prime_reward::ImplicitPrm;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::TrainError;
use crate::files::{read_text, write_atomically};
use crate::start::{Base, Start};
use crate::step::{Learner, Trust};

pub use best::Best;

/// What the models of a run have in common besides their weights.
#[derive(Debug, Clone)]
pub struct About {
    /// Their shape.
    pub shape: DecoderConfig,
    /// Their vocabulary.
    pub tokenizer: Tokenizer,
    /// What else their folders hold.
    pub side_files: SideFiles,
    /// Their adapters, if they have any.
    pub adapters: Option<Adapters>,
}

/// The adapters of a run.
#[derive(Debug, Clone)]
pub struct Adapters {
    /// Their settings.
    pub lora: LoraConfig,
    /// The base model's folder, an absolute path: what adapter folders name as theirs.
    pub base: PathBuf,
    /// The same with its fingerprint, where it is not kept in the run folder.
    pub outside: Option<BaseReference>,
}

impl About {
    fn save(&self, model: &Decoder, folder: &Path) -> Result<(), TrainError> {
        match &self.adapters {
            Some(Adapters {
                lora,
                base,
                outside,
            }) => {
                save_adapter(model, lora, &base.display().to_string(), folder)?;
                if let Some(reference) = outside {
                    reference.write(folder)?;
                }
                Ok(())
            }
            None => Ok(self.whole(model).save(folder)?),
        }
    }

    fn whole(&self, model: &Decoder) -> ModelFolder {
        ModelFolder {
            config: self.shape.clone(),
            model: model.clone(),
            tokenizer: self.tokenizer.clone(),
            side_files: self.side_files.clone(),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct State {
    step: u64,
    next_problem: u64,
    #[serde(default)]
    trust: Trust,
}

const OPTIMIZER: &str = "optimizer.bin";
const ADAPTER: &str = "adapter";
const CRITIC: &str = "value_head.safetensors";
const CRITIC_OPTIMIZER: &str = "value_head_optimizer.bin";

/// Where to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResumeFrom {
    /// The step; the newest without.
    pub step: Option<u64>,
    /// Whether files may have changed since they were written.
    pub accept_changed: bool,
}

/// A run as a checkpoint has it.
pub struct Resumed {
    /// What training changes.
    pub learner: Learner<Decoder>,
    /// What its models have in common.
    pub about: About,
    /// The step that it was saved after.
    pub step: u64,
    /// What the user should know, a line each.
    pub notes: Vec<String>,
}

/// The checkpoints of one run.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    folder: PathBuf,
    keep_last: usize,
}

impl Checkpoints {
    /// Those of the run folder `run`, of which the `keep_last` newest are kept.
    pub fn new(run: &Path, keep_last: usize) -> Self {
        Self {
            folder: run.join("checkpoints"),
            keep_last: keep_last.max(1),
        }
    }

    fn reference(&self) -> PathBuf {
        self.folder.join("reference")
    }

    /// Saves the model before the first step, which resuming starts the reference from, or where its base is; returns it with what the folders
    /// of this run's checkpoints say about their models.
    ///
    /// # Errors
    /// [`TrainError::Policy`] or [`TrainError::Io`] names the file.
    pub fn save_reference(
        &self,
        start: Start,
        config: &Config,
    ) -> Result<(Decoder, About), TrainError> {
        let folder = self.reference();
        let Start {
            model,
            base,
            shape,
            tokenizer,
            side_files,
            ..
        } = start;
        let mut about = About {
            shape,
            tokenizer,
            side_files,
            adapters: None,
        };
        let Some(Base {
            model: whole,
            path,
            lora,
        }) = base
        else {
            about.whole(&model).save(&folder)?;
            sums::write(&folder)?;
            return Ok((model, about));
        };
        about.adapters = Some(match path {
            Some(path) => {
                let base = absolute(&path)?;
                let ignored = &config.model.ignore_config_fields;
                let reference = BaseReference::to(&base, ignored)?;
                reference.write(&folder)?;
                Adapters {
                    lora,
                    base,
                    outside: Some(reference),
                }
            }
            None => {
                about.whole(&whole).save(&folder)?;
                Adapters {
                    lora,
                    base: absolute(&folder)?,
                    outside: None,
                }
            }
        });
        about.save(&model, &folder.join(ADAPTER))?;
        sums::write(&folder)?;
        Ok((model, about))
    }

    /// Saves a learner; the folder appears whole or not at all. Older checkpoints beyond the limit are removed after.
    ///
    /// # Errors
    /// The file that could not be written. Earlier checkpoints are untouched then.
    pub fn save(&self, learner: &Learner<Decoder>, about: &About) -> Result<PathBuf, TrainError> {
        let last = steps::folder(&self.folder, learner.step);
        let partial = last.with_extension("partial");
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(TrainError::io("remove", &partial))?;
        }
        let policy = partial.join("policy");
        about.save(&learner.actor.policy, &policy)?;
        learner
            .policy_optimizer
            .save(&learner.actor.policy, &policy.join(OPTIMIZER))?;
        if let Some(head) = &learner.actor.value_head {
            save_weights(head, &partial.join(CRITIC))?;
            learner
                .critic_optimizer
                .save(head, &partial.join(CRITIC_OPTIMIZER))?;
        }
        if let Some(prm) = &learner.prm {
            let folder = partial.join("prm");
            about.save(prm.model(), &folder)?;
            prm.save_state(&folder)?;
        }
        let state = State {
            step: learner.step,
            next_problem: learner.next_problem,
            trust: learner.trust.clone(),
        };
        let text = serde_json::to_string(&state).map_err(|e| TrainError::Encode {
            what: "the run's state",
            reason: e.to_string(),
        })?;
        write_atomically(&partial.join("state.json"), text.as_bytes())?;
        sums::write(&partial)?;
        if last.exists() {
            fs::remove_dir_all(&last).map_err(TrainError::io("remove", &last))?;
        }
        fs::rename(&partial, &last).map_err(TrainError::io("write", &last))?;
        sums::sync_folder(&self.folder)?;
        steps::retire(&self.folder, self.keep_last)?;
        Ok(last)
    }

    /// The newest complete checkpoint.
    ///
    /// # Errors
    /// [`TrainError::NoCheckpoint`] when there is none.
    pub fn latest(&self) -> Result<PathBuf, TrainError> {
        let newest = steps::all(&self.folder)?.pop();
        let (_, path) = newest.ok_or_else(|| self.none())?;
        Ok(path)
    }

    fn none(&self) -> TrainError {
        TrainError::NoCheckpoint {
            path: self.folder.parent().unwrap_or(&self.folder).to_owned(),
        }
    }

    /// The last step before `step` that was saved; 0 is the model before the first.
    ///
    /// # Errors
    /// [`TrainError::NoCheckpoint`].
    pub fn last_before(&self, step: u64) -> Result<u64, TrainError> {
        let all = steps::all(&self.folder)?;
        let found = all.iter().rev().find(|(saved, _)| *saved < step);
        match found {
            Some((saved, _)) => Ok(*saved),
            None if sums::is_complete(&self.reference()) => Ok(0),
            None => Err(self.none()),
        }
    }

    /// Where the state after `step` is, if it was saved.
    pub fn of_step(&self, step: u64) -> PathBuf {
        let folder = steps::folder(&self.folder, step);
        match step {
            0 if !folder.exists() => self.reference(),
            _ => folder,
        }
    }

    /// Whether the run got as far as its first step: there is something to go on from.
    pub fn has_start(&self) -> bool {
        sums::is_complete(&self.reference())
            || steps::all(&self.folder).is_ok_and(|all| !all.is_empty())
    }

    /// Takes the checkpoints after `step` out of the run's line, which goes on from there anew: they are renamed. Returns their
    /// new names.
    ///
    /// # Errors
    /// [`TrainError::Io`].
    pub fn set_aside_after(&self, step: u64) -> Result<Vec<PathBuf>, TrainError> {
        steps::set_aside(&self.folder, step)
    }

    /// Where a run goes on: the newest checkpoint that is as it was written, the model before the first step where there is none
    /// yet, or the step that is asked for (0 is the model before the first).
    ///
    /// # Errors
    /// [`TrainError::NoCheckpoint`]; [`TrainError::Usage`] for a step without a checkpoint; [`TrainError::Damaged`] or the file
    /// that is missing or broken, if the step asked for, every checkpoint or the reference is.
    pub fn resume(
        &self,
        config: &Config,
        device: &Device,
        from: ResumeFrom,
    ) -> Result<Resumed, TrainError> {
        let mut notes = vec![];
        let checked = |folder: &Path| match from.accept_changed {
            true => Ok(()),
            false => sums::check(folder),
        };
        let load = |step: u64, folder: Option<&Path>| -> Result<Resumed, TrainError> {
            if let Some(folder) = folder {
                checked(folder)?;
            }
            let (learner, about) = self.load(config, device, folder, from.accept_changed)?;
            Ok(Resumed {
                learner,
                about,
                step,
                notes: vec![],
            })
        };
        checked(&self.reference())?;
        let all = steps::all(&self.folder)?;
        if let Some(step) = from.step {
            let found = all.iter().find(|(there, _)| *there == step);
            return match found {
                Some((_, folder)) => load(step, Some(folder)),
                None if step == 0 && sums::is_complete(&self.reference()) => load(0, None),
                None => {
                    let there: Vec<String> = all.iter().map(|(s, _)| s.to_string()).collect();
                    Err(TrainError::Usage(format!(
                        "--resume-from {step}: there is no checkpoint of that step, but of 0 (the model before the first) and [{}]",
                        there.join(", ")
                    )))
                }
            };
        }
        let mut first_error = None;
        for (step, folder) in all.iter().rev() {
            match load(*step, Some(folder)) {
                Ok(resumed) => return Ok(Resumed { notes, ..resumed }),
                Err(error) => {
                    notes.push(format!("warning: {error}; an older checkpoint is tried"));
                    first_error = first_error.or(Some(error));
                }
            }
        }
        match first_error {
            Some(error) => Err(error),
            None if sums::is_complete(&self.reference()) => load(0, None),
            None => Err(self.none()),
        }
    }

    /// The learner of the checkpoint in `folder`, or the one before the first step, with what its folders say about its models.
    fn load(
        &self,
        config: &Config,
        device: &Device,
        folder: Option<&Path>,
        accept_changed: bool,
    ) -> Result<(Learner<Decoder>, About), TrainError> {
        let mut outside = BaseReference::read(&self.reference())?;
        if let Some(base) = outside.as_mut().filter(|_| accept_changed) {
            // Without fingerprints nothing is compared.
            base.files = Default::default();
        }
        let ModelFolder {
            config: shape,
            model: whole,
            tokenizer,
            side_files,
        } = match &outside {
            Some(base) => base.load(&self.reference(), device)?,
            None => ModelFolder::load(&self.reference(), device)?,
        };
        let dtype = config.model.compute_dtype;
        let whole = whole.with_compute_dtype(dtype)?;
        let mut about = About {
            shape,
            tokenizer,
            side_files,
            adapters: None,
        };
        let start = self.reference().join(ADAPTER);
        let adapted = start.exists();
        // All models of a run with adapters are clones of one base, which share its tensors.
        let load = |folder: &Path| -> Result<Decoder, TrainError> {
            Ok(match adapted {
                true => load_adapter(whole.clone(), folder, AdapterUse::Training)?.0,
                false => ModelFolder::load(folder, device)?
                    .model
                    .with_compute_dtype(dtype)?,
            })
        };
        let reference = match adapted {
            true => {
                let (model, lora) = load_adapter(whole.clone(), &start, AdapterUse::Training)?;
                let named = PathBuf::from(adapter_base(&start)?.unwrap_or_default());
                let base = match &outside {
                    Some(reference) => absolute(&reference.path)?,
                    None if named.is_dir() => named,
                    // A run folder that was moved still has its copy of the base.
                    None => absolute(&self.reference())?,
                };
                about.adapters = Some(Adapters {
                    lora,
                    base,
                    outside,
                });
                model
            }
            false => whole.clone(),
        };
        let Some(folder) = folder else {
            return Ok((Learner::new(reference, config)?, about));
        };
        let policy_folder = folder.join("policy");
        let policy = load(&policy_folder)?;
        let mut learner = Learner::new(reference.clone(), config)?;
        (learner.policy_optimizer, learner.actor.policy) = learner
            .policy_optimizer
            .load(policy, &policy_folder.join(OPTIMIZER))?;
        if let Some(head) = learner.actor.value_head.take() {
            let head = load_weights(head, &folder.join(CRITIC))?;
            let (optimizer, head) = learner
                .critic_optimizer
                .load(head, &folder.join(CRITIC_OPTIMIZER))?;
            learner.critic_optimizer = optimizer;
            learner.actor.value_head = Some(head);
        }
        if let Some(prm) = config.implicit_prm() {
            let prm_folder = folder.join("prm");
            let model = load(&prm_folder)?;
            learner.prm = Some(ImplicitPrm::resume(&model, &reference, prm, &prm_folder)?);
        }
        let path = folder.join("state.json");
        let state: State =
            serde_json::from_str(&read_text(&path)?).map_err(|e| TrainError::Parse {
                path,
                line: e.line(),
                reason: e.to_string(),
            })?;
        learner.step = state.step;
        learner.next_problem = state.next_problem;
        learner.trust = state.trust;
        Ok((learner, about))
    }
}

fn absolute(folder: &Path) -> Result<PathBuf, TrainError> {
    fs::canonicalize(folder).map_err(TrainError::io("read", folder))
}
