//! From what a run did to the verdict on the test.

use super::program::{Answer, Sent};
use super::{CallCase, Checker, JsonValue, StdinCase, TestResult, TestVerdict};
use crate::sandbox::{End, Limits, Outcome};

/// Bytes of output that a result shows.
const SHOWN_STDOUT: usize = 1 << 10;
const SHOWN_STDERR: usize = 4 << 10;
/// Characters of a message.
const MESSAGE: usize = 300;
/// `SIGSYS`, `SIGXCPU`: the same on all Linux architectures that there are filters for.
const SIGSYS: i32 = 31;
const SIGXCPU: i32 = 24;

/// What a run is held against.
#[derive(Debug, Clone, Copy)]
pub(super) enum Expected<'e> {
    Output(&'e StdinCase),
    Value(&'e CallCase),
}

pub(super) fn judge(
    outcome: &Outcome,
    sent: &Sent<'_>,
    expected: Expected<'_>,
    checker: Checker,
    limits: &Limits,
) -> TestResult {
    let (verdict, message) = verdict(outcome, sent, expected, checker, limits);
    let end = outcome.stderr.len().saturating_sub(SHOWN_STDERR);
    let start = outcome.stdout.len().min(SHOWN_STDOUT);
    TestResult {
        verdict,
        message: message.chars().take(MESSAGE).collect(),
        cpu: outcome.cpu.as_secs_f64(),
        wall: outcome.wall.as_secs_f64(),
        peak_memory: outcome.peak_memory,
        stdout: String::from_utf8_lossy(&outcome.stdout[..start]).into_owned(),
        stderr: String::from_utf8_lossy(&outcome.stderr[end..]).into_owned(),
    }
}

fn verdict(
    outcome: &Outcome,
    sent: &Sent<'_>,
    expected: Expected<'_>,
    checker: Checker,
    limits: &Limits,
) -> (TestVerdict, String) {
    use TestVerdict::{
        Accepted, CompilationError, InternalError, MemoryLimit, OutputLimit, RuntimeError,
        SecurityViolation, TimeLimit, WrongAnswer,
    };
    let none = String::new;
    let status = match outcome.end {
        End::CpuLimit | End::Signaled(SIGXCPU) => {
            let seconds = limits.cpu.as_secs_f64();
            return (
                TimeLimit,
                format!("more than {seconds} s of processor time"),
            );
        }
        End::WallLimit => {
            let seconds = limits.wall.as_secs_f64();
            return (TimeLimit, format!("more than {seconds} s on the clock"));
        }
        End::OutputLimit => {
            return (
                OutputLimit,
                format!("more than {} bytes of output", limits.output),
            );
        }
        End::ThreadLimit => {
            return (
                RuntimeError,
                format!("more than {} threads", limits.threads),
            );
        }
        End::MemoryLimit => return (MemoryLimit, format!("more than {} bytes", limits.memory)),
        End::Cancelled => return (InternalError, "cancelled".to_owned()),
        End::Signaled(SIGSYS) => return (SecurityViolation, "ended by SIGSYS".to_owned()),
        End::Signaled(signal) => return (RuntimeError, format!("ended by signal {signal}")),
        End::Exited(status) => status,
    };
    let answer = sent.answer(&outcome.stdout);
    if let Answer::DoesNotCompile(why) = answer {
        return (CompilationError, String::from_utf8_lossy(why).into_owned());
    }
    if status != 0 {
        let last = last_line(&outcome.stderr);
        if last.starts_with("MemoryError") {
            return (MemoryLimit, last);
        }
        return match last.is_empty() {
            true => (RuntimeError, format!("exit status {status}")),
            false => (RuntimeError, last),
        };
    }
    match expected {
        Expected::Output(case) => {
            let right = checker.accepts(&outcome.stdout, case.output.as_bytes());
            (if right { Accepted } else { WrongAnswer }, none())
        }
        Expected::Value(case) => match answer {
            Answer::Returned(value) => match case.expected.accepts(value, tolerance(checker)) {
                Ok(true) => (Accepted, none()),
                Ok(false) => (WrongAnswer, none()),
                Err(error) => (
                    WrongAnswer,
                    format!("what was returned is no JSON: {error}"),
                ),
            },
            Answer::NotJson(what) => {
                let what = String::from_utf8_lossy(what);
                (WrongAnswer, format!("what was returned is no JSON: {what}"))
            }
            Answer::None if outcome.stdout.is_empty() => (
                RuntimeError,
                "the program ended before the function returned".to_owned(),
            ),
            _ => {
                let message = "something was written where only the returned value belongs";
                (RuntimeError, message.to_owned())
            }
        },
    }
}

/// What floats may differ by in call mode.
fn tolerance(checker: Checker) -> f64 {
    match checker {
        Checker::Exact | Checker::Lines => 0.0,
        Checker::Float { epsilon } => epsilon,
        _ => JsonValue::TOLERANCE,
    }
}

pub(super) fn last_line(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let mut lines = text.lines().rev().map(str::trim);
    let last = lines.find(|line| !line.is_empty());
    last.unwrap_or_default().to_owned()
}
