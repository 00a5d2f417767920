//! How long the maths grader takes for a pair: both answers read, then compared.
//!
//! ```text
//! cargo bench -p prime-verifier --bench math -- [--repetitions N] [--limit ROWS] [--tsv FILE] [CORPUS]
//! ```
//!
//! The corpus (by default `tests/corpora/math_dev.jsonl`, or what `MATH_CORPUS` names) has one JSON object a line: `gold`,
//! `pred`, and `form`, `answer` for two bare answers or else the text of a model as `pred`. A pair's time is the median of
//! its repetitions, because a pair takes less long than the scheduler keeps a process waiting; the longest single call is
//! printed too. `--tsv` writes every pair's verdict and time for `benchmarks/math_verify_pairs.py`.

use std::error::Error;
use std::fmt::Write;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use prime_verifier::math::{Extraction, MathPolicy, MathVerifier, compare};
use serde_json::Value;

struct Pair {
    id: String,
    gold: String,
    answer: String,
    bare: bool,
}

struct Options {
    corpus: String,
    repetitions: usize,
    limit: usize,
    tsv: Option<String>,
}

struct Grader {
    policy: MathPolicy,
    verifier: MathVerifier,
}

impl Grader {
    fn grade(&self, pair: &Pair) -> bool {
        if pair.bare {
            compare(&pair.gold, &pair.answer, &self.policy).is_equal()
        } else {
            let grade = self.verifier.grade(&pair.answer, &[&pair.gold]);
            grade.comparison.is_equal()
        }
    }
}

fn options() -> Result<Options, Box<dyn Error>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpora/math_dev.jsonl");
    let mut options = Options {
        corpus: std::env::var("MATH_CORPUS").unwrap_or_else(|_| corpus.display().to_string()),
        repetitions: 31,
        limit: usize::MAX,
        tsv: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--repetitions" => options.repetitions = value()?.parse::<usize>()?.max(1),
            "--limit" => options.limit = value()?.parse()?,
            "--tsv" => options.tsv = Some(value()?),
            // Cargo says so.
            "--bench" => {}
            flag if flag.starts_with("--") => return Err(format!("no option {flag}").into()),
            _ => options.corpus = argument,
        }
    }
    Ok(options)
}

fn pairs(options: &Options) -> Result<Vec<Pair>, Box<dyn Error>> {
    let text = std::fs::read_to_string(&options.corpus)
        .map_err(|error| format!("{}: {error}", options.corpus))?;
    let rows = text.lines().filter(|line| !line.trim().is_empty());
    rows.take(options.limit)
        .map(|line| {
            let row: Value = serde_json::from_str(line)?;
            let field = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            Ok(Pair {
                id: field("id"),
                gold: field("gold"),
                answer: field("pred"),
                bare: matches!(&*field("form"), "" | "answer"),
            })
        })
        .collect()
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Pairs per second when `threads` share the corpus, `rounds` times over.
fn throughput(grader: &Grader, pairs: &[Pair], threads: usize, rounds: usize) -> f64 {
    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                for _ in 0..rounds {
                    for pair in pairs.iter().skip(thread).step_by(threads) {
                        black_box(grader.grade(black_box(pair)));
                    }
                }
            });
        }
    });
    (rounds * pairs.len()) as f64 / start.elapsed().as_secs_f64()
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = options()?;
    let pairs = pairs(&options)?;
    if pairs.is_empty() {
        return Err("the corpus is empty".into());
    }
    let policy = MathPolicy::default();
    let grader = Grader {
        verifier: MathVerifier::new(Extraction::anywhere(), policy.clone()),
        policy,
    };
    // Round by round rather than pair by pair: what was graded before a pair is another pair, as in a run.
    let mut times = vec![vec![]; pairs.len()];
    let mut equal = vec![false; pairs.len()];
    for round in 0..=options.repetitions {
        for ((pair, times), equal) in pairs.iter().zip(&mut times).zip(&mut equal) {
            let start = Instant::now();
            *equal = black_box(grader.grade(black_box(pair)));
            let took = start.elapsed();
            if round > 0 {
                times.push(took);
            }
        }
    }
    let longest = times.iter().flatten().max().copied().unwrap_or_default();
    let mut per_pair: Vec<Duration> = vec![];
    for own in &mut times {
        own.sort_unstable();
        per_pair.push(own[own.len() / 2]);
    }
    if let Some(file) = &options.tsv {
        let mut table = String::from("id\tequal\tmicroseconds\n");
        for ((pair, equal), time) in pairs.iter().zip(&equal).zip(&per_pair) {
            let equal = u8::from(*equal);
            writeln!(table, "{}\t{equal}\t{:.3}", pair.id, microseconds(*time))?;
        }
        std::fs::write(file, table)?;
    }
    print(&options, per_pair, longest);
    for threads in [1, 2] {
        let rate = throughput(&grader, &pairs, threads, options.repetitions);
        println!("throughput, threads {threads}  {rate:>9.0} pairs/s");
    }
    Ok(())
}

fn print(options: &Options, mut per_pair: Vec<Duration>, longest: Duration) {
    per_pair.sort_unstable();
    let count = per_pair.len();
    let at = |share: f64| microseconds(per_pair[((count as f64 * share) as usize).min(count - 1)]);
    let mean = microseconds(per_pair.iter().sum()) / count as f64;
    println!(
        "{}: {count} pairs, {} repetitions, one core",
        options.corpus, options.repetitions
    );
    for (name, time) in [("median", at(0.5)), ("mean", mean)] {
        println!("{name:<8} {time:>10.1} µs {:>9.0} pairs/s", 1e6 / time);
    }
    for (name, time) in [("p99", at(0.99)), ("max", at(1.0))] {
        println!("{name:<8} {time:>10.1} µs");
    }
    println!("longest single call {:.1} µs", microseconds(longest));
}
