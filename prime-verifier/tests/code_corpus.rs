//! The development corpus of programs: every expected score, whichever way tests are run.
#![cfg(all(feature = "code", target_os = "linux"))]

use std::time::Duration;

use prime_verifier::code::{CodeConfig, CodeVerifier, TestCases};
use prime_verifier::sandbox::Limits;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    id: String,
    name: String,
    code: String,
    tests: serde_json::Value,
    /// None where it depends on a policy.
    expected_pass_fraction: Option<f64>,
    per_test: Option<Vec<String>>,
    timeout_s: f64,
    policy: Option<String>,
}

/// What the default checker makes of rows that depend on a policy.
const POLICY_SCORES: [(&str, f64); 4] = [("c15", 1.0), ("c12", 0.0), ("c67", 1.0), ("c61", 1.0)];

fn corpus() -> Vec<Case> {
    let text = include_str!("corpora/code_dev.jsonl");
    let rows = text.lines().map(serde_json::from_str);
    rows.collect::<Result<_, _>>().unwrap()
}

fn check(prefork: bool) {
    let cases = corpus();
    assert_eq!(cases.len(), 20);
    let mut wrong = vec![];
    for case in &cases {
        let mut config = CodeConfig::default();
        config.prefork = prefork;
        config.limits = Limits::default().with_cpu(Duration::from_secs_f64(case.timeout_s));
        let verifier = CodeVerifier::new(&config).unwrap();
        assert_eq!(verifier.why_not_preforked().is_none(), prefork);
        let tests = TestCases::parse(&case.tests.to_string()).unwrap();
        let grade = verifier.grade(&*case.code, tests);
        let policy = || {
            let known = POLICY_SCORES.iter().find(|(id, _)| *id == case.id);
            known
                .unwrap_or_else(|| panic!("{} has a policy {:?}", case.id, case.policy))
                .1
        };
        let expected = case.expected_pass_fraction.unwrap_or_else(policy);
        let codes: Vec<&str> = grade.tests.iter().map(|test| test.verdict.code()).collect();
        let score = grade.score.map(f64::from);
        let right = score.is_some_and(|score| (score - expected).abs() < 1e-6)
            && case
                .per_test
                .as_ref()
                .is_none_or(|expected| *expected == codes);
        if !right {
            wrong.push(format!(
                "{} {}: {expected} but {score:?} {codes:?} {:?}",
                case.id, case.name, grade.tests
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn preforked() {
    check(true);
}

#[test]
fn one_interpreter_for_each_test() {
    check(false);
}
