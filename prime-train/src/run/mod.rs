//! When to step, evaluate and save.

mod evaluating;
mod extend;
mod folder;
mod following;
mod gain;
mod lock;
mod provenance;
mod rates;
mod recording;
pub(crate) mod rescue;
mod sum;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use prime_policy::{Decoder, device_by_name};

use crate::activity;
use crate::checkpoint::{About, Checkpoints, ResumeFrom, Resumed};
use crate::config::Config;
use crate::data::problems::Problems;
use crate::error::TrainError;
use crate::files::write_atomically;
use crate::metrics::{StepMetrics, missing_steps, read_metrics};
use crate::preflight::preflight;
use crate::progress::Progress;
use crate::report::{write_report, write_transcripts};
use crate::sft::SftRecord;
use crate::step::{Environment, Learner, step};
use crate::summary::Summary;
use crate::view;
use crate::watch::Watch;
use following::Following;
use gain::Gain;
use recording::Recording;
use rescue::Rescue;

pub use self::extend::changes;
pub use self::folder::create_run_folder;
pub(crate) use self::folder::discard;
pub use self::lock::{RunLock, lock};
pub use self::provenance::{Provenance, Session};
pub use crate::start::{Base, Start, initial_model, initial_shape, warmed_up_model};

/// Set by the signal handler; the run stops after the step in progress.
pub static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// A run in progress: a folder, a learner, and what surrounds it.
pub struct Run {
    config: Config,
    folder: PathBuf,
    learner: Learner<Decoder>,
    about: About,
    problems: Problems,
    checkpoints: Checkpoints,
    recording: Recording,
    following: Following,
    progress: bool,
    watch: Watch,
    gain: Gain,
    provenance: Option<Provenance>,
    saved: Instant,
    rescue: Rescue,
    _lock: Arc<RunLock>,
}

impl Run {
    /// Starts a run in an empty folder: writes its configuration and reference, and evaluates the start.
    ///
    /// # Errors
    /// Whatever cannot be read, written or evaluated.
    pub fn start(
        config: &Config,
        folder: &Path,
        start: Start,
        progress: bool,
    ) -> Result<Self, TrainError> {
        let lock = lock(folder)?;
        let clock = Instant::now();
        let provenance = Provenance::of(config)?;
        provenance.write(folder)?;
        write_config(folder, config, &provenance)?;
        let (opening, seconds) = (start.opening, start.seconds);
        write_warmup(folder, &start.warmup)?;
        let problems = Problems::open(config, &start.tokenizer)?;
        let checkpoints = Checkpoints::new(folder, config.run.keep_last);
        let (model, about) = checkpoints.save_reference(start, config)?;
        let learner = Learner::new(model, config)?;
        let mut run = Self {
            rescue: Rescue::new(&checkpoints, &about, checkpoints.of_step(0)),
            learner,
            recording: Recording::start(folder, config)?,
            following: Following::default(),
            folder: folder.to_owned(),
            config: config.clone(),
            about,
            problems,
            checkpoints,
            progress,
            watch: Watch::new(config),
            gain: Gain::default(),
            provenance: Some(provenance),
            saved: Instant::now(),
            _lock: lock,
        };
        let opened = clock.elapsed().as_secs_f64();
        run.look_at_the_start(opening + opened, Some(seconds))?;
        Ok(run)
    }

    /// The record of step 0: what there is before the first step.
    fn look_at_the_start(&mut self, opened: f64, warmup: Option<f64>) -> Result<(), TrainError> {
        let mut record = StepMetrics::new(0);
        record.set("timing_s/startup", opened)?;
        if let Some(seconds) = warmup {
            record.set("timing_s/warmup", seconds)?;
        }
        record.set_count("data/skipped_rows", self.problems.skipped());
        let clock = Instant::now();
        if self.preflight()? {
            record.set("timing_s/preflight", clock.elapsed().as_secs_f64())?;
        }
        self.evaluate_into(self.config.eval.problems, &mut record)?;
        gain::measured(&self.config, &record)?;
        self.note_gain(&record)?;
        let looked = self.watch.look(&mut record, None)?;
        self.say(&looked.warnings);
        self.recording.write(record)?;
        Ok(())
    }

    fn note_gain(&mut self, record: &StepMetrics) -> Result<bool, TrainError> {
        let (learner, about) = (&self.learner, &self.about);
        self.gain
            .look(&self.config, record, &self.checkpoints, learner, about)
    }

    /// Goes on with a run from its newest checkpoint that is whole, as if it had never stopped.
    ///
    /// # Errors
    /// Those of [`Self::resume_from`].
    pub fn resume(config: &Config, folder: &Path, progress: bool) -> Result<Self, TrainError> {
        Self::resume_from(config, folder, progress, ResumeFrom::default(), vec![])
    }

    /// Goes on with a run, from the step that is asked for; checkpoints after it are set aside. `changed` says which settings
    /// are not those that the run has had so far.
    ///
    /// # Errors
    /// [`TrainError::RunLocked`]; [`TrainError::NoCheckpoint`]; [`TrainError::Damaged`] and [`TrainError::Changed`] name files that
    /// are not what they were; the file that is missing or broken.
    pub fn resume_from(
        config: &Config,
        folder: &Path,
        progress: bool,
        from: ResumeFrom,
        changed: Vec<String>,
    ) -> Result<Self, TrainError> {
        let clock = Instant::now();
        let device = device_by_name(&config.device)?.autodiff();
        let lock = lock(folder)?;
        let mut provenance = Provenance::read(folder)?;
        if let Some(provenance) = provenance.as_ref().filter(|_| !from.accept_changed) {
            provenance.check_data(config)?;
        }
        let checkpoints = Checkpoints::new(folder, config.run.keep_last);
        let Resumed {
            learner,
            about,
            step,
            notes,
        } = checkpoints.resume(config, &device, from)?;
        for note in notes {
            view::say(&note);
        }
        let problems = Problems::open(config, &about.tokenizer)?;
        for path in checkpoints.set_aside_after(step)? {
            view::say(&format!("set aside: {}", path.display()));
        }
        let recording = Recording::resume(folder, config, learner.step)?;
        let records = read_metrics(&folder.join("metrics.jsonl"))?;
        if let Some(provenance) = &mut provenance {
            let mut session = Session::now();
            (session.from_step, session.changed) = (Some(step), changed);
            let before = provenance.sessions.last().map(|last| &last.version);
            if before.is_some_and(|before| *before != session.version) {
                view::say(&format!(
                    "note: the run was made by prime-train {}, this is {}",
                    before.map_or("", String::as_str),
                    session.version
                ));
            }
            let rewrite = !session.changed.is_empty();
            provenance.sessions.push(session);
            provenance.write(folder)?;
            if rewrite {
                write_config(folder, config, provenance)?;
            }
        }
        let mut run = Self {
            rescue: Rescue::new(&checkpoints, &about, checkpoints.of_step(step)),
            gain: Gain::resume(config, &checkpoints, &records)?,
            config: config.clone(),
            folder: folder.to_owned(),
            learner,
            about,
            problems,
            checkpoints,
            recording,
            following: Following::default(),
            progress,
            watch: Watch::resume(config, &records)?,
            provenance,
            saved: Instant::now(),
            _lock: lock,
        };
        if records.is_empty() && step == 0 {
            run.look_at_the_start(clock.elapsed().as_secs_f64(), None)?;
        } else {
            let missing = missing_steps(&records, step);
            if !missing.is_empty() {
                view::say(&format!(
                    "warning: {} has no record of step {missing}",
                    folder.join("metrics.jsonl").display()
                ));
            }
        }
        Ok(run)
    }

    /// Looks at 16 samples first, where the data is somebody's own and there is a console to tell; whether it did.
    fn preflight(&self) -> Result<bool, TrainError> {
        let rows = self.config.data.task.builtin().is_none();
        let steps = self.config.rl.steps > 0;
        if !(self.progress && self.config.run.preflight && rows && steps) {
            return Ok(false);
        }
        view::say(
            "preflight: 16 responses before the first step (run.preflight = false leaves them out) …",
        );
        activity::phase("preflight", "", 0);
        let _left = rescue::may_be_left();
        let (config, tokenizer) = (&self.config, &self.about.tokenizer);
        let longest = self.problems.longest_prompt();
        let found = preflight(&self.learner, config, &self.problems, tokenizer)?.with_memory(
            config,
            &self.about.shape,
            longest,
        )?;
        found.write(&self.folder.join("preflight.json"))?;
        view::say(&found.to_string());
        found.usable()?;
        Ok(true)
    }

    /// All remaining steps, then the last checkpoint, the summary and the report.
    ///
    /// # Errors
    /// [`TrainError::Interrupted`] after Ctrl-C, with a checkpoint written; [`TrainError::Step`] for a step that
    /// failed, with the state before it saved; anything that cannot be written.
    pub fn finish(mut self) -> Result<Summary, TrainError> {
        let config = self.config.clone();
        let (with_process, outcome_only) = (config.estimator(true), config.estimator(false));
        let objective = config.objective();
        let total = config.rl.steps as u64;
        let mut bar = self
            .progress
            .then(|| Progress::training(total - self.learner.step.min(total)));
        if let Some(bar) = bar
            .as_mut()
            .filter(|_| config.data.task.builtin().is_none() && self.learner.step < total)
        {
            bar.note(&format!("step {} begins", self.learner.step + 1));
        }
        while self.learner.step < total {
            if INTERRUPTED.load(Ordering::Relaxed) {
                let path = self.save()?;
                return Err(TrainError::Interrupted { path });
            }
            view::step(self.learner.step + 1);
            let env = Environment {
                config: &config,
                problems: &self.problems,
                tokenizer: &self.about.tokenizer,
                estimator: &with_process,
                outcome_estimator: &outcome_only,
                objective: &objective,
            };
            let mut report = match step(&mut self.learner, &env) {
                Ok(report) => report,
                Err(error) => {
                    self.save()?;
                    return Err(error);
                }
            };
            let number = self.learner.step;
            let due = |every: usize| every > 0 && number.is_multiple_of(every as u64);
            if number == total {
                self.evaluate_into(config.eval.problems, &mut report.metrics)?;
            } else if due(config.eval.every) {
                self.evaluate_into(config.eval.every_problems, &mut report.metrics)?;
            }
            let over = self.note_gain(&report.metrics)?;
            let looked = self
                .watch
                .look(&mut report.metrics, report.unjudged.as_ref())?;
            self.say(&looked.warnings);
            let recorded = self.recording.write(report.metrics)?;
            self.rescue.advance(&self.learner);
            let stops = looked.stop.filter(|_| number < total);
            if due(config.run.transcripts_every) || number == total || stops.is_some() {
                write_transcripts(&self.folder, number, &report.transcripts)?;
            }
            let minutes = config.run.save_minutes;
            let late = minutes > 0.0 && self.saved.elapsed().as_secs_f64() >= 60.0 * minutes;
            if (due(config.run.save_every) || late) && number < total {
                self.save()?;
            }
            if let Some(bar) = &mut bar {
                bar.tick(&message(&recorded));
            }
            if let Some(reason) = stops {
                let path = self.save()?;
                write_report(&self.folder)?;
                return Err(TrainError::Watch {
                    step: number,
                    reason,
                    path,
                });
            }
            self.following.look(&self.folder);
            if over {
                break;
            }
        }
        if let Some(bar) = bar {
            bar.finish("done");
        }
        self.save()?;
        let summary = self.summary()?;
        summary.write(&self.folder.join("summary.json"))?;
        write_report(&self.folder)?;
        Ok(summary)
    }

    /// Warnings; where several runs share a console, with the run.
    fn say(&self, warnings: &[String]) {
        let name = self.folder.file_name().unwrap_or_default();
        for warning in warnings {
            match self.progress {
                true => view::say(warning),
                false => view::say(&format!("{}: {warning}", name.to_string_lossy())),
            }
        }
    }

    fn save(&mut self) -> Result<PathBuf, TrainError> {
        activity::phase("saving", "", 0);
        let clock = Instant::now();
        self.recording.sync()?;
        let saved = self.rescue.save(&self.learner)?;
        self.saved = Instant::now();
        self.recording.saved_in(clock.elapsed().as_secs_f64());
        Ok(saved)
    }
}

/// `config.toml`, which says what made it, and `config.full.toml`.
fn write_config(folder: &Path, config: &Config, from: &Provenance) -> Result<(), TrainError> {
    let mut text = String::new();
    for session in from
        .sessions
        .first()
        .into_iter()
        .chain(from.sessions.last().filter(|_| from.sessions.len() > 1))
    {
        // A line of a comment cannot hold a line break.
        let command = session.command.join(" ").replace(['\n', '\r'], " ");
        text += &format!("# {}\n# {command}\n", session.describe());
    }
    text += &config.to_toml()?;
    write_atomically(&folder.join("config.toml"), text.as_bytes())?;
    let full = config.to_full_toml()?;
    write_atomically(&folder.join("config.full.toml"), full.as_bytes())
}

/// `warmup.jsonl`: an object for each report of the warm-up, if there was one.
fn write_warmup(folder: &Path, steps: &[SftRecord]) -> Result<(), TrainError> {
    if steps.is_empty() {
        return Ok(());
    }
    let mut text = vec![];
    for step in steps {
        serde_json::to_writer(&mut text, step).map_err(|error| TrainError::Encode {
            what: "a step of the warm-up",
            reason: error.to_string(),
        })?;
        text.push(b'\n');
    }
    write_atomically(&folder.join("warmup.jsonl"), &text)
}

fn message(metrics: &StepMetrics) -> String {
    let mut parts = vec![];
    for (label, name) in [
        ("acc", "acc"),
        ("held-out", "eval/pass@1"),
        ("PRM auc", "reward_model/step_auc"),
    ] {
        if let Some(value) = metrics.get(name) {
            parts.push(format!("{label} {value:.2}"));
        }
    }
    parts.join("  ")
}
