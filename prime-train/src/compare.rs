//! Several arms over several seeds: one chart, one table.
//!
//! All arms of a seed start from the same warmed-up model and see the same problems. Runs share the cores, one thread
//! each; their results do not depend on that.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use prime_policy::parallel_map;

use crate::config::{Config, Layer, Purpose, Resolved, resolve_for};
use crate::error::TrainError;
use crate::files::write_atomically;
use crate::metrics::{StepMetrics, read_metrics};
use crate::progress::Progress;
use crate::report::{Arm, Color, ResultTable, RunLink, compare_chart, compare_page, curve};
use crate::run::{Run, Start, create_run_folder, warmed_up_model};

/// What is compared when nothing is named: (arm, preset, settings over the preset).
///
/// Learning rates, PPO epochs and the filter of each arm were chosen over one small grid on seeds that are not used
/// here (`ARCHITECTURE.md`, "Comparing fairly").
const ARMS: [(&str, &str, &[&str]); 10] = [
    ("PRIME (ours)", "prime", &[]),
    ("PRIME (anchored)", "anchored", &[]),
    ("PRIME (paper)", "paper", &[]),
    ("GRPO + PRIME", "grpo_prime", &[]),
    ("RLOO", "rloo", &[]),
    ("RLOO, no filter", "rloo", &["filter.accuracy=false"]),
    ("GRPO", "grpo", &[]),
    ("REINFORCE", "reinforce", &[]),
    ("PPO", "ppo", &[]),
    ("oracle", "oracle", &[]),
];

/// Pass rates whose first crossing is reported.
const THRESHOLDS: [f64; 2] = [0.5, 0.8];
const PHASES: [&str; 4] = ["rollout", "prm", "policy", "step"];

/// What to compare.
#[derive(Debug, Clone)]
pub struct CompareOptions {
    /// At least one.
    pub seeds: Vec<u64>,
    /// Names of arms; empty = all. A preset's name, optionally followed by `+key=value` settings, is an arm too.
    pub arms: Vec<String>,
    /// Settings over every arm's own.
    pub layers: Vec<Layer>,
    /// The folder's name.
    pub name: Option<String>,
}

struct Plan {
    name: String,
    layers: Vec<Layer>,
}

fn plans(options: &CompareOptions) -> Result<Vec<Plan>, TrainError> {
    let built_in = |(name, preset, sets): &(&str, &str, &[&str])| -> Result<Plan, TrainError> {
        let mut layers = vec![Layer::preset(preset)];
        for set in *sets {
            layers.push(Layer::set(set)?);
        }
        Ok(Plan {
            name: (*name).to_owned(),
            layers,
        })
    };
    if options.arms.is_empty() {
        return ARMS.iter().map(built_in).collect();
    }
    options
        .arms
        .iter()
        .map(|wanted| {
            if let Some(arm) = ARMS.iter().find(|arm| arm.0 == wanted) {
                return built_in(arm);
            }
            let mut parts = wanted.split('+');
            let mut layers = vec![Layer::preset(parts.next().unwrap_or_default())];
            for set in parts {
                layers.push(Layer::set(set)?);
            }
            Ok(Plan {
                name: wanted.clone(),
                layers,
            })
        })
        .collect()
}

/// Runs all arms on all seeds and writes `compare.md`, `compare.svg` and `compare.html` beside the run folders.
///
/// # Errors
/// The first run that fails; runs that are done keep their folders.
pub fn run(options: &CompareOptions) -> Result<(), TrainError> {
    if options.seeds.is_empty() {
        return Err(TrainError::Usage(
            "compare needs at least one seed (--seeds 1)".to_owned(),
        ));
    }
    let plans = plans(options)?;
    let resolved = |plan: &Plan, seed: u64| -> Result<Resolved, TrainError> {
        let mut layers = vec![
            Layer::set("eval.every=2")?,
            Layer::set("eval.every_problems=384")?,
        ];
        layers.extend(plan.layers.iter().cloned());
        layers.extend(options.layers.iter().cloned());
        layers.push(Layer::set(&format!("seed={seed}"))?);
        layers.push(Layer::set("threads=1")?);
        Ok(resolve_for(&layers, Purpose::Training)?)
    };
    let config =
        |plan: &Plan, seed| -> Result<Config, TrainError> { Ok(resolved(plan, seed)?.config) };
    // Every arm is checked before the first one runs.
    let base = config(&plans[0], options.seeds[0])?;
    for plan in &plans {
        for note in resolved(plan, options.seeds[0])?.notes {
            eprintln!("note: {}: {note}", plan.name);
        }
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let name = match &options.name {
        Some(name) => name.clone(),
        None => free_name(Path::new(&base.run.out_dir)),
    };
    let folder = create_run_folder(&base, Some(&name))?;

    let bar = Mutex::new(Progress::new("warm-up", options.seeds.len() as u64));
    let tick = |bar: &Mutex<Progress>, message: &str| {
        bar.lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .tick(message);
    };
    let starts: Vec<Start> = parallel_map(cores, &options.seeds, |&seed| {
        let start = warmed_up_model(&config(&plans[0], seed)?, false)?;
        tick(&bar, &format!("seed {seed}"));
        Ok::<_, TrainError>(start)
    })?;

    let jobs: Vec<(usize, usize)> = (0..options.seeds.len())
        .flat_map(|s| (0..plans.len()).map(move |a| (a, s)))
        .collect();
    let bar = Mutex::new(Progress::new("compare", jobs.len() as u64));
    // Long and short arms alternate, so a queue balances where fixed shares would not.
    let next = std::sync::atomic::AtomicUsize::new(0);
    let workers: Vec<usize> = (0..cores.min(jobs.len())).collect();
    let done = parallel_map(cores, &workers, |_| {
        let mut mine = vec![];
        loop {
            let i = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let Some(&(a, s)) = jobs.get(i) else {
                return Ok::<_, TrainError>(mine);
            };
            let seed = options.seeds[s];
            let run = folder.join(format!("{}-{seed}", slug(&plans[a].name)));
            fs::create_dir(&run).map_err(TrainError::io("create", &run))?;
            Run::start(&config(&plans[a], seed)?, &run, starts[s].clone(), false)?.finish()?;
            tick(&bar, &format!("{} seed {seed}", plans[a].name));
            mine.push(((a, s), run));
        }
    })?;
    let runs: BTreeMap<(usize, usize), PathBuf> = done.into_iter().flatten().collect();
    report(&folder, &plans, options, &runs)
}

fn free_name(out: &Path) -> String {
    (1u32..)
        .map(|n| format!("compare-{n:03}"))
        .find(|name| !out.join(name).exists())
        .unwrap_or_else(|| "compare".to_owned())
}

fn slug(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        match c.is_ascii_alphanumeric() {
            true => out.push(c.to_ascii_lowercase()),
            false if !out.ends_with('-') => out.push('-'),
            false => {}
        }
    }
    out.trim_matches('-').to_owned()
}

fn report(
    folder: &Path,
    plans: &[Plan],
    options: &CompareOptions,
    runs: &BTreeMap<(usize, usize), PathBuf>,
) -> Result<(), TrainError> {
    let mut columns = vec![
        "arm".to_owned(),
        "mean pass@1 over the run".to_owned(),
        "final pass@1".to_owned(),
    ];
    for threshold in THRESHOLDS {
        columns.push(format!("steps to {threshold}"));
    }
    columns.push(format!("rollouts to {}", THRESHOLDS[1]));
    for phase in PHASES {
        columns.push(format!("s/step {phase}"));
    }
    let mut table = ResultTable::new(columns);
    let mut arms = vec![];
    for (a, plan) in plans.iter().enumerate() {
        let records: Vec<Vec<StepMetrics>> = (0..options.seeds.len())
            .filter_map(|s| runs.get(&(a, s)))
            .map(|run| read_metrics(&run.join("metrics.jsonl")))
            .collect::<Result<_, _>>()?;
        let curves: Vec<Vec<(u64, f64)>> =
            records.iter().map(|r| curve(r, "eval/pass@1")).collect();
        let mut row = vec![plan.name.clone()];
        row.push(spread(curves.iter().filter_map(|c| area(c))));
        row.push(spread(curves.iter().filter_map(|c| c.last().map(|p| p.1))));
        for threshold in THRESHOLDS {
            row.push(reached(curves.iter().map(|c| crossing(c, threshold))));
        }
        let per_step = records
            .first()
            .and_then(|r| r.last())
            .and_then(|r| r.get("rollouts"))
            .unwrap_or(0.0);
        let crossings = curves
            .iter()
            .map(|c| crossing(c, THRESHOLDS[1]).map(|s| s * per_step));
        row.push(reached(crossings));
        for phase in PHASES {
            let name = format!("timing_s/{phase}");
            let times: Vec<f64> = records
                .iter()
                .flatten()
                .filter_map(|r| r.get(&name))
                .collect();
            row.push(format!(
                "{:.3}",
                times.iter().sum::<f64>() / times.len().max(1) as f64
            ));
        }
        table.row(row);
        arms.push(Arm {
            name: plan.name.clone(),
            color: Color::nth(a),
            seeds: curves,
        });
    }
    let title = format!(
        "held-out pass@1, {} seeds (line: mean, band: range)",
        options.seeds.len()
    );
    let svg = compare_chart(&title, &arms);
    let markdown = table.to_markdown();
    let links: Vec<Vec<RunLink>> = (0..plans.len())
        .map(|a| {
            let runs = (0..options.seeds.len()).filter_map(|s| {
                let name = runs.get(&(a, s))?.file_name()?.to_string_lossy();
                Some(RunLink {
                    text: format!("seed {}", options.seeds[s]),
                    folder: name.into_owned(),
                })
            });
            runs.collect()
        })
        .collect();
    let html = compare_page(&title, &arms, &table, &links);
    write_atomically(&folder.join("compare.svg"), svg.as_bytes())?;
    write_atomically(&folder.join("compare.md"), markdown.as_bytes())?;
    write_atomically(&folder.join("compare.html"), html.as_bytes())?;
    println!(
        "\n{markdown}\nchart: {}",
        folder.join("compare.svg").display()
    );
    Ok(())
}

/// Mean height of a curve of (step, value): the trapezoid rule over its steps.
fn area(curve: &[(u64, f64)]) -> Option<f64> {
    let width = (curve.last()?.0 - curve.first()?.0) as f64;
    if width == 0.0 {
        return Some(curve.last()?.1);
    }
    let sum: f64 = curve
        .windows(2)
        .map(|w| (w[1].0 - w[0].0) as f64 * (w[0].1 + w[1].1) / 2.0)
        .sum();
    Some(sum / width)
}

/// The step at which a curve first reaches `threshold`, between two evaluations by a straight line.
fn crossing(curve: &[(u64, f64)], threshold: f64) -> Option<f64> {
    let at = curve.iter().position(|&(_, value)| value >= threshold)?;
    let (step, value) = curve[at];
    let Some(&(before, low)) = at.checked_sub(1).and_then(|i| curve.get(i)) else {
        return Some(step as f64);
    };
    let share = (threshold - low) / (value - low);
    Some(before as f64 + share * (step - before) as f64)
}

/// `mean ± sd` (unbiased).
fn spread(values: impl Iterator<Item = f64>) -> String {
    let values: Vec<f64> = values.collect();
    let n = values.len() as f64;
    if values.is_empty() {
        return "—".to_owned();
    }
    let mean = values.iter().sum::<f64>() / n;
    if values.len() == 1 {
        return format!("{mean:.3}");
    }
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    format!("{mean:.3} ± {:.3}", variance.sqrt())
}

/// The mean of those that arrived, with how many did if not all.
fn reached(crossings: impl Iterator<Item = Option<f64>>) -> String {
    let all: Vec<Option<f64>> = crossings.collect();
    let arrived: Vec<f64> = all.iter().flatten().copied().collect();
    if arrived.is_empty() {
        return "never".to_owned();
    }
    let mean = arrived.iter().sum::<f64>() / arrived.len() as f64;
    match arrived.len() == all.len() {
        true => format!("{mean:.1}"),
        false => format!("{mean:.1} ({} of {})", arrived.len(), all.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_measured_by_straight_lines() {
        let curve = [(0, 0.2), (2, 0.4), (4, 0.8)];
        assert_eq!(crossing(&curve, 0.6), Some(3.0));
        assert_eq!(crossing(&curve, 0.2), Some(0.0));
        assert_eq!(crossing(&curve, 0.9), None);
        assert!((area(&curve).unwrap() - 0.45).abs() < 1e-12);
        assert_eq!(area(&[]), None);
    }

    #[test]
    fn spreads_and_arrivals_are_honest() {
        assert_eq!(spread([0.5, 0.7].into_iter()), "0.600 ± 0.141");
        assert_eq!(reached([Some(10.0), None].into_iter()), "10.0 (1 of 2)");
        assert_eq!(reached([None].into_iter()), "never");
        assert_eq!(slug("GRPO + PRIME"), "grpo-prime");
    }

    #[test]
    fn every_built_in_arm_resolves() {
        let options = CompareOptions {
            seeds: vec![1],
            arms: vec![],
            layers: vec![],
            name: None,
        };
        for plan in plans(&options).unwrap() {
            crate::config::resolve(&plan.layers).unwrap();
        }
    }
}
