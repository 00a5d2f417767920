//! When to step, evaluate and save.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use prime_policy::{Decoder, device_by_name};

use crate::checkpoint::{About, Checkpoints};
use crate::config::Config;
use crate::data::problems::Problems;
use crate::error::TrainError;
use crate::eval::{Evaluation, evaluate};
use crate::files::write_atomically;
use crate::metrics::{MetricsWriter, StepMetrics, read_metrics};
use crate::opening::evaluating;
use crate::preflight::preflight;
use crate::progress::Progress;
use crate::report::{write_report, write_transcripts};
use crate::sft::SftStep;
use crate::step::{Environment, Learner, step};
use crate::summary::Summary;
use crate::unjudged::Watch;

pub use crate::start::{Base, Start, initial_model, warmed_up_model};

/// Set by the signal handler; the run stops after the step in progress.
pub static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The folder of a new run: `name`, or the task and preset with the first free number.
///
/// # Errors
/// [`TrainError::RunExists`]; [`TrainError::Usage`] for a name that is no folder's name; [`TrainError::Io`] for a place
/// that cannot be written to.
pub fn create_run_folder(config: &Config, name: Option<&str>) -> Result<PathBuf, TrainError> {
    let out = Path::new(&config.run.out_dir);
    if let Some(name) = name
        && !matches!(Path::new(name).components().collect::<Vec<_>>()[..], [Component::Normal(part)] if part == name)
    {
        let message =
            format!("--name {name:?}: a run's name is one folder's name; its place is run.out_dir");
        return Err(TrainError::Usage(message));
    }
    fs::create_dir_all(out).map_err(TrainError::io("create", out))?;
    let create = |path: PathBuf| match fs::create_dir(&path) {
        Ok(()) => Ok(path),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(TrainError::RunExists { path })
        }
        Err(error) => Err(TrainError::io("create", &path)(error)),
    };
    if let Some(name) = name {
        return create(out.join(name));
    }
    let task = serde_json::to_value(config.data.task).ok();
    let task = task
        .as_ref()
        .and_then(|task| task.as_str())
        .unwrap_or("run");
    (1u32..)
        .map(|number| create(out.join(format!("{task}-{}-{number:03}", config.preset))))
        .find(|made| !matches!(made, Err(TrainError::RunExists { .. })))
        .unwrap_or_else(|| {
            Err(TrainError::RunExists {
                path: out.to_owned(),
            })
        })
}

/// A run in progress: a folder, a learner, and what surrounds it.
pub struct Run {
    config: Config,
    folder: PathBuf,
    learner: Learner<Decoder>,
    about: About,
    problems: Problems,
    checkpoints: Checkpoints,
    metrics: MetricsWriter,
    progress: bool,
    watch: Watch,
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
        write_atomically(&folder.join("config.toml"), config.to_toml()?.as_bytes())?;
        let full = config.to_full_toml()?;
        write_atomically(&folder.join("config.full.toml"), full.as_bytes())?;
        let seconds = start.seconds;
        write_warmup(folder, &start.warmup)?;
        let problems = Problems::open(config, &start.tokenizer)?;
        let checkpoints = Checkpoints::new(folder, config.run.keep_last);
        let (model, about) = checkpoints.save_reference(start, config)?;
        let mut run = Self {
            learner: Learner::new(model, config)?,
            metrics: MetricsWriter::create(&folder.join("metrics.jsonl"))?,
            folder: folder.to_owned(),
            config: config.clone(),
            about,
            problems,
            checkpoints,
            progress,
            watch: Watch::default(),
        };
        let mut record = StepMetrics::new(0);
        record.set("timing_s/warmup", seconds)?;
        record.set_count("data/skipped_rows", run.problems.skipped());
        run.preflight()?;
        run.evaluate_into(config.eval.problems, &mut record)?;
        run.metrics.write(&record)?;
        Ok(run)
    }

    /// Goes on with a run from its newest checkpoint, as if it had never stopped.
    ///
    /// # Errors
    /// [`TrainError::NoCheckpoint`], or the file that is missing or broken.
    pub fn resume(config: &Config, folder: &Path, progress: bool) -> Result<Self, TrainError> {
        let device = device_by_name(&config.device)?.autodiff();
        let checkpoints = Checkpoints::new(folder, config.run.keep_last);
        let (learner, about) = checkpoints.resume(config, &device)?;
        let problems = Problems::open(config, &about.tokenizer)?;
        let metrics = MetricsWriter::resume(&folder.join("metrics.jsonl"), learner.step)?;
        Ok(Self {
            config: config.clone(),
            folder: folder.to_owned(),
            learner,
            about,
            problems,
            checkpoints,
            metrics,
            progress,
            watch: Watch::default(),
        })
    }

    /// Looks at 16 samples first, where the data is somebody's own and there is a console to tell.
    fn preflight(&self) -> Result<(), TrainError> {
        let rows = self.config.data.task.builtin().is_none();
        let steps = self.config.rl.steps > 0;
        if !(self.progress && self.config.run.preflight && rows && steps) {
            return Ok(());
        }
        eprintln!(
            "preflight: 16 responses before the first step (run.preflight = false leaves them out) …"
        );
        let (config, tokenizer) = (&self.config, &self.about.tokenizer);
        let found = preflight(&self.learner, config, &self.problems, tokenizer)?;
        found.write(&self.folder.join("preflight.json"))?;
        eprintln!("{found}");
        found.usable()
    }

    fn evaluate_into(
        &self,
        problems: usize,
        record: &mut StepMetrics,
    ) -> Result<Option<Evaluation>, TrainError> {
        if self.problems.held_out().is_empty() {
            return Ok(None);
        }
        let long = self.progress && self.config.data.task.builtin().is_none();
        if long {
            eprintln!("{}", evaluating(&self.problems, &self.config, problems));
        }
        let clock = Instant::now();
        let policy = &self.learner.actor.policy;
        let evaluated = evaluate(
            policy,
            &self.config,
            &self.problems,
            &self.about.tokenizer,
            problems,
        );
        let result = match evaluated {
            Ok(result) => result,
            // The policy is no worse for it, and the steps are not lost.
            Err(TrainError::NothingJudged { responses, reason }) => {
                eprintln!(
                    "warning: step {}: none of the {responses} responses of the evaluation could be judged, so there is no pass@1; the first: {reason}",
                    record.step()
                );
                record.set_count("eval/could_not_judge", responses);
                record.set("timing_s/eval", clock.elapsed().as_secs_f64())?;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let builtin = self.config.data.task.builtin().is_some();
        record_evaluation(record, "eval", &result, builtin && self.config.eval.k == 1)?;
        for (name, reason) in &result.not_judged {
            eprintln!(
                "warning: no response of the held-out set {name} could be judged; the first: {reason}"
            );
        }
        if long {
            let stderr = result
                .stderr
                .map_or(String::new(), |stderr| format!(" ± {:.1}", 100.0 * stderr));
            let seconds = clock.elapsed().as_secs_f64();
            eprintln!(
                "pass@1 {:.1}{stderr} % (n = {}), {seconds:.1} s",
                100.0 * result.avg_at_k,
                result.n
            );
        }
        record.set("timing_s/eval", clock.elapsed().as_secs_f64())?;
        Ok(Some(result))
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
            .then(|| Progress::new("training", total - self.learner.step.min(total)));
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
            if let Some(warning) = self.watch.look(number, report.unjudged.as_ref()) {
                eprintln!("{warning}");
            }
            let due = |every: usize| every > 0 && number.is_multiple_of(every as u64);
            if number == total {
                self.evaluate_into(config.eval.problems, &mut report.metrics)?;
            } else if due(config.eval.every) {
                self.evaluate_into(config.eval.every_problems, &mut report.metrics)?;
            }
            self.metrics.write(&report.metrics)?;
            if due(config.run.transcripts_every) || number == total {
                write_transcripts(&self.folder, number, &report.transcripts)?;
            }
            if due(config.run.save_every) && number < total {
                self.save()?;
            }
            if let Some(bar) = &mut bar {
                bar.tick(&message(&report.metrics));
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

    fn save(&self) -> Result<PathBuf, TrainError> {
        self.checkpoints.save(&self.learner, &self.about)
    }

    /// The run in a few numbers, from its metrics alone, so that a resumed run sums up like an unbroken one.
    fn summary(&self) -> Result<Summary, TrainError> {
        let records = read_metrics(&self.folder.join("metrics.jsonl"))?;
        let mut phases = BTreeMap::new();
        for record in &records {
            for (name, value) in record.iter() {
                let phase = name
                    .strip_prefix("timing_s/")
                    .filter(|phase| *phase != "step");
                if let Some(phase) = phase {
                    *phases.entry(phase.to_owned()).or_insert(0.0) += value.as_f64();
                }
            }
        }
        let pass = |record: Option<&StepMetrics>| record.and_then(|r| r.get("eval/pass@1"));
        let stderr =
            |record: Option<&StepMetrics>| record.and_then(|r| r.get("eval/pass@1_stderr"));
        let first = records.first();
        let rollouts: f64 = records.iter().filter_map(|r| r.get("rollouts")).sum();
        let task = serde_json::to_value(self.config.data.task).ok();
        Ok(Summary {
            task: task
                .and_then(|t| t.as_str().map(str::to_owned))
                .unwrap_or_default(),
            preset: self.config.preset.clone(),
            seed: self.config.seed,
            steps: self.learner.step,
            rollouts: rollouts as u64,
            n: first.and_then(|r| r.get("eval/n")).unwrap_or(0.0) as usize,
            warmup_pass_at_1: pass(first),
            final_pass_at_1: pass(records.last()),
            warmup_stderr: stderr(first),
            final_stderr: stderr(records.last()),
            seconds: phases.values().sum(),
            seconds_by_phase: phases,
        })
    }
}

/// `warmup.jsonl`: an object a step of the warm-up, if there was one.
fn write_warmup(folder: &Path, steps: &[SftStep]) -> Result<(), TrainError> {
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

/// An evaluation as metrics that begin with `stem`. The built-in tasks have scores of 0 and 1 and one response a problem: what
/// follows from n and pass@1 is left out there.
fn record_evaluation(
    record: &mut StepMetrics,
    stem: &str,
    found: &Evaluation,
    plain: bool,
) -> Result<(), TrainError> {
    if found.could_not_judge > 0 {
        record.set_count(&format!("{stem}/could_not_judge"), found.could_not_judge);
    }
    record.set(&format!("{stem}/pass@1"), found.avg_at_k)?;
    record.set_count(&format!("{stem}/n"), found.n);
    if let Some(stderr) = found.stderr.filter(|_| !plain) {
        record.set(&format!("{stem}/pass@1_stderr"), stderr)?;
    }
    for (k, share) in found.pass_at.range(2..) {
        record.set(&format!("{stem}/pass@{k}"), *share)?;
    }
    if let Some(answers) = found.answers {
        record.set(&format!("{stem}/answers"), answers)?;
    }
    for (source, share) in &found.sources {
        record.set(&format!("{stem}/{source}/pass@1"), *share)?;
    }
    for (name, set) in &found.sets {
        record_evaluation(record, &format!("{stem}/{name}"), set, plain)?;
    }
    Ok(())
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
