//! The README shows the example as it is and prints what it prints.

use std::process::Command;

const README: &str = include_str!("../README.md");

/// The lines between the fence that `opening` starts and the next one.
fn block(opening: &str) -> &'static str {
    let start = README.find(opening).expect("the README has the block") + opening.len();
    let length = README[start..].find("```").expect("the block ends");
    &README[start..start + length]
}

#[test]
fn the_example_is_the_one_in_the_readme() {
    let example = include_str!("../examples/quickstart.rs");
    let (_doc, code) = example.split_once("\n\n").expect("a header, then code");
    assert_eq!(block("```rust\n"), code);
    assert!(code.lines().count() <= 20);
}

#[test]
fn the_example_prints_what_the_readme_says() {
    let run = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--example", "quickstart"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    let error = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{error}");
    assert_eq!(
        String::from_utf8_lossy(&run.stdout),
        block("```text\n"),
        "{error}"
    );
}
