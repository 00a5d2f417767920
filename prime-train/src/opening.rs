//! The first lines of a run: what is trained, on what, and how.

use burn::module::Module;

use crate::config::Config;
use crate::data::problems::Problems;
use crate::data::source::DataFiles;
use crate::start::Start;

/// Model, data, preset, device and warm-up, a line each.
pub(crate) fn lines(config: &Config, start: &Start, problems: &Problems) -> Vec<String> {
    vec![
        format!("model   {}", model(config, start)),
        format!("data    {}", data(config, problems)),
        format!("preset  {}, seed {}", config.preset, config.seed),
        format!(
            "device  {}, {} thread(s), {} products, prime-train {}",
            config.device,
            config.worker_threads(),
            format!("{:?}", config.model.compute_dtype).to_lowercase(),
            env!("CARGO_PKG_VERSION")
        ),
        format!("warm-up {}", warm_up(config)),
    ]
}

fn model(config: &Config, start: &Start) -> String {
    let shape = &start.shape;
    let origin = match config.model.path.as_str() {
        "" => "fresh",
        path => path,
    };
    let parameters = start.model.num_params() as f64;
    let size = match parameters {
        n if n >= 1e9 => format!("{:.2} billion", n / 1e9),
        n if n >= 1e6 => format!("{:.1} million", n / 1e6),
        n => format!("{n}"),
    };
    let adapters = match &start.base {
        Some(base) => format!(", adapters of rank {}", base.lora.rank),
        None if config.lora.rank > 0 => format!(", adapters of rank {}", config.lora.rank),
        None => String::new(),
    };
    let family = format!("{:?}", shape.family).to_lowercase();
    format!("{origin} ({family}, {size} parameters{adapters})")
}

fn data(config: &Config, problems: &Problems) -> String {
    if let Some(task) = problems.task() {
        return format!("the built-in task {}", task.name().as_str());
    }
    let data = &config.data;
    let mut said = match problems.train_limit() {
        Some(0) => "none to train on by reinforcement".to_owned(),
        Some(rows) => format!("{rows} rows of {}", named(&data.train_file)),
        None => named(&data.train_file),
    };
    let sources: Vec<&str> = problems.source_names().names().collect();
    if !sources.is_empty() {
        said.push_str(&format!(" (sources: {})", sources.join(", ")));
    }
    let held_out = problems.held_out().into_iter().map(|set| {
        let name = set.name.unwrap_or_else(|| named(&data.eval_file));
        format!("{name} ({})", set.limit.unwrap_or(0))
    });
    match held_out.collect::<Vec<_>>() {
        sets if sets.is_empty() => said.push_str("; held out: none, so no pass@1 is measured"),
        sets => said.push_str(&format!("; held out: {}", sets.join(", "))),
    }
    said
}

fn named(files: &DataFiles) -> String {
    let paths: Vec<&str> = files
        .entries()
        .iter()
        .map(|entry| entry.path.as_str())
        .collect();
    paths.join(" + ")
}

fn warm_up(config: &Config) -> String {
    let warmup = &config.warmup;
    if warmup.steps == 0 {
        return "none".to_owned();
    }
    let demonstrations = match config.data.task.builtin() {
        _ if !warmup.train_file.is_empty() => named(&warmup.train_file),
        Some(task) => format!("demonstrations of {}", task.name().as_str()),
        None => return "none".to_owned(),
    };
    format!("{} supervised steps on {demonstrations}", warmup.steps)
}

/// Said before an evaluation, which may take long.
pub(crate) fn evaluating(problems: &Problems, config: &Config, count: usize) -> String {
    let sets = problems.held_out();
    let sizes = sets
        .iter()
        .map(|set| set.limit.map_or(count, |limit| limit.min(count)));
    let total: usize = sizes.sum();
    let responses = match config.eval.k {
        1 => String::new(),
        k => format!(", {k} responses each"),
    };
    let of = match sets.len() {
        0 | 1 => String::new(),
        n => format!(" of {n} sets"),
    };
    format!("evaluating {total} held-out problems{of}{responses} …")
}
