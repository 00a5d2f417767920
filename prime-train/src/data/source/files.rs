//! What the user names: one file, or several with weights, each a path or a pattern.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::TrainError;

/// A path, or a pattern with `*`, `?`, `[…]` or `**` that stands for all files it matches, in the order of their names.
pub type FilePattern = String;

/// Files that are drawn from together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataEntry {
    /// A path or a pattern.
    pub path: FilePattern,
    /// The share of prompts that come from here, against the weights of the other entries; above 0.
    #[serde(default = "one")]
    pub weight: f64,
}

fn one() -> f64 {
    1.0
}

/// The entries of `data.train_file` and its like: a path, or a list of paths and of `{ path, weight }`. Empty: no data.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DataFiles(Vec<DataEntry>);

impl DataFiles {
    /// The entries.
    pub fn entries(&self) -> &[DataEntry] {
        &self.0
    }

    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl DataEntry {
    /// The files that the entry stands for, at least one.
    ///
    /// # Errors
    /// [`TrainError::DataFile`] for a pattern that matches nothing or is none.
    pub fn files(&self) -> Result<Vec<PathBuf>, TrainError> {
        let path = PathBuf::from(&self.path);
        // A file whose name holds a bracket is that file.
        if path.exists() || !self.path.contains(['*', '?', '[']) {
            return Ok(vec![path]);
        }
        let refused = |reason: String| TrainError::DataFile {
            path: path.clone(),
            reason,
        };
        let found = glob::glob(&self.path)
            .map_err(|error| refused(format!("is no pattern of file names: {error}")))?;
        let mut files = vec![];
        for file in found {
            let file = file.map_err(|error| {
                let at = error.path().to_owned();
                TrainError::io("read", &at)(error.into())
            })?;
            if file.is_file() {
                files.push(file);
            }
        }
        if files.is_empty() {
            let here = std::env::current_dir().map_or_else(
                |_| String::new(),
                |here| match path.is_absolute() {
                    true => String::new(),
                    false => format!(" (looked for from {})", here.display()),
                },
            );
            return Err(refused(format!("matches no file{here}")));
        }
        Ok(files)
    }
}

impl From<&str> for DataFiles {
    fn from(path: &str) -> Self {
        let one = || DataEntry {
            path: path.to_owned(),
            weight: 1.0,
        };
        Self((!path.is_empty()).then(one).into_iter().collect())
    }
}

/// The paths, for messages.
impl fmt::Display for DataFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths: Vec<&str> = self.0.iter().map(|entry| entry.path.as_str()).collect();
        f.write_str(&paths.join(", "))
    }
}

impl Serialize for DataFiles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0[..] {
            [] => serializer.serialize_str(""),
            [one] if one.weight == 1.0 => serializer.serialize_str(&one.path),
            several if several.iter().all(|entry| entry.weight == 1.0) => {
                serializer.collect_seq(several.iter().map(|entry| &entry.path))
            }
            several => serializer.collect_seq(several),
        }
    }
}

impl<'de> Deserialize<'de> for DataFiles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = toml::Value::deserialize(deserializer)?;
        let entry = |value: &toml::Value| match value {
            toml::Value::String(path) if !path.is_empty() => Some(DataEntry {
                path: path.clone(),
                weight: 1.0,
            }),
            toml::Value::Table(_) => DataEntry::deserialize(value.clone())
                .ok()
                .filter(|entry| !entry.path.is_empty()),
            _ => None,
        };
        let wrong = |value: &toml::Value| {
            serde::de::Error::custom(format!(
                "invalid value: {value}, expected a path, or a list of paths and of {{ path = \"…\", weight = 2.0 }}"
            ))
        };
        match &given {
            toml::Value::String(path) => Ok(Self::from(path.as_str())),
            toml::Value::Array(list) => {
                let entries = list
                    .iter()
                    .map(|value| entry(value).ok_or_else(|| wrong(value)));
                entries.collect::<Result<_, _>>().map(Self)
            }
            table @ toml::Value::Table(_) => {
                Ok(Self(vec![entry(table).ok_or_else(|| wrong(table))?]))
            }
            other => Err(wrong(other)),
        }
    }
}

/// What to do about a folder that stands where a file should.
pub(super) fn in_folder(path: &Path) -> String {
    const ENDINGS: [&str; 5] = ["parquet", "jsonl", "jsonl.gz", "json", "json.gz"];
    let mut names: Vec<String> = std::fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let held = ENDINGS.iter().find_map(|ending| {
        let ends = |name: &&String| name.ends_with(&format!(".{ending}"));
        names.iter().find(ends).map(|first| (*ending, first))
    });
    match held {
        Some((ending, first)) => format!(
            "is a folder: name the files in it, for instance {} or {}",
            path.join(first).display(),
            path.join(format!("*.{ending}")).display()
        ),
        None => "is a folder without data files (*.parquet, *.jsonl, *.json, perhaps with .gz)"
            .to_owned(),
    }
}

/// What to say of a file that is not there, where more can be said than that.
pub(super) fn not_there(path: &Path, error: &std::io::Error) -> Option<String> {
    if error.kind() != std::io::ErrorKind::NotFound {
        return None;
    }
    let text = path.to_string_lossy();
    if text.contains("://") {
        return Some(
            "is an address, and only files here are read: download it and give its path".to_owned(),
        );
    }
    let hub_name = !path.is_absolute()
        && path.extension().is_none()
        && path.components().count() == 2
        && !path.parent().is_some_and(Path::exists);
    hub_name.then(|| {
        format!(
            "is not a file here; if it is the name of a data set on the Hugging Face hub, download that first: `hf download \
             {text} --repo-type dataset --local-dir DIR`, then give DIR/…/*.parquet"
        )
    })
}
