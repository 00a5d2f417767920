//! The folder of a new run.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::lock;
use crate::checkpoint::Checkpoints;
use crate::config::Config;
use crate::error::TrainError;

/// The folder of a new run: `name`, or the task and preset with the first free number. A name is free again where a run
/// was ended before there was anything to go on from.
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
        let path = out.join(name);
        if came_to_nothing(&path) && lock(&path).is_ok() {
            fs::remove_dir_all(&path).map_err(TrainError::io("remove", &path))?;
        }
        return create(path);
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

/// What a run writes before its first record.
const EARLY: &[&str] = &[
    "config.toml",
    "config.full.toml",
    "run.json",
    "run.lock",
    "warmup.jsonl",
    "preflight.json",
    "checkpoints",
    "metrics.jsonl",
];

/// Removes the folder of a run that has nothing to go on from: the name is free for another try.
pub(crate) fn discard(folder: &Path) {
    if came_to_nothing(folder) {
        // The error that led here is what counts.
        let _ = fs::remove_dir_all(folder);
    }
}

/// Whether a folder holds what a run leaves that was killed before its start was saved, and nothing else.
fn came_to_nothing(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    let mut entries = entries.flatten();
    let only_early = entries.all(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // A file that was being written has an ending of its own.
        let whole = name.strip_suffix(".tmp").unwrap_or(&name);
        name.starts_with("events.out.tfevents") || EARLY.contains(&whole)
    });
    let records = fs::metadata(folder.join("metrics.jsonl")).map_or(0, |file| file.len());
    only_early && records == 0 && !Checkpoints::new(folder, 1).has_start()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layer, resolve};

    #[test]
    fn a_name_is_free_again_only_where_nothing_would_be_lost() {
        let place = tempfile::tempdir().unwrap();
        let out = Layer::set(&format!("run.out_dir={}", place.path().display())).unwrap();
        let config = resolve(&[out]).unwrap();
        let again = || create_run_folder(&config, Some("a"));
        let folder = again().unwrap();
        again().unwrap();
        fs::write(folder.join("config.toml"), "").unwrap();
        fs::write(folder.join("run.json.tmp"), "{").unwrap();
        fs::write(folder.join("metrics.jsonl"), "").unwrap();
        fs::create_dir_all(folder.join("checkpoints/reference")).unwrap();
        fs::write(folder.join("checkpoints/reference/config.json"), "{}").unwrap();
        again().unwrap();
        assert!(!folder.join("config.toml").exists());

        for (file, text) in [
            ("notes.txt", "mine"),
            ("metrics.jsonl", "{}\n"),
            ("checkpoints/reference/sums.json", "{}"),
            ("checkpoints/step-000001/state.json", "{}"),
        ] {
            let path = folder.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            assert!(
                matches!(again(), Err(TrainError::RunExists { .. })),
                "{file}"
            );
            assert!(path.exists());
            fs::remove_dir_all(&folder).unwrap();
            again().unwrap();
        }
        let held = lock(&folder).unwrap();
        drop(held);
        again().unwrap();
    }
}
