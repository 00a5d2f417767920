//! Grading texts that are there already: rows in, the same rows with their verdicts out.
//!
//! ```json
//! {"ability": "math", "response": "Half of it: \\boxed{0.5}", "ground_truth": "\\frac{1}{2}"}
//! ```
//!
//! A row has an `ability` (`math`, which is also what is meant without one, or `code`), a model's whole `response` or a bare
//! `answer`, and a `ground_truth` (also under `reward_model`): for maths the gold answer or a list of gold answers, any of which counts, where numbers stand for their text; for code the tests. Other
//! fields pass through to the letter. What comes out has `verdict`, `score` and `detail` added behind them, and `tests` for code.

mod judge;
mod program;
mod row;
mod stream;
mod tally;
mod work;

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Instant;

use prime_verifier::code::CodeConfig;
use prime_verifier::math::{Extraction, MathPolicy, MathVerifier};

use crate::error::TrainError;
use crate::progress::Progress;

pub use stream::is_standard;
use stream::{Chunk, Input, Output};
pub use tally::Tally;
use work::Work;

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
    /// How programs are graded.
    pub code: CodeConfig,
    /// Whether broken rows are counted and left out instead of ending the work.
    pub skip_bad_rows: bool,
}

/// Grades all rows, on all cores, in the order of the input and in memory that does not grow with it.
///
/// `Ok(None)` means that whoever read the output has stopped reading.
///
/// # Errors
/// [`TrainError::VerifyRow`] for the first broken row, unless such rows are to be skipped; [`TrainError::Code`] if there is a
/// program and programs cannot be run; [`TrainError::Io`]; [`TrainError::InterruptedOutput`] after Ctrl-C. A file that was at
/// the output's place is then still there; standard output has the rows before.
pub fn run(options: &VerifyOptions, show_progress: bool) -> Result<Option<Tally>, TrainError> {
    let begun = Instant::now();
    let mut input = Input::open(&options.input)?;
    let output = Output::open(&options.output)?;
    let progress = input
        .bytes()
        .filter(|_| show_progress && !output.is_terminal())
        .map(|bytes| Progress::bytes("verifying", bytes));
    let name = input.name().to_path_buf();
    let mut work = Work {
        options,
        input: &name,
        maths: MathVerifier::new(options.extraction.clone(), options.policy.clone()),
        code: None,
        output,
        tally: Tally::default(),
        progress,
    };

    let mut chunk = Chunk::default();
    while input.read(&mut chunk)? {
        match work.chunk(&chunk) {
            Err(TrainError::Io { source, .. }) if source.kind() == ErrorKind::BrokenPipe => {
                return Ok(None);
            }
            written => written?,
        }
    }
    work.stop_if_interrupted()?;
    let Work {
        output, mut tally, ..
    } = work;
    output.finish()?;
    tally.seconds = begun.elapsed().as_secs_f64();
    Ok(Some(tally))
}
