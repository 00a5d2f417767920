//! How programs are graded.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::program::DEFAULT_PREAMBLE;
use super::{Checker, CodeError};
use crate::sandbox::{Layer, Limits, SandboxOptions};

/// How the score comes from the verdicts on the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Scoring {
    /// The share of tests that passed.
    #[default]
    Fraction,
    /// 1 if all passed, else 0.
    AllOrNothing,
}

/// How programs are graded: limits, tests, score, sandbox.
///
/// ```
/// use prime_verifier::code::CodeConfig;
///
/// let config: CodeConfig = toml::from_str(
///     r#"
///     scoring = "all_or_nothing"
///     stop_early = true
///     checker = "float(1e-4)"
///     limits = { cpu = 2.0, wall = 4.0, memory = 536870912 }
///     "#,
/// )?;
/// assert_eq!(config.limits.cpu.as_secs(), 2);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CodeConfig {
    /// What one test may use.
    pub limits: Limits,
    /// Seconds on the clock that all tests of one program together may take; the rest is then skipped. 60 unless said.
    pub solution_wall: f64,
    /// How output is compared in stdin mode; in call mode only its tolerance counts.
    pub checker: Checker,
    /// How the score comes from the verdicts.
    pub scoring: Scoring,
    /// At most this many tests are run, the first ones; all without.
    pub max_tests: Option<NonZeroUsize>,
    /// Whether the tests after the first that fails are skipped. A skipped test has not passed.
    pub stop_early: bool,
    /// What runs before every program; the usual imports unless said.
    pub preamble: String,
    /// Whether tests are forked from an interpreter that has run the preamble already, where that is possible. What a program
    /// can see is the same, it is only faster.
    pub prefork: bool,
    /// Tests that run at the same time; 0, as it is unless said, is one for each core.
    pub workers: usize,
    /// The Python that runs programs; the first on `PATH` that will do, unless said.
    pub python: Option<PathBuf>,
    /// Folders with modules that programs may import besides the standard library.
    pub modules: Vec<PathBuf>,
    /// Run programs also where there is no sandbox, with the rights of the grader. Every result is then marked.
    pub allow_unsandboxed: bool,
    /// See [`SandboxOptions::cgroup`].
    pub cgroup: Option<PathBuf>,
    /// See [`SandboxOptions::without`].
    #[serde(skip)]
    pub without_layers: Vec<Layer>,
}

impl Default for CodeConfig {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            solution_wall: 60.0,
            checker: Checker::default(),
            scoring: Scoring::default(),
            max_tests: None,
            stop_early: false,
            preamble: DEFAULT_PREAMBLE.to_owned(),
            prefork: true,
            workers: 0,
            python: None,
            modules: vec![],
            allow_unsandboxed: false,
            cgroup: None,
            without_layers: vec![],
        }
    }
}

impl CodeConfig {
    pub(super) fn check(&self) -> Result<(), CodeError> {
        if let Some((limit, must)) = self.limits.impossible() {
            return Err(CodeError::Limit { limit, must });
        }
        if self.solution_wall.is_nan() || self.solution_wall <= 0.0 {
            return Err(CodeError::Limit {
                limit: "solution_wall",
                must: "must be more than 0 s",
            });
        }
        Ok(())
    }

    pub(super) fn sandbox(&self) -> SandboxOptions {
        SandboxOptions {
            allow_unsandboxed: self.allow_unsandboxed,
            cgroup: self.cgroup.clone(),
            without: self.without_layers.clone(),
        }
    }

    pub(super) fn workers(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            workers => workers,
        }
    }
}
