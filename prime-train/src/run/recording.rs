//! Where a step's record goes: `metrics.jsonl`, and TensorBoard's events beside it.

use std::path::Path;

use super::rates;
use crate::config::Config;
use crate::error::TrainError;
use crate::metrics::{MetricsWriter, StepMetrics, read_metrics};
use crate::tensorboard::EventWriter;
use crate::view;

pub(super) struct Recording {
    metrics: MetricsWriter,
    events: Option<EventWriter>,
    /// Seconds spent saving since the last record.
    saving: f64,
}

impl Recording {
    /// Of a new run.
    pub(super) fn start(folder: &Path, config: &Config) -> Result<Self, TrainError> {
        let metrics = MetricsWriter::create(&folder.join("metrics.jsonl"))?;
        Self::with_events(metrics, folder, config, &[])
    }

    /// Of a run that goes on after `last_step`.
    pub(super) fn resume(
        folder: &Path,
        config: &Config,
        last_step: u64,
    ) -> Result<Self, TrainError> {
        let path = folder.join("metrics.jsonl");
        let metrics = MetricsWriter::resume(&path, last_step)?;
        Self::with_events(metrics, folder, config, &read_metrics(&path)?)
    }

    fn with_events(
        metrics: MetricsWriter,
        folder: &Path,
        config: &Config,
        records: &[StepMetrics],
    ) -> Result<Self, TrainError> {
        let events = config
            .run
            .tensorboard
            .then(|| EventWriter::open(folder, records));
        Ok(Self {
            metrics,
            events: events.transpose()?,
            saving: 0.0,
        })
    }

    /// Brings the records to the disk, before a checkpoint that comes after them.
    pub(super) fn sync(&self) -> Result<(), TrainError> {
        self.metrics.sync()
    }

    /// A checkpoint took so long; the next record says so.
    pub(super) fn saved_in(&mut self, seconds: f64) {
        self.saving += seconds;
    }

    /// Seconds of saving that no record has told of.
    pub(super) fn saving(&self) -> f64 {
        self.saving
    }

    /// Writes a record and returns it as it was written.
    pub(super) fn write(&mut self, mut record: StepMetrics) -> Result<StepMetrics, TrainError> {
        rates::record(&mut record)?;
        if self.saving > 0.0 {
            record.set("timing_s/save", self.saving)?;
            self.saving = 0.0;
        }
        self.metrics.write(&record)?;
        if let Some(events) = &mut self.events {
            events.write(&record)?;
        }
        view::record(&record);
        Ok(record)
    }
}
