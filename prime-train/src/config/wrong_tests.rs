//! Every key against values that it cannot have: one message that names the key, and no panic.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{Layer, resolve};

fn leaves(table: &Table, prefix: &str, out: &mut BTreeMap<String, Value>) {
    for (key, value) in table {
        let name = format!("{prefix}{key}");
        match value {
            Value::Table(inner) if !inner.is_empty() => leaves(inner, &format!("{name}."), out),
            value => {
                out.insert(name, value.clone());
            }
        }
    }
}

/// Values of another type, and numbers that no key takes.
fn wrong(value: &Value) -> &'static [&'static str] {
    match value {
        Value::Integer(_) => &["\"x\"", "1.5", "-1", "[1]", "true", "99999999999999999999"],
        Value::Float(_) => &["\"x\"", "nan", "inf", "-1e300", "[]", "true"],
        Value::Boolean(_) => &["7", "\"maybe\"", "[]", "1.5"],
        Value::String(_) => &["7", "true", "1.5"],
        _ => &["7.5", "true"],
    }
}

#[test]
fn values_that_no_key_can_have_are_refused_by_name() {
    let full = resolve(&[]).unwrap().to_full_toml().unwrap();
    let mut keys = BTreeMap::new();
    leaves(&full.parse().unwrap(), "", &mut keys);
    let (mut tried, mut accepted) = (0, vec![]);
    for (key, value) in &keys {
        for given in wrong(value) {
            let set = format!("{key}={given}");
            // A number of answers.
            if set == "data.pass_mark=7" {
                continue;
            }
            tried += 1;
            let error = match Layer::set(&set).and_then(|layer| resolve(&[layer])) {
                Ok(_) => {
                    accepted.push(set);
                    continue;
                }
                Err(error) => error.to_string(),
            };
            let last = key.rsplit('.').next().unwrap();
            if !error.contains(last) {
                accepted.push(format!("{set} is refused without its name: {error}"));
            }
        }
    }
    assert!(tried >= 400, "{tried}");
    assert!(accepted.is_empty(), "of {tried}:\n{}", accepted.join("\n"));
}
