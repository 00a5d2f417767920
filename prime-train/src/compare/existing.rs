//! Runs that are there already, as arms.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::record::Record;
use super::table::Measured;
use crate::config::{Config, Layer, resolve};
use crate::error::TrainError;
use crate::metrics::is_missing;

/// Sections and keys that make no other arm: the seed, and where and how fast a run goes.
const NOT_THE_ARM: [&str; 4] = ["seed", "threads", "device", "run."];
/// What held-out numbers have to agree in to be compared.
const MEASURED_BY: [&str; 7] = [
    "data.task",
    "data.pass_mark",
    "data.eval_file",
    "data.eval_sets",
    "eval.problems",
    "eval.seed",
    "eval.temperature",
];

/// Runs whose settings differ in the seed alone are one arm. A folder of a comparison stands for its runs.
///
/// # Errors
/// [`TrainError::NotARun`]; a configuration that cannot be read; [`TrainError::Usage`] for a run that is named twice.
pub(super) fn arms(folders: &[PathBuf]) -> Result<Vec<Measured>, TrainError> {
    let mut runs = vec![];
    for folder in folders {
        match Record::read(folder)? {
            Some(record) => runs.extend(of_comparison(folder, &record)),
            None => runs.push(folder.clone()),
        }
    }
    let mut seen: BTreeMap<PathBuf, &PathBuf> = BTreeMap::new();
    let mut arms: Vec<(BTreeMap<String, String>, Measured)> = vec![];
    let mut measured_by: Option<(&Path, BTreeMap<String, String>)> = None;
    for run in &runs {
        let config = config(run)?;
        let whole = std::fs::canonicalize(run).map_err(TrainError::io("read", run))?;
        if seen.insert(whole, run).is_some() {
            let message = format!("compare: {} is named twice", run.display());
            return Err(TrainError::Usage(message));
        }
        let all = config.flat()?;
        let by = all
            .iter()
            .filter(|(key, _)| MEASURED_BY.contains(&key.as_str()));
        let by: BTreeMap<String, String> = by.map(|(k, v)| (k.clone(), v.clone())).collect();
        match &measured_by {
            None => measured_by = Some((run, by)),
            Some((first, known)) => {
                for (key, value) in by
                    .iter()
                    .filter(|(key, value)| known.get(*key) != Some(value))
                {
                    let other = known.get(key).map_or("nothing", String::as_str);
                    crate::view::say(&format!(
                        "note: {} has {key} = {value} and {} {other}: their held-out numbers are of different problems or \
                         conditions",
                        run.display(),
                        first.display()
                    ));
                }
            }
        }
        let is_arm = |key: &str| {
            !NOT_THE_ARM
                .iter()
                .any(|not| key == *not || (not.ends_with('.') && key.starts_with(not)))
        };
        let settings: BTreeMap<String, String> =
            all.into_iter().filter(|(key, _)| is_arm(key)).collect();
        let label = (format!("seed {}", config.seed), run.clone());
        match arms.iter_mut().find(|(known, _)| *known == settings) {
            Some((_, arm)) => arm.runs.push(label),
            None => {
                let measured = Measured {
                    name: name(run, config.seed),
                    runs: vec![label],
                };
                arms.push((settings, measured));
            }
        }
    }
    let mut arms: Vec<Measured> = arms.into_iter().map(|(_, arm)| arm).collect();
    tell_apart(&mut arms);
    Ok(arms)
}

/// The runs of a comparison that have been started.
fn of_comparison(folder: &Path, record: &Record) -> Vec<PathBuf> {
    let arms = record.arms.iter();
    let runs = arms.flat_map(|arm| {
        let runs = record.seeds.iter();
        runs.map(|seed| folder.join(format!("{}-{seed}", arm.folder)))
    });
    runs.filter(|run| run.join("metrics.jsonl").exists())
        .collect()
}

fn config(run: &Path) -> Result<Config, TrainError> {
    for missing in ["config.toml", "metrics.jsonl"] {
        let path = run.join(missing);
        let there = std::fs::metadata(&path).map_err(TrainError::io("read", &path));
        match there {
            Err(error) if is_missing(&error) => {
                return Err(TrainError::NotARun {
                    path: run.to_owned(),
                    missing,
                });
            }
            there => there?,
        };
    }
    Ok(resolve(&Layer::of_run(run)?)?)
}

/// The folder's name without the seed.
fn name(run: &Path, seed: u64) -> String {
    let whole = std::fs::canonicalize(run).unwrap_or_else(|_| run.to_owned());
    let name = whole.file_name().unwrap_or(whole.as_os_str());
    let name = name.to_string_lossy();
    let short = name
        .strip_suffix(&format!("-{seed}"))
        .filter(|short| !short.is_empty());
    short.unwrap_or(&name).to_owned()
}

/// Arms of one name get the folders of their first runs as names.
fn tell_apart(arms: &mut [Measured]) {
    let names: Vec<String> = arms.iter().map(|arm| arm.name.clone()).collect();
    for arm in arms {
        if names.iter().filter(|name| **name == arm.name).count() > 1
            && let Some((_, run)) = arm.runs.first()
        {
            arm.name = run.display().to_string();
        }
    }
}
