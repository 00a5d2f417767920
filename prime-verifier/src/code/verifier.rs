//! Programs as answers.

use std::sync::Arc;

use super::pool::{Pool, Ticket};
use super::runner::Setup;
use super::{CodeConfig, CodeError, CodeGrade, Python, TestCases, last_code_block};
use crate::sandbox::SandboxReport;
use crate::{Detail, Score, Verdict, Verifier};

/// Runs the program in a response against the tests of its ground truth, in a sandbox.
///
/// Setting one up looks for a Python, tries every layer of the sandbox and starts a pool of workers; keep it and grade many
/// programs with it, from as many threads as you like.
///
/// ```
/// use prime_verifier::Verifier;
/// use prime_verifier::code::{CodeConfig, CodeVerifier};
///
/// let verifier = CodeVerifier::new(&CodeConfig::default())?;
/// let response = "Twice the number:\n```python\nprint(2 * int(input()))\n```";
/// let verdict = verifier.verify(response, r#"{"inputs": ["3\n", "10\n"], "outputs": ["6\n", "20\n"]}"#);
/// assert_eq!(verdict.score(), Some(1.0));
/// # Ok::<(), prime_verifier::code::CodeError>(())
/// ```
pub struct CodeVerifier {
    // Dropped before the setup that its workers share.
    pool: Pool,
    setup: Arc<Setup>,
    config: CodeConfig,
}

impl CodeVerifier {
    /// A grader of programs.
    ///
    /// # Errors
    /// [`CodeError::Sandbox`] where there is no sandbox; [`CodeError::NoPython`] and [`CodeError::Python`] without an
    /// interpreter; [`CodeError::Preamble`]; [`CodeError::Limit`].
    pub fn new(config: &CodeConfig) -> Result<Self, CodeError> {
        let setup = Arc::new(Setup::new(config)?);
        Ok(Self {
            pool: Pool::start(&setup, config)?,
            setup,
            config: config.clone(),
        })
    }

    /// The layers of the sandbox, as they were found.
    pub fn sandbox(&self) -> &SandboxReport {
        &self.setup.report
    }

    /// The interpreter.
    pub fn python(&self) -> &Python {
        &self.setup.python
    }

    /// Why each test starts an interpreter of its own instead of being forked from one that is ready; `None` if it is forked.
    pub fn why_not_preforked(&self) -> Option<&str> {
        self.setup.no_prefork.as_deref()
    }

    /// Tests that run at the same time.
    pub fn workers(&self) -> usize {
        self.config.workers()
    }

    /// Queues a program; the ticket waits for its grade.
    pub fn submit(&self, code: impl Into<String>, mut cases: TestCases) -> Ticket {
        if let Some(most) = self.config.max_tests {
            cases.truncate(most);
        }
        self.pool.submit(code.into(), cases)
    }

    /// Grades a program and waits for it.
    pub fn grade(&self, code: impl Into<String>, cases: TestCases) -> CodeGrade {
        self.submit(code, cases).wait()
    }

    /// Queues the program in a response.
    ///
    /// # Errors
    /// The verdict, where there is nothing to run: a ground truth that is none, or a response without a program.
    pub fn submit_response(&self, response: &str, ground_truth: &str) -> Result<Ticket, Verdict> {
        let cases = TestCases::parse(ground_truth)
            .map_err(|error| Verdict::could_not_judge(format!("the ground truth: {error}")))?;
        let code = last_code_block(response)
            .ok_or_else(|| Verdict::judged(Score::ZERO, Detail::NoAnswer))?;
        Ok(self.submit(code, cases))
    }
}

impl Verifier for CodeVerifier {
    fn name(&self) -> &str {
        "code"
    }

    fn verify(&self, response: &str, ground_truth: &str) -> Verdict {
        match self.submit_response(response, ground_truth) {
            Ok(ticket) => ticket.wait().to_verdict(),
            Err(verdict) => verdict,
        }
    }
}

impl std::fmt::Debug for CodeVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CodeVerifier")
            .field("python", &self.setup.python.path)
            .field("sandboxed", &self.setup.report.is_sandboxed())
            .finish_non_exhaustive()
    }
}
