//! What runs leave behind.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// One line of `metrics.jsonl`.
pub type Record = serde_json::Map<String, serde_json::Value>;

/// A folder for a test.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Removes it when dropped.
    _temporary: Option<TempDir>,
}

impl Folder {
    /// An empty folder of its own, removed afterwards.
    ///
    /// # Panics
    /// If there is no place for temporary files.
    #[expect(
        clippy::new_without_default,
        reason = "a default value should not touch the disk"
    )]
    pub fn new() -> Self {
        let temporary = tempfile::tempdir().expect("a temporary folder");
        Self {
            path: temporary.path().to_owned(),
            _temporary: Some(temporary),
        }
    }

    /// An empty folder `name` in `place`, for what the tests of a binary share: nothing tells when the last is done, so
    /// it stays until the next time. `place` is cargo's `CARGO_TARGET_TMPDIR`.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn shared(place: &str, name: &str) -> Self {
        let path = Path::new(place).join(name);
        if path.exists() {
            fs::remove_dir_all(&path).expect("the last run's folder can be removed");
        }
        fs::create_dir_all(&path).expect("a folder in the target folder");
        Self {
            path,
            _temporary: None,
        }
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A path in it as an argument.
    pub fn argument(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// `run.out_dir` set to `runs` in it.
    pub fn out_dir(&self) -> String {
        format!("run.out_dir={}", self.argument("runs"))
    }

    /// A file of it, written.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("a temporary file");
        path
    }

    /// A file of it, read.
    ///
    /// # Panics
    /// If it cannot be read.
    pub fn read(&self, name: &str) -> Vec<u8> {
        let path = self.path(name);
        match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }

    /// Names in a folder of it, sorted; none if it does not exist.
    ///
    /// # Panics
    /// If it cannot be read.
    pub fn list(&self, name: &str) -> Vec<String> {
        let path = self.path(name);
        if !path.exists() {
            return vec![];
        }
        let entries = fs::read_dir(path).expect("a folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().display().to_string())
            .collect();
        names.sort();
        names
    }
}

/// The records of a run folder.
///
/// # Panics
/// If `metrics.jsonl` cannot be read or a line is no record.
pub fn records(run: &Path) -> Vec<Record> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).expect("metrics.jsonl");
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("a record"))
        .collect()
}

/// `metrics.jsonl` without its times, to the letter: one list of `"name":number` a step.
///
/// # Panics
/// If the file cannot be read.
pub fn recorded_text(run: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).expect("metrics.jsonl");
    let of_line = |line: &str| {
        // Values are numbers and names hold no comma.
        let fields = line.trim_matches(['{', '}']).split(',');
        fields
            .filter(|field| !field.starts_with("\"timing_s/") && !field.contains("_per_s\":"))
            .map(str::to_owned)
            .collect()
    };
    text.lines().map(of_line).collect()
}
