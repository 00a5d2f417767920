//! How long an estimate takes: 1,024 responses of 3,072 tokens, in groups of four.
//!
//! ```text
//! cargo bench -p prime-advantage --bench estimators [--features rayon]
//! cargo bench -p prime-advantage --bench estimators -- --dump DIRECTORY
//! ```
//!
//! Benchmarks are called `CORES/ESTIMATOR/COLUMNS`, where `2_in_1_out` says that two numbers per token are read and one is
//! written; `copy` has the same columns. `--dump` writes the advantages themselves, as raw `f32`, for
//! `benchmarks/advantage_torch.py` to compare with its own.

mod copy;
mod data;

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use prime_advantage::{AdvantageEstimator, Gae, Grpo, Prime, ProcessNorm, RewardBatch, Rloo, Term};

use data::Data;

const RESPONSES: usize = 1_024;
const GROUP_SIZE: usize = 4;
const TOKENS: usize = 3_072;
const CORES: &str = if cfg!(feature = "rayon") {
    "all_cores"
} else {
    "one_core"
};

struct Case {
    name: &'static str,
    columns: (usize, usize),
    estimator: Box<dyn AdvantageEstimator>,
}

fn case(
    name: &'static str,
    columns: (usize, usize),
    estimator: impl AdvantageEstimator + 'static,
) -> Case {
    Case {
        name,
        columns,
        estimator: Box::new(estimator),
    }
}

/// PRIME's presets and its other process halves.
fn primes() -> Vec<Case> {
    let grpo = Prime::paper()
        .with_process(Grpo::default())
        .with_outcome(Grpo::default());
    // What the recipe's advantage function does: there, norm and dropped token come with the rewards.
    let after_norm = Prime::recipe()
        .with_process_norm(ProcessNorm::None)
        .with_drop_last_token(false);
    vec![
        case("prime_paper", (1, 1), Prime::paper()),
        case("prime_orig", (1, 2), Prime::orig()),
        case("prime_recipe", (1, 2), Prime::recipe()),
        case("prime_recipe_after_norm", (1, 2), after_norm),
        case("prime_grpo", (1, 1), grpo),
    ]
}

/// Every other estimator, with default knobs.
fn terms() -> Vec<Case> {
    let own_name = |name: &&'static str| {
        let term = Term::from_name(name)?;
        (term.name() == *name).then_some((*name, term))
    };
    Term::NAMES
        .iter()
        .filter_map(own_name)
        .map(|(name, term)| case(name, columns(name), term))
        .collect()
}

/// How many numbers per token an estimator reads and writes.
fn columns(term: &str) -> (usize, usize) {
    match term {
        "gae" => (2, 2),
        "optimal_token_baseline" => (4, 2),
        "reinforce_plus_plus" | "remax" => (1, 2),
        "value_baseline" => (1, 1),
        // Whitened: the returns are numbers of their own.
        "reinforce_plus_plus_baseline" | "gdpo" => (0, 2),
        _ => (0, 1),
    }
}

fn label((read, written): (usize, usize)) -> String {
    format!("{read}_in_{written}_out")
}

fn estimators(c: &mut Criterion) {
    let data = Data::new(RESPONSES, GROUP_SIZE, TOKENS);
    let batch = data.everything();
    let mut group = c.benchmark_group(CORES);
    group.sampling_mode(SamplingMode::Flat);
    group.throughput(Throughput::Elements(batch.token_count() as u64));
    for case in primes().into_iter().chain(terms()) {
        let id = BenchmarkId::new(case.name, label(case.columns));
        group.bench_function(id, |b| b.iter(|| case.estimator.estimate(&batch)));
    }
    let gaps = data.with_gaps();
    let id = BenchmarkId::new("prime_recipe_with_gaps", label((1, 2)));
    group.bench_function(id, |b| b.iter(|| Prime::recipe().estimate(&gaps)));
}

fn scaling(c: &mut Criterion, what: &str, sizes: [usize; 5], data: impl Fn(usize) -> Data) {
    let mut group = c.benchmark_group(format!("{CORES}_{what}"));
    group.sampling_mode(SamplingMode::Flat);
    for size in sizes {
        let data = data(size);
        let batch = data.everything();
        group.throughput(Throughput::Elements(batch.token_count() as u64));
        let mut bench = |name, estimator: &dyn AdvantageEstimator| {
            group.bench_function(BenchmarkId::new(name, size), |b| {
                b.iter(|| estimator.estimate(&batch))
            });
        };
        bench("prime_recipe", &Prime::recipe());
        bench("rloo", &Rloo::default());
        bench("gae", &Gae::default());
    }
}

fn construction(c: &mut Criterion) {
    let data = &Data::new(RESPONSES, GROUP_SIZE, TOKENS);
    let mut group = c.benchmark_group("construction");
    group.sampling_mode(SamplingMode::Flat);
    group.throughput(Throughput::Elements(data.token_count() as u64));
    let mut bench = |name, read, build: fn(&Data) -> RewardBatch<'_>| {
        let id = BenchmarkId::new(name, label((read, 0)));
        group.bench_function(id, |b| b.iter(|| black_box(build(data)).response_count()));
    };
    bench("process_rewards", 1, Data::process_only);
    bench("everything", 5, Data::everything);
}

fn copies(c: &mut Criterion) {
    let data = Data::new(RESPONSES, GROUP_SIZE, TOKENS);
    let count = data.token_count();
    let shapes = [(0, 1), (0, 2), (1, 1), (1, 2), (2, 2), (4, 2)];
    for name in ["copy", "copy_over"] {
        let mut group = c.benchmark_group(name);
        group.sampling_mode(SamplingMode::Flat);
        group.throughput(Throughput::Elements(count as u64));
        for shape in shapes {
            let columns = data.columns(shape.0);
            let id = label(shape);
            if name == "copy" {
                group.bench_function(id, |b| {
                    b.iter(|| copy::fresh(black_box(&columns), shape.1, count))
                });
            } else {
                let mut outputs = vec![vec![0.0; count]; shape.1];
                group.bench_function(id, |b| {
                    b.iter(|| copy::overwrite(black_box(&columns), black_box(&mut outputs)))
                });
            }
        }
    }
}

fn dump(directory: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let data = Data::new(RESPONSES, GROUP_SIZE, TOKENS);
    let batch = data.everything();
    std::fs::create_dir_all(directory)?;
    for case in primes().into_iter().chain(terms()) {
        let result = case.estimator.estimate(&batch)?;
        let numbers = result.advantages().iter();
        let bytes: Vec<u8> = numbers.flat_map(|x| x.to_le_bytes()).collect();
        std::fs::write(directory.join(format!("{}.f32", case.name)), bytes)?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--dump") {
        let directory = arguments.get(at + 1).ok_or("--dump needs a directory")?;
        return dump(Path::new(directory));
    }
    // glibc gives blocks as large as these results back to the system after every call, unless it has seen a larger one
    // come and go; then half of the time would be page faults, in some benchmarks and not in others.
    drop(black_box(vec![1_u8; 31 << 20]));
    let mut c = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500))
        .configure_from_args();
    estimators(&mut c);
    // Half as many responses: then the results of the longest are no larger than elsewhere.
    let lengths = [384, 768, 1_536, 3_072, 6_144];
    scaling(&mut c, "tokens", lengths, |tokens| {
        Data::new(RESPONSES / 2, GROUP_SIZE, tokens)
    });
    scaling(&mut c, "group_size", [2, 4, 8, 16, 32], |group_size| {
        Data::new(RESPONSES, group_size, TOKENS)
    });
    if !cfg!(feature = "rayon") {
        construction(&mut c);
        copies(&mut c);
    }
    c.final_summary();
    Ok(())
}
