//! TOML tables by dotted keys.

use toml::{Table, Value};

use super::docs;

/// `section.key`, or the key alone at the top.
pub(super) fn join(section: &str, key: &str) -> String {
    if section.is_empty() {
        key.to_string()
    } else {
        format!("{section}.{key}")
    }
}

/// Every value with its dotted key. A table whose keys are the writer's own is a value.
pub(super) fn leaves(table: &Table) -> Vec<(String, &Value)> {
    fn collect<'a>(table: &'a Table, section: &str, found: &mut Vec<(String, &'a Value)>) {
        for (key, value) in table {
            let dotted = join(section, key);
            match value {
                Value::Table(inner) if docs::key(&dotted).is_none() => {
                    collect(inner, &dotted, found);
                }
                _ => found.push((dotted, value)),
            }
        }
    }
    let mut found = vec![];
    collect(table, "", &mut found);
    found
}

/// The value of a dotted key.
pub(super) fn get<'a>(table: &'a Table, dotted: &str) -> Option<&'a Value> {
    match dotted.split_once('.') {
        None => table.get(dotted),
        Some((section, rest)) => get(table.get(section)?.as_table()?, rest),
    }
}

/// Sets a dotted key; its sections are made where they are missing.
pub(super) fn put(table: &mut Table, dotted: &str, value: Value) {
    match dotted.split_once('.') {
        None => {
            table.insert(dotted.to_string(), value);
        }
        Some((section, rest)) => {
            let inner = table
                .entry(section)
                .or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// Lays `from` over `into`, key by key.
pub(super) fn merge(into: &mut Table, from: &Table) {
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (Some(Value::Table(inner)), Value::Table(given)) => merge(inner, given),
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

/// A value as people write it.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Float(number) => in_digits(*number),
        value => value.to_string(),
    }
}

/// Small numbers as people write them.
fn in_digits(number: f64) -> String {
    if number != 0.0 && number.abs() < 1e-3 {
        format!("{number:e}")
    } else {
        Value::Float(number).to_string()
    }
}
