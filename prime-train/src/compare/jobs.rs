//! The runs of a comparison, side by side: those that are done are left alone, those that were begun go on.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use prime_policy::parallel_map;

use super::starts::start_key;
use crate::config::Config;
use crate::error::TrainError;
use crate::progress::Progress;
use crate::report::write_report;
use crate::run::{Run, Start, lock, warmed_up_model};

/// A run of the comparison.
pub(super) struct Job {
    pub(super) label: String,
    pub(super) config: Config,
    pub(super) run: PathBuf,
}

type StartKey = BTreeMap<String, String>;

impl Job {
    fn is_done(&self) -> bool {
        self.run.join("summary.json").exists()
    }

    /// Whether there is something to go on from.
    fn is_begun(&self) -> bool {
        self.run.join("checkpoints").is_dir()
    }

    /// Goes on with a run that was begun; `None` if it got nowhere.
    fn resumed(&self) -> Result<Option<Run>, TrainError> {
        if !self.is_begun() {
            return Ok(None);
        }
        match Run::resume(&self.config, &self.run, false) {
            Ok(run) => Ok(Some(run)),
            Err(TrainError::NoCheckpoint { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Starts the run in an empty folder; what an earlier try left there is nothing to go on from.
    fn started(&self, start: Start) -> Result<Run, TrainError> {
        if self.run.exists() {
            // Unless another process has begun it just now.
            drop(lock(&self.run)?);
            fs::remove_dir_all(&self.run).map_err(TrainError::io("remove", &self.run))?;
        }
        fs::create_dir(&self.run).map_err(TrainError::io("create", &self.run))?;
        Run::start(&self.config, &self.run, start, false)
    }

    fn finish(&self, starts: &BTreeMap<StartKey, Start>) -> Result<(), TrainError> {
        let run = match (self.resumed()?, starts.get(&start_key(&self.config)?)) {
            (Some(run), _) => run,
            (None, Some(start)) => self.started(start.clone())?,
            (None, None) => self.started(warmed_up_model(&self.config, false)?)?,
        };
        run.finish()?;
        Ok(())
    }
}

/// Does what is left of the jobs.
///
/// # Errors
/// The first run that fails.
pub(super) fn finish(jobs: &[Job]) -> Result<(), TrainError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (done, open): (Vec<&Job>, Vec<&Job>) = jobs.iter().partition(|job| job.is_done());
    for job in done {
        if !job.run.join("report.html").exists() {
            write_report(&job.run)?;
        }
    }
    let mut wanted: BTreeMap<StartKey, &Config> = BTreeMap::new();
    for job in open.iter().filter(|job| !job.is_begun()) {
        wanted.entry(start_key(&job.config)?).or_insert(&job.config);
    }
    let (keys, configs): (Vec<StartKey>, Vec<&Config>) = wanted.into_iter().unzip();
    let bar = Mutex::new(Progress::new("warm-up", configs.len() as u64));
    let starts: Vec<Start> = parallel_map(cores, &configs, |config| {
        let start = warmed_up_model(config, false)?;
        tick(&bar, &format!("seed {}", config.seed));
        Ok::<_, TrainError>(start)
    })?;
    let starts: BTreeMap<StartKey, Start> = keys.into_iter().zip(starts).collect();

    let bar = Mutex::new(Progress::new("compare", open.len() as u64));
    // Long and short arms alternate, so a queue balances where fixed shares would not.
    let next = AtomicUsize::new(0);
    let workers: Vec<usize> = (0..cores.min(open.len())).collect();
    parallel_map(cores, &workers, |_| {
        while let Some(job) = open.get(next.fetch_add(1, Ordering::Relaxed)) {
            job.finish(&starts)?;
            tick(&bar, &job.label);
        }
        Ok::<_, TrainError>(())
    })?;
    Ok(())
}

fn tick(bar: &Mutex<Progress>, message: &str) {
    bar.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .tick(message);
}
