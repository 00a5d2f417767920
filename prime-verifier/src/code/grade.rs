//! Verdicts on tests, and the score that comes of them.

use serde::{Deserialize, Serialize};

use super::Scoring;
use crate::{Detail, Score, Verdict};

/// The verdict on one test, by the names that contest systems use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum TestVerdict {
    /// The right answer.
    #[serde(rename = "AC")]
    Accepted,
    /// Another answer.
    #[serde(rename = "WA")]
    WrongAnswer,
    /// Out of processor time, or of time on the clock.
    #[serde(rename = "TLE")]
    TimeLimit,
    /// Out of memory.
    #[serde(rename = "MLE")]
    MemoryLimit,
    /// More output than is allowed.
    #[serde(rename = "OLE")]
    OutputLimit,
    /// An exception, an exit status other than 0, a crash, too many threads.
    #[serde(rename = "RE")]
    RuntimeError,
    /// Not a program.
    #[serde(rename = "CE")]
    CompilationError,
    /// Ended by the filter of system calls.
    #[serde(rename = "SV")]
    SecurityViolation,
    /// Not run: an earlier test failed, or the time of the program was used up.
    #[serde(rename = "SK")]
    Skipped,
    /// Our fault: nothing is known about the program.
    #[serde(rename = "IE")]
    InternalError,
}

impl TestVerdict {
    /// All of them.
    pub const ALL: [TestVerdict; 10] = [
        TestVerdict::Accepted,
        TestVerdict::WrongAnswer,
        TestVerdict::TimeLimit,
        TestVerdict::MemoryLimit,
        TestVerdict::OutputLimit,
        TestVerdict::RuntimeError,
        TestVerdict::CompilationError,
        TestVerdict::SecurityViolation,
        TestVerdict::Skipped,
        TestVerdict::InternalError,
    ];

    /// Its code: `AC`, `WA`, …
    pub fn code(self) -> &'static str {
        match self {
            TestVerdict::Accepted => "AC",
            TestVerdict::WrongAnswer => "WA",
            TestVerdict::TimeLimit => "TLE",
            TestVerdict::MemoryLimit => "MLE",
            TestVerdict::OutputLimit => "OLE",
            TestVerdict::RuntimeError => "RE",
            TestVerdict::CompilationError => "CE",
            TestVerdict::SecurityViolation => "SV",
            TestVerdict::Skipped => "SK",
            TestVerdict::InternalError => "IE",
        }
    }

    /// Its name, as files have it.
    pub fn name(self) -> &'static str {
        match self {
            TestVerdict::Accepted => "accepted",
            TestVerdict::WrongAnswer => "wrong_answer",
            TestVerdict::TimeLimit => "time_limit_exceeded",
            TestVerdict::MemoryLimit => "memory_limit_exceeded",
            TestVerdict::OutputLimit => "output_limit_exceeded",
            TestVerdict::RuntimeError => "runtime_error",
            TestVerdict::CompilationError => "compilation_error",
            TestVerdict::SecurityViolation => "security_violation",
            TestVerdict::Skipped => "skipped",
            TestVerdict::InternalError => "internal_error",
        }
    }
}

/// What came of one test.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TestResult {
    /// The verdict.
    pub verdict: TestVerdict,
    /// What there is to say about it: the last line of an error, the limit that was hit.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Processor time, in seconds.
    pub cpu: f64,
    /// Time on the clock, in seconds.
    pub wall: f64,
    /// The largest resident set, in bytes; 0 where it is not known.
    pub peak_memory: u64,
    /// The start of standard output, at most 1 KiB.
    #[serde(skip)]
    pub stdout: String,
    /// The end of standard error, at most 4 KiB.
    #[serde(skip)]
    pub stderr: String,
}

impl TestResult {
    pub(super) fn not_run(verdict: TestVerdict, message: impl Into<String>) -> Self {
        Self {
            verdict,
            message: message.into(),
            cpu: 0.0,
            wall: 0.0,
            peak_memory: 0,
            stdout: String::new(),
            stderr: String::new(),
        }
    }
}

/// What came of one program.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CodeGrade {
    /// One result for each test, in order.
    pub tests: Vec<TestResult>,
    /// In 0..=1; `None` if a test that decides it has [`TestVerdict::InternalError`], or if there are no tests.
    pub score: Option<f32>,
    /// Whether the sandbox held the program. If not, what it printed may be the work of anything it found on the machine.
    pub sandboxed: bool,
}

impl CodeGrade {
    pub(super) fn new(tests: Vec<TestResult>, scoring: Scoring, sandboxed: bool) -> Self {
        let count = |verdict| tests.iter().filter(|test| test.verdict == verdict).count();
        let passed = count(TestVerdict::Accepted);
        let unknown = count(TestVerdict::InternalError);
        let score = match scoring {
            Scoring::AllOrNothing if passed + unknown < tests.len() => Some(0.0),
            _ if unknown > 0 || tests.is_empty() => None,
            Scoring::AllOrNothing => Some(1.0),
            Scoring::Fraction => Some((passed as f64 / tests.len().max(1) as f64) as f32),
        };
        Self {
            tests,
            score,
            sandboxed,
        }
    }

    /// The verdict on the whole: [`TestVerdict::Accepted`] if all tests passed, else that of the first which did not, where
    /// one of which nothing is known counts only if there is no score.
    pub fn verdict(&self) -> TestVerdict {
        let ours = |verdict: &TestVerdict| *verdict == TestVerdict::InternalError;
        let verdicts = || self.tests.iter().map(|test| test.verdict);
        let unknown = verdicts().find(ours).filter(|_| self.score.is_none());
        let mut failed =
            verdicts().filter(|verdict| *verdict != TestVerdict::Accepted && !ours(verdict));
        unknown
            .or_else(|| failed.next())
            .unwrap_or(TestVerdict::Accepted)
    }

    /// Tests that passed.
    pub fn passed(&self) -> usize {
        let passed = |test: &&TestResult| test.verdict == TestVerdict::Accepted;
        self.tests.iter().filter(passed).count()
    }

    /// As a verifier says it.
    pub fn to_verdict(&self) -> Verdict {
        let first = |verdict| self.tests.iter().find(move |test| test.verdict == verdict);
        let score = self.score.map(Score::new);
        match score {
            Some(Ok(score)) => {
                let detail = match first(TestVerdict::CompilationError) {
                    Some(test) => Detail::Unreadable {
                        why: test.message.clone(),
                    },
                    None => Detail::Compared,
                };
                Verdict::judged(score, detail)
            }
            _ => {
                let reason = match first(TestVerdict::InternalError) {
                    Some(test) => format!("a test could not be run: {}", test.message),
                    None => "there are no tests".to_owned(),
                };
                Verdict::could_not_judge(reason)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grade(codes: &str, scoring: Scoring) -> CodeGrade {
        let verdict = |code: &str| {
            let known = TestVerdict::ALL
                .into_iter()
                .find(|verdict| verdict.code() == code);
            TestResult::not_run(known.unwrap(), "why")
        };
        CodeGrade::new(codes.split(' ').map(verdict).collect(), scoring, true)
    }

    #[test]
    fn a_score_is_known_only_if_the_tests_that_decide_it_are() {
        for (codes, fraction, all) in [
            ("AC AC", Some(1.0), Some(1.0)),
            ("AC WA", Some(0.5), Some(0.0)),
            ("AC SK", Some(0.5), Some(0.0)),
            ("AC IE", None, None),
            ("IE RE", None, Some(0.0)),
            ("CE CE", Some(0.0), Some(0.0)),
        ] {
            assert_eq!(grade(codes, Scoring::Fraction).score, fraction, "{codes}");
            assert_eq!(grade(codes, Scoring::AllOrNothing).score, all, "{codes}");
        }
        assert_eq!(
            grade("AC TLE WA", Scoring::Fraction).verdict(),
            TestVerdict::TimeLimit
        );
        assert_eq!(
            grade("IE RE", Scoring::AllOrNothing).verdict(),
            TestVerdict::RuntimeError
        );
        assert_eq!(
            grade("RE IE", Scoring::Fraction).verdict(),
            TestVerdict::InternalError
        );
        let verdict = grade("IE", Scoring::Fraction).to_verdict();
        assert_eq!(
            verdict,
            Verdict::could_not_judge("a test could not be run: why")
        );
    }

    #[test]
    fn codes_and_their_serialisation_agree() {
        for verdict in TestVerdict::ALL {
            let written = serde_json::to_string(&verdict).unwrap();
            assert_eq!(written, format!("{:?}", verdict.code()));
        }
    }
}
