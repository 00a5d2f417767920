//! `--model`: a model folder, an adapter, or a run, whose newest checkpoint it stands for.

use std::path::{Path, PathBuf};

use prime_policy::{AdapterFolder, ModelFolder};

use crate::checkpoint::Checkpoints;
use crate::config::Layer;
use crate::error::TrainError;

/// What `--model` names.
#[derive(Debug)]
pub(crate) struct ModelArgument {
    /// The folder of the model or adapter.
    pub(crate) folder: PathBuf,
    /// The run folder that it was found in.
    run: Option<PathBuf>,
}

impl ModelArgument {
    /// Looks for the model: in the folder itself, in `policy` of a step's folder, in the newest checkpoint of a run.
    ///
    /// # Errors
    /// [`TrainError::Policy`] says what the folder is instead; [`TrainError::NoCheckpoint`] for a run without one.
    pub(crate) fn find(given: &Path) -> Result<Self, TrainError> {
        if is_model(given) {
            return Ok(Self {
                folder: given.to_owned(),
                run: run_of(given.parent()),
            });
        }
        if is_run(given) {
            return Ok(Self {
                folder: Checkpoints::new(given, 1).latest()?.join("policy"),
                run: Some(given.to_owned()),
            });
        }
        let policy = given.join("policy");
        if is_model(&policy) {
            return Ok(Self {
                folder: policy,
                run: run_of(Some(given)),
            });
        }
        // Whatever else it is, the loader has the words for it.
        ModelFolder::load(given, &prime_policy::device_by_name("flex")?)?;
        Ok(Self {
            folder: given.to_owned(),
            run: None,
        })
    }

    /// The settings of a command on this model: the run's below the user's, and `model.path` above them all. An adapter is
    /// merged, unless the user asks for it as it is.
    ///
    /// # Errors
    /// A configuration of the run that cannot be read.
    pub(crate) fn layers(&self, given: &[Layer]) -> Result<Vec<Layer>, TrainError> {
        let mut layers = vec![];
        if let Some(run) = &self.run {
            layers.extend(Layer::of_run(run)?);
            layers.push(Layer::set("lora.rank=0")?);
        }
        layers.extend(given.iter().cloned());
        let path = toml::Value::String(self.folder.display().to_string());
        let name = format!("--model {}", self.folder.display());
        layers.push(Layer::text(&name, &format!("model.path = {path}"))?);
        Ok(layers)
    }
}

fn is_model(folder: &Path) -> bool {
    folder.join("config.json").is_file() || AdapterFolder::is_one(folder)
}

fn is_run(folder: &Path) -> bool {
    folder.join("config.toml").is_file() && folder.join("checkpoints").is_dir()
}

/// The run of a step's folder, `RUN/checkpoints/step-000040`.
fn run_of(step: Option<&Path>) -> Option<PathBuf> {
    let checkpoints = step?.parent()?;
    let run = checkpoints.parent()?;
    // `checkpoints/step-000040` alone has the run it was called from as its own.
    let run = match run.as_os_str().is_empty() {
        true => Path::new("."),
        false => run,
    };
    (checkpoints.ends_with("checkpoints") && is_run(run)).then(|| run.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::{Purpose, resolve_for};

    /// A run folder with two checkpoints, whose models are named only.
    fn run() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let text = "[data]\ntask = \"mod3\"\n[lora]\nrank = 2\n[sampling]\nmax_new_tokens = 99\n";
        fs::write(folder.path().join("config.toml"), text).unwrap();
        for step in ["step-000002", "step-000010"] {
            let policy = folder.path().join("checkpoints").join(step).join("policy");
            fs::create_dir_all(&policy).unwrap();
            fs::write(policy.join("config.json"), "{}").unwrap();
            fs::write(policy.parent().unwrap().join("state.json"), "{}").unwrap();
        }
        folder
    }

    #[test]
    fn a_run_its_step_and_its_policy_bring_the_settings_of_the_run() {
        let run = run();
        let step = run.path().join("checkpoints/step-000002");
        for (given, found) in [
            (run.path().to_owned(), "step-000010/policy"),
            (step.clone(), "step-000002/policy"),
            (step.join("policy"), "step-000002/policy"),
        ] {
            let argument = ModelArgument::find(&given).unwrap();
            assert!(argument.folder.ends_with(found), "{argument:?}");
            let own = [Layer::set("eval.problems=7").unwrap()];
            let layers = argument.layers(&own).unwrap();
            let config = resolve_for(&layers, Purpose::Measuring).unwrap().config;
            assert_eq!(config.model.path, argument.folder.display().to_string());
            assert_eq!(config.sampling.max_new_tokens, 99);
            assert_eq!((config.eval.problems, config.lora.rank), (7, 0));
        }
    }

    #[test]
    fn a_model_from_elsewhere_has_no_settings_and_other_folders_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("123");
        fs::create_dir(&model).unwrap();
        fs::write(model.join("config.json"), "{}").unwrap();
        let argument = ModelArgument::find(&model).unwrap();
        assert_eq!(argument.layers(&[]).unwrap().len(), 1);
        let error = ModelArgument::find(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains(&folder.path().display().to_string()),
            "{error}"
        );
    }
}
