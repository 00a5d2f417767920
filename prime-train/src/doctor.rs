//! What programs would run in here, tried out.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use prime_verifier::code::{CodeConfig, CodeError, CodeVerifier, TestCases, TestVerdict};
use prime_verifier::sandbox::SandboxError;

use crate::error::TrainError;

/// Reads, imports, computes and prints.
const TRIAL: &str = "import math\nprint(math.factorial(int(input())))\n";
const TRIAL_TESTS: &str = r#"{"inputs": ["20\n"], "outputs": ["2432902008176640000\n"]}"#;
/// Further runs of it.
const AGAIN: usize = 20;

/// Writes what programs would run in to `out`, and what became of a trial program.
///
/// # Errors
/// [`TrainError::Code`] if programs cannot be run; [`TrainError::Doctor`] if they would run without a sandbox, or the trial
/// failed; [`TrainError::Io`].
pub fn run(config: &CodeConfig, out: &mut dyn Write) -> Result<(), TrainError> {
    let verifier = match CodeVerifier::new(config) {
        Ok(verifier) => verifier,
        Err(error) => {
            if let Some(verifier) = without_sandbox(config, &error) {
                written(writeln!(out, "sandbox\n{}", verifier.sandbox()))?;
            }
            return Err(TrainError::code_by_options(error));
        }
    };
    written(describe(&verifier, config, out))?;
    try_program(&verifier, out)?;
    if verifier.sandbox().is_sandboxed() {
        return Ok(());
    }
    let message =
        "programs are not sandboxed: what they print may be the work of anything on this machine";
    Err(TrainError::Doctor(message.to_owned()))
}

/// To see which layers are there where some are missing. Nothing but our own empty program runs for that.
fn without_sandbox(config: &CodeConfig, error: &CodeError) -> Option<CodeVerifier> {
    let unavailable = matches!(
        error,
        CodeError::Sandbox(SandboxError::SandboxUnavailable { .. })
    );
    let mut config = config.clone();
    config.allow_unsandboxed = true;
    unavailable
        .then(|| CodeVerifier::new(&config).ok())
        .flatten()
}

fn describe(
    verifier: &CodeVerifier,
    config: &CodeConfig,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let python = verifier.python();
    let [major, minor, micro] = python.version;
    let limits = &config.limits;
    let mib = |bytes: u64| bytes >> 20;
    writeln!(out, "sandbox\n{}", verifier.sandbox())?;
    writeln!(
        out,
        "python   {} ({major}.{minor}.{micro})",
        python.path.display()
    )?;
    match verifier.why_not_preforked() {
        None => writeln!(
            out,
            "tests    each forked from an interpreter that is ready"
        )?,
        Some(why) => writeln!(out, "tests    each in an interpreter of its own: {why}")?,
    }
    writeln!(
        out,
        "limits   a test: {} s of processor time, {} s on the clock, {} MiB, {} MiB of output, {} threads; \
         all tests of a program: {} s",
        limits.cpu.as_secs_f64(),
        limits.wall.as_secs_f64(),
        mib(limits.memory),
        mib(limits.output as u64),
        limits.threads,
        config.solution_wall,
    )?;
    writeln!(out, "workers  {}", verifier.workers())
}

/// More than once: a worker's first run makes what the later ones find ready.
fn try_program(verifier: &CodeVerifier, out: &mut dyn Write) -> Result<(), TrainError> {
    let cases = TestCases::parse(TRIAL_TESTS)
        .map_err(|error| TrainError::Doctor(format!("the trial's own tests: {error}")))?;
    let milliseconds = || {
        let begun = Instant::now();
        let grade = verifier.grade(TRIAL, cases.clone());
        let taken = begun.elapsed().as_secs_f64() * 1e3;
        let verdict = grade.verdict();
        if verdict == TestVerdict::Accepted {
            return Ok(taken);
        }
        let message = grade.tests.first().map_or("", |test| &test.message);
        let name = verdict.name().replace('_', " ");
        Err(TrainError::Doctor(format!(
            "a trial program that is right got the verdict {name}: {message}"
        )))
    };
    let first = milliseconds()?;
    let mut best = first;
    for _ in 0..AGAIN {
        best = best.min(milliseconds()?);
    }
    let name = TestVerdict::Accepted.name();
    written(writeln!(
        out,
        "trial    {name} in {first:.1} ms, then in {best:.1} ms at best"
    ))
}

fn written(result: std::io::Result<()>) -> Result<(), TrainError> {
    result.map_err(TrainError::io("write", Path::new("standard output")))
}
