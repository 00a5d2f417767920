//! `metrics.jsonl`: one object a step, flushed as it is written.
//!
//! Names keep the stems people know: `acc`, `reward/mean`, `actor/pg_loss`, `reward_model/dpo_acc`,
//! `response_length/mean`, `timing_s/rollout`. Values are finite, or the record is refused.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::files::{create_parent, read_text, write_atomically};

/// A count or a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MetricValue {
    /// A count.
    Int(i64),
    /// A measurement, finite.
    Float(f64),
}

impl MetricValue {
    /// The value as a float.
    pub fn as_f64(self) -> f64 {
        match self {
            MetricValue::Int(count) => count as f64,
            MetricValue::Float(value) => value,
        }
    }
}

/// What was measured in one step, by name in alphabetical order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepMetrics {
    step: u64,
    #[serde(flatten)]
    values: BTreeMap<String, MetricValue>,
}

impl StepMetrics {
    /// An empty record. Step 0 is the state before the first update.
    pub fn new(step: u64) -> Self {
        StepMetrics {
            step,
            values: BTreeMap::new(),
        }
    }

    /// The step.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Records a measurement, replacing an earlier one of this name.
    ///
    /// # Errors
    /// [`TrainError::NonFiniteMetric`], naming step and metric, for NaN or infinity.
    pub fn set(&mut self, name: &str, value: f64) -> Result<(), TrainError> {
        if !value.is_finite() {
            return Err(TrainError::NonFiniteMetric {
                step: self.step,
                name: name.to_string(),
                value,
            });
        }
        let value = MetricValue::Float(value);
        self.values.insert(name.to_string(), value);
        Ok(())
    }

    /// Records a count, replacing an earlier one of this name.
    pub fn set_count(&mut self, name: &str, count: usize) {
        let count = MetricValue::Int(i64::try_from(count).unwrap_or(i64::MAX));
        self.values.insert(name.to_string(), count);
    }

    /// A value by name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.values.get(name).map(|value| value.as_f64())
    }

    /// All values in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, MetricValue)> {
        self.values
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
    }
}

/// Appends records to a file.
#[derive(Debug)]
pub struct MetricsWriter {
    path: PathBuf,
    file: File,
}

impl MetricsWriter {
    /// Starts a file, replacing one that is there.
    ///
    /// # Errors
    /// [`TrainError::Io`] if it cannot be created.
    pub fn create(path: &Path) -> Result<Self, TrainError> {
        create_parent(path)?;
        let file = File::create(path).map_err(TrainError::io("create", path))?;
        Ok(MetricsWriter {
            path: path.to_path_buf(),
            file,
        })
    }

    /// Goes on with the file of a run resumed after `last_step`: later records are dropped, since
    /// those steps will be taken again.
    ///
    /// # Errors
    /// Those of [`read_metrics`]; a missing file is an empty one.
    pub fn resume(path: &Path, last_step: u64) -> Result<Self, TrainError> {
        let mut kept = String::new();
        if fs::exists(path).map_err(TrainError::io("read", path))? {
            let text = read_text(path)?;
            // The lines as they are: a number read and written again may differ in its last digit.
            for (record, line) in read_metrics(path)?.iter().zip(text.lines()) {
                if record.step <= last_step {
                    kept.push_str(line);
                    kept.push('\n');
                }
            }
        }
        write_atomically(path, kept.as_bytes())?;
        let file = OpenOptions::new()
            .append(true)
            .open(path)
            .map_err(TrainError::io("write", path))?;
        Ok(MetricsWriter {
            path: path.to_path_buf(),
            file,
        })
    }

    /// Brings what was written to the disk.
    ///
    /// # Errors
    /// [`TrainError::Io`].
    pub fn sync(&self) -> Result<(), TrainError> {
        let synced = self.file.sync_data();
        synced.map_err(TrainError::io("write", &self.path))
    }

    /// Appends one record.
    ///
    /// # Errors
    /// [`TrainError::Io`] if it cannot be written.
    pub fn write(&mut self, record: &StepMetrics) -> Result<(), TrainError> {
        let line = encode(record)?;
        // One call a line, so that a reader never sees half of one in a running file.
        self.file
            .write_all(&line)
            .and_then(|()| self.file.flush())
            .map_err(TrainError::io("write", &self.path))
    }
}

fn encode(record: &StepMetrics) -> Result<Vec<u8>, TrainError> {
    let mut line = serde_json::to_vec(record).map_err(|e| TrainError::Encode {
        what: "a step's metrics",
        reason: e.to_string(),
    })?;
    line.push(b'\n');
    Ok(line)
}

/// All records of a file, in order. A last line without line end is a write that a crash cut short:
/// it is left out.
///
/// # Errors
/// [`TrainError::Io`], or [`TrainError::Parse`] with the line that is no record.
pub fn read_metrics(path: &Path) -> Result<Vec<StepMetrics>, TrainError> {
    read_lines(path)
}

/// Reads complete JSON lines.
pub(crate) fn read_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, TrainError> {
    let text = read_text(path)?;
    let complete = match text.rfind('\n') {
        Some(end) => &text[..end],
        None => "",
    };
    let parse = |(index, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|e| TrainError::Parse {
            path: path.to_path_buf(),
            line: index + 1,
            reason: e.to_string(),
        })
    };
    complete.lines().enumerate().map(parse).collect()
}

/// The steps from 0 to `last` that have no record, as ranges in words; empty where every one has.
pub fn missing_steps(records: &[StepMetrics], last: u64) -> String {
    let mut ranges = vec![];
    let mut next = 0;
    let there = records
        .iter()
        .map(StepMetrics::step)
        .filter(|&step| step <= last);
    for step in there.chain([last + 1]) {
        match step.checked_sub(next) {
            Some(1) => ranges.push(next.to_string()),
            Some(gap) if gap > 1 => ranges.push(format!("{next} to {}", step - 1)),
            _ => {}
        }
        next = next.max(step + 1);
    }
    ranges.join(", ")
}

/// Whether an error says that there is no such file.
pub(crate) fn is_missing(error: &TrainError) -> bool {
    matches!(error, TrainError::Io { source, .. } if source.kind() == ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(step: u64) -> StepMetrics {
        let mut record = StepMetrics::new(step);
        record.set("reward/mean", 0.1 + 0.2).unwrap();
        record.set("acc", 1.0).unwrap();
        record.set_count("rollouts", 32);
        record
    }

    #[test]
    fn steps_without_a_record_are_found() {
        let of = |steps: &[u64], last| {
            let records: Vec<StepMetrics> =
                steps.iter().map(|&step| StepMetrics::new(step)).collect();
            missing_steps(&records, last)
        };
        assert_eq!(of(&[0, 1, 2], 2), "");
        assert_eq!(of(&[0, 1, 2, 3], 2), "");
        assert_eq!(of(&[1, 2, 5], 7), "0, 3 to 4, 6 to 7");
        assert_eq!(of(&[], 0), "0");
    }

    #[test]
    fn records_survive_exactly() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/metrics.jsonl");
        let mut writer = MetricsWriter::create(&path).unwrap();
        writer.write(&record(1)).unwrap();
        writer.write(&record(2)).unwrap();
        assert_eq!(read_metrics(&path).unwrap(), [record(1), record(2)]);
        let first = read_text(&path)
            .unwrap()
            .lines()
            .next()
            .unwrap()
            .to_string();
        assert_eq!(
            first,
            r#"{"step":1,"acc":1.0,"reward/mean":0.30000000000000004,"rollouts":32}"#
        );
    }

    #[test]
    fn non_finite_values_are_named() {
        let mut record = StepMetrics::new(7);
        for value in [f64::NAN, f64::INFINITY] {
            let error = record.set("actor/pg_loss", value).unwrap_err().to_string();
            assert!(
                error.contains("step 7") && error.contains("`actor/pg_loss`"),
                "{error}"
            );
        }
        assert_eq!(record.get("actor/pg_loss"), None);
    }

    #[test]
    fn resuming_drops_the_steps_that_come_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut writer = MetricsWriter::create(&path).unwrap();
        for step in 1..=5 {
            writer.write(&record(step)).unwrap();
        }
        let mut torn = read_text(&path).unwrap();
        torn.push_str("{\"step\":6,\"ac");
        fs::write(&path, torn).unwrap();
        let mut writer = MetricsWriter::resume(&path, 3).unwrap();
        writer.write(&record(4)).unwrap();
        let steps: Vec<u64> = read_metrics(&path)
            .unwrap()
            .iter()
            .map(|r| r.step())
            .collect();
        assert_eq!(steps, [1, 2, 3, 4]);

        let fresh = folder.path().join("new/metrics.jsonl");
        MetricsWriter::resume(&fresh, 3)
            .unwrap()
            .write(&record(4))
            .unwrap();
        assert_eq!(read_metrics(&fresh).unwrap().len(), 1);
    }

    /// Reading decimals is exact only to the last bit but one, so what stays is not written anew.
    #[test]
    fn resuming_leaves_earlier_lines_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut writer = MetricsWriter::create(&path).unwrap();
        let mut noise = crate::rng::Stream::new([1, 2, 3, 4]);
        for step in 0..2000 {
            let mut record = StepMetrics::new(step);
            record.set("acc", noise.unit() * 1e-9).unwrap();
            writer.write(&record).unwrap();
        }
        let before = fs::read(&path).unwrap();
        MetricsWriter::resume(&path, 2000).unwrap();
        assert!(fs::read(&path).unwrap() == before);
    }

    #[test]
    fn broken_lines_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        fs::write(&path, "{\"step\":1}\n{\"stepp\":2}\n").unwrap();
        let error = read_metrics(&path).unwrap_err().to_string();
        assert!(
            error.contains("metrics.jsonl line 2: missing field `step`"),
            "{error}"
        );
    }
}
