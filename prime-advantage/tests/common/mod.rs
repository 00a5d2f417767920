//! What the test files share: golden cases and small batches.
#![allow(dead_code)] // each test binary uses its own part

use prime_advantage::{AdvantageEstimator, Advantages, Response, RewardBatch};
use serde_json::Value;

/// The cases of a golden file.
pub fn cases(json: &str) -> Vec<Case> {
    let file: Value = serde_json::from_str(json).expect("golden file parses");
    let cases = file["cases"].as_array().expect("cases");
    cases.iter().map(|case| Case(case.clone())).collect()
}

/// One golden case.
pub struct Case(Value);

impl Case {
    pub fn name(&self) -> &str {
        self.0["name"].as_str().expect("name")
    }

    pub fn input(&self, key: &str) -> &Value {
        self.at("inputs", key)
    }

    pub fn number(&self, key: &str) -> f64 {
        self.input(key).as_f64().expect("a number")
    }

    pub fn rows(&self, key: &str) -> Vec<Vec<f32>> {
        narrow(&matrix(self.input(key)))
    }

    pub fn row(&self, key: &str) -> Vec<f32> {
        let row = self.input(key).as_array().expect("a row");
        row.iter()
            .map(|x| x.as_f64().expect("a number") as f32)
            .collect()
    }

    pub fn expected(&self, key: &str) -> Vec<Vec<f64>> {
        matrix(self.at("expected", key))
    }

    pub fn at(&self, part: &str, key: &str) -> &Value {
        let value = &self.0[part][key];
        assert!(!value.is_null(), "{} has no {part}.{key}", self.name());
        value
    }

    /// The mask rows, from `mask` or from `lens`.
    pub fn masks(&self) -> Vec<Vec<bool>> {
        if self.0["inputs"]["mask"].is_null() {
            let widest = self.rows("rm_scores")[0].len();
            let lens = self.row("lens");
            return lens
                .iter()
                .map(|&len| (0..widest).map(|t| t < len as usize).collect())
                .collect();
        }
        let rows = self.rows("mask");
        rows.iter()
            .map(|row| row.iter().map(|&m| m != 0.0).collect())
            .collect()
    }
}

fn matrix(value: &Value) -> Vec<Vec<f64>> {
    let rows = value.as_array().expect("rows");
    let numbers = |row: &Value| {
        row.as_array()
            .expect("a row")
            .iter()
            .map(|x| x.as_f64().expect("a number"))
            .collect()
    };
    rows.iter().map(numbers).collect()
}

fn narrow(rows: &[Vec<f64>]) -> Vec<Vec<f32>> {
    rows.iter()
        .map(|row| row.iter().map(|&x| x as f32).collect())
        .collect()
}

/// Relative error 1e-5, with an absolute floor for numbers near zero.
pub fn assert_close(case: &str, what: &str, found: f32, expected: f64) {
    let error = (f64::from(found) - expected).abs();
    assert!(
        error <= 1e-5 * expected.abs() + 1e-7,
        "{case}: {what}: found {found}, expected {expected}"
    );
}

/// Compares the entries under the masks only: outside them the references keep
/// leftovers that no loss reads, and we keep 0.0.
pub fn assert_rows(
    case: &str,
    what: &str,
    found: &[&[f32]],
    expected: &[Vec<f64>],
    masks: &[Vec<bool>],
) {
    assert_eq!(found.len(), expected.len(), "{case}: {what}");
    for (i, ((found, expected), mask)) in found.iter().zip(expected).zip(masks).enumerate() {
        for t in 0..expected.len() {
            if mask[t] {
                assert_close(case, &format!("{what}[{i}][{t}]"), found[t], expected[t]);
            } else {
                assert_eq!(
                    found.get(t).copied().unwrap_or(0.0),
                    0.0,
                    "{case}: {what}[{i}][{t}] is masked"
                );
            }
        }
    }
}

/// Advantages response by response.
pub fn advantages(result: &Advantages) -> Vec<&[f32]> {
    result.iter().map(|r| r.advantages()).collect()
}

/// Returns response by response.
pub fn returns(result: &Advantages) -> Vec<&[f32]> {
    result.iter().map(|r| r.returns()).collect()
}

/// Equality of every bit, signs of zero included.
pub fn assert_same_bits(left: &Advantages, right: &Advantages) {
    let bits = |xs: &[f32]| xs.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(left.advantages()), bits(right.advantages()));
    assert_eq!(bits(left.returns()), bits(right.returns()));
}

/// One group of responses of `tokens[i]` tokens with the given outcome rewards.
pub fn group<'a>(tokens: &[usize], outcomes: &[f32]) -> Vec<Response<'a>> {
    tokens
        .iter()
        .zip(outcomes)
        .map(|(&n, &reward)| Response::new(n, reward))
        .collect()
}

/// Shorthand for batches that must be valid.
pub fn batch(groups: Vec<Vec<Response<'_>>>) -> RewardBatch<'_> {
    RewardBatch::from_responses(groups).expect("valid batch")
}

/// Shorthand for estimates that must succeed.
pub fn run(estimator: &dyn AdvantageEstimator, batch: &RewardBatch<'_>) -> Advantages {
    estimator
        .estimate(batch)
        .unwrap_or_else(|error| panic!("{}: {error}", estimator.name()))
}
