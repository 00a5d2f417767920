//! A process that grades: one JSON object a line in, one a line out.

mod line;
mod process;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use self::line::{Read, read};
use self::process::{Event, Process};
use super::{ExternalGrader, Graded, GraderError};

/// How a process is started and waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandConfig {
    /// The program and its arguments. No shell is in between.
    pub command: Vec<String>,
    /// How long nothing may come while responses wait. Then the one that has waited longest is given up on.
    pub deadline: Duration,
    /// How much longer the first answer of a new process may take.
    pub startup: Duration,
    /// How often in a row the process is started again without having given an answer.
    pub restarts: usize,
}

impl CommandConfig {
    /// A command with 10 s for an answer, 60 s more for the first, and three restarts.
    pub fn new<S: Into<String>>(command: impl IntoIterator<Item = S>) -> Self {
        Self {
            command: command.into_iter().map(Into::into).collect(),
            deadline: Duration::from_secs(10),
            startup: Duration::from_secs(60),
            restarts: 3,
        }
    }
}

/// A long-lived process that grades responses.
///
/// * It reads one JSON object a line from its standard input, and writes one a line to its standard output, in any order:
///   `{"id": 7, "score": 0.5}`, or `{"id": 7, "score": null, "reason": "…"}`. All requests of a batch are handed over without
///   waiting for answers; the process may work on as many as it likes.
/// * Standard output is for answers alone. A line that is none costs the response that has waited longest its score.
/// * Answers have to be flushed one by one. Python is told to by `PYTHONUNBUFFERED=1` in its environment, which is otherwise
///   this process's own.
/// * Standard error is free; its end is quoted where the process fails.
/// * A process that ends or hangs costs the response that has waited longest its score, and is started again for the others.
/// * When the grader is dropped the process's standard input ends. It has a second to end by itself; then it is killed with all
///   of its process group. If *this* process is killed, the end of standard input is all it learns: a grader must end then.
///   It is in a process group of its own, so that Ctrl-C at the terminal is not for it.
#[derive(Debug)]
pub struct CommandGrader {
    config: CommandConfig,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    process: Option<Process>,
    /// Ids are never used twice, so that a late answer is known for one.
    next_id: u64,
}

/// The process is of no more use. Why.
struct Failed(String);

impl CommandGrader {
    /// Starts the process.
    ///
    /// # Errors
    /// [`GraderError::NoCommand`], [`GraderError::Start`]; [`GraderError::Ended`] if it ends at once.
    pub fn start(config: CommandConfig) -> Result<Self, GraderError> {
        let program = config.command.first().ok_or(GraderError::NoCommand)?;
        let start = |source| GraderError::Start {
            program: program.clone(),
            source,
        };
        let mut process = Process::start(&config.command).map_err(start)?;
        if let Some(how) = process.ends_at_once() {
            let program = config.command.join(" ");
            return Err(GraderError::Ended { program, how });
        }
        Ok(Self {
            config,
            state: Mutex::new(State {
                process: Some(process),
                next_id: 0,
            }),
        })
    }
}

impl ExternalGrader for CommandGrader {
    fn grade(&self, requests: &[Map<String, Value>]) -> Vec<Result<Graded, String>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = Batch {
            config: &self.config,
            requests,
            answers: vec![None; requests.len()],
            progress: false,
        };
        let mut fruitless = 0;
        while batch.answers.iter().any(Option::is_none) {
            batch.progress = false;
            let Err(Failed(why)) = batch.ask(&mut state) else {
                continue;
            };
            state.process = None;
            fruitless = if batch.progress { 0 } else { fruitless + 1 };
            batch.give_up_one(&why);
            if fruitless > self.config.restarts {
                let why = format!(
                    "the grader was started {fruitless} times in a row without giving an answer; the last time: {why}"
                );
                while batch.give_up_one(&why) {}
            }
        }
        let answers = batch.answers.into_iter();
        answers
            .map(|answer| answer.unwrap_or_else(|| Err("it was never asked about".to_owned())))
            .collect()
    }
}

struct Batch<'a> {
    config: &'a CommandConfig,
    requests: &'a [Map<String, Value>],
    answers: Vec<Option<Result<Graded, String>>>,
    /// Whether the process has given an answer.
    progress: bool,
}

impl Batch<'_> {
    /// Asks about everything that has no answer, and collects answers until there is nothing left or the process fails.
    fn ask(&mut self, state: &mut State) -> Result<(), Failed> {
        // One that ended while nobody asked has failed nobody.
        if state.process.as_mut().is_some_and(Process::has_ended) {
            state.process = None;
        }
        let mut process = match state.process.take() {
            Some(process) => process,
            None => Process::start(&self.config.command).map_err(|error| {
                let program = self.config.command.first().map_or("", String::as_str);
                Failed(format!("`{program}` could not be started: {error}"))
            })?,
        };
        let mut waiting = BTreeMap::new();
        for (index, request) in self.requests.iter().enumerate() {
            if self.answers[index].is_none() {
                let id = state.next_id;
                state.next_id += 1;
                waiting.insert(id, index);
                process.send(line::written(id, request));
            }
        }
        let patience = match process.has_answered {
            true => self.config.deadline,
            false => self.config.deadline + self.config.startup,
        };
        let mut until = Instant::now() + patience;
        while let Some((&oldest, _)) = waiting.first_key_value() {
            let text = match process.next(until.saturating_duration_since(Instant::now())) {
                Some(Event::Line(text)) => text,
                Some(Event::TooLong) => {
                    return Err(Failed(format!(
                        "the grader wrote a line of more than {} bytes",
                        process::LONGEST_LINE
                    )));
                }
                Some(Event::End) => return Err(Failed(process.how_it_ended())),
                None => {
                    return Err(Failed(format!(
                        "the grader gave no answer within {} s (an answer has to be flushed){}",
                        patience_in_words(&process, self.config),
                        process.last_words()
                    )));
                }
            };
            let (id, answer) = match read(&text, state.next_id, |id| waiting.contains_key(&id)) {
                Read::Answer(id, answer) => (id, answer),
                Read::Late => continue,
                Read::Broken(id, reason) => (id.unwrap_or(oldest), Err(reason)),
            };
            if let Some(index) = waiting.remove(&id) {
                self.answers[index] = Some(answer);
            }
            self.progress = true;
            process.has_answered = true;
            until = Instant::now() + self.config.deadline;
        }
        state.process = Some(process);
        Ok(())
    }

    /// Gives up on the response that has waited longest; `false` if none waits.
    fn give_up_one(&mut self, why: &str) -> bool {
        let waiting = self.answers.iter_mut().find(|answer| answer.is_none());
        waiting
            .map(|answer| *answer = Some(Err(why.to_owned())))
            .is_some()
    }
}

fn patience_in_words(process: &Process, config: &CommandConfig) -> f64 {
    let startup = match process.has_answered {
        true => Duration::ZERO,
        false => config.startup,
    };
    (config.deadline + startup).as_secs_f64()
}
