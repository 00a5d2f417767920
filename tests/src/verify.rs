//! `verify`, given rows and asked for what comes out.

use serde_json::Value;

use crate::{Finished, prime_train_reading};

/// `verify` of lines on standard input.
pub fn verify_with(options: &[&str], lines: &[String]) -> Finished {
    let arguments: Vec<&str> = ["verify"].iter().chain(options).copied().collect();
    prime_train_reading(&lines.join("\n"), &arguments)
}

/// Rows from their lines.
pub fn parsed(text: &str) -> Vec<Value> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("a row"))
        .collect()
}

/// Rows that come out for rows that are good.
pub fn verified(options: &[&str], rows: &[Value]) -> Vec<Value> {
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    parsed(&verify_with(options, &lines).expect_success().stdout)
}

/// One message with all of `parts`, exit code 1, and no trace.
pub fn assert_failed(done: &Finished, parts: &[&str]) {
    let stderr = &done.stderr;
    assert_eq!(done.code, Some(1), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.starts_with("error: "), "{stderr}");
    for part in parts {
        assert!(stderr.contains(part), "{part:?} is not in\n{stderr}");
    }
}
