//! Rows to their verdicts, and out in order.

use std::collections::VecDeque;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use prime_verifier::code::CodeVerifier;
use prime_verifier::math::MathVerifier;
use rayon::prelude::*;

use super::VerifyOptions;
use super::judge::{Judged, Judging};
use super::program::Running;
use super::stream::{Chunk, Output};
use super::tally::Tally;
use crate::data::broken::Broken;
use crate::error::TrainError;
use crate::progress::Progress;
use crate::run::INTERRUPTED;

/// Programs for each worker that are handed over before the first of them has its verdict. Enough to keep all workers at work
/// while the row whose turn it is takes long; and a bound on results that wait for their turn, which hold what tests printed.
const PROGRAMS_AHEAD: usize = 16;
/// How soon Ctrl-C is noticed while a program runs.
const LOOK_UP: Duration = Duration::from_millis(100);

/// The graders, and where verdicts go.
pub(super) struct Work<'o> {
    pub(super) options: &'o VerifyOptions,
    /// What the input is called in messages.
    pub(super) input: &'o Path,
    pub(super) maths: MathVerifier,
    /// Made for the first program: who has none needs neither a Python nor a sandbox.
    pub(super) code: Option<CodeVerifier>,
    pub(super) output: Output,
    pub(super) tally: Tally,
    pub(super) progress: Option<Progress>,
}

/// Rows that are not written yet, in order.
#[derive(Default)]
struct Queue<'l> {
    rows: VecDeque<Row<'l>>,
    running: usize,
}

struct Row<'l> {
    number: u64,
    bytes: u64,
    state: State<'l>,
}

enum State<'l> {
    Done(Judged),
    Running(Running<'l>),
}

impl Work<'_> {
    /// Grades the rows of a chunk and writes them.
    pub(super) fn chunk(&mut self, chunk: &Chunk) -> Result<(), TrainError> {
        let lines: Vec<(u64, &[u8])> = chunk.lines().collect();
        // `None` once Ctrl-C was pressed: the rest of the chunk may take a while.
        let judging: Vec<Option<Result<Judging<'_>, Broken>>> = lines
            .par_iter()
            .map(|(_, line)| {
                (!INTERRUPTED.load(Ordering::Relaxed)).then(|| Judging::of(line, &self.maths))
            })
            .collect();
        self.stop_if_interrupted()?;
        if judging
            .iter()
            .flatten()
            .any(|row| matches!(row, Ok(Judging::Program(_))))
        {
            // Before anything is written.
            self.grader()?;
        }
        let mut queue = Queue::default();
        let mut shown = 0;
        for (&(number, line), judging) in lines.iter().zip(judging.into_iter().flatten()) {
            let state = match judging {
                Ok(Judging::Done(judged)) => State::Done(judged),
                Ok(Judging::Program(program)) => {
                    queue.running += 1;
                    State::Running(program.submit(self.grader()?))
                }
                Err(_) if self.options.skip_bad_rows => {
                    self.tally.skipped += 1;
                    continue;
                }
                Err(broken) => {
                    self.write(&mut queue, 0, &mut shown)?;
                    self.flush()?;
                    return Err(self.broken(number, broken));
                }
            };
            queue.rows.push_back(Row {
                number,
                bytes: line.len() as u64,
                state,
            });
            let workers = self.code.as_ref().map_or(0, CodeVerifier::workers);
            self.write(&mut queue, PROGRAMS_AHEAD * workers, &mut shown)?;
        }
        self.write(&mut queue, 0, &mut shown)?;
        self.show(chunk.len() - shown);
        self.flush()
    }

    fn grader(&mut self) -> Result<&CodeVerifier, TrainError> {
        let grader = match self.code.take() {
            Some(grader) => grader,
            None => CodeVerifier::new(&self.options.code).map_err(TrainError::code_by_options)?,
        };
        Ok(self.code.insert(grader))
    }

    /// Writes rows from the front until at most `ahead` programs are left, and what is done behind those.
    fn write(
        &mut self,
        queue: &mut Queue<'_>,
        ahead: usize,
        shown: &mut u64,
    ) -> Result<(), TrainError> {
        while let Some(row) = queue.rows.pop_front() {
            let judged = match row.state {
                State::Done(judged) => judged,
                State::Running(running) => {
                    if queue.running <= ahead && !running.wait_for(Duration::ZERO) {
                        let state = State::Running(running);
                        queue.rows.push_front(Row { state, ..row });
                        return Ok(());
                    }
                    self.wait(&running)?;
                    queue.running -= 1;
                    self.show(row.bytes);
                    *shown += row.bytes;
                    let judged = running.judged();
                    judged.map_err(|broken| self.broken(row.number, broken))?
                }
            };
            let written = self.output.write_all(&judged.line);
            written.map_err(TrainError::io("write", self.output.path()))?;
            self.tally.add(judged.verdict, judged.score);
        }
        Ok(())
    }

    fn wait(&mut self, running: &Running<'_>) -> Result<(), TrainError> {
        if running.wait_for(Duration::ZERO) {
            return self.stop_if_interrupted();
        }
        // Rows that are done need not wait for one that may take a minute.
        self.flush()?;
        loop {
            let done = running.wait_for(LOOK_UP);
            self.stop_if_interrupted()?;
            if done {
                return Ok(());
            }
            self.show(0);
        }
    }

    fn show(&mut self, bytes: u64) {
        if let Some(progress) = &mut self.progress {
            progress.advance(bytes, &format!("{} rows", self.tally.rows()));
        }
    }

    fn flush(&mut self) -> Result<(), TrainError> {
        let flushed = self.output.flush();
        flushed.map_err(TrainError::io("write", self.output.path()))
    }

    fn broken(&self, row: u64, Broken { field, reason, .. }: Broken) -> TrainError {
        TrainError::VerifyRow {
            input: self.input.to_path_buf(),
            row,
            field,
            reason,
        }
    }

    pub(super) fn stop_if_interrupted(&self) -> Result<(), TrainError> {
        if INTERRUPTED.load(Ordering::Relaxed) {
            let output = self.output.path().to_path_buf();
            return Err(TrainError::InterruptedOutput { output });
        }
        Ok(())
    }
}
