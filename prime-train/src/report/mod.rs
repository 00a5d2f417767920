//! Pictures of runs: `report.html` of one, charts and tables of several.
//!
//! Everything is made from files alone, so a report can be made of a run that is still going, and
//! made again later. The pages load nothing: styles and charts are in them.

mod compare;
mod html;
mod scale;
mod style;
mod svg;
mod transcripts;

use std::fs;
use std::path::{Path, PathBuf};

pub use compare::{Arm, ResultTable, compare_chart};
pub use scale::{Format, significant};
pub use style::Color;
pub use svg::{Chart, Series, Size};
pub use transcripts::{Transcript, read_transcripts, transcripts_path, write_transcripts};

use crate::error::TrainError;
use crate::files::{read_text, write_atomically};
use crate::metrics::{StepMetrics, is_missing, read_metrics};
use crate::summary::Summary;

/// What a run folder holds for a report.
struct RunFiles {
    name: String,
    config: String,
    metrics: Vec<StepMetrics>,
    /// Missing while the run is going.
    summary: Option<Summary>,
    /// In order of steps.
    transcripts: Vec<Vec<Transcript>>,
}

/// Writes `report.html` into a run folder from its `config.toml`, `metrics.jsonl`,
/// `summary.json` (if there is one yet) and `rollouts/step-*.jsonl`; returns its path.
///
/// # Errors
/// [`TrainError::NotARun`] without configuration or metrics; [`TrainError::Parse`] or
/// [`TrainError::Io`] for a file that cannot be read or written.
pub fn write_report(run: &Path) -> Result<PathBuf, TrainError> {
    let files = read_run(run)?;
    let path = run.join("report.html");
    write_atomically(&path, html::page(&files).as_bytes())?;
    Ok(path)
}

/// The curve of one metric: (step, value) for each step that has it.
pub fn curve(metrics: &[StepMetrics], name: &str) -> Vec<(u64, f64)> {
    metrics
        .iter()
        .filter_map(|record| Some((record.step(), record.get(name)?)))
        .collect()
}

fn read_run(run: &Path) -> Result<RunFiles, TrainError> {
    let needed = |missing| {
        move |error| match is_missing(&error) {
            true => TrainError::NotARun {
                path: run.to_path_buf(),
                missing,
            },
            false => error,
        }
    };
    let config = read_text(&run.join("config.toml")).map_err(needed("config.toml"))?;
    let metrics = read_metrics(&run.join("metrics.jsonl")).map_err(needed("metrics.jsonl"))?;
    let summary = match Summary::read(&run.join("summary.json")) {
        Ok(summary) => Some(summary),
        Err(error) if is_missing(&error) => None,
        Err(error) => return Err(error),
    };
    let whole = fs::canonicalize(run).map_err(TrainError::io("read", run))?;
    let name = whole.file_name().unwrap_or(whole.as_os_str());
    Ok(RunFiles {
        name: name.to_string_lossy().into_owned(),
        config,
        metrics,
        summary,
        transcripts: read_all_transcripts(&run.join("rollouts"))?,
    })
}

fn read_all_transcripts(folder: &Path) -> Result<Vec<Vec<Transcript>>, TrainError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(TrainError::io("read", folder)(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(TrainError::io("read", folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("step-") && name.ends_with(".jsonl") {
            paths.push(path);
        }
    }
    // The step in a file's name has leading zeros: order of names is order of steps.
    paths.sort();
    paths.iter().map(|path| read_transcripts(path)).collect()
}

#[cfg(test)]
mod tests;
