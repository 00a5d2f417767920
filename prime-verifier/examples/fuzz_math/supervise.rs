//! The process that starts the fuzzing one, and finds the input that ended it.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::case::Case;
use crate::shrink::shrunk;
use crate::work::progress_file;
use crate::{Options, Result};

pub fn supervise(options: &Options) -> Result<bool> {
    let directory = std::env::temp_dir().join(format!("fuzz_math-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let status = Command::new(std::env::current_exe()?)
        .args(std::env::args().skip(1))
        .arg("--work")
        .arg(&directory)
        .status()?;
    let mut at = vec![];
    for thread in 0..options.threads {
        let bytes = std::fs::read(progress_file(&directory, thread)).unwrap_or_default();
        if let Ok(bytes) = <[u8; 8]>::try_from(bytes) {
            at.push(u64::from_le_bytes(bytes));
        }
    }
    std::fs::remove_dir_all(&directory)?;
    match status.code() {
        Some(0) => return Ok(true),
        Some(1) => return Ok(false),
        _ => println!("the process died ({status}) at inputs {at:?}"),
    }
    let source = options.source()?;
    for index in at {
        let case = source.case(index);
        if dies(&case, options.stack) {
            let small = shrunk(&case, Duration::from_secs(60), &|case| {
                dies(case, options.stack)
            });
            println!("== Crash: input {index} ==");
            println!(
                "    {:?} ~ {:?}\n    response {:?}",
                small.gold, small.answer, small.response
            );
        }
    }
    Ok(false)
}

/// Whether a process that checks this case is killed by the system, or has to be for its slowness.
pub fn dies(case: &Case, stack: usize) -> bool {
    let run = || -> Result<bool> {
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
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(!matches!(status.code(), Some(0 | 1)));
            }
            if start.elapsed() > Duration::from_secs(60) {
                child.kill()?;
                child.wait()?;
                return Ok(true);
            }
            std::thread::sleep(Duration::from_micros(500));
        }
    };
    run().unwrap_or(true)
}
