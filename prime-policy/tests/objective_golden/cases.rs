//! Reading `tests/golden/objective.json`, and comparing with it.

use burn::tensor::{Device, Tensor, TensorData};
use serde_json::Value;

const GOLDEN: &str = include_str!("../golden/objective.json");

pub struct Case {
    pub name: String,
    pub inputs: Value,
    pub expected: Value,
}

fn all() -> Vec<Value> {
    let file: Value = serde_json::from_str(GOLDEN).unwrap();
    file["cases"].as_array().unwrap().clone()
}

pub fn device() -> Device {
    Device::flex()
}

impl Case {
    pub fn named(name: &str) -> Self {
        let found = all().into_iter().find(|case| case["name"] == name);
        let case = found.unwrap_or_else(|| panic!("no golden case {name}"));
        Self {
            name: name.to_owned(),
            inputs: case["inputs"].clone(),
            expected: case["expected"].clone(),
        }
    }

    pub fn all_names() -> Vec<String> {
        let name = |case: &Value| case["name"].as_str().unwrap().to_owned();
        all().iter().map(name).collect()
    }

    pub fn has(&self, input: &str) -> bool {
        self.inputs.get(input).is_some()
    }

    pub fn text(&self, input: &str) -> Option<&str> {
        self.inputs[input].as_str()
    }

    pub fn float(&self, input: &str) -> f64 {
        self.inputs[input]
            .as_f64()
            .unwrap_or_else(|| panic!("{}: {input} is not a number", self.name))
    }

    pub fn number(&self, input: &str) -> f32 {
        self.float(input) as f32
    }

    pub fn rows(&self, input: &str) -> Vec<Vec<f32>> {
        let rows = self.inputs[input].as_array().unwrap();
        rows.iter().map(numbers).collect()
    }

    pub fn matrix(&self, input: &str) -> Tensor<2> {
        let rows = self.rows(input);
        let shape = [rows.len(), rows[0].len()];
        Tensor::from_data(TensorData::new(rows.concat(), shape), &device())
    }

    pub fn expected(&self, name: &str) -> &Value {
        let found = self.expected.get(name);
        found.unwrap_or_else(|| panic!("{} expects no {name}", self.name))
    }

    /// Expected metrics under the names that verl gives them.
    pub fn metrics(&self) -> Vec<(String, Value)> {
        if let Some(metrics) = self.expected.get("metrics") {
            let metrics = metrics.as_object().unwrap();
            return metrics
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
        }
        // The authors' trainer returns them without names.
        vec![
            (
                "actor/pg_clipfrac".into(),
                self.expected("clipfrac").clone(),
            ),
            ("actor/ppo_kl".into(), self.expected("ppo_kl").clone()),
        ]
    }
}

pub fn numbers(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().unwrap() as f32],
    }
}

/// Within 1e-5 of the expected number, relative above 0.1 and absolute 1e-6 below.
fn near(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-5 * expected.abs().max(0.1)
}

pub fn close(what: &str, found: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!(
        near(found, expected),
        "{what}: {found} instead of {expected}"
    );
}

pub fn close_all(what: &str, found: Tensor<2>, expected: &Value) {
    let expected = numbers(expected);
    let found: Vec<f32> = found.into_data().iter().collect();
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (f, e)) in found.iter().zip(&expected).enumerate() {
        let holds = near(f64::from(*f), f64::from(*e));
        assert!(holds, "{what}[{i}]: {f} instead of {e}");
    }
}
