//! The programs under test, built once per test process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The `prime-train` binary.
pub fn binary() -> &'static Path {
    built("prime-train")
}

/// The example that measures a PRM's AUC on a frozen policy.
pub fn prm_auc() -> &'static Path {
    built("prm_auc")
}

fn built(name: &str) -> &'static Path {
    static BUILT: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    let all = BUILT.get_or_init(build);
    match all.get(name) {
        Some(path) => path,
        None => panic!("cargo built no {name}: {all:?}"),
    }
}

/// Asks cargo for the programs; it knows whether they are up to date, and where it put them. `--workspace` selects the
/// features that `cargo test --workspace` has just compiled the libraries with.
fn build() -> BTreeMap<String, PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--workspace", "--bin", "prime-train"])
        .args([
            "--example",
            "prm_auc",
            "--message-format",
            "json-render-diagnostics",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo build: {}", output.status);
    let text = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    text.lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| {
            let executable = message["executable"].as_str()?;
            let name = message["target"]["name"].as_str()?;
            Some((name.to_owned(), PathBuf::from(executable)))
        })
        .collect()
}
