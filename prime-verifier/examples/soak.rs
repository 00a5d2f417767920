//! Grades programs of every kind in a loop, and looks for what they leave behind.
//!
//! `cargo run -p prime-verifier --example soak -- [--runs 100000] [--workers N] [--no-prefork] [--seed N]`
//!
//! Every run's verdict is asserted. Between rounds, when nothing runs, the grader's descriptors, memory, processes (with their
//! descriptors and memory), mounts and System V objects are counted. Fails if a verdict is wrong, or if anything has grown
//! since the first tenth of the runs: memory by more than 4 MiB, anything else at all.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use prime_verifier::code::{
    CallCase, CodeConfig, CodeVerifier, JsonValue, StdinCase, TestCases, Ticket,
};
use prime_verifier::sandbox::Limits;

/// Samples of a whole soak.
const SAMPLES: usize = 50;
/// Growth that is no leak: allocators keep what threads needed at the same time.
const MEMORY_SLACK: u64 = 4 << 20;
/// Standard output that a program may write here.
const OUTPUT: usize = 64 << 10;
/// Address space: little, since the kernel takes longer to fill it than a program that does not touch it takes altogether.
const MEMORY: u64 = 256 << 20;

struct Options {
    runs: usize,
    workers: usize,
    prefork: bool,
    seed: u64,
}

/// A program, and what must come of it.
struct Program {
    name: &'static str,
    code: &'static str,
    case: Case,
    verdict: &'static str,
    /// How many of some 1,000 runs are of it.
    weight: u64,
    grader: Grader,
}

#[derive(Clone, Copy)]
enum Case {
    Echo,
    /// More than a pipe holds.
    LongInput,
    Call,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Grader {
    Usual,
    /// With little time.
    Hurried,
    /// The usual one, which is then told to stop.
    Cancelled,
}

const fn program(
    weight: u64,
    verdict: &'static str,
    name: &'static str,
    code: &'static str,
) -> Program {
    Program {
        name,
        code,
        case: Case::Echo,
        verdict,
        weight,
        grader: Grader::Usual,
    }
}

const PROGRAMS: &[Program] = &[
    program(300, "AC", "echo", "print(input())"),
    program(
        60,
        "AC",
        "imports",
        "import fractions, decimal, collections\nprint(fractions.Fraction(input()))",
    ),
    Program {
        case: Case::LongInput,
        ..program(
            30,
            "AC",
            "long input",
            "import sys\nprint(len(sys.stdin.read()))",
        )
    },
    Program {
        case: Case::LongInput,
        ..program(30, "WA", "input not read", "print(1)")
    },
    program(100, "WA", "another answer", "print(int(input()) + 1)"),
    program(100, "RE", "exception", "print(1 // 0)"),
    program(30, "RE", "exit status", "raise SystemExit(3)"),
    program(30, "RE", "abort", "import os\nos.abort()"),
    program(20, "RE", "crash", "import ctypes\nctypes.string_at(0)"),
    program(80, "CE", "no program", "def f(:\n    pass"),
    program(30, "MLE", "memory at once", "x = bytearray(4 << 30)"),
    program(
        3,
        "MLE",
        "memory bit by bit",
        "x = []\nwhile True:\n    x.append(bytearray(16 << 20))",
    ),
    program(20, "OLE", "flood", "while True:\n    print('x' * 4000)"),
    program(
        20,
        "OLE",
        "flood of errors",
        "import sys\nwhile True:\n    sys.stderr.write('x' * 4000)",
    ),
    program(
        30,
        "AC",
        "closed descriptors",
        "import os\nprint(input(), flush=True)\nos.closerange(0, 64)",
    ),
    program(
        20,
        "AC",
        "opened descriptors",
        "import os\nfor _ in range(25): os.pipe()\nprint(input())",
    ),
    program(
        30,
        "AC",
        "threads",
        "import threading\nthreads = [threading.Thread(target=sum, args=([1, 2],)) for _ in range(8)]\n\
         for thread in threads: thread.start()\nfor thread in threads: thread.join()\nprint(input())",
    ),
    program(
        10,
        "AC",
        "daemon threads",
        "import threading, time\nfor _ in range(4): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n\
         print(input())",
    ),
    program(
        5,
        "RE",
        "too many threads",
        "import threading, time\nfor _ in range(200): threading.Thread(target=time.sleep, args=(5,), daemon=True).start()",
    ),
    program(20, "RE", "fork", "import os\nos.fork()"),
    program(20, "RE", "file", "open('/tmp/soak', 'w').write('here')"),
    program(20, "RE", "socket", "import socket\nsocket.socket()"),
    Program {
        case: Case::Call,
        ..program(
            80,
            "AC",
            "call",
            "class Solution:\n    def double(self, x):\n        return 2 * x",
        )
    },
    Program {
        case: Case::Call,
        ..program(20, "WA", "call, wrong", "def double(x): return x")
    },
    Program {
        case: Case::Call,
        ..program(20, "WA", "call, no JSON", "def double(x): return {1, 2}")
    },
    Program {
        grader: Grader::Hurried,
        ..program(3, "TLE", "busy", "while True: pass")
    },
    Program {
        grader: Grader::Hurried,
        ..program(3, "TLE", "asleep", "import time\ntime.sleep(60)")
    },
    Program {
        grader: Grader::Cancelled,
        ..program(3, "IE", "cancelled", "import time\ntime.sleep(60)")
    },
];

impl Program {
    fn cases(&self) -> TestCases {
        let long = || "12345678\n".repeat(40_000);
        let (input, output) = match self.case {
            Case::Echo => ("17\n".to_owned(), "17\n".to_owned()),
            Case::LongInput => (long(), long().len().to_string()),
            Case::Call => {
                return TestCases::Call {
                    fn_name: "double".to_owned(),
                    cases: vec![CallCase {
                        arguments: "[21]".to_owned(),
                        expected: JsonValue::parse("42").unwrap_or_else(|error| panic!("{error}")),
                    }],
                };
            }
        };
        TestCases::Stdin(vec![StdinCase { input, output }])
    }
}

/// What can leak.
#[derive(Debug, Clone, Copy)]
struct Sample {
    descriptors: u64,
    memory: u64,
    processes: u64,
    zombies: u64,
    /// Of the grader's processes.
    their_descriptors: u64,
    their_memory: u64,
    mounts: u64,
    objects: u64,
    files: u64,
}

impl Sample {
    fn take() -> Result<Self, Box<dyn Error>> {
        let entries = |folder: &str| fs::read_dir(folder).map(|entries| entries.count() as u64);
        let lines = |file: &str| fs::read_to_string(file).map(|text| text.lines().count() as u64);
        let family = descendants();
        let sum = |of: fn(u32) -> Option<u64>| family.keys().filter_map(|pid| of(*pid)).sum();
        Ok(Self {
            descriptors: entries("/proc/self/fd")?,
            memory: resident(std::process::id()).unwrap_or(0),
            processes: family.len() as u64,
            zombies: family.values().filter(|state| **state == 'Z').count() as u64,
            // Not for everyone to see: then 0.
            their_descriptors: sum(|pid| {
                let folder = fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
                Some(folder.count() as u64)
            }),
            their_memory: sum(resident),
            mounts: lines("/proc/self/mountinfo")?,
            objects: ["shm", "sem", "msg"]
                .iter()
                .filter_map(|kind| lines(&format!("/proc/sysvipc/{kind}")).ok())
                .sum(),
            files: entries("/tmp")?,
        })
    }

    /// Each count, with what it may grow by.
    fn counts(&self) -> [(&'static str, u64, u64); 9] {
        [
            ("descriptors", self.descriptors, 0),
            ("memory", self.memory, MEMORY_SLACK),
            ("processes", self.processes, 0),
            ("zombies", self.zombies, 0),
            ("their descriptors", self.their_descriptors, 0),
            ("their memory", self.their_memory, MEMORY_SLACK),
            ("mounts", self.mounts, 0),
            ("System V objects", self.objects, 0),
            // Others write there too.
            ("files in /tmp", self.files, u64::MAX),
        ]
    }
}

fn resident(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib << 10)
}

/// All processes that come from this one, with their states.
fn descendants() -> BTreeMap<u32, char> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        // One that has gone meanwhile has no file.
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let mut fields = stat
            .rsplit_once(") ")
            .map_or("", |(_, rest)| rest)
            .split(' ');
        let state = fields.next().and_then(|state| state.chars().next());
        let parent = fields.next().and_then(|parent| parent.parse().ok());
        if let (Some(pid), Some(state), Some(parent)) = (pid, state, parent) {
            all.insert(pid, (state, parent));
        }
    }
    let is_ours = |pid: &u32| {
        let mut at: u32 = *pid;
        for _ in 0..64 {
            match all.get(&at) {
                Some((_, parent)) if *parent == std::process::id() => return true,
                Some((_, parent)) => at = *parent,
                None => return false,
            }
        }
        false
    };
    let ours = all.iter().filter(|(pid, _)| is_ours(pid));
    ours.map(|(pid, (state, _))| (*pid, *state)).collect()
}

struct Graders {
    usual: CodeVerifier,
    hurried: CodeVerifier,
}

impl Graders {
    fn new(options: &Options) -> Result<Self, Box<dyn Error>> {
        let mut config = CodeConfig::default();
        config.workers = options.workers;
        config.prefork = options.prefork;
        config.limits = Limits::default().with_output(OUTPUT).with_memory(MEMORY);
        let usual = CodeVerifier::new(&config)?;
        config.limits = config
            .limits
            .with_cpu(Duration::from_millis(50))
            .with_wall(Duration::from_millis(200));
        Ok(Self {
            usual,
            hurried: CodeVerifier::new(&config)?,
        })
    }

    /// Gives every worker something to do, so that each has what it will keep.
    fn warm_up(&self) {
        let asleep = "import time\ntime.sleep(0.1)";
        for verifier in [&self.usual, &self.hurried] {
            for _ in 0..3 {
                let one = |_| verifier.submit(asleep, PROGRAMS[0].cases());
                let tickets: Vec<Ticket> = (0..verifier.workers()).map(one).collect();
                for ticket in tickets {
                    ticket.wait();
                }
            }
        }
    }

    fn submit(&self, program: &Program) -> Ticket {
        let verifier = match program.grader {
            Grader::Hurried => &self.hurried,
            Grader::Usual | Grader::Cancelled => &self.usual,
        };
        verifier.submit(program.code, program.cases())
    }
}

/// Counts of one kind of program.
#[derive(Default)]
struct Tally {
    runs: usize,
    /// Seconds on the clock.
    wall: f64,
    wrong: Vec<String>,
}

/// Grades these programs at the same time.
fn round(
    graders: &Graders,
    programs: &[&'static Program],
    tally: &mut BTreeMap<&'static str, Tally>,
) {
    let (stopped, run): (Vec<&Program>, Vec<_>) = programs
        .iter()
        .partition(|program| program.grader == Grader::Cancelled);
    let submit = |program: &&'static Program| (*program, graders.submit(program));
    let tickets: Vec<(&Program, Ticket)> = run.iter().map(submit).collect();
    for (program, ticket) in tickets {
        enter(program, ticket, tally);
    }
    // By themselves: the others would wait for them, who are stopped only when it is their turn here.
    for program in &stopped {
        let (program, ticket) = submit(program);
        ticket.wait_for(Duration::from_millis(20));
        ticket.cancel();
        enter(program, ticket, tally);
    }
}

fn enter(program: &Program, ticket: Ticket, tally: &mut BTreeMap<&'static str, Tally>) {
    let tally = tally.entry(program.name).or_default();
    for test in ticket.wait().tests {
        tally.runs += 1;
        tally.wall += test.wall;
        let code = test.verdict.code();
        if code != program.verdict {
            tally.wrong.push(format!(
                "{code} ({}; {:.3} s, {:.3} s of processor time)",
                test.message, test.wall, test.cpu
            ));
        }
    }
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        runs: 100_000,
        workers: 0,
        prefork: true,
        seed: 1,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--runs" => options.runs = value()?.parse()?,
            "--workers" => options.workers = value()?.parse()?,
            "--seed" => options.seed = value()?.parse()?,
            "--no-prefork" => options.prefork = false,
            other => return Err(format!("no option {other}").into()),
        }
    }
    Ok(options)
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let options = options()?;
    let graders = Graders::new(&options)?;
    if options.prefork
        && let Some(why) = graders.usual.why_not_preforked()
    {
        return Err(format!("tests are not preforked: {why}").into());
    }
    println!(
        "{} runs, {} workers, {}, Python {}\n{}",
        options.runs,
        graders.usual.workers(),
        if options.prefork {
            "preforked"
        } else {
            "one interpreter for each test"
        },
        graders.usual.python().version_text(),
        graders.usual.sandbox()
    );

    let mut draw = Draw(options.seed);
    let mut tally = BTreeMap::new();
    let mut samples: Vec<Sample> = vec![];
    let every = (options.runs / SAMPLES).max(1);
    let mut done = 0;
    graders.warm_up();
    let begun = Instant::now();
    while done < options.runs {
        let count = every.min(options.runs - done);
        let programs: Vec<_> = (0..count).map(|_| draw.program()).collect();
        round(&graders, &programs, &mut tally);
        done += count;
        let sample = Sample::take()?;
        let wrong: usize = tally.values().map(|tally| tally.wrong.len()).sum();
        print!(
            "{done:>7} {:>5.0}/s  wrong {wrong}",
            done as f64 / begun.elapsed().as_secs_f64()
        );
        for (name, count, _) in sample.counts() {
            print!("  {name} {}", shown(name, count));
        }
        println!();
        if done >= options.runs.div_ceil(10) {
            samples.push(sample);
        }
    }
    let seconds = begun.elapsed().as_secs_f64();

    println!("\nprograms");
    let mut failed = false;
    for program in PROGRAMS {
        let Some(tally) = tally.get(program.name) else {
            continue;
        };
        println!(
            "  {:<4} {:>7} {:>8.1} ms  {}",
            program.verdict,
            tally.runs,
            tally.wall * 1e3 / tally.runs as f64,
            program.name
        );
        failed |= !tally.wrong.is_empty();
        for wrong in tally.wrong.iter().take(5) {
            println!("       WRONG: {wrong}");
        }
    }
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
        return Err("no runs".into());
    };
    let title = "since a tenth";
    println!(
        "\n{title:<18} {:>12} {:>12} {:>12}",
        "first", "last", "most"
    );
    for (at, (name, first, slack)) in first.counts().into_iter().enumerate() {
        let last = last.counts()[at].1;
        let most = samples.iter().map(|sample| sample.counts()[at].1).max();
        let grew = last > first.saturating_add(slack);
        failed |= grew;
        println!(
            "{name:<18} {:>12} {:>12} {:>12}{}",
            shown(name, first),
            shown(name, last),
            shown(name, most.unwrap_or(last)),
            if grew { "  GREW" } else { "" }
        );
    }
    println!(
        "{done} runs in {seconds:.0} s, {:.0}/s",
        done as f64 / seconds
    );
    Ok(match failed {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}

/// SplitMix64.
struct Draw(u64);

impl Draw {
    fn program(&mut self) -> &'static Program {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let total: u64 = PROGRAMS.iter().map(|program| program.weight).sum();
        let mut at = (bits ^ (bits >> 31)) % total;
        for program in PROGRAMS {
            if at < program.weight {
                return program;
            }
            at -= program.weight;
        }
        &PROGRAMS[0]
    }
}

fn shown(name: &str, count: u64) -> String {
    match name.ends_with("memory") {
        true => format!("{:.1}M", count as f64 / f64::from(1 << 20)),
        false => count.to_string(),
    }
}
