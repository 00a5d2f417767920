//! Pictures of runs: `report.html` of one, charts and tables of several.
//!
//! Everything is made from files alone, so a report can be made of a run that is still going, and
//! made again later. The pages load nothing: styles and charts are in them. Their size is bounded, whatever the number of
//! steps, metrics and tokens.

mod charts;
mod compare;
mod curves;
mod downsample;
mod html;
mod plot;
mod scale;
mod serve;
mod sheets;
mod smooth;
mod style;
mod svg;
mod tokens;
mod transcripts;
mod watch;

use std::fs;
use std::path::{Path, PathBuf};

pub use compare::{Arm, ResultTable, RunLink, compare_chart, compare_page};
pub use scale::{Format, significant};
pub use serve::Server;
pub use style::Color;
pub use svg::{Chart, Series, Size};
pub use transcripts::{Transcript, read_transcripts, transcripts_path, write_transcripts};

use crate::error::TrainError;
use crate::files::{read_text, write_atomically};
use crate::metrics::{StepMetrics, is_missing};
use crate::summary::Summary;
use curves::Curves;

/// What a run folder holds for a report.
struct RunFiles {
    name: String,
    config: String,
    metrics: Curves,
    /// Missing while the run is going.
    summary: Option<Summary>,
    /// Some of those that have transcripts, in order.
    steps: Vec<sheets::Step>,
}

/// Writes `report.html` into a run folder from its `config.toml`, `metrics.jsonl`,
/// `summary.json` (if there is one yet) and `rollouts/step-*.jsonl`; returns its path. Responses that are too long for the
/// page are whole in `report/step-*.html`.
///
/// # Errors
/// [`TrainError::NotARun`] without configuration or metrics; [`TrainError::Parse`] or
/// [`TrainError::Io`] for a file that cannot be read or written.
pub fn write_report(run: &Path) -> Result<PathBuf, TrainError> {
    let (page, beside) = html::page(&read_run(run)?);
    let folder = run.join("report");
    remove_pages(&folder);
    for page in beside {
        write_atomically(&folder.join(page.name), page.html.as_bytes())?;
    }
    let path = run.join("report.html");
    write_atomically(&path, page.as_bytes())?;
    Ok(path)
}

/// The pages of an earlier report; one that cannot be removed is only out of date.
fn remove_pages(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("step-") && name.ends_with(".html") {
            let _ = fs::remove_file(entry.path());
        }
    }
    // Only if it is empty.
    let _ = fs::remove_dir(folder);
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
    let metrics = Curves::read(&run.join("metrics.jsonl")).map_err(needed("metrics.jsonl"))?;
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
        steps: read_steps(run)?,
    })
}

/// The transcripts of some steps, spread over the run: there may be thousands.
fn read_steps(run: &Path) -> Result<Vec<sheets::Step>, TrainError> {
    let files = transcripts::transcript_files(run)?;
    downsample::evenly(files.len(), sheets::STEPS)
        .into_iter()
        .map(|at| {
            let (number, path) = &files[at];
            Ok(sheets::Step {
                number: *number,
                transcripts: read_transcripts(path)?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
