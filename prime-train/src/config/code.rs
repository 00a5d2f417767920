//! `[code]`: how programs are run and scored.

use prime_verifier::code::{Checker, CodeConfig, Scoring};
use serde::{Deserialize, Serialize};

/// `[code]`: read where rows of `data.train_file` or `data.eval_file` have the ability `code`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Processor time of a test in seconds, above 0, up to a day; the clock allows two seconds more.
    pub time_limit: f64,
    /// Address space of a test in MiB, ≥ 64.
    pub memory_limit_mib: u64,
    /// How output is compared: `default`, `exact`, `lines`, `unordered`, or `float(1e-4)` with a tolerance.
    pub checker: Checker,
    /// The outcome: `fraction` of tests that passed, or `all_or_nothing`.
    pub scoring: Scoring,
    /// Only the first so many tests; 0 = all.
    pub max_tests: usize,
    /// Skip the tests after the first that fails; a skipped test has not passed.
    pub stop_early: bool,
    /// Tests that run at the same time; 0 = one for each core.
    pub workers: usize,
    /// Run programs also where there is no sandbox, with your own rights.
    pub allow_unsandboxed: bool,
}

impl Default for Code {
    fn default() -> Self {
        let code = CodeConfig::default();
        Code {
            time_limit: code.limits.cpu.as_secs_f64(),
            memory_limit_mib: code.limits.memory >> 20,
            checker: code.checker,
            scoring: code.scoring,
            max_tests: code.max_tests.map_or(0, usize::from),
            stop_early: code.stop_early,
            workers: code.workers,
            allow_unsandboxed: code.allow_unsandboxed,
        }
    }
}
