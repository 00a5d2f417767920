//! The checkpoints of a run by step.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::TrainError;

const PREFIX: &str = "step-";
/// The ending of a folder that is no longer of the run's line of steps, and is kept all the same.
const ASIDE: &str = "aside";

/// The folder of a step.
pub(super) fn folder(checkpoints: &Path, step: u64) -> PathBuf {
    checkpoints.join(format!("{PREFIX}{step:06}"))
}

/// Steps with a complete checkpoint, ascending.
pub(super) fn all(checkpoints: &Path) -> Result<Vec<(u64, PathBuf)>, TrainError> {
    let mut found = vec![];
    if !checkpoints.exists() {
        return Ok(found);
    }
    let entries = fs::read_dir(checkpoints).map_err(TrainError::io("read", checkpoints))?;
    for entry in entries {
        let path = entry.map_err(TrainError::io("read", checkpoints))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // A step in progress and one set aside have an ending: no number.
        let step = name
            .strip_prefix(PREFIX)
            .and_then(|digits| digits.parse().ok());
        found.extend(step.map(|step| (step, path)));
    }
    found.sort_unstable();
    Ok(found)
}

/// Removes all but the `keep` newest, by number.
pub(super) fn retire(checkpoints: &Path, keep: usize) -> Result<(), TrainError> {
    let all = all(checkpoints)?;
    for (_, path) in &all[..all.len().saturating_sub(keep)] {
        fs::remove_dir_all(path).map_err(TrainError::io("remove", path))?;
    }
    Ok(())
}

/// Takes the checkpoints after `step` out of the run's line, which goes on from there in another way; they are renamed, not
/// removed. Returns their new names.
pub(super) fn set_aside(checkpoints: &Path, step: u64) -> Result<Vec<PathBuf>, TrainError> {
    let mut moved = vec![];
    for (_, path) in all(checkpoints)?
        .into_iter()
        .filter(|(later, _)| *later > step)
    {
        let free = (1..)
            .map(|number| path.with_extension(format!("{ASIDE}-{number}")))
            .find(|to| !to.exists());
        if let Some(to) = free {
            fs::rename(&path, &to).map_err(TrainError::io("rename", &path))?;
            moved.push(to);
        }
    }
    Ok(moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().display().to_string())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_oldest_go_by_number_and_not_by_name() {
        let place = tempfile::tempdir().unwrap();
        for step in [999_998, 999_999, 1_000_000, 1_000_001, 7] {
            fs::create_dir(folder(place.path(), step)).unwrap();
        }
        for other in [
            "reference",
            "best",
            "step-000009.partial",
            "step-000005.aside-1",
        ] {
            fs::create_dir(place.path().join(other)).unwrap();
        }
        retire(place.path(), 2).unwrap();
        let steps: Vec<u64> = all(place.path())
            .unwrap()
            .into_iter()
            .map(|(s, _)| s)
            .collect();
        assert_eq!(steps, [1_000_000, 1_000_001]);
        assert_eq!(names(place.path()).len(), 6);
    }

    #[test]
    fn what_comes_later_is_set_aside_and_not_lost() {
        let place = tempfile::tempdir().unwrap();
        for round in 1..3 {
            for step in [10, 20, 30] {
                fs::create_dir_all(folder(place.path(), step)).unwrap();
            }
            assert_eq!(set_aside(place.path(), 10).unwrap().len(), 2);
            assert_eq!(all(place.path()).unwrap().len(), 1);
            assert_eq!(names(place.path()).len(), 1 + 2 * round);
        }
    }
}
