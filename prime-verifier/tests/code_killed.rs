//! A grader that is killed, or dropped, takes everything it started with it.
//!
//! The grader is this test binary again, with [`ROLE`] in its environment. This process makes itself the one that gets orphans, so
//! that whatever a grader leaves behind becomes a descendant of it, also what nobody knew of before.
#![cfg(all(feature = "code", target_os = "linux"))]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prime_verifier::code::{CodeConfig, CodeVerifier, StdinCase, TestCases, Ticket};
use prime_verifier::sandbox::{Layer, Limits};
use rustix::process::{Pid, WaitOptions, geteuid, getpid, set_child_subreaper, waitpid};

/// What the grader that is to be killed does: [`Grader::role`].
const ROLE: &str = "PRIME_VERIFIER_KILLED";
/// How long anything may be left once its grader is gone.
const GONE_WITHIN: Duration = Duration::from_secs(2);
/// For what has to come about: dozens of interpreters on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a program may stay. Longer than it takes until dozens have begun.
const STAY: Duration = Duration::from_secs(30);
const NOBODY: &str = "65534";
const NAMESPACES: [Layer; 6] = [
    Layer::UserNamespace,
    Layer::PidNamespace,
    Layer::MountNamespace,
    Layer::NetNamespace,
    Layer::IpcNamespace,
    Layer::UtsNamespace,
];

/// Programs that stay. Each has a second thread, which shows from outside that it has begun.
const ASLEEP: &str = "\
import threading, time
threading.Thread(target=time.sleep, args=(300,)).start()
time.sleep(300)";
const BUSY: &str = "\
import threading, time
threading.Thread(target=time.sleep, args=(300,), daemon=True).start()
while True:
    try:
        time.sleep(0.001)
        sum(range(10000))
    except BaseException:
        pass";
const DEAF: &str = "\
import signal, sys, threading, time
for number in range(1, 64):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
threading.Thread(target=time.sleep, args=(300,)).start()
sys.stdout.write('x' * 1000)
sys.stdout.flush()
time.sleep(300)";

/// How a grader grades.
#[derive(Debug, Clone, Copy)]
struct Grader {
    workers: usize,
    prefork: bool,
    /// Without them only the death signal ends what is left.
    namespaces: bool,
    /// One short program after the other, instead of as many long ones as there are workers.
    restless: bool,
}

impl Grader {
    fn role(&self) -> String {
        format!(
            "{} {} {} {}",
            self.workers, self.prefork, self.namespaces, self.restless
        )
    }

    fn from_role(role: &str) -> Self {
        let mut words = role.split(' ');
        let mut word = || words.next().unwrap();
        Self {
            workers: word().parse().unwrap(),
            prefork: word().parse().unwrap(),
            namespaces: word().parse().unwrap(),
            restless: word().parse().unwrap(),
        }
    }

    fn verifier(&self) -> CodeVerifier {
        let mut config = CodeConfig::default();
        config.workers = self.workers;
        config.prefork = self.prefork;
        config.limits = Limits::default().with_cpu(STAY);
        if !self.namespaces {
            config.without_layers = NAMESPACES.to_vec();
        }
        let verifier = CodeVerifier::new(&config).unwrap();
        let why_not = verifier.why_not_preforked();
        assert_eq!(why_not.is_none(), self.prefork, "{why_not:?}");
        verifier
    }

    fn submit(&self, verifier: &CodeVerifier) -> Vec<Ticket> {
        let programs = [ASLEEP, BUSY, DEAF, ASLEEP, ASLEEP, ASLEEP, ASLEEP, ASLEEP];
        let programs = programs.iter().cycle().take(self.workers);
        programs
            .map(|program| verifier.submit(*program, one_test()))
            .collect()
    }

    /// As a process of its own.
    fn start(&self, executable: &Path, user: Option<&str>) -> Killed {
        let mut command = match user {
            None => Command::new(executable),
            Some(user) => {
                let mut command = Command::new("setpriv");
                command
                    .args(["--reuid", user, "--regid", user, "--clear-groups", "--"])
                    .arg(executable);
                command
            }
        };
        if user.is_some() {
            // What this user can read; whatever else is on the path may be in somebody's home.
            command.env("PATH", "/usr/bin:/bin");
        }
        let child = command
            .args(["--exact", "the_grader", "--nocapture"])
            .env(ROLE, self.role())
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Killed(child)
    }
}

fn one_test() -> TestCases {
    TestCases::Stdin(vec![StdinCase {
        input: "1\n".repeat(100),
        output: "1".to_owned(),
    }])
}

/// Not a test by itself: what the others start.
#[test]
fn the_grader() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let grader = Grader::from_role(&role);
    let verifier = grader.verifier();
    if !grader.restless {
        let tickets = grader.submit(&verifier);
        for ticket in tickets {
            eprintln!("a program ended: {:?}", ticket.wait());
        }
        panic!("the programs ended");
    }
    loop {
        // Short ones are always just beginning; those in between would be seen if they stayed.
        let submit = |number| {
            let program = match number % 16 {
                0 => "import time\ntime.sleep(6)",
                _ => "print(input())",
            };
            verifier.submit(program, one_test())
        };
        let tickets: Vec<Ticket> = (0..16 * grader.workers).map(submit).collect();
        for ticket in tickets {
            ticket.wait();
        }
    }
}

/// A grader that does not outlive a test that fails.
struct Killed(Child);

impl Killed {
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[derive(Clone)]
struct Process {
    parent: i32,
    state: char,
    threads: u32,
    /// Tells it from another one of the same number.
    started: u64,
    name: String,
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            name,
            parent,
            state,
            threads,
            ..
        } = self;
        write!(
            f,
            "{name}), state {state}, {threads} threads, child of {parent}"
        )
    }
}

fn processes() -> BTreeMap<i32, Process> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let pid = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        // A process that has gone meanwhile has no file.
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        if let (Some(pid), Some((name, rest))) = (pid, stat.rsplit_once(") ")) {
            let fields: Vec<&str> = rest.split(' ').collect();
            let process = Process {
                state: fields[0].chars().next().unwrap(),
                parent: fields[1].parse().unwrap(),
                threads: fields[17].parse().unwrap(),
                started: fields[19].parse().unwrap(),
                name: name.to_owned(),
            };
            all.insert(pid, process);
        }
    }
    all
}

/// What comes from a process, itself not included; processes that have ended are left out.
fn descendants(of: i32) -> BTreeMap<i32, Process> {
    let all = processes();
    let mut found = BTreeSet::from([of]);
    loop {
        let next: Vec<i32> = all
            .iter()
            .filter(|(pid, process)| found.contains(&process.parent) && !found.contains(pid))
            .map(|(pid, _)| *pid)
            .collect();
        if next.is_empty() {
            break;
        }
        found.extend(next);
    }
    found.remove(&of);
    let living = all
        .into_iter()
        .filter(|(pid, process)| found.contains(pid) && !matches!(process.state, 'Z' | 'X'));
    living.collect()
}

/// Waits until `enough` programs of a grader have begun; everything that comes from it then.
fn wait_for_programs(
    grader: i32,
    enough: usize,
    still_there: &mut dyn FnMut(),
) -> BTreeMap<i32, Process> {
    let begun = Instant::now();
    loop {
        let family = descendants(grader);
        let running = family
            .values()
            .filter(|process| process.threads > 1)
            .count();
        if running >= enough {
            return family;
        }
        still_there();
        assert!(
            begun.elapsed() < PATIENCE,
            "{running} of {enough} programs run, of {} processes",
            family.len()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// One test at a time, since all of them look at the whole machine.
struct Machine {
    mounts: BTreeSet<String>,
    files: BTreeSet<PathBuf>,
    _alone: MutexGuard<'static, ()>,
}

impl Machine {
    fn alone() -> Self {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        set_child_subreaper(Some(getpid())).unwrap();
        Self {
            mounts: mounts(),
            files: files(),
            _alone: alone,
        }
    }

    /// Waits until nothing of `family` is left, nor anything else that this process was given.
    fn expect_nothing_left(&self, family: &BTreeMap<i32, Process>, what: &str) -> Duration {
        let own = getpid().as_raw_nonzero().get();
        let begun = Instant::now();
        loop {
            let now = processes();
            let mut left = descendants(own);
            left.extend(family.iter().filter_map(|(pid, then)| {
                let now = now.get(pid)?;
                let same = now.started == then.started && !matches!(now.state, 'Z' | 'X');
                same.then(|| (*pid, now.clone()))
            }));
            if left.is_empty() {
                break;
            }
            let late = begun.elapsed() >= GONE_WITHIN;
            assert!(!late, "{what}: left after {GONE_WITHIN:?}: {left:#?}");
            std::thread::sleep(Duration::from_millis(5));
        }
        let took = begun.elapsed();
        let new: Vec<String> = mounts().difference(&self.mounts).cloned().collect();
        assert!(new.is_empty(), "{what}: mounts {new:?}");
        for group in groups() {
            let events = fs::read_to_string(group.join("cgroup.events")).unwrap_or_default();
            assert!(!events.contains("populated 1"), "{what}: {group:?}");
        }
        collect_orphans();
        took
    }

    /// Files that are new. Others may have made them, so it counts only what is there every time.
    fn new_files(&mut self) -> BTreeSet<PathBuf> {
        let now = files();
        let new = now.difference(&self.files).cloned().collect();
        self.files = now;
        new
    }
}

fn mounts() -> BTreeSet<String> {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap();
    text.lines().map(str::to_owned).collect()
}

fn files() -> BTreeSet<PathBuf> {
    let folders = ["/", "/tmp", "/var", "/var/tmp", "/dev/shm", "/run"];
    let entries = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten();
    entries.flatten().map(|entry| entry.path()).collect()
}

/// Control groups of graders. That of a killed one stays, empty, until the next grader starts.
fn groups() -> Vec<PathBuf> {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let own = own.lines().find_map(|line| line.strip_prefix("0::/"));
    let Some(own) = own else {
        return vec![];
    };
    let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
    let entries = roots
        .iter()
        .filter_map(|root| fs::read_dir(Path::new(root).join(own)).ok())
        .flatten()
        .flatten();
    entries
        .filter(|entry| {
            let name = entry.file_name();
            name.to_string_lossy().starts_with("prime-verifier-")
        })
        .map(|entry| entry.path())
        .collect()
}

/// Orphans that have ended, which are ours to collect.
fn collect_orphans() {
    let own = getpid().as_raw_nonzero().get();
    for (pid, process) in processes() {
        if process.parent == own && process.state == 'Z' {
            let pid = Pid::from_raw(pid);
            let _ = waitpid(pid, WaitOptions::NOHANG);
        }
    }
}

/// This binary where every user can read it; removed when dropped.
struct Copy {
    folder: PathBuf,
}

impl Copy {
    fn new() -> Self {
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("prime-verifier-killed-{}-{number}", std::process::id());
        let copy = Self {
            folder: Path::new("/tmp").join(name),
        };
        let readable = fs::Permissions::from_mode(0o755);
        fs::create_dir(&copy.folder).unwrap();
        fs::set_permissions(&copy.folder, readable.clone()).unwrap();
        fs::copy(std::env::current_exe().unwrap(), copy.executable()).unwrap();
        fs::set_permissions(copy.executable(), readable).unwrap();
        copy
    }

    fn executable(&self) -> PathBuf {
        self.folder.join("grader")
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Kills a grader while 64 tests run, in both ways that tests run.
fn kill_with_64_running(namespaces: bool, user: Option<&str>) {
    if user.is_some() && !geteuid().is_root() {
        eprintln!("not root: another user cannot be tried");
        return;
    }
    let copy = Copy::new();
    let mut machine = Machine::alone();
    for prefork in [false, true] {
        let grader = Grader {
            workers: 64,
            prefork,
            namespaces,
            restless: false,
        };
        let mut always_new: Option<BTreeSet<PathBuf>> = None;
        for _ in 0..2 {
            machine.new_files();
            let mut process = grader.start(&copy.executable(), user);
            let pid = process.0.id() as i32;
            let family = wait_for_programs(pid, 64, &mut || {
                let ended = process.0.try_wait().unwrap();
                assert!(ended.is_none(), "the grader ended: {ended:?}");
            });
            assert!(family.len() >= if prefork { 128 } else { 64 });
            process.kill();
            let took = machine.expect_nothing_left(&family, &format!("{grader:?}"));
            eprintln!(
                "{grader:?} as {user:?}: {} processes gone after {took:?}",
                family.len()
            );
            let new = machine.new_files();
            always_new = Some(match always_new {
                None => new,
                Some(before) if before.is_empty() || new.is_empty() => BTreeSet::new(),
                Some(before) => before.union(&new).cloned().collect(),
            });
        }
        let always_new = always_new.unwrap();
        assert!(always_new.is_empty(), "{grader:?}: {always_new:?}");
    }
}

#[test]
fn killed_with_64_tests_running() {
    kill_with_64_running(true, None);
}

#[test]
fn killed_with_64_tests_running_without_namespaces() {
    kill_with_64_running(false, None);
}

#[test]
fn killed_with_64_tests_running_as_nobody() {
    kill_with_64_running(true, Some(NOBODY));
}

#[test]
fn killed_with_64_tests_running_as_nobody_without_namespaces() {
    kill_with_64_running(false, Some(NOBODY));
}

/// Processes that have only just been made have to go as well, and forkers in the middle of a fork.
fn kill_at_any_moment(namespaces: bool) {
    let machine = Machine::alone();
    let executable = std::env::current_exe().unwrap();
    let mut longest = Duration::ZERO;
    for round in 0..16 {
        let grader = Grader {
            workers: 8,
            prefork: round % 2 == 0,
            namespaces,
            restless: true,
        };
        let mut process = grader.start(&executable, None);
        // From the middle of the trials of its sandbox to the middle of its work.
        std::thread::sleep(Duration::from_millis(40 + 50 * round));
        process.kill();
        let none = BTreeMap::new();
        let took = machine.expect_nothing_left(&none, &format!("round {round} of {grader:?}"));
        longest = longest.max(took);
    }
    eprintln!("namespaces {namespaces}: gone after {longest:?} at most");
}

#[test]
fn killed_at_any_moment() {
    kill_at_any_moment(true);
}

#[test]
fn killed_at_any_moment_without_namespaces() {
    kill_at_any_moment(false);
}

/// Dropping a grader ends what it runs, whether or not somebody still waits for the grades.
#[test]
fn dropped_with_tests_running() {
    let machine = Machine::alone();
    for (prefork, waiting) in [(false, false), (false, true), (true, false), (true, true)] {
        let grader = Grader {
            workers: 8,
            prefork,
            namespaces: true,
            restless: false,
        };
        let verifier = grader.verifier();
        let mut tickets = grader.submit(&verifier);
        // These have to wait.
        tickets.extend(grader.submit(&verifier));
        let own = getpid().as_raw_nonzero().get();
        let family = wait_for_programs(own, 8, &mut || ());
        if !waiting {
            tickets.clear();
        }
        let begun = Instant::now();
        drop(verifier);
        let took = begun.elapsed();
        assert!(
            took < GONE_WITHIN,
            "prefork {prefork}, waiting {waiting}: dropping took {took:?}"
        );
        machine.expect_nothing_left(&family, &format!("dropped, prefork {prefork}"));
        for ticket in tickets {
            assert_eq!(ticket.wait().score, None);
        }
    }
}
