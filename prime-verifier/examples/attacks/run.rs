//! One program after another, with its checks.

use std::error::Error;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use prime_verifier::code::{CodeConfig, CodeGrade, CodeVerifier, TestCases};
use prime_verifier::sandbox::Layer;
use serde::Deserialize;

use crate::host::{self, Canary};

/// Who runs this when it is to be an ordinary user.
const NOBODY: &str = "65534";
/// What attacks print once they have got somewhere.
const TRIUMPHS: [&str; 3] = ["SENT", "LISTENING", "uid="];
const BENIGN: &str = "import time\ntime.sleep(0.3)\nprint(2 * int(input()))";
/// Threads that may appear on the machine while a program runs; others live here too.
const MORE_THREADS: u64 = 300;

/// What was asked for.
pub struct Options {
    folder: PathBuf,
    program: Option<PathBuf>,
    unprivileged: bool,
    prefork: bool,
    without: Vec<Layer>,
}

impl Options {
    pub fn from_arguments() -> Result<Self, String> {
        let mut options = Self {
            folder: PathBuf::new(),
            program: None,
            unprivileged: false,
            prefork: true,
            without: vec![],
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--unprivileged" => options.unprivileged = true,
                "--no-prefork" => options.prefork = false,
                "--program" => options.program = arguments.next().map(Into::into),
                "--without" => {
                    let name = arguments.next().unwrap_or_default();
                    let layer = Layer::ALL.into_iter().find(|layer| layer.name() == name);
                    options
                        .without
                        .push(layer.ok_or(format!("no layer is called {name}"))?);
                }
                folder if !folder.starts_with('-') => options.folder = folder.into(),
                other => return Err(format!("what is {other}?")),
            }
        }
        match (&options.program, options.folder.as_os_str().is_empty()) {
            (None, true) => Err("which folder?".to_owned()),
            _ => Ok(options),
        }
    }

    fn config(&self) -> CodeConfig {
        let mut config = CodeConfig::default();
        config.prefork = self.prefork;
        config.without_layers = self.without.clone();
        config.allow_unsandboxed = self.without.iter().any(|layer| layer.is_required());
        config.workers = 2;
        config
    }
}

/// A row of the manifest.
#[derive(Deserialize)]
struct Attack {
    id: u32,
    file: String,
    category: String,
    tests: serde_json::Value,
    expected: Vec<String>,
    #[serde(default)]
    host_checks: Vec<String>,
    max_wall_s: f64,
}

/// Starts this program again, with a secret in its environment and perhaps as another user.
pub fn again(options: &Options) -> Result<bool, Box<dyn Error>> {
    let own = std::env::current_exe()?;
    let mut command = match options.unprivileged {
        false => {
            let mut command = Command::new(own);
            command.args(std::env::args_os().skip(1));
            command
        }
        true => {
            // What belongs to us may be where another user cannot look.
            let place = PathBuf::from(format!("/tmp/pv_attacks_{}", std::process::id()));
            copy(options, &own, &place)?;
            let mut command = Command::new("setpriv");
            let user = ["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"];
            command
                .args(user)
                .arg(place.join("attacks"))
                .current_dir("/");
            command.env_clear().env("PATH", "/usr/bin:/bin");
            match &options.program {
                Some(_) => command.arg("--program").arg(place.join("program.py")),
                None => command.arg(place.join("programs")),
            };
            if !options.prefork {
                command.arg("--no-prefork");
            }
            for layer in &options.without {
                command.args(["--without", layer.name()]);
            }
            command
        }
    };
    let status = command.env(host::ENVIRONMENT, host::random()?).status();
    if options.unprivileged {
        let _ = fs::remove_dir_all(format!("/tmp/pv_attacks_{}", std::process::id()));
    }
    match status?.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        code => Err(format!("it ended with {code:?}").into()),
    }
}

fn copy(options: &Options, own: &Path, place: &Path) -> std::io::Result<()> {
    fs::create_dir(place)?;
    fs::set_permissions(place, fs::Permissions::from_mode(0o755))?;
    fs::copy(own, place.join("attacks"))?;
    if let Some(program) = &options.program {
        fs::copy(program, place.join("program.py"))?;
        return Ok(());
    }
    let programs = place.join("programs");
    fs::create_dir(&programs)?;
    fs::set_permissions(&programs, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(&options.folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let copy = programs.join(entry.file_name());
            fs::copy(entry.path(), &copy)?;
            fs::set_permissions(&copy, fs::Permissions::from_mode(0o644))?;
        }
    }
    Ok(())
}

/// Whether all is as it has to be.
pub fn run(options: &Options, secret: &str) -> Result<bool, Box<dyn Error>> {
    let verifier = CodeVerifier::new(&options.config())?;
    if let Some(program) = &options.program {
        return show(&verifier, program);
    }
    println!("{}", verifier.sandbox());
    let manifest = fs::read(options.folder.join("manifest.json"))?;
    let attacks: Vec<Attack> = serde_json::from_slice(&manifest)?;
    let mut canary = Canary::new(secret, &verifier.python().path)?;
    // All workers get their interpreters before anything is counted.
    let benign = benign_cases()?;
    let first: Vec<_> = (0..2)
        .map(|_| verifier.submit(BENIGN, benign.clone()))
        .collect();
    for ticket in first {
        ticket.wait();
    }
    let mut failures = 0;
    for attack in &attacks {
        let problems = one(&verifier, options, attack, &benign, &mut canary)?;
        for problem in &problems {
            println!("      !! {problem}");
        }
        failures += usize::from(!problems.is_empty());
    }
    // A daemon would have waited a while.
    std::thread::sleep(Duration::from_secs(5));
    for problem in canary.damage() {
        println!("      !! at the end: {problem}");
        failures += 1;
    }
    println!(
        "{} programs, {failures} with problems; {}",
        attacks.len(),
        match verifier.why_not_preforked() {
            None => "forked",
            Some(why) => why,
        }
    );
    Ok(failures == 0)
}

fn benign_cases() -> Result<TestCases, Box<dyn Error>> {
    Ok(TestCases::parse(
        r#"{"inputs": ["3\n", "10\n"], "outputs": ["6\n", "20\n"]}"#,
    )?)
}

fn codes(grade: &CodeGrade) -> Vec<&'static str> {
    grade.tests.iter().map(|test| test.verdict.code()).collect()
}

/// Runs an attack beside a program that means no harm; what is not as it has to be.
fn one(
    verifier: &CodeVerifier,
    options: &Options,
    attack: &Attack,
    benign: &TestCases,
    canary: &mut Canary,
) -> Result<Vec<String>, Box<dyn Error>> {
    let tag = format!("PVTAG_{}", attack.id);
    let program = fs::read_to_string(options.folder.join(&attack.file))?;
    let program = format!("# {tag}\n{program}");
    let cases = TestCases::parse(&attack.tests.to_string())?;
    let mut problems = vec![];

    let before = host::programs(canary.sleeper());
    let (threads, shared) = (host::threads(), host::shared_memory());
    let begun = Instant::now();
    let attacker = verifier.submit(program, cases);
    let bystander = verifier.submit(BENIGN, benign.clone());
    let control = control_task(verifier)?;
    let (mut most_threads, mut most_shared, mut listened) = (threads, shared, false);
    while !attacker.wait_for(Duration::from_millis(20)) {
        most_threads = most_threads.max(host::threads());
        most_shared = most_shared.max(host::shared_memory());
        listened |= host::is_listened_to();
    }
    let grade = attacker.wait();
    let wall = begun.elapsed();
    let bystander = bystander.wait();

    let verdicts = codes(&grade);
    println!(
        "{:>3} {:<28} {:<8} {:>6.2} s  control {:>4} ms  threads +{:<3} {}",
        attack.id,
        attack.file,
        verdicts.join(" "),
        wall.as_secs_f64(),
        control.as_millis(),
        most_threads.saturating_sub(threads),
        attack.category,
    );
    for verdict in &verdicts {
        if !attack.expected.iter().any(|expected| expected == verdict) {
            problems.push(format!("{verdict} is not among {:?}", attack.expected));
        }
    }
    if wall.as_secs_f64() > attack.max_wall_s {
        problems.push(format!("took more than {} s", attack.max_wall_s));
    }
    if codes(&bystander) != ["AC", "AC"] {
        problems.push(format!("the benign program got {:?}", codes(&bystander)));
    }
    if control > Duration::from_secs(1) {
        problems.push(format!("a control task took {control:?}"));
    }
    if most_threads.saturating_sub(threads) > MORE_THREADS {
        problems.push(format!("{} more threads", most_threads - threads));
    }
    let memory = options.config().limits.memory;
    if most_shared.saturating_sub(shared) > memory {
        problems.push("more shared memory than the limit".to_owned());
    }
    if listened {
        problems.push("it listened, and could be reached".to_owned());
    }
    for test in &grade.tests {
        let said = format!("{}\n{}\n{}", test.stdout, test.stderr, test.message);
        let told = canary.secrets.iter().map(String::as_str).chain(TRIUMPHS);
        for secret in told {
            if said.contains(secret) {
                problems.push(format!("it said {secret}"));
            }
        }
        let asks = |what: &str| attack.host_checks.iter().any(|check| check.contains(what));
        if asks("ptrace=-1") && test.verdict.code() == "AC" && !said.contains("ptrace=-1") {
            problems.push("it traced".to_owned());
        }
    }
    problems.extend(leftovers(canary, &before, &tag, shared));
    problems.extend(canary.damage());
    Ok(problems)
}

/// How long an ordinary program takes outside the sandbox.
fn control_task(verifier: &CodeVerifier) -> std::io::Result<Duration> {
    let begun = Instant::now();
    let python = &verifier.python().path;
    Command::new(python)
        .args(["-I", "-S", "-c", "pass"])
        .status()?;
    Ok(begun.elapsed())
}

/// What is still there 2 s after the verdict.
fn leftovers(
    canary: &Canary,
    before: &std::collections::BTreeSet<u32>,
    tag: &str,
    shared: u64,
) -> Vec<String> {
    let begun = Instant::now();
    loop {
        let mut left = vec![];
        let now = host::programs(canary.sleeper());
        let new: Vec<_> = now.difference(before).collect();
        if !new.is_empty() {
            left.push(format!("processes {new:?} are new"));
        }
        if host::tagged(tag) > 0 {
            left.push(format!("a process carries {tag}"));
        }
        // Others use such memory too, a little.
        if host::shared_memory() > shared + (64 << 20) {
            left.push("shared memory is not given back".to_owned());
        }
        if left.is_empty() || begun.elapsed() > Duration::from_secs(2) {
            return left;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Runs one program with the usual two tests and shows all of it.
fn show(verifier: &CodeVerifier, program: &Path) -> Result<bool, Box<dyn Error>> {
    let text = fs::read_to_string(program)?;
    let mut tests = serde_json::json!({"inputs": ["3\n", "10\n"], "outputs": ["6\n", "20\n"]});
    if text.contains("def solve(") {
        tests =
            serde_json::json!({"inputs": ["3", "10"], "outputs": ["6", "20"], "fn_name": "solve"});
    }
    let grade = verifier.grade(text, TestCases::parse(&tests.to_string())?);
    for test in &grade.tests {
        println!(
            "{} {} cpu {:.2} wall {:.2} peak {} MiB\n--- stdout\n{}\n--- stderr\n{}",
            test.verdict.code(),
            test.message,
            test.cpu,
            test.wall,
            test.peak_memory >> 20,
            test.stdout,
            test.stderr
        );
    }
    Ok(grade.score == Some(1.0))
}
