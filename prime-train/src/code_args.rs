//! Options about programs that are graded.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use prime_verifier::code::{Checker, CodeConfig, Scoring};

/// How programs are run.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Code")]
pub struct SandboxArgs {
    /// Processor time of a test; the clock allows two seconds more.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub time_limit: Duration,
    /// Address space of a test.
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(MEMORY_MIB))]
    pub memory_limit: u64,
    /// Tests that run at the same time; one for each core without it.
    #[arg(long, value_name = "N")]
    pub workers: Option<NonZeroUsize>,
    /// The Python that runs programs; the first on PATH that will do without it.
    #[arg(long, value_name = "PATH")]
    pub python: Option<PathBuf>,
    /// Run programs also where there is no sandbox, with your own rights. Every result is then marked.
    #[arg(long)]
    pub allow_unsandboxed: bool,
}

/// How programs are graded.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Code")]
pub struct CodeArgs {
    /// How programs are run.
    #[command(flatten)]
    pub sandbox: SandboxArgs,
    /// How output is compared: default (token by token, decimals within 1e-6), exact, lines, unordered (lines in any
    /// order), or float(1e-4) with a tolerance of your own.
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub checker: Checker,
    /// The score: the share of tests that passed, or 1 if all did and else 0.
    #[arg(long, value_name = "NAME", default_value = "fraction", value_parser = scoring())]
    pub scoring: Scoring,
    /// Run the first N tests only; all without it.
    #[arg(long, value_name = "N")]
    pub max_tests: Option<NonZeroUsize>,
    /// Skip the tests after the first that fails. A skipped test has not passed.
    #[arg(long)]
    pub stop_early: bool,
}

impl SandboxArgs {
    /// The same as settings of the grader.
    pub fn config(&self) -> CodeConfig {
        let mut config = CodeConfig::default();
        config.limits = config
            .limits
            .with_cpu(self.time_limit)
            .with_memory(self.memory_limit << 20);
        config.workers = self.workers.map_or(0, NonZeroUsize::get);
        config.python = self.python.clone();
        config.allow_unsandboxed = self.allow_unsandboxed;
        config
    }
}

impl CodeArgs {
    /// The same as settings of the grader.
    pub fn config(&self) -> CodeConfig {
        let mut config = self.sandbox.config();
        config.checker = self.checker;
        config.scoring = self.scoring;
        config.max_tests = self.max_tests;
        config.stop_early = self.stop_early;
        config
    }
}

fn seconds(given: &str) -> Result<Duration, String> {
    let most = MOST_SECONDS;
    let seconds: f64 = given
        .parse()
        .map_err(|_| "not a number of seconds".to_owned())?;
    if seconds > 0.0 && seconds <= most {
        // Not 0 for a number above it, however small.
        Ok(Duration::from_secs_f64(seconds).max(Duration::from_nanos(1)))
    } else {
        Err(format!("not above 0, up to {most} seconds"))
    }
}

/// A day: more is a slip.
pub(crate) const MOST_SECONDS: f64 = 86_400.0;
/// The least memory in which an interpreter starts, and more than any machine has, in MiB.
pub(crate) const MEMORY_MIB: std::ops::RangeInclusive<u64> = 64..=1 << 24;

fn scoring() -> impl TypedValueParser<Value = Scoring> {
    PossibleValuesParser::new(["fraction", "all-or-nothing"]).map(|name| match name.as_str() {
        "all-or-nothing" => Scoring::AllOrNothing,
        _ => Scoring::Fraction,
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        code: CodeArgs,
    }

    #[test]
    fn without_options_programs_are_graded_as_the_verifier_does() {
        let line = Line::parse_from(["x"]);
        assert_eq!(line.code.config(), CodeConfig::default());
    }

    #[test]
    fn every_option_arrives() {
        let line = Line::parse_from([
            "x",
            "--time-limit=1.5",
            "--memory-limit=64",
            "--workers=3",
            "--python=/p",
            "--allow-unsandboxed",
            "--checker=float(1e-3)",
            "--scoring=all-or-nothing",
            "--max-tests=2",
            "--stop-early",
        ]);
        let config = line.code.config();
        assert_eq!(config.limits.wall, Duration::from_millis(3500));
        assert_eq!(config.limits.memory, 64 << 20);
        assert_eq!((config.workers, config.python), (3, Some("/p".into())));
        assert_eq!(config.checker, Checker::Float { epsilon: 1e-3 });
        assert_eq!(config.scoring, Scoring::AllOrNothing);
        assert_eq!(config.max_tests, NonZeroUsize::new(2));
        assert!(config.allow_unsandboxed && config.stop_early);
    }
}
