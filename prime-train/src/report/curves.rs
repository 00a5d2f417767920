//! The metrics of a run as curves: what a report needs of `metrics.jsonl`, in a fifth of the memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use crate::error::TrainError;
use crate::metrics::StepMetrics;

/// Every metric's (step, value) pairs in order of steps.
#[derive(Debug, Default)]
pub(super) struct Curves {
    by_name: BTreeMap<String, Vec<(u64, f64)>>,
    last_step: u64,
}

impl Curves {
    /// Reads `metrics.jsonl` line by line. A last line without line end is a write that a crash cut short, or one that is
    /// going on: it is left out.
    pub(super) fn read(path: &Path) -> Result<Self, TrainError> {
        let file = File::open(path).map_err(TrainError::io("read", path))?;
        let mut lines = BufReader::new(file);
        let (mut curves, mut line, mut number) = (Self::default(), String::new(), 0);
        loop {
            line.clear();
            lines
                .read_line(&mut line)
                .map_err(TrainError::io("read", path))?;
            number += 1;
            let Some(record) = line.strip_suffix('\n') else {
                return Ok(curves);
            };
            let record = serde_json::from_str(record).map_err(|error| TrainError::Parse {
                path: path.to_path_buf(),
                line: number,
                reason: error.to_string(),
            })?;
            curves.add(&record);
        }
    }

    pub(super) fn add(&mut self, record: &StepMetrics) {
        self.last_step = record.step();
        for (name, value) in record.iter() {
            let point = (record.step(), value.as_f64());
            match self.by_name.get_mut(name) {
                Some(curve) => curve.push(point),
                None => {
                    self.by_name.insert(name.to_owned(), vec![point]);
                }
            }
        }
    }

    /// The curve of a metric; nothing of one that was never measured.
    pub(super) fn of(&self, name: &str) -> &[(u64, f64)] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// All names in alphabetical order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// The step of the last record.
    pub(super) fn last_step(&self) -> u64 {
        self.last_step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_the_columns_of_the_file_up_to_the_line_that_is_being_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let text = "{\"step\":0,\"b\":1}\n{\"step\":1,\"a\":0.5,\"b\":2}\n{\"step\":2,\"a\":";
        std::fs::write(&path, text).unwrap();
        let curves = Curves::read(&path).unwrap();
        assert_eq!(curves.of("a"), [(1, 0.5)]);
        assert_eq!(curves.of("b"), [(0, 1.0), (1, 2.0)]);
        assert_eq!((curves.last_step(), curves.of("c").len()), (1, 0));
        assert_eq!(curves.names().collect::<Vec<_>>(), ["a", "b"]);

        std::fs::write(&path, "{\"step\":0}\nnonsense\n{\"step\":2}\n").unwrap();
        let error = Curves::read(&path).unwrap_err().to_string();
        assert!(
            error.contains("metrics.jsonl") && error.contains('2'),
            "{error}"
        );
    }
}
