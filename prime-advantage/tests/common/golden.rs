//! Golden cases: inputs and outputs of the reference functions.

use prime_advantage::Response;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{assert_close, is_plain_zero};

/// What is done with a case.
pub type Check = fn(&Case);

/// Checks every case of a golden file with the entry of its name. The file and the
/// table must name the same cases in the same order, so that none goes unchecked.
pub fn check_all(json: &str, table: &[(&str, Check)]) {
    let file: Value = serde_json::from_str(json).expect("golden file parses");
    let cases = file["cases"].as_array().expect("cases");
    let cases: Vec<Case> = cases.iter().map(|case| Case(case.clone())).collect();
    let found: Vec<&str> = cases.iter().map(Case::name).collect();
    let known: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
    assert_eq!(found, known, "each golden case needs its check");
    for (case, (_, check)) in cases.iter().zip(table) {
        check(case);
    }
}

/// One golden case.
pub struct Case(Value);

impl Case {
    pub fn name(&self) -> &str {
        self.0["name"].as_str().expect("name")
    }

    /// An input of any kind.
    pub fn input<T: DeserializeOwned>(&self, key: &str) -> T {
        self.maybe(key)
            .unwrap_or_else(|| panic!("{} has no inputs.{key}", self.name()))
    }

    /// An input that some cases leave out.
    pub fn maybe<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        let value = &self.0["inputs"][key];
        let read = |e| panic!("{}: inputs.{key}: {e}", self.name());
        (!value.is_null()).then(|| serde_json::from_value(value.clone()).unwrap_or_else(read))
    }

    pub fn number(&self, key: &str) -> f64 {
        self.input(key)
    }

    pub fn rows(&self, key: &str) -> Vec<Vec<f32>> {
        self.input(key)
    }

    pub fn expected<T: DeserializeOwned>(&self, key: &str) -> T {
        let value = self.0["expected"][key].clone();
        serde_json::from_value(value)
            .unwrap_or_else(|e| panic!("{}: expected.{key}: {e}", self.name()))
    }

    pub fn expects(&self, key: &str) -> bool {
        !self.0["expected"][key].is_null()
    }

    /// The mask rows, from `mask` or from `lens`.
    pub fn masks(&self) -> Vec<Vec<bool>> {
        if let Some(rows) = self.maybe::<Vec<Vec<u8>>>("mask") {
            let flags = |row: Vec<u8>| row.into_iter().map(|m| m != 0).collect();
            return rows.into_iter().map(flags).collect();
        }
        let width = self.rows("rm_scores")[0].len();
        let lens: Vec<usize> = self.input("lens");
        lens.into_iter()
            .map(|len| (0..width).map(|t| t < len).collect())
            .collect()
    }

    /// Compares one row's entries under its mask. Outside it the references keep
    /// leftovers that no loss reads, and ours are exactly 0.0 or cut off.
    pub fn assert_row(&self, what: &str, found: &[f32], expected: &[f64], mask: &[bool]) {
        assert_eq!(expected.len(), mask.len(), "{}: {what}", self.name());
        for t in 0..expected.len() {
            let place = format!("{what}[{t}]");
            if mask[t] {
                assert_close(self.name(), &place, found[t], expected[t]);
            } else {
                let blank = found.get(t).is_none_or(|&x| is_plain_zero(x));
                assert!(blank, "{}: {place} is masked", self.name());
            }
        }
    }
}

/// What becomes of a row's padding.
#[derive(Debug, Clone, Copy)]
pub enum Layout {
    /// It stays, under the mask.
    Padded,
    /// It is cut off; masked gaps inside stay.
    Ragged,
}

impl Layout {
    pub const BOTH: [Self; 2] = [Self::Padded, Self::Ragged];

    /// How many of a row's entries the response has.
    pub fn len(self, mask: &[bool]) -> usize {
        match self {
            Self::Padded => mask.len(),
            Self::Ragged => mask.iter().rposition(|&own| own).map_or(0, |t| t + 1),
        }
    }

    /// An empty response of the right length.
    pub fn respond<'a>(self, mask: &'a [bool], outcome: f32) -> Response<'a> {
        let len = self.len(mask);
        Response::new(len, outcome).with_mask(&mask[..len])
    }
}
