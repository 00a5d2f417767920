//! The process that starts the fuzzing one, finds the input that ended it, and starts it again behind that.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::case::Case;
use crate::shrink::shrunk;
use crate::work::progress_file;
use crate::{Options, Result};

/// Deaths after which it stops.
const MOST_DEATHS: usize = 20;
/// An input that takes longer hangs. Unoptimised, some that end take seconds.
const HANG: Duration = Duration::from_secs(20);

/// Whether no violation was found.
pub fn supervise(options: &Options) -> Result<bool> {
    let directory = std::env::temp_dir().join(format!("fuzz_math-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let good = supervise_in(options, &directory);
    std::fs::remove_dir_all(&directory)?;
    good
}

fn supervise_in(options: &Options, directory: &Path) -> Result<bool> {
    let start = Instant::now();
    let mut first = options.first;
    let end = options.first + options.inputs;
    for _ in 0..MOST_DEATHS {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(std::env::args().skip(1))
            .args(["--first", &first.to_string()])
            .args(["--inputs", &(end - first).to_string()])
            .arg("--work")
            .arg(directory);
        if let Some(seconds) = options.seconds {
            let left = seconds.saturating_sub(start.elapsed().as_secs());
            if left == 0 {
                return Ok(false);
            }
            command.args(["--seconds", &left.to_string()]);
        }
        let status = command.status()?;
        match status.code() {
            Some(0) => return Ok(first == options.first),
            Some(1) => return Ok(false),
            _ => {}
        }
        let at = (0..options.threads)
            .map(|thread| {
                let bytes = std::fs::read(progress_file(directory, thread))?;
                let bytes = <[u8; 8]>::try_from(bytes).map_err(|_| "no input was begun")?;
                Ok(u64::from_le_bytes(bytes))
            })
            .collect::<Result<Vec<u64>>>()?;
        println!("Crash: the process died ({status}) at inputs {at:?}");
        explain(options, &at)?;
        first = at.into_iter().max().map_or(end, |last| last + 1);
    }
    Ok(false)
}

/// Shows the inputs, of those that threads were at, that kill a process by themselves.
fn explain(options: &Options, at: &[u64]) -> Result<()> {
    let source = options.source()?;
    for index in at {
        let case = source.case(*index);
        let end = end_of(&case, options.stack)?;
        if end != End::Exited {
            let fails = |case: &Case| end_of(case, options.stack).is_ok_and(|other| other == end);
            println!(
                "{end:?} (input {index})\n{}",
                shrunk(&case, Duration::from_secs(60), &fails)
            );
        }
    }
    Ok(())
}

/// How a process that checks one case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself, whatever it found.
    Exited,
    /// It was killed by the system: an overflow of its stack, most likely.
    Died,
    /// It was killed here, for its slowness.
    Hung,
}

/// Checks a case in a process of its own.
pub fn end_of(case: &Case, stack: usize) -> Result<End> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--one", "--stack", &(stack >> 10).to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(case.to_json().as_bytes())?;
    }
    let start = Instant::now();
    while start.elapsed() < HANG {
        match child.try_wait()?.map(|status| status.code()) {
            Some(Some(0 | 1)) => return Ok(End::Exited),
            Some(_) => return Ok(End::Died),
            None => std::thread::sleep(Duration::from_micros(500)),
        }
    }
    child.kill()?;
    child.wait()?;
    Ok(End::Hung)
}
