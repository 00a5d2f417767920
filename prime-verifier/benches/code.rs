//! How many tests of programs run per second, in the sandbox and as plain subprocesses.
//!
//! ```text
//! cargo bench -p prime-verifier --bench code -- [--quick] [--layers] [--rounds N] [--python FILE]
//! ```
//!
//! All ways of running the same program with the same input take turns, a few runs each, round by round; a way's time is the
//! median of its rounds. So a busy machine slows all of them alike, and the ratios hold. `--layers` times the sandbox without
//! each of its layers instead.

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use prime_verifier::code::{
    CodeConfig, CodeVerifier, DEFAULT_PREAMBLE, StdinCase, TestCases, TestVerdict, Ticket,
};
use prime_verifier::sandbox::Layer;

/// Short, as most tests of a data set are: what is measured is what every test costs.
const PROGRAM: &str = "\
def main():
    count = int(input())
    numbers = [int(word) for word in input().split()]
    print(sum(numbers[:count]))
main()
";
/// Runs of one way in one round.
const TURN: usize = 4;
/// Runs of one way in one round on all cores.
const MANY: usize = 64;
/// Rates that the sandbox has to reach, as multiples of a plain subprocess's.
const LEAST_SINGLE: f64 = 0.85;
const LEAST_PREFORKED: f64 = 3.0;

type Failure = Box<dyn Error>;

struct Options {
    rounds: usize,
    layers: bool,
    python: Option<PathBuf>,
}

fn options() -> Result<Options, Failure> {
    let mut options = Options {
        rounds: 40,
        layers: false,
        python: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--quick" => options.rounds = 8,
            "--layers" => options.layers = true,
            "--rounds" => options.rounds = value()?.parse::<usize>()?.max(1),
            "--python" => options.python = Some(value()?.into()),
            // Cargo says so.
            "--bench" => {}
            other => return Err(format!("no option {other}").into()),
        }
    }
    Ok(options)
}

/// What every run reads, and what it has to print.
fn case() -> StdinCase {
    let words: Vec<String> = (1..=100).map(|number: u32| number.to_string()).collect();
    StdinCase {
        input: format!("100\n{}\n", words.join(" ")),
        output: "5050\n".to_owned(),
    }
}

/// One way of running the program.
struct Way<'w> {
    name: String,
    runs: usize,
    /// Runs it so many times.
    run: Box<dyn FnMut(usize) + 'w>,
    /// Seconds a run, one entry a round.
    times: Vec<f64>,
}

impl<'w> Way<'w> {
    fn new(name: impl Into<String>, runs: usize, run: impl FnMut(usize) + 'w) -> Self {
        Self {
            name: name.into(),
            runs,
            run: Box::new(run),
            times: vec![],
        }
    }

    fn turn(&mut self) {
        let begun = Instant::now();
        (self.run)(self.runs);
        let seconds = begun.elapsed().as_secs_f64();
        self.times.push(seconds / self.runs as f64);
    }

    fn median(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }
}

/// Everything takes turns; the first one is not counted.
fn measure(ways: &mut [Way<'_>], rounds: usize) {
    for round in 0..=rounds {
        for at in 0..ways.len() {
            // Who follows whom changes, so that nobody always finds the caches as the same other left them.
            let count = ways.len();
            ways[(at + round) % count].turn();
        }
        if round == 0 {
            for way in &mut *ways {
                way.times.clear();
            }
        }
    }
}

/// Runs an interpreter as anybody would who trusts the program.
fn plain(python: &PathBuf, program: &str) {
    let case = case();
    let mut child = Command::new(python)
        .args(["-I", "-S", "-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the interpreter starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin
        .write_all(case.input.as_bytes())
        .expect("it reads its input");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success() && output.stdout == case.output.as_bytes());
}

fn plain_on(threads: usize, python: &PathBuf, program: &str, runs: usize) {
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                for _ in (thread..runs).step_by(threads) {
                    plain(python, program);
                }
            });
        }
    });
}

/// Grades the program so many times: at the same time if there are several workers, else one after the other.
fn graded(verifier: &CodeVerifier, runs: usize) {
    let accepted = |ticket: Ticket| {
        let grade = ticket.wait();
        assert_eq!(grade.verdict(), TestVerdict::Accepted, "{grade:?}");
    };
    let submit = |_| verifier.submit(PROGRAM, TestCases::Stdin(vec![case()]));
    if verifier.workers() == 1 {
        (0..runs).map(submit).for_each(accepted);
    } else {
        let tickets: Vec<Ticket> = (0..runs).map(submit).collect();
        tickets.into_iter().for_each(accepted);
    }
}

fn verifier(
    options: &Options,
    prefork: bool,
    preamble: &str,
    workers: usize,
    without: &[Layer],
) -> Result<CodeVerifier, Failure> {
    let mut config = CodeConfig::default();
    config.prefork = prefork;
    config.preamble = preamble.to_owned();
    config.workers = workers;
    config.python = options.python.clone();
    config.without_layers = without.to_vec();
    config.allow_unsandboxed = without.iter().any(|layer| layer.is_required());
    let verifier = CodeVerifier::new(&config)?;
    match verifier.why_not_preforked() {
        Some(why) if prefork => Err(format!("tests are not preforked: {why}").into()),
        _ => Ok(verifier),
    }
}

fn ratios(options: &Options) -> Result<(), Failure> {
    let single = verifier(options, false, "", 1, &[])?;
    let single_preamble = verifier(options, false, DEFAULT_PREAMBLE, 1, &[])?;
    let preforked = verifier(options, true, DEFAULT_PREAMBLE, 1, &[])?;
    let single_all = verifier(options, false, "", 0, &[])?;
    let preforked_all = verifier(options, true, DEFAULT_PREAMBLE, 0, &[])?;
    let python = single.python().path.clone();
    let cores = preforked_all.workers();
    println!(
        "{} ({}), {} rounds of {TURN} runs, {cores} cores\n{}\n",
        python.display(),
        single.python().version_text(),
        options.rounds,
        single.sandbox()
    );
    let with_preamble = format!("{DEFAULT_PREAMBLE}{PROGRAM}");
    let with_preamble = with_preamble.as_str();
    let python = &python;
    let many = MANY.next_multiple_of(cores);
    let mut ways = [
        Way::new("plain subprocess", TURN, |runs| {
            plain_on(1, python, PROGRAM, runs);
        }),
        Way::new("sandbox, one process per test", TURN, |runs| {
            graded(&single, runs);
        }),
        Way::new("plain subprocess, preamble", TURN, |runs| {
            plain_on(1, python, with_preamble, runs);
        }),
        Way::new("sandbox, one process per test, preamble", TURN, |runs| {
            graded(&single_preamble, runs);
        }),
        Way::new("sandbox, pre-forked, preamble", TURN, |runs| {
            graded(&preforked, runs);
        }),
    ];
    measure(&mut ways, options.rounds);
    println!("one thread");
    table(&ways, &[None, Some(0), None, Some(2), Some(2)]);
    let ratio = |of: usize, to: usize| ways[to].median() / ways[of].median();
    let (single_ratio, preforked_ratio) = (ratio(1, 0), ratio(4, 2));
    let mut ways = [
        Way::new("plain subprocesses", many, |runs| {
            plain_on(cores, python, PROGRAM, runs);
        }),
        Way::new("sandbox, one process per test", many, |runs| {
            graded(&single_all, runs);
        }),
        Way::new("plain subprocesses, preamble", many, |runs| {
            plain_on(cores, python, with_preamble, runs);
        }),
        Way::new("sandbox, pre-forked, preamble", many, |runs| {
            graded(&preforked_all, runs);
        }),
    ];
    measure(&mut ways, (options.rounds / 4).max(3));
    println!("\nall {cores} cores");
    table(&ways, &[None, Some(0), None, Some(2)]);
    println!();
    for (what, ratio, least) in [
        ("one process per test / plain", single_ratio, LEAST_SINGLE),
        (
            "pre-forked / plain with the preamble",
            preforked_ratio,
            LEAST_PREFORKED,
        ),
    ] {
        let enough = if ratio >= least { "yes" } else { "NO" };
        println!("{what:<40} {ratio:>5.2}   at least {least}: {enough}");
    }
    Ok(())
}

fn table(ways: &[Way<'_>], held_against: &[Option<usize>]) {
    println!("{:<40} {:>8} {:>8}   ratio", "", "ms", "runs/s");
    for (way, held_against) in ways.iter().zip(held_against) {
        let median = way.median();
        let rate = 1.0 / median;
        let ratio = held_against.map_or(String::new(), |at| {
            format!("{:.2}", ways[at].median() / median)
        });
        println!(
            "{:<40} {:>8.2} {rate:>8.0}   {ratio}",
            way.name,
            median * 1e3
        );
    }
}

fn layers(options: &Options) -> Result<(), Failure> {
    let whole = verifier(options, false, "", 1, &[])?;
    let python = &whole.python().path;
    let on = Layer::ALL.map(|layer| whole.sandbox().has(layer).then_some(layer));
    let on: Vec<Layer> = on.into_iter().flatten().collect();
    let namespaces: Vec<Layer> = on
        .iter()
        .copied()
        .filter(|layer| layer.name().ends_with("namespace"))
        .collect();
    let mut without: Vec<(String, Vec<Layer>)> = vec![("nothing left out".to_owned(), vec![])];
    without.extend(
        on.iter()
            .map(|layer| (layer.name().to_owned(), vec![*layer])),
    );
    without.push(("all namespaces".to_owned(), namespaces));
    without.push(("everything".to_owned(), on));
    for prefork in [false, true] {
        let preamble = if prefork { DEFAULT_PREAMBLE } else { "" };
        let mut verifiers = vec![];
        for (name, layers) in &without {
            // Without a sandbox nothing is forked.
            if prefork && layers.iter().any(|layer| layer.is_required()) {
                continue;
            }
            verifiers.push((name, verifier(options, prefork, preamble, 1, layers)?));
        }
        let mut ways: Vec<Way<'_>> = verifiers
            .iter()
            .map(|(name, verifier)| Way::new(*name, TURN, |runs| graded(verifier, runs)))
            .collect();
        if !prefork {
            ways.push(Way::new("(plain subprocess)", TURN, |runs| {
                plain_on(1, python, PROGRAM, runs);
            }));
        }
        measure(&mut ways, options.rounds);
        println!(
            "{}",
            match prefork {
                false => "one process per test, without",
                true => "\npre-forked, without",
            }
        );
        println!("{:<24} {:>8} {:>8} {:>10}", "", "ms", "runs/s", "saves ms");
        let all = ways[0].median();
        for way in &ways {
            let median = way.median();
            println!(
                "{:<24} {:>8.2} {:>8.0} {:>10.2}",
                way.name,
                median * 1e3,
                1.0 / median,
                (all - median) * 1e3
            );
        }
    }
    Ok(())
}

fn main() -> Result<(), Failure> {
    let options = options()?;
    match options.layers {
        true => layers(&options),
        false => ratios(&options),
    }
}
