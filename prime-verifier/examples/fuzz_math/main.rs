//! Fuzzes extraction, parser and equality of `prime_verifier::math`.
//!
//! ```text
//! cargo run -p prime-verifier --example fuzz_math -- [--inputs N] [--seconds N] [--seed S] [--threads T] [--first I]
//!     [--stack KIB] [--limit MS] [--corpus FILE] [--once]
//! cargo run -p prime-verifier --example fuzz_math -- --nests [--stack KIB]
//! ```
//!
//! An input is two answers and a response: filled-in templates, mutated rows of a corpus, soup, and nasty sizes. Input I of
//! seed S is the same in every run. What must hold for each is in `check.rs`: no panic, no call over `--limit` (50 ms), the same
//! verdict both ways round and every time. Violations are made small and printed, and the exit status is 1.
//!
//! With `--once` each input is graded once, under the default policy, which is some twenty times as many inputs in the time:
//! a search for panics and slow inputs rather than for verdicts that disagree.
//!
//! The work is done in a process of its own with small stacks (1 MiB), so that an overflow, which nothing can catch, is
//! traced to its input. `--nests` says how much stack the deepest nests take instead.

mod case;
mod check;
mod generate;
mod hostile;
mod mutate;
mod nests;
mod random;
mod shrink;
mod supervise;
mod texts;
mod work;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use case::{Case, Source};
use check::Checker;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

struct Options {
    inputs: u64,
    first: u64,
    seconds: Option<u64>,
    seed: u64,
    threads: u64,
    stack: usize,
    limit: Duration,
    once: bool,
    corpus: PathBuf,
    mode: Mode,
}

enum Mode {
    Supervise,
    /// Fuzzes, and keeps its progress in this directory.
    Work(PathBuf),
    /// Checks the one case on standard input.
    One,
    Nests,
}

impl Options {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpora/math_dev.jsonl");
        let mut options = Self {
            inputs: 100_000,
            first: 0,
            seconds: None,
            seed: 1,
            threads: std::thread::available_parallelism()?.get() as u64,
            stack: 1 << 20,
            limit: Duration::from_millis(50),
            once: false,
            corpus,
            mode: Mode::Supervise,
        };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--nests" => options.mode = Mode::Nests,
                "--once" => options.once = true,
                "--one" => options.mode = Mode::One,
                _ => {
                    let value = arguments
                        .next()
                        .ok_or(format!("{argument} needs a value"))?;
                    match argument.as_str() {
                        "--inputs" => options.inputs = value.parse()?,
                        "--first" => options.first = value.parse()?,
                        "--seconds" => options.seconds = Some(value.parse()?),
                        "--seed" => options.seed = value.parse()?,
                        "--threads" => options.threads = value.parse()?,
                        "--stack" => options.stack = value.parse::<usize>()? << 10,
                        "--limit" => options.limit = Duration::from_millis(value.parse()?),
                        "--corpus" => options.corpus = value.into(),
                        "--work" => options.mode = Mode::Work(value.into()),
                        _ => return Err(format!("unknown argument {argument}").into()),
                    }
                }
            }
        }
        Ok(options)
    }

    fn source(&self) -> Result<Source> {
        let text = std::fs::read_to_string(&self.corpus)
            .map_err(|error| format!("{}: {error}", self.corpus.display()))?;
        let mut pool = vec![];
        for line in text.lines() {
            let row: serde_json::Value = serde_json::from_str(line)?;
            let field = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            pool.push((field("gold"), field("pred")));
        }
        Ok(Source {
            seed: self.seed,
            grammar: generate::Grammar::new(),
            pool,
        })
    }
}

fn one(options: &Options) -> Result<bool> {
    check::catch_panics();
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let case = Case::from_json(&text)?;
    let (limit, once) = (options.limit, options.once);
    let outcome = std::thread::Builder::new()
        .stack_size(options.stack)
        .spawn(move || Checker::new(limit, once).check(&case))?
        .join()
        .map_err(|_| "the thread panicked")?;
    for finding in &outcome.findings {
        println!("{finding}");
    }
    Ok(outcome.findings.is_empty())
}

fn main() -> Result<ExitCode> {
    let options = Options::parse(std::env::args().skip(1))?;
    let good = match &options.mode {
        Mode::Supervise => supervise::supervise(&options)?,
        Mode::Work(directory) => work::work(&options, directory)?,
        Mode::One => one(&options)?,
        Mode::Nests => nests::nests(&options)?,
    };
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}
