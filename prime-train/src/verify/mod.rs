//! Grading texts that are there already: rows in, the same rows with their verdicts out.
//!
//! ```json
//! {"ability": "math", "response": "Half of it: \\boxed{0.5}", "ground_truth": "\\frac{1}{2}"}
//! ```
//!
//! A row has an `ability` (`math` or `code`), a model's whole `response` or a bare `answer`, and a `ground_truth`: for maths the
//! gold answer or a list of gold answers, any of which counts; numbers stand for their text. Other fields pass through to
//! the letter. What comes out has `verdict`, `score` and `detail` added behind them.

mod judge;
mod row;
mod stream;
mod tally;

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Instant;

use prime_verifier::math::{Extraction, MathPolicy, MathVerifier};
use rayon::prelude::*;

use crate::data::rows::Broken;
use crate::error::TrainError;
use crate::progress::Progress;
use crate::run::INTERRUPTED;

use judge::Judged;
use row::Row;
pub use stream::is_standard;
use stream::{Chunk, Input, Output};
pub use tally::Tally;

/// What is graded, how, and where the verdicts go.
#[derive(Debug, Clone)]
pub struct VerifyOptions {
    /// The rows, one JSON object a line; `-` is standard input.
    pub input: PathBuf,
    /// Where rows with verdicts go; `-` is standard output. A file takes its place when all rows are in it.
    pub output: PathBuf,
    /// Where in a `response` the answer stands.
    pub extraction: Extraction,
    /// What counts as equal beyond mathematics.
    pub policy: MathPolicy,
    /// Whether broken rows are counted and left out instead of ending the work.
    pub skip_bad_rows: bool,
}

/// Grades all rows, on all cores, in the order of the input and in memory that does not grow with it.
///
/// `Ok(None)` means that whoever read the output has stopped reading.
///
/// # Errors
/// [`TrainError::VerifyRow`] for the first broken row, unless such rows are to be skipped; [`TrainError::Io`];
/// [`TrainError::InterruptedOutput`] after Ctrl-C. A file that was at the output's place is then still there; standard output
/// has the rows before.
pub fn run(options: &VerifyOptions, show_progress: bool) -> Result<Option<Tally>, TrainError> {
    let begun = Instant::now();
    let verifier = MathVerifier::new(options.extraction.clone(), options.policy.clone());
    let mut input = Input::open(&options.input)?;
    let mut output = Output::open(&options.output)?;
    let mut progress = input
        .bytes()
        .filter(|_| show_progress && !output.is_terminal())
        .map(|bytes| Progress::bytes("verifying", bytes));

    let mut tally = Tally::default();
    let mut chunk = Chunk::default();
    while input.read(&mut chunk)? {
        match write_judged(&chunk, &verifier, options, &input, &mut output, &mut tally) {
            Err(TrainError::Io { source, .. }) if source.kind() == ErrorKind::BrokenPipe => {
                return Ok(None);
            }
            written => written?,
        }
        if let Some(progress) = &mut progress {
            progress.advance(chunk.len(), &format!("{} rows", tally.rows()));
        }
    }
    stop_if_interrupted(output.path())?;
    output.finish()?;
    tally.seconds = begun.elapsed().as_secs_f64();
    Ok(Some(tally))
}

fn write_judged(
    chunk: &Chunk,
    verifier: &MathVerifier,
    options: &VerifyOptions,
    input: &Input,
    output: &mut Output,
    tally: &mut Tally,
) -> Result<(), TrainError> {
    let lines: Vec<(u64, &[u8])> = chunk.lines().collect();
    // `None` once Ctrl-C was pressed: the rest of the chunk may take a while.
    let judged: Vec<Option<Result<Judged, Broken>>> = lines
        .par_iter()
        .map(|(_, line)| (!INTERRUPTED.load(Ordering::Relaxed)).then(|| judge(line, verifier)))
        .collect();
    stop_if_interrupted(output.path())?;
    for ((number, _), judged) in lines.iter().zip(judged.into_iter().flatten()) {
        match judged {
            Ok(judged) => {
                let written = output.write_all(&judged.line);
                written.map_err(TrainError::io("write", output.path()))?;
                tally.add(judged.verdict, judged.score);
            }
            Err(_) if options.skip_bad_rows => tally.skipped += 1,
            Err(Broken { field, reason }) => {
                return Err(TrainError::VerifyRow {
                    input: input.name().to_path_buf(),
                    row: *number,
                    field,
                    reason,
                });
            }
        }
    }
    output
        .flush()
        .map_err(TrainError::io("write", output.path()))
}

fn judge(line: &[u8], verifier: &MathVerifier) -> Result<Judged, Broken> {
    Judged::new(&Row::parse(line)?, verifier)
}

fn stop_if_interrupted(output: &Path) -> Result<(), TrainError> {
    if INTERRUPTED.load(Ordering::Relaxed) {
        let output = output.to_path_buf();
        return Err(TrainError::InterruptedOutput { output });
    }
    Ok(())
}
