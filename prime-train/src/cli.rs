//! The command line.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use prime_policy::{AdapterFolder, AdapterUse, device_by_name};
use prime_verifier::math::{Extraction, MathPolicy};

use crate::checkpoint::ResumeFrom;
use crate::code_args::{CodeArgs, SandboxArgs};
use crate::compare::{self, CompareOptions};
use crate::config::{self, Config, Layer, Purpose, resolve, resolve_for};
use crate::data::problems::Problems;
use crate::data::source::DataFiles;
use crate::doctor;
use crate::error::TrainError;
use crate::eval::{evaluate_with, write_responses};
use crate::generate::{self, GenerateOptions, Prompt};
use crate::memory::MemoryPlan;
use crate::memory_limit;
use crate::model_argument::ModelArgument;
use crate::opening;
use crate::preflight::preflight;
use crate::replay::replay;
use crate::report::{Server, write_report};
use crate::reward::extraction;
use crate::run::{
    Run, Start, changes, create_run_folder, discard, initial_model, initial_shape, lock,
    warmed_up_model,
};
use crate::step::Learner;
use crate::summary::Summary;
use crate::verify::{self, VerifyOptions};
use crate::view::{ProgressMode, View, say};

/// Reinforcement learning with implicit process rewards (PRIME).
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Where settings come from: built-in recipe ← preset ← file ← `--set`.
#[derive(Debug, Args)]
pub struct Settings {
    /// A TOML file.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A named set of settings (prime, anchored, paper, orig, recipe, rloo, grpo, …).
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,
    /// One setting, e.g. --set rl.steps=300; may be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Where tensors live: flex (the CPU), or cuda, rocm, vulkan, metal, wgpu in a build with that feature, with a number
    /// as in cuda:1. The same as --set device=NAME.
    #[arg(long, value_name = "NAME")]
    pub device: Option<String>,
}

impl Settings {
    fn layers(&self) -> Result<Vec<Layer>, TrainError> {
        let mut layers = vec![];
        if let Some(path) = &self.config {
            layers.push(Layer::file(path)?);
        }
        if let Some(preset) = &self.preset {
            layers.push(Layer::preset(preset));
        }
        for set in &self.set {
            layers.push(Layer::set(set)?);
        }
        layers.extend(self.device_layer()?);
        Ok(layers)
    }

    fn device_layer(&self) -> Result<Option<Layer>, TrainError> {
        let setting = self.device.as_ref().map(|name| format!("device={name}"));
        Ok(setting.map(|setting| Layer::set(&setting)).transpose()?)
    }

    /// The configuration of a run that goes on, and in what it is not the one so far.
    fn resumed(&self, run: &Path) -> Result<(Config, Vec<String>), TrainError> {
        let mut layers = Layer::of_run(run)?;
        let before = resolve(&layers)?;
        for set in &self.set {
            layers.push(Layer::set(set)?);
        }
        layers.extend(self.device_layer()?);
        let config = resolve(&layers)?;
        let changed = changes(&before, &config)?;
        Ok((config, changed))
    }

    fn resolve(&self) -> Result<Config, TrainError> {
        self.resolve_for(Purpose::Training)
    }

    /// The configuration; what is to be known of it goes to standard error.
    fn resolve_for(&self, purpose: Purpose) -> Result<Config, TrainError> {
        let resolved = resolve_for(&self.layers()?, purpose)?;
        for note in &resolved.notes {
            crate::view::say(&format!("note: {note}"));
        }
        Ok(resolved.config)
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Warm up and train; ends with a report and a checkpoint.
    Train {
        /// Settings.
        #[command(flatten)]
        settings: Settings,
        /// The run folder's name under run.out_dir; must be new.
        #[arg(long)]
        name: Option<String>,
        /// Go on with this run folder from its newest checkpoint that is whole. With --set it may get longer (rl.steps) and be looked
        /// at otherwise.
        #[arg(long, value_name = "RUN", conflicts_with_all = ["name", "config", "preset"])]
        resume: Option<PathBuf>,
        /// Go on from the checkpoint of this step (0: before the first); later ones are set aside.
        #[arg(long, value_name = "STEP", requires = "resume")]
        resume_from: Option<u64>,
        /// Take data files, the model under adapters and checkpoints as they are now, whatever they were.
        #[arg(long, requires = "resume")]
        accept_changed: bool,
        /// Print the resolved configuration and a memory plan, and stop.
        #[arg(long)]
        dry_run: bool,
        /// What is shown meanwhile, on standard error: a panel on a terminal (live), plain lines, or nothing.
        #[arg(long, value_name = "HOW", value_enum, default_value_t)]
        progress: ProgressMode,
    },
    /// Warm up only and save the model.
    Sft {
        /// Settings.
        #[command(flatten)]
        settings: Settings,
        /// The run folder's name under run.out_dir; must be new.
        #[arg(long)]
        name: Option<String>,
        /// What is shown meanwhile, as for train.
        #[arg(long, value_name = "HOW", value_enum, default_value_t)]
        progress: ProgressMode,
    },
    /// Try 16 responses to the data, and say what they show and what a step would take: nothing is trained or written.
    Preflight {
        /// Settings, as for train.
        #[command(flatten)]
        settings: Settings,
    },
    /// Measure a model on held-out problems.
    Eval {
        /// The model: a folder, an adapter's folder, or a run, whose newest checkpoint and settings it stands for.
        #[arg(long, value_name = "FOLDER|RUN")]
        model: PathBuf,
        /// Write every response here, one a line, with its answer, vote, verdict and score.
        #[arg(long, value_name = "FILE")]
        responses: Option<PathBuf>,
        /// Settings.
        #[command(flatten)]
        settings: Settings,
    },
    /// Sample responses to a prompt.
    Generate {
        /// The model: a folder, an adapter's folder, or a run, whose newest checkpoint and settings it stands for.
        #[arg(long, value_name = "FOLDER|RUN")]
        model: PathBuf,
        /// The prompt's text; with --chat what the user says last.
        #[arg(long, required_unless_present_any = ["messages", "row"])]
        prompt: Option<String>,
        /// The prompt is what a user says: it goes through the chat template (data.chat_template).
        #[arg(long)]
        chat: bool,
        /// A system message; implies --chat. The same as --set data.system_prompt=TEXT.
        #[arg(long, value_name = "TEXT")]
        system: Option<String>,
        /// Turns before the prompt, or all of them: a JSON file of [{"role", "content"}], - is standard input; implies --chat.
        #[arg(long, value_name = "FILE")]
        messages: Option<PathBuf>,
        /// A row of data.train_file as training sees it, counted from 1, sampled by the sampling section.
        #[arg(long, value_name = "N", conflicts_with_all = ["prompt", "chat", "system", "messages"])]
        row: Option<u64>,
        /// Show the prompt as the model reads it, special tokens included, on standard error.
        #[arg(long)]
        show_prompt: bool,
        /// Responses.
        #[arg(long, short = 'n', default_value_t = 1)]
        samples: usize,
        /// Sample by the sampling.* settings alone, as training does. Without it a generation_config.json in the model's
        /// folder comes before the built-in settings and the preset, and what --config and --set say of sampling before
        /// both.
        #[arg(long)]
        ignore_generation_config: bool,
        /// Settings.
        #[command(flatten)]
        settings: Settings,
    },
    /// Take a step of a run again, from the checkpoint before it, with everything that it says: the run stays as it is.
    Replay {
        /// The run folder.
        run: PathBuf,
        /// The step, counted from 1.
        #[arg(long)]
        step: u64,
        /// Take data files, the model under adapters and checkpoints as they are now, whatever they were.
        #[arg(long)]
        accept_changed: bool,
    },
    /// Merge an adapter folder into its base model: an ordinary model folder comes out.
    Merge {
        /// The adapter folder, e.g. checkpoints/step-000040/policy of a run with lora.rank > 0.
        #[arg(long, value_name = "FOLDER")]
        model: PathBuf,
        /// The folder to write; must be new.
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
        /// Where the sums are made.
        #[arg(long, value_name = "NAME", default_value = "flex")]
        device: String,
    },
    /// Run several arms over several seeds; one chart and one table. A comparison that was interrupted goes on when it is called
    /// again.
    Compare {
        /// Runs, or whole comparisons, that are there already: they are tabulated and drawn, and nothing is run. Runs whose
        /// settings differ in the seed alone are one arm.
        #[arg(value_name = "RUN", conflicts_with_all = ["seeds", "first_seed", "arms"])]
        runs: Vec<PathBuf>,
        /// Seeds per arm.
        #[arg(long, default_value_t = 3)]
        seeds: u64,
        /// The first seed.
        #[arg(long, default_value_t = 101)]
        first_seed: u64,
        /// Arms by name, separated by commas; all without it.
        #[arg(long, value_delimiter = ',')]
        arms: Vec<String>,
        /// Settings for every arm; the arm's own preset and settings win.
        #[command(flatten)]
        settings: Settings,
        /// The folder's name under run.out_dir: new, or that of a comparison to go on with.
        #[arg(long)]
        name: Option<String>,
    },
    /// Write report.html of a run folder again.
    Report {
        /// The run folder.
        run: PathBuf,
        /// Serve it at http://127.0.0.1:PORT instead, made anew whenever it is looked at; 0 is any free port.
        #[arg(long, value_name = "PORT", num_args = 0..=1, default_missing_value = "8000")]
        serve: Option<u16>,
    },
    /// Grade texts that are there already: JSONL in, the same rows with their verdicts out.
    Verify {
        /// Rows with ability, response or answer, and ground_truth; - is standard input.
        #[arg(long, value_name = "FILE", default_value = "-")]
        input: PathBuf,
        /// Where the rows go, with verdict, score and detail added (and tests for code); - is standard output.
        #[arg(long, value_name = "FILE", default_value = "-")]
        output: PathBuf,
        /// What counts as equal beyond mathematics.
        #[arg(long, value_name = "NAME", default_value = "default", value_parser = policy())]
        policy: MathPolicy,
        /// Where in a response to look for the answer, the first place that has one winning: boxed, final_answer,
        /// answer, whole, bold, math_span, last_value, hash, answer_tag, answer_line, separated by commas; or anywhere, which
        /// is the first seven. Training looks where data.extract says.
        #[arg(long, value_name = "SOURCES", default_value = "anywhere", value_parser = extraction)]
        extract: Extraction,
        /// Count broken rows and leave them out, instead of stopping at the first.
        #[arg(long)]
        skip_bad_rows: bool,
        /// How programs are graded.
        #[command(flatten)]
        code: CodeArgs,
    },
    /// Every key of the configuration with its default and meaning.
    Config {
        /// Say all there is to one key or section: meaning, range, default, presets.
        #[arg(long, value_name = "KEY", conflicts_with = "markdown")]
        explain: Option<String>,
        /// The same as without options; for symmetry with --explain.
        #[arg(long, conflicts_with_all = ["explain", "markdown"])]
        list: bool,
        /// The page of all keys, as in CONFIG.md.
        #[arg(long)]
        markdown: bool,
    },
    /// Say what programs would run in here, and try one.
    Doctor {
        /// How programs are run.
        #[command(flatten)]
        sandbox: SandboxArgs,
    },
}

impl Command {
    /// What is still done after the first Ctrl-C; `None` if there is nothing to wait for.
    pub fn when_interrupted(&self) -> Option<&'static str> {
        match self {
            Command::Train { .. } | Command::Sft { .. } | Command::Compare { .. } => {
                Some("finishing the step, then saving")
            }
            Command::Verify { output, .. } if !verify::is_standard(output) => {
                Some("removing the unfinished output")
            }
            Command::Eval { .. }
            | Command::Generate { .. }
            | Command::Preflight { .. }
            | Command::Replay { .. }
            | Command::Merge { .. }
            | Command::Report { .. }
            | Command::Verify { .. }
            | Command::Config { .. }
            | Command::Doctor { .. } => None,
        }
    }
}

fn policy() -> impl TypedValueParser<Value = MathPolicy> {
    PossibleValuesParser::new(MathPolicy::NAMES)
        .try_map(|name| MathPolicy::by_name(&name).ok_or("there is no such policy"))
}

/// Runs a command.
///
/// # Errors
/// Whatever the command fails with; [`TrainError::exit_code`] is the process's exit code.
pub fn execute(cli: &Cli) -> Result<(), TrainError> {
    match &cli.command {
        Command::Train {
            settings,
            resume: Some(folder),
            resume_from,
            accept_changed,
            dry_run: false,
            progress,
            ..
        } => {
            let (config, changed) = settings.resumed(folder)?;
            let from = ResumeFrom {
                step: *resume_from,
                accept_changed: *accept_changed,
            };
            for change in &changed {
                say(&format!("changed: {change}"));
            }
            say(&format!("run     {}", folder.display()));
            let view = View::start(*progress, folder, config.rl.steps as u64);
            let run = Run::resume_from(&config, folder, true, from, changed)?;
            let summary = run.finish()?;
            drop(view);
            print_summary(&summary, folder);
            Ok(())
        }
        Command::Train {
            settings,
            name,
            dry_run,
            resume,
            progress,
            ..
        } => {
            let config = match resume {
                Some(folder) => settings.resumed(folder)?.0,
                None => settings.resolve()?,
            };
            if *dry_run {
                return print_plan(&config);
            }
            train(&config, name.as_deref(), *progress)
        }
        Command::Sft {
            settings,
            name,
            progress,
        } => {
            let mut layers = settings.layers()?;
            layers.push(Layer::set("rl.steps=0")?);
            train(&resolve(&layers)?, name.as_deref(), *progress)
        }
        Command::Eval {
            model,
            responses,
            settings,
        } => eval(model, settings, responses.as_deref()),
        Command::Preflight { settings } => preflight_alone(&settings.resolve()?),
        Command::Generate {
            model,
            prompt,
            chat,
            system,
            messages,
            row,
            show_prompt,
            samples,
            ignore_generation_config,
            settings,
        } => {
            let mut layers = settings.layers()?;
            let is_chat = *chat || system.is_some() || messages.is_some();
            if let Some(system) = system {
                layers.push(system_layer(system)?);
            }
            let (purpose, prompt) = match (row, prompt) {
                (Some(row), _) => (Purpose::Measuring, Prompt::Row(*row)),
                (None, Some(text)) if !is_chat => (Purpose::Sampling, Prompt::Text(text.clone())),
                (None, prompt) => {
                    let (messages, prompt) = (messages.clone(), prompt.clone());
                    (Purpose::Sampling, Prompt::Chat { messages, prompt })
                }
            };
            generate::run(&GenerateOptions {
                config: with_model(model, settings, &layers, purpose)?,
                layers,
                prompt,
                show_prompt: *show_prompt,
                samples: *samples,
                model_defaults: !ignore_generation_config && row.is_none(),
            })
        }
        Command::Replay {
            run,
            step,
            accept_changed,
        } => replay(run, *step, *accept_changed),
        Command::Merge { model, out, device } => merge(model, out, device),
        Command::Compare {
            runs,
            settings,
            name,
            ..
        } if !runs.is_empty() => compare::existing_runs(runs, &settings.layers()?, name.as_deref()),
        Command::Compare {
            runs: _,
            seeds,
            first_seed,
            arms,
            settings,
            name,
        } => compare::run(&CompareOptions {
            seeds: compare::seeds(*first_seed, *seeds)?,
            arms: arms.clone(),
            layers: settings.layers()?,
            name: name.clone(),
        }),
        Command::Report {
            run,
            serve: Some(port),
        } => {
            let server = Server::bind(run, *port)?;
            say(&format!(
                "http://{}/ shows {} (Ctrl-C ends it)",
                server.address(),
                run.display()
            ));
            server.run();
            Ok(())
        }
        Command::Report { run, serve: None } => {
            crate::stdout::line(format_args!("{}", write_report(run)?.display()))?;
            Ok(())
        }
        Command::Verify {
            input,
            output,
            policy,
            extract,
            skip_bad_rows,
            code,
        } => {
            let options = VerifyOptions {
                input: input.clone(),
                output: output.clone(),
                extraction: extract.clone(),
                policy: policy.clone(),
                code: code.config(),
                skip_bad_rows: *skip_bad_rows,
            };
            if let Some(tally) = verify::run(&options, true)? {
                crate::view::say(&format!("verified {tally}"));
            }
            Ok(())
        }
        Command::Config {
            explain, markdown, ..
        } => {
            let text = match explain {
                Some(name) => config::explain(name)?,
                None if *markdown => config::page()?,
                None => config::list()?,
            };
            crate::stdout::text_of(format_args!("{text}"))?;
            Ok(())
        }
        Command::Doctor { sandbox } => doctor::run(&sandbox.config(), &mut std::io::stdout()),
    }
}

fn train(config: &Config, name: Option<&str>, progress: ProgressMode) -> Result<(), TrainError> {
    // What can be refused is refused before the folder is made.
    let clock = Instant::now();
    let start = initial_model(config)?;
    let problems = Problems::open(config, &start.tokenizer)?;
    if problems.runs_unsandboxed() {
        crate::view::say("warning: programs run without a sandbox, with your own rights");
    }
    for note in problems.notes() {
        crate::view::say(note);
    }
    let plan = MemoryPlan::new(config, &start.shape, problems.longest_prompt())?;
    let warning = memory_limit::check(config, &plan, memory_limit::limit())?;
    let opening = opening::lines(config, &start, &problems);
    drop((problems, start));
    let looked = clock.elapsed().as_secs_f64();
    let folder = create_run_folder(config, name)?;
    let _held = lock(&folder)?;
    crate::view::say(&format!("run     {}", folder.display()));
    for line in opening {
        crate::view::say(&line);
    }
    crate::view::say(&format!("{}\n{plan}", sizes(config)));
    if let Some(warning) = warning {
        say(&warning);
    }
    let view = View::start(progress, &folder, config.rl.steps as u64);
    let start = match warmed_up_model(config, true) {
        Ok(start) => Start {
            opening: start.opening + looked,
            ..start
        },
        Err(error) => {
            discard(&folder);
            return Err(error);
        }
    };
    let run = match Run::start(config, &folder, start, true) {
        Ok(run) => run,
        Err(error @ TrainError::Preflight { .. }) => {
            // Nothing was trained: the name is free for another try.
            let _ = std::fs::remove_dir_all(&folder);
            return Err(error);
        }
        Err(error) => return Err(error),
    };
    let summary = run.finish()?;
    drop(view);
    print_summary(&summary, &folder);
    Ok(())
}

/// prompts × K = responses → mini-batches → micro-batches.
fn sizes(config: &Config) -> String {
    let rl = &config.rl;
    let responses = rl.prompts_per_step * rl.group_size;
    let mini = if rl.mini_batch_size == 0 {
        responses
    } else {
        rl.mini_batch_size.min(responses)
    };
    let micro = match rl.micro_batch_tokens {
        0 => format!("{}", rl.micro_batch_size.min(mini)),
        tokens => format!("at most {tokens} tokens"),
    };
    format!(
        "a step: {} prompts sampled, {} kept × {} responses = {responses} → {} mini-batch(es) of {mini} × {} epoch(s) → micro-batches of {micro}",
        config.responses_per_step() / rl.group_size,
        rl.prompts_per_step,
        rl.group_size,
        responses.div_ceil(mini),
        rl.epochs_per_step,
    )
}

fn print_plan(config: &Config) -> Result<(), TrainError> {
    let (shape, tokenizer) = initial_shape(config)?;
    let problems = Problems::open(config, &tokenizer)?;
    crate::stdout::line(format_args!("{}", config.to_toml()?))?;
    crate::stdout::line(format_args!("# {}", sizes(config)))?;
    for note in problems.notes() {
        crate::stdout::line(format_args!("# {note}"))?;
    }
    let plan = MemoryPlan::new(config, &shape, problems.longest_prompt())?;
    for line in plan.to_string().lines() {
        crate::stdout::line(format_args!("# {line}"))?;
    }
    let there = memory_limit::limit();
    if let Some(bytes) = there {
        crate::stdout::line(format_args!(
            "#   {:<20}{:>10.1} MiB",
            "there are",
            bytes as f64 / f64::from(1 << 20)
        ))?;
    }
    if let Some(warning) = memory_limit::check(config, &plan, there)? {
        crate::stdout::line(format_args!("# {warning}"))?;
    }
    Ok(())
}

fn print_summary(summary: &Summary, folder: &Path) {
    let report = folder.join("report.html");
    // The run is done and written: who reads of it here is no matter of its success.
    let _ = crate::stdout::line(format_args!(
        "\n{}\n  report: {}",
        summary.table(),
        report.display()
    ));
}

/// The configuration of a command on a model that is there.
fn with_model(
    model: &Path,
    settings: &Settings,
    given: &[Layer],
    purpose: Purpose,
) -> Result<Config, TrainError> {
    if let Some(device) = &settings.device {
        device_by_name(device)?;
    }
    let layers = ModelArgument::find(model)?.layers(given)?;
    let resolved = resolve_for(&layers, purpose).or_else(|error| {
        // A model that cannot be read is the first thing to know, before what is to be done with it.
        if let Ok(readable) = resolve_for(&layers, Purpose::Sampling) {
            initial_model(&readable.config)?;
        }
        Err(TrainError::from(error))
    })?;
    for note in &resolved.notes {
        crate::view::say(&format!("note: {note}"));
    }
    Ok(resolved.config)
}

fn system_layer(text: &str) -> Result<Layer, TrainError> {
    if text.trim().is_empty() {
        return Err(TrainError::Usage(
            "--system is empty: leave it out for no system message".to_owned(),
        ));
    }
    let value = toml::Value::String(text.to_owned());
    Ok(Layer::text(
        "--system",
        &format!("data.system_prompt = {value}"),
    )?)
}

fn eval(model: &Path, settings: &Settings, responses: Option<&Path>) -> Result<(), TrainError> {
    if let Some(path) = responses {
        can_be_a_file(path)?;
    }
    let mut config = with_model(model, settings, &settings.layers()?, Purpose::Measuring)?;
    // Measuring reads no row to train on.
    config.data.train_file = DataFiles::default();
    let rows = config.data.task.builtin().is_none();
    if rows && config.data.eval_file.is_empty() && config.data.eval_sets.is_empty() {
        let message = "eval with data.task = \"rows\" needs data.eval_file or data.eval_sets";
        return Err(TrainError::Usage(message.to_owned()));
    }
    let start = initial_model(&config)?;
    let problems = Problems::open(&config, &start.tokenizer)?;
    for note in problems.notes() {
        crate::view::say(note);
    }
    let count = config.eval.problems;
    crate::view::say(&opening::evaluating(&problems, &config, count));
    let clock = Instant::now();
    // A panel is for what takes steps.
    let view = View::start(ProgressMode::Plain, model, 0);
    let mut all = vec![];
    let mut keep = |response| {
        if responses.is_some() {
            all.push(response);
        }
    };
    let (model, tokenizer) = (&start.model, &start.tokenizer);
    let result = evaluate_with(model, &config, &problems, tokenizer, count, &mut keep);
    drop(view);
    if let Some(path) = responses {
        // Also where nothing could be judged: why is in there.
        write_responses(path, &all)?;
        crate::view::say(&format!("{} responses in {}", all.len(), path.display()));
    }
    let result = result?;
    crate::view::say(&format!(
        "evaluated in {:.1} s",
        clock.elapsed().as_secs_f64()
    ));
    if result.without_votes > 0 && result.k > 1 {
        crate::view::say(&format!(
            "note: {} of {} problems are of code, where answers cannot be compared: they have no votes and no part in maj@k",
            result.without_votes, result.n
        ));
    }
    let text = serde_json::to_string_pretty(&result).map_err(|e| TrainError::Encode {
        what: "the evaluation",
        reason: e.to_string(),
    })?;
    crate::stdout::line(format_args!("{text}"))?;
    Ok(())
}

/// Refuses before the work what could not be written after it.
fn can_be_a_file(path: &Path) -> Result<(), TrainError> {
    let problem = match path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        _ if path.is_dir() => "it is a folder; name a file",
        Some(parent) if parent.exists() && !parent.is_dir() => "what is to be its folder is a file",
        _ => return Ok(()),
    };
    Err(TrainError::Usage(format!(
        "--responses {}: {problem}",
        path.display()
    )))
}

/// What the data and the model look like together, without a run.
fn preflight_alone(config: &Config) -> Result<(), TrainError> {
    let start = initial_model(config)?;
    let problems = Problems::open(config, &start.tokenizer)?;
    for note in problems.notes() {
        crate::view::say(note);
    }
    let plan = MemoryPlan::new(config, &start.shape, problems.longest_prompt())?;
    for line in opening::lines(config, &start, &problems) {
        crate::stdout::line(format_args!("{line}"))?;
    }
    crate::stdout::line(format_args!("{}\n{plan}\n", sizes(config)))?;
    if config.data.task.builtin().is_some() && config.warmup.steps > 0 {
        crate::view::say("note: the model is tried as it is before the warm-up");
    }
    let (tokenizer, shape) = (start.tokenizer, start.shape);
    let learner = Learner::new(start.model, config)?;
    let found = preflight(&learner, config, &problems, &tokenizer)?.with_memory(
        config,
        &shape,
        problems.longest_prompt(),
    )?;
    crate::stdout::line(format_args!("{found}"))?;
    found.usable()
}

fn merge(model: &Path, out: &Path, device: &str) -> Result<(), TrainError> {
    if model.is_dir() && !AdapterFolder::is_one(model) {
        let message = format!(
            "{} holds no adapter (adapter_config.json without config.json): there is nothing to merge",
            model.display()
        );
        return Err(TrainError::Usage(message));
    }
    if out.exists() {
        let message = format!(
            "--out {}: it exists already; name a new folder",
            out.display()
        );
        return Err(TrainError::Usage(message));
    }
    let device = device_by_name(device)?;
    AdapterFolder::load(model, &device, AdapterUse::Inference)?
        .merged()
        .save(out)?;
    crate::stdout::line(format_args!("{}", out.display()))?;
    Ok(())
}
