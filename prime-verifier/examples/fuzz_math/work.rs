//! The process that does the fuzzing: threads with small stacks, each noting the input that it is at.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::case::{Case, Source};
use crate::check::{Checker, Kind, Outcome};
use crate::shrink::shrunk;
use crate::{Options, Result};

/// Samples of one kind of violation that each thread shrinks and shows; the rest is counted.
const SAMPLES: usize = 8;
const SLOWEST: usize = 5;
/// Longer than the checks of any input that ends.
const HANG: Duration = Duration::from_secs(20);

/// What one thread saw.
#[derive(Default)]
struct Report {
    inputs: u64,
    verdicts: BTreeMap<&'static str, u64>,
    violations: BTreeMap<Kind, u64>,
    /// By kind and key.
    samples: BTreeMap<(Kind, String), Vec<Case>>,
    slowest: Vec<(Duration, &'static str, u64)>,
}

/// The file that says which input a thread is at, for when the process does not live to say so.
pub fn progress_file(directory: &Path, thread: u64) -> PathBuf {
    directory.join(format!("thread-{thread}"))
}

/// Whether no violation was found.
pub fn work(options: &Options, directory: &Path) -> Result<bool> {
    crate::check::catch_panics();
    let source = options.source()?;
    let start = Instant::now();
    let at: Vec<AtomicU64> = (0..options.threads)
        .map(|_| AtomicU64::new(u64::MAX))
        .collect();
    let report = thread::scope(|scope| -> Result<Report> {
        let mut threads = vec![];
        for (number, at) in (0..).zip(&at) {
            let progress = File::create(progress_file(directory, number))?;
            let (options, source) = (options, &source);
            let work = move || one_thread(options, source, number, at, progress);
            threads.push(
                thread::Builder::new()
                    .stack_size(options.stack)
                    .spawn_scoped(scope, work)?,
            );
        }
        watch(
            &at,
            || threads.iter().all(|thread| thread.is_finished()),
            start,
        );
        let mut all = Report::default();
        for thread in threads {
            all.add(thread.join().map_err(|_| "a thread panicked")??);
        }
        Ok(all)
    })?;
    report.print(&source, start.elapsed());
    Ok(report.violations.is_empty())
}

/// Says now and then how far it is, and gives up when a thread stays at one input.
fn watch(at: &[AtomicU64], done: impl Fn() -> bool, start: Instant) {
    let mut last: Vec<(u64, Instant)> = vec![(u64::MAX, start); at.len()];
    let mut said = start;
    while !done() {
        thread::sleep(Duration::from_millis(100));
        for (at, last) in at.iter().zip(&mut last) {
            let now = at.load(Ordering::Relaxed);
            if now != last.0 {
                *last = (now, Instant::now());
            } else if last.1.elapsed() > HANG && now != u64::MAX {
                eprintln!("input {now} has not ended in {HANG:?}");
                std::process::abort();
            }
        }
        if said.elapsed() > Duration::from_secs(60) {
            said = Instant::now();
            let most = last.iter().map(|(now, _)| now).max();
            eprintln!("{:.0} s: at input {most:?}", start.elapsed().as_secs_f64());
        }
    }
}

fn one_thread(
    options: &Options,
    source: &Source,
    number: u64,
    at: &AtomicU64,
    mut progress: File,
) -> std::io::Result<Report> {
    let checker = Checker::new(options.limit, options.once);
    let end = options
        .seconds
        .map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut report = Report::default();
    let mut index = options.first + number;
    while index < options.first + options.inputs && end.is_none_or(|end| Instant::now() < end) {
        at.store(index, Ordering::Relaxed);
        progress.seek(SeekFrom::Start(0))?;
        progress.write_all(&index.to_le_bytes())?;
        let case = source.case(index);
        let outcome = checker.check(&case);
        report.see(index, &case, outcome, &checker, at);
        index += options.threads;
    }
    at.store(u64::MAX, Ordering::Relaxed);
    Ok(report)
}

impl Report {
    fn see(
        &mut self,
        index: u64,
        case: &Case,
        outcome: Outcome,
        checker: &Checker,
        at: &AtomicU64,
    ) {
        self.inputs += 1;
        let verdict = outcome.verdict.map_or("none", |verdict| verdict.name());
        *self.verdicts.entry(verdict).or_default() += 1;
        let (took, call) = outcome.slowest;
        if self.slowest.len() < SLOWEST || self.slowest.iter().any(|(other, ..)| *other < took) {
            self.slowest.push((took, call, index));
            self.keep_slowest();
        }
        for finding in outcome.findings {
            *self.violations.entry(finding.kind).or_default() += 1;
            let key = (finding.kind, finding.key.clone());
            let samples = self.samples.entry(key).or_default();
            if samples.len() >= SAMPLES {
                continue;
            }
            let like = |case: &Case| {
                // Shrinking is no hang.
                at.fetch_xor(1 << 63, Ordering::Relaxed);
                let findings = checker.check(case).findings;
                findings.into_iter().find(|other| other.is_like(&finding))
            };
            let small = shrunk(case, Duration::from_secs(5), &|case| like(case).is_some());
            if !samples.contains(&small) {
                let found = like(&small).unwrap_or(finding);
                println!("{found} (input {index})\n{small}");
                samples.push(small);
            }
        }
    }

    fn keep_slowest(&mut self) {
        self.slowest.sort_unstable_by(|a, b| b.cmp(a));
        self.slowest.truncate(SLOWEST);
    }

    fn add(&mut self, other: Self) {
        self.inputs += other.inputs;
        for (verdict, count) in other.verdicts {
            *self.verdicts.entry(verdict).or_default() += count;
        }
        for (kind, count) in other.violations {
            *self.violations.entry(kind).or_default() += count;
        }
        self.slowest.extend(other.slowest);
        self.keep_slowest();
    }

    fn print(&self, source: &Source, took: Duration) {
        println!("slowest calls:");
        for (time, call, index) in &self.slowest {
            let case = source.case(*index);
            let short = |text: &str| text.chars().take(160).collect::<String>();
            println!(
                "  {:7.2} ms {call}, input {index}",
                time.as_secs_f64() * 1e3
            );
            println!("    {:?} ~ {:?}", short(&case.gold), short(&case.answer));
        }
        let rate = self.inputs as f64 / took.as_secs_f64();
        println!(
            "{} inputs in {:.0} s, {rate:.0} a second",
            self.inputs,
            took.as_secs_f64()
        );
        println!("verdicts under the default policy: {:?}", self.verdicts);
        println!("violations: {:?}", self.violations);
    }
}
