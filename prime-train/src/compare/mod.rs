//! Several arms over several seeds: one chart, one table.
//!
//! All arms of a seed see the same problems, and those that start alike start from the same warmed-up model. Runs share the
//! cores, one thread each; their results do not depend on that. A comparison that was interrupted goes on when it is called
//! again.

mod arms;
mod existing;
mod jobs;
mod measures;
mod record;
mod starts;
mod table;

#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use crate::config::{Config, Layer, Purpose, Resolved, resolve_for};
use crate::error::TrainError;
use crate::run::create_run_folder;
use arms::{Plan, plans};
use jobs::{Job, finish};
use record::Record;
use table::Measured;

/// Runs of an arm that somebody means to wait for.
const MOST_SEEDS: u64 = 10_000;

/// What to compare.
#[derive(Debug, Clone)]
pub struct CompareOptions {
    /// At least one.
    pub seeds: Vec<u64>,
    /// Names of arms; empty = all. A preset's name, optionally followed by `+key=value` settings, is an arm too.
    pub arms: Vec<String>,
    /// Settings of every arm; its own are over them.
    pub layers: Vec<Layer>,
    /// The folder's name; that of a comparison with the same settings goes on with it.
    pub name: Option<String>,
}

/// So many seeds from the first on.
///
/// # Errors
/// [`TrainError::Usage`] for none, for more than anybody waits for, and for seeds beyond the largest.
pub fn seeds(first: u64, count: u64) -> Result<Vec<u64>, TrainError> {
    let reason = match (count, first.checked_add(count.saturating_sub(1))) {
        (0, _) => "compare needs at least one seed (--seeds 1)".to_owned(),
        (count, _) if count > MOST_SEEDS => format!("at most {MOST_SEEDS}"),
        (_, Some(last)) => return Ok((first..=last).collect()),
        (_, None) => format!("there are not so many from --first-seed {first} on"),
    };
    Err(TrainError::Usage(format!("--seeds {count}: {reason}")))
}

/// Tabulates and draws runs that are there, in a new folder under `runs`.
///
/// # Errors
/// [`TrainError::NotARun`]; a folder that is there already; what cannot be read or written.
pub fn existing_runs(
    folders: &[PathBuf],
    layers: &[Layer],
    name: Option<&str>,
) -> Result<(), TrainError> {
    let arms = existing::arms(folders)?;
    let config = resolve_for(layers, Purpose::Training)?.config;
    let name = match name {
        Some(name) => name.to_owned(),
        None => free_name(Path::new(&config.run.out_dir)),
    };
    let folder = create_run_folder(&config, Some(&name))?;
    table::write(&folder, &arms)
}

/// Runs all arms on all seeds and writes `compare.md`, `compare.svg` and `compare.html` beside the run folders. Runs that are
/// done already are kept, and unfinished ones go on.
///
/// # Errors
/// [`TrainError::Usage`] for arms that clash and for a comparison that was begun with other settings; the first run that
/// fails; runs that are done keep their folders.
pub fn run(options: &CompareOptions) -> Result<(), TrainError> {
    let Some(&first) = options.seeds.first() else {
        return Err(TrainError::Usage(
            "compare needs at least one seed (--seeds 1)".to_owned(),
        ));
    };
    let plans = plans(&options.arms)?;
    // Every arm is checked before the first one runs.
    let mut checked = vec![];
    for plan in &plans {
        let resolved = resolved(options, plan, first)?;
        for note in resolved.notes {
            crate::view::say(&format!("note: {}: {note}", plan.name));
        }
        checked.push((plan, resolved.config));
    }
    let Some((_, base)) = checked.first() else {
        return Err(TrainError::Usage("compare needs an arm".to_owned()));
    };
    let record = Record::of(&checked, &options.seeds)?;
    let folder = folder(base, options, record)?;
    let mut jobs = vec![];
    for &seed in &options.seeds {
        for plan in &plans {
            jobs.push(Job {
                label: format!("{} seed {seed}", plan.name),
                config: resolved(options, plan, seed)?.config,
                run: folder.join(format!("{}-{seed}", plan.folder)),
            });
        }
    }
    let done = finish(&jobs);
    if let Err(TrainError::Interrupted { .. } | TrainError::InterruptedEarly) = &done {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        crate::view::say(&format!(
            "compare: the same command with --name {name} goes on with it"
        ));
    }
    done?;
    let measured: Vec<Measured> = plans
        .iter()
        .enumerate()
        .map(|(a, plan)| {
            let own = jobs.iter().skip(a).step_by(plans.len());
            let label = |job: &Job| (format!("seed {}", job.config.seed), job.run.clone());
            Measured {
                name: plan.name.clone(),
                runs: own.map(label).collect(),
            }
        })
        .collect();
    table::write(&folder, &measured)
}

/// The settings of an arm's run.
fn resolved(options: &CompareOptions, plan: &Plan, seed: u64) -> Result<Resolved, TrainError> {
    let mut layers = vec![
        Layer::set("eval.every=2")?,
        Layer::set("eval.every_problems=384")?,
    ];
    layers.extend(options.layers.iter().cloned());
    // What an arm says of itself holds: it is what is compared.
    layers.extend(plan.layers.iter().cloned());
    layers.push(Layer::set(&format!("seed={seed}"))?);
    layers.push(Layer::set("threads=1")?);
    Ok(resolve_for(&layers, Purpose::Training)?)
}

/// The folder of the comparison: a new one, or that of the same one, which goes on.
fn folder(base: &Config, options: &CompareOptions, record: Record) -> Result<PathBuf, TrainError> {
    let out = Path::new(&base.run.out_dir);
    let begun = match &options.name {
        Some(name) => Some(out.join(name)),
        None => unfinished(out, &record),
    };
    if let Some(folder) = begun
        && let Some(known) = Record::read(&folder)?
    {
        known.joined(record, &folder)?.write(&folder)?;
        crate::view::say(&format!("compare goes on in {}", folder.display()));
        return Ok(folder);
    }
    let name = match &options.name {
        Some(name) => name.clone(),
        None => free_name(out),
    };
    let folder = create_run_folder(base, Some(&name))?;
    crate::view::say(&format!("compare {}", folder.display()));
    record.write(&folder)?;
    Ok(folder)
}

/// A comparison of exactly the same arms and seeds that was not finished.
fn unfinished(out: &Path, record: &Record) -> Option<PathBuf> {
    let folders = fs::read_dir(out).ok()?.flatten().map(|entry| entry.path());
    let mut folders: Vec<PathBuf> = folders
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("compare-") && !path.join("compare.md").exists()
        })
        .collect();
    folders.sort();
    folders
        .into_iter()
        .find(|folder| matches!(Record::read(folder), Ok(Some(known)) if known == *record))
}

fn free_name(out: &Path) -> String {
    (1u32..)
        .map(|n| format!("compare-{n:03}"))
        .find(|name| !out.join(name).exists())
        .unwrap_or_else(|| "compare".to_owned())
}
