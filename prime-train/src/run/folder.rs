//! The folder of a new run.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::config::Config;
use crate::error::TrainError;

/// The folder of a new run: `name`, or the task and preset with the first free number.
///
/// # Errors
/// [`TrainError::RunExists`]; [`TrainError::Usage`] for a name that is no folder's name; [`TrainError::Io`] for a place
/// that cannot be written to.
pub fn create_run_folder(config: &Config, name: Option<&str>) -> Result<PathBuf, TrainError> {
    let out = Path::new(&config.run.out_dir);
    if let Some(name) = name
        && !matches!(Path::new(name).components().collect::<Vec<_>>()[..], [Component::Normal(part)] if part == name)
    {
        let message =
            format!("--name {name:?}: a run's name is one folder's name; its place is run.out_dir");
        return Err(TrainError::Usage(message));
    }
    fs::create_dir_all(out).map_err(TrainError::io("create", out))?;
    let create = |path: PathBuf| match fs::create_dir(&path) {
        Ok(()) => Ok(path),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(TrainError::RunExists { path })
        }
        Err(error) => Err(TrainError::io("create", &path)(error)),
    };
    if let Some(name) = name {
        return create(out.join(name));
    }
    let task = serde_json::to_value(config.data.task).ok();
    let task = task
        .as_ref()
        .and_then(|task| task.as_str())
        .unwrap_or("run");
    (1u32..)
        .map(|number| create(out.join(format!("{task}-{}-{number:03}", config.preset))))
        .find(|made| !matches!(made, Err(TrainError::RunExists { .. })))
        .unwrap_or_else(|| {
            Err(TrainError::RunExists {
                path: out.to_owned(),
            })
        })
}
