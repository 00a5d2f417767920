//! Rows whose answer is a program.

use std::borrow::Cow;
use std::time::Duration;

use prime_verifier::code::{
    CodeGrade, CodeVerifier, TestCases, TestResult, TestVerdict, Ticket, last_code_block,
};
use prime_verifier::math::MathVerdict;
use prime_verifier::{Score, Verdict};
use serde::Serialize;
use serde_json::value::RawValue;

use super::judge::{COULD_NOT_JUDGE, Judged, Judging, OutputRow};
use super::row::Given;
use crate::data::broken::Broken;

/// A program that has not begun to run.
pub(super) struct Program<'l> {
    fields: Vec<(Cow<'l, str>, &'l RawValue)>,
    code: String,
    cases: TestCases,
}

/// A program on its way to its verdict. Dropping it gives up.
pub(super) struct Running<'l> {
    fields: Vec<(Cow<'l, str>, &'l RawValue)>,
    ticket: Ticket,
}

/// What led to a verdict on a program.
#[derive(Debug, Default, Serialize)]
struct Detail<'g> {
    passed: usize,
    of: usize,
    /// What there is to say about the test that gave the row its verdict.
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'g str,
    /// Why there is no score.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Said where it is not so.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandboxed: Option<bool>,
}

impl<'l> Program<'l> {
    pub(super) fn of(
        fields: Vec<(Cow<'l, str>, &'l RawValue)>,
        given: Given,
        cases: TestCases,
    ) -> Result<Judging<'l>, Broken> {
        let code = match given {
            Given::Response(text) => last_code_block(&text).map(String::from),
            Given::Answer(code) => Some(code).filter(|code| !code.trim().is_empty()),
        };
        match code {
            Some(code) => Ok(Judging::Program(Self {
                fields,
                code,
                cases,
            })),
            None => {
                let out = OutputRow {
                    fields: &fields,
                    verdict: MathVerdict::NoAnswer.name(),
                    score: Some(Score::ZERO.get()),
                    detail: Detail::default(),
                    tests: Some(vec![]),
                };
                out.judged().map(Judging::Done)
            }
        }
    }

    pub(super) fn submit(self, verifier: &CodeVerifier) -> Running<'l> {
        Running {
            fields: self.fields,
            ticket: verifier.submit(self.code, self.cases),
        }
    }
}

impl Running<'_> {
    /// Waits at most `time`; whether the verdict is there.
    pub(super) fn wait_for(&self, time: Duration) -> bool {
        self.ticket.wait_for(time)
    }

    pub(super) fn judged(self) -> Result<Judged, Broken> {
        let grade = self.ticket.wait();
        let (verdict, message) = match (grade.score, first_failed(&grade)) {
            (None, _) => (COULD_NOT_JUDGE, ""),
            (Some(_), Some(test)) => (test.verdict.name(), test.message.as_str()),
            (Some(_), None) => (TestVerdict::Accepted.name(), ""),
        };
        let out = OutputRow {
            fields: &self.fields,
            verdict,
            score: grade.score,
            detail: Detail {
                passed: grade.passed(),
                of: grade.tests.len(),
                message,
                reason: match grade.to_verdict() {
                    Verdict::CouldNotJudge { reason } => Some(reason),
                    Verdict::Judged(_) => None,
                },
                sandboxed: (!grade.sandboxed).then_some(false),
            },
            tests: Some(grade.tests.iter().map(|test| test.verdict.code()).collect()),
        };
        out.judged()
    }
}

/// The first test that the program failed. One that could not be run says nothing about it, and is passed over: where all tests
/// have to pass, there may be a score all the same.
fn first_failed(grade: &CodeGrade) -> Option<&TestResult> {
    let failed = |test: &&TestResult| {
        !matches!(
            test.verdict,
            TestVerdict::Accepted | TestVerdict::InternalError
        )
    };
    grade.tests.iter().find(failed)
}
