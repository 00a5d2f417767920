//! `run.json`: which program made a run, where, when, on what, and every time that it went on.

use std::env;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use prime_policy::Fingerprint;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::TrainError;
use crate::files::{read_text, write_atomically};

const FILE: &str = "run.json";

/// A process that worked on a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The program's version.
    pub version: String,
    /// The commit that it was built from, where that is known (`PRIME_TRAIN_COMMIT`, which `cargo xtask` sets).
    pub commit: Option<String>,
    /// The machine.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// The command line.
    pub command: Vec<String>,
    /// When it began, in UTC.
    pub started: String,
    /// The step that it went on from; nothing for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_step: Option<u64>,
    /// Keys that changed, as `key: old → new`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
}

impl Session {
    /// This process.
    pub fn now() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: env::var("PRIME_TRAIN_COMMIT")
                .ok()
                .filter(|commit| !commit.is_empty()),
            host: host(),
            pid: std::process::id(),
            command: env::args_os()
                .map(|argument| argument.display().to_string())
                .collect(),
            started: utc(SystemTime::now()),
            from_step: None,
            changed: vec![],
        }
    }

    /// Program, machine and time in a line.
    pub fn describe(&self) -> String {
        let commit = self.commit.as_ref();
        let commit = commit.map_or(String::new(), |commit| format!(" ({commit})"));
        format!(
            "prime-train {}{commit} on {}, {}",
            self.version, self.host, self.started
        )
    }
}

/// Where a run comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The first process, then each that went on.
    pub sessions: Vec<Session>,
    /// The folder that relative paths of the configuration start from.
    pub working_dir: PathBuf,
    /// The data files as they were.
    #[serde(default)]
    pub data: Fingerprint,
    /// The model's folder as it was; nothing for a fresh model.
    #[serde(default)]
    pub model: Fingerprint,
}

impl Provenance {
    /// Of a run that begins now.
    ///
    /// # Errors
    /// [`TrainError::Io`] and [`TrainError::Policy`] name a file that cannot be read.
    pub fn of(config: &Config) -> Result<Self, TrainError> {
        let model = Path::new(&config.model.path);
        let model = match config.model.path.is_empty() || !model.join("config.json").exists() {
            true => Fingerprint::default(),
            false => Fingerprint::of(model)?,
        };
        Ok(Self {
            sessions: vec![Session::now()],
            working_dir: env::current_dir().map_err(TrainError::io("read", Path::new(".")))?,
            data: data(config)?,
            model,
        })
    }

    /// Of the run in `folder`; `None` for a run of before there were any.
    ///
    /// # Errors
    /// [`TrainError::Io`]; [`TrainError::Parse`].
    pub fn read(folder: &Path) -> Result<Option<Self>, TrainError> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        serde_json::from_str(&read_text(&path)?)
            .map(Some)
            .map_err(|error| TrainError::Parse {
                path,
                line: error.line(),
                reason: error.to_string(),
            })
    }

    /// Writes it to a run folder.
    ///
    /// # Errors
    /// [`TrainError::Io`].
    pub fn write(&self, folder: &Path) -> Result<(), TrainError> {
        let text = serde_json::to_string_pretty(self).map_err(|error| TrainError::Encode {
            what: "where a run comes from",
            reason: error.to_string(),
        })?;
        write_atomically(&folder.join(FILE), (text + "\n").as_bytes())
    }

    /// Whether the data files are what they were.
    ///
    /// # Errors
    /// [`TrainError::Changed`] names those that are not; [`TrainError::Policy`] one that cannot be read.
    pub fn check_data(&self, config: &Config) -> Result<(), TrainError> {
        match self.data.differences(&data(config)?) {
            files if files.is_empty() => Ok(()),
            files => Err(TrainError::Changed {
                what: "data files",
                files,
            }),
        }
    }
}

/// The files that rows are read from.
fn data(config: &Config) -> Result<Fingerprint, TrainError> {
    if config.data.task.builtin().is_some() {
        return Ok(Fingerprint::default());
    }
    let data = &config.data;
    let mut paths = vec![];
    for files in [&data.train_file, &data.eval_file]
        .into_iter()
        .chain(data.eval_sets.values())
    {
        for entry in files.entries() {
            for path in entry.files()? {
                paths.push(std::fs::canonicalize(&path).map_err(TrainError::io("read", &path))?);
            }
        }
    }
    Ok(Fingerprint::of_files(paths.iter().map(PathBuf::as_path))?)
}

/// What the machine is called.
pub(super) fn host() -> String {
    let named = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let named = named.or_else(|| env::var("COMPUTERNAME").ok());
    let named = named.or_else(|| env::var("HOSTNAME").ok());
    match named.as_deref().map(str::trim) {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => "a machine without a name".to_owned(),
    }
}

/// `2026-12-01T09:30:00Z`.
fn utc(time: SystemTime) -> String {
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (mut year, mut day) = (1970, days);
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if day < length {
            break;
        }
        day -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    format!(
        "{year}-{month:02}-{:02}T{:02}:{:02}:{:02}Z",
        day + 1,
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::{Layer, resolve};

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (1_764_547_199, "2025-11-30T23:59:59Z"),
        ] {
            assert_eq!(utc(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn a_data_file_that_changed_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let rows = folder.path().join("rows.jsonl");
        std::fs::write(&rows, "{\"question\":\"1+1\",\"answer\":\"2\"}\n").unwrap();
        let sets = [
            "model.path=m".to_owned(),
            format!("data.train_file={}", rows.display()),
        ];
        let layers: Vec<Layer> = sets.iter().map(|set| Layer::set(set).unwrap()).collect();
        let config = resolve(&layers).unwrap();
        let before = Provenance::of(&config).unwrap();
        before.write(folder.path()).unwrap();
        let read = Provenance::read(folder.path()).unwrap().unwrap();
        assert_eq!(read, before);
        read.check_data(&config).unwrap();
        std::fs::write(&rows, "{\"question\":\"1+1\",\"answer\":\"3\"}\n").unwrap();
        let error = read.check_data(&config).unwrap_err().to_string();
        assert!(error.contains("rows.jsonl has other content"), "{error}");
        assert!(error.contains("--accept-changed"), "{error}");
    }
}
