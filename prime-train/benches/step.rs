//! Seconds per phase of one PRIME step, at the size of the built-in recipe.
//!
//! ```text
//! cargo bench -p prime-train --bench step -- [--steps N] [--replay-batches N] [--sampled] [--tsv FILE]
//! ```
//!
//! The step is `prime_train::step::step` itself, and the seconds are those it reports in `timing_s/*`. The recipe has four
//! replayed mini-batches and credit for every next token; `--sampled` gives credit to the sampled tokens only.
//! `benchmarks/torch_step.py` is the same work in PyTorch.

use std::error::Error;
use std::fmt::Write;

use prime_policy::Tokenizer;
use prime_train::config::{Config, Layer, resolve};
use prime_train::data::problems::Problems;
use prime_train::metrics::StepMetrics;
use prime_train::run::{Start, warmed_up_model};
use prime_train::step::{Environment, Learner, step};

// The allocator of the `prime-train` binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Everything that the amount of work depends on; `torch_step.py` has the same numbers.
const SIZES: [&str; 22] = [
    "data.task=exam",
    "model.hidden_size=64",
    "model.intermediate_size=128",
    "model.num_hidden_layers=2",
    "model.num_attention_heads=4",
    "model.num_key_value_heads=4",
    "sampling.max_new_tokens=36",
    "rl.prompts_per_step=8",
    "rl.group_size=4",
    "rl.oversample_factor=1.0",
    "rl.epochs_per_step=4",
    "rl.mini_batch_size=0",
    "rl.micro_batch_size=16",
    // A policy that stays where it is goes on answering in full length.
    "rl.lr=1e-9",
    "rl.entropy_coef=0.0",
    "filter.accuracy=false",
    "kl.placement=none",
    "prm.update=after",
    "prm.replay.steps=50",
    "prm.micro_batch_size=16",
    "prm.process_groups=all",
    "prm.process_warmup_steps=0",
];
/// Sequences in the policy's passes of a step, and in a replayed mini-batch of the PRM.
const POLICY_SEQUENCES: usize = 4 * 32;
const REPLAYED: usize = 64;
/// Steps before the first measured one: the replay has to hold a full mini-batch.
const UNMEASURED: usize = 4;

const PHASES: [(&str, &str); 6] = [
    ("sampling", "timing_s/rollout"),
    ("verifying", "timing_s/verify"),
    ("PRM", "timing_s/prm"),
    ("advantages", "timing_s/advantages"),
    ("policy", "timing_s/policy"),
    ("whole step", "timing_s/step"),
];

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let flag = |name: &str| arguments.iter().any(|argument| argument == name);
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)
    };
    let number = |name: &str, default: usize| value(name).map_or(Ok(default), |n| n.parse());
    let work = Work {
        all_actions: !flag("--sampled"),
        replay_batches: number("--replay-batches", 4)?,
    };
    // Without `--bench` this is `cargo test`, which only wants to know that it runs.
    if flag("--test") || !flag("--bench") {
        let config = work.config(1, 0)?;
        measure(&config, &warmed_up_model(&config, false)?, 0, 1)?;
        return Ok(());
    }
    let steps = number("--steps", 30)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if cores == 1 { vec![1] } else { vec![1, cores] };

    // Long enough for responses to have the format, and so all the same length.
    let start = warmed_up_model(&work.config(0, 150)?, false)?;
    let columns = threads
        .iter()
        .map(|&threads| measure(&work.config(threads, 150)?, &start, UNMEASURED, steps))
        .collect::<Fallible<Vec<_>>>()?;
    let (table, tsv) = tables(&work, &threads, &columns)?;
    println!("seconds a step, median of {steps} steps; tokens per second\n\n{table}");
    if let Some(path) = value("--tsv") {
        std::fs::write(path, tsv)?;
    }
    Ok(())
}

/// What the command line decides.
struct Work {
    all_actions: bool,
    replay_batches: usize,
}

impl Work {
    fn config(&self, threads: usize, warm_up: usize) -> Fallible<Config> {
        let credit = if self.all_actions {
            "all_actions"
        } else {
            "sampled"
        };
        let own = [
            format!("prm.process_credit={credit}"),
            format!("prm.replay.mini_batches={}", self.replay_batches),
            format!("prm.replay.batch_size={REPLAYED}"),
            format!("threads={threads}"),
            format!("warmup.steps={warm_up}"),
        ];
        let mut layers = vec![Layer::preset("prime")];
        for setting in SIZES.into_iter().chain(own.iter().map(String::as_str)) {
            layers.push(Layer::set(setting)?);
        }
        Ok(resolve(&layers)?)
    }

    fn trained_sequences(&self) -> f64 {
        (POLICY_SEQUENCES + self.replay_batches * REPLAYED) as f64
    }
}

/// The metrics of `steps` steps after `unmeasured` ones.
fn measure(
    config: &Config,
    start: &Start,
    unmeasured: usize,
    steps: usize,
) -> Fallible<Vec<StepMetrics>> {
    let tokenizer: &Tokenizer = &start.tokenizer;
    let mut learner = Learner::new(start.model.clone(), config)?;
    let environment = Environment {
        config,
        problems: &Problems::open(config, tokenizer)?,
        tokenizer,
        estimator: &config.estimator(true),
        outcome_estimator: &config.estimator(false),
        objective: &config.objective(),
    };
    let mut measured = Vec::with_capacity(steps);
    for number in 0..unmeasured + steps {
        let report = step(&mut learner, &environment)?;
        if number >= unmeasured {
            measured.push(report.metrics);
        }
    }
    Ok(measured)
}

/// The printed table, and the same numbers as `phase threads value` lines.
fn tables(
    work: &Work,
    threads: &[usize],
    columns: &[Vec<StepMetrics>],
) -> Fallible<(String, String)> {
    let (mut table, mut tsv) = (format!("{:<22}", "threads"), String::new());
    for threads in threads {
        write!(table, "{threads:>12}")?;
    }
    let mut row = |name: &str, precision: usize, values: Vec<f64>| -> Fallible<()> {
        write!(table, "\n{name:<22}")?;
        for (threads, value) in threads.iter().zip(values) {
            write!(table, "{value:>12.precision$}")?;
            writeln!(tsv, "{name}\t{threads}\t{value}")?;
        }
        Ok(())
    };
    for (name, metric) in PHASES {
        row(
            name,
            4,
            columns.iter().map(|steps| median(steps, metric)).collect(),
        )?;
    }
    let of = |f: &dyn Fn(&[StepMetrics]) -> f64| columns.iter().map(|steps| f(steps)).collect();
    let length = |steps: &[StepMetrics]| median(steps, "response_length/mean");
    row("response length", 1, of(&length))?;
    row(
        "sampled tokens/s",
        0,
        of(&|steps| median(steps, "rollouts") * length(steps) / median(steps, "timing_s/rollout")),
    )?;
    row(
        "trained tokens/s",
        0,
        of(&|steps| {
            let seconds = median(steps, "timing_s/prm") + median(steps, "timing_s/policy");
            work.trained_sequences() * (38.0 + length(steps)) / seconds
        }),
    )?;
    table.push('\n');
    Ok((table, tsv))
}

/// The median of a metric; NaN where no step has it.
fn median(steps: &[StepMetrics], metric: &str) -> f64 {
    let mut values: Vec<f64> = steps.iter().filter_map(|step| step.get(metric)).collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n => (values[(n - 1) / 2] + values[n / 2]) / 2.0,
    }
}
