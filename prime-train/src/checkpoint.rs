//! The state of a run on disk: everything needed to go on as if nothing had happened.
//!
//! `checkpoints/step-000040/` holds `policy/` and `prm/` (each a model folder with its optimiser's state), the value
//! head where there is one, and `state.json`. `checkpoints/reference/` is the model before the first step.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::Device;
use prime_policy::{
    Decoder, DecoderConfig, ModelFolder, SideFiles, Tokenizer, load_weights, save_weights,
};
use prime_reward::ImplicitPrm;
use serde::{Deserialize, Serialize};

use crate::config::{Config, KlPlacement};
use crate::error::TrainError;
use crate::files::{read_text, write_atomically};
use crate::step::Learner;

#[derive(Debug, Serialize, Deserialize)]
struct State {
    step: u64,
    next_problem: u64,
}

const OPTIMIZER: &str = "optimizer.bin";
const CRITIC: &str = "value_head.safetensors";
const CRITIC_OPTIMIZER: &str = "value_head_optimizer.bin";

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

    /// Saves the model before the first step, which resuming starts the reference from, with the side files of every
    /// later checkpoint.
    ///
    /// # Errors
    /// [`TrainError::Policy`] names the file.
    pub fn save_reference(
        &self,
        model: &Decoder,
        shape: &DecoderConfig,
        tokenizer: &Tokenizer,
        side_files: SideFiles,
    ) -> Result<(), TrainError> {
        Ok(folder_of(model, shape, tokenizer, side_files).save(&self.reference())?)
    }

    /// Saves a learner; the folder appears whole or not at all. Older checkpoints beyond the limit are removed after.
    ///
    /// # Errors
    /// The file that could not be written. Earlier checkpoints are untouched then.
    pub fn save(
        &self,
        learner: &Learner<Decoder>,
        shape: &DecoderConfig,
        tokenizer: &Tokenizer,
    ) -> Result<PathBuf, TrainError> {
        let last = self.folder.join(format!("step-{:06}", learner.step));
        let partial = last.with_extension("partial");
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(TrainError::io("remove", &partial))?;
        }
        let side_files = SideFiles::read(&self.reference())?;
        let policy = partial.join("policy");
        folder_of(&learner.actor.policy, shape, tokenizer, side_files.clone()).save(&policy)?;
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
            folder_of(prm.model(), shape, tokenizer, side_files).save(&folder)?;
            prm.save_state(&folder)?;
        }
        let state = State {
            step: learner.step,
            next_problem: learner.next_problem,
        };
        let text = serde_json::to_string(&state).map_err(|e| TrainError::Encode {
            what: "the run's state",
            reason: e.to_string(),
        })?;
        write_atomically(&partial.join("state.json"), text.as_bytes())?;
        if last.exists() {
            fs::remove_dir_all(&last).map_err(TrainError::io("remove", &last))?;
        }
        fs::rename(&partial, &last).map_err(TrainError::io("write", &last))?;
        let mut all = self.list()?;
        while all.len() > self.keep_last {
            let oldest = all.remove(0);
            fs::remove_dir_all(&oldest).map_err(TrainError::io("remove", &oldest))?;
        }
        Ok(last)
    }

    /// Folders of complete checkpoints, oldest first.
    fn list(&self) -> Result<Vec<PathBuf>, TrainError> {
        let mut found = vec![];
        if !self.folder.exists() {
            return Ok(found);
        }
        let entries = fs::read_dir(&self.folder).map_err(TrainError::io("read", &self.folder))?;
        for entry in entries {
            let path = entry.map_err(TrainError::io("read", &self.folder))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("step-") && !name.ends_with(".partial") {
                found.push(path);
            }
        }
        // Step numbers have leading zeros: order of names is order of steps.
        found.sort();
        Ok(found)
    }

    /// The newest complete checkpoint.
    ///
    /// # Errors
    /// [`TrainError::NoCheckpoint`] when there is none.
    pub fn latest(&self) -> Result<PathBuf, TrainError> {
        self.list()?.pop().ok_or_else(|| TrainError::NoCheckpoint {
            path: self.folder.parent().unwrap_or(&self.folder).to_owned(),
        })
    }

    /// The learner of the newest checkpoint, with the shape and tokenizer of its policy.
    ///
    /// # Errors
    /// [`TrainError::NoCheckpoint`], or the file that is missing or broken.
    pub fn resume(
        &self,
        config: &Config,
        device: &Device,
    ) -> Result<(Learner<Decoder>, DecoderConfig, Tokenizer), TrainError> {
        let folder = self.latest()?;
        let policy_folder = folder.join("policy");
        let ModelFolder {
            config: shape,
            model: policy,
            tokenizer,
            ..
        } = ModelFolder::load(&policy_folder, device)?;
        let reference = ModelFolder::load(&self.reference(), device)?.model;
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
            let model = ModelFolder::load(&prm_folder, device)?.model;
            learner.prm = Some(ImplicitPrm::resume(&model, &reference, prm, &prm_folder)?);
        }
        learner.reference = (config.kl.placement != KlPlacement::None).then(|| reference.valid());
        let path = folder.join("state.json");
        let state: State =
            serde_json::from_str(&read_text(&path)?).map_err(|e| TrainError::Parse {
                path,
                line: e.line(),
                reason: e.to_string(),
            })?;
        learner.step = state.step;
        learner.next_problem = state.next_problem;
        Ok((learner, shape, tokenizer))
    }
}

fn folder_of(
    model: &Decoder,
    shape: &DecoderConfig,
    tokenizer: &Tokenizer,
    side_files: SideFiles,
) -> ModelFolder {
    ModelFolder {
        config: shape.clone(),
        model: model.clone(),
        tokenizer: tokenizer.clone(),
        side_files,
    }
}
