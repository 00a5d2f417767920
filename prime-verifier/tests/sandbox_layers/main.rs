//! Every class of attack on the sandbox, each with the layers that stop it: with them a probe is refused, without them it gets
//! through, so that no test passes because its probe is broken. Probes do no harm where they get through.
#![cfg(all(feature = "code", target_os = "linux"))]

mod endings;
mod files;
mod grading;
mod kernel;
mod network;
mod processes;
mod resources;
mod results;
mod users;

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use prime_verifier::code::{CodeConfig, CodeGrade, CodeVerifier, TestCases};
use prime_verifier::sandbox::{Layer, Limits};

/// What probes have in common: `attempt` says how something went by the name of its error, `call` makes a system call.
const PRELUDE: &str = r#"
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def note(*what):
    sys.stderr.write(" ".join(map(str, what)) + "\n")
def attempt(name, action):
    try:
        action()
    except OSError as error:
        note(name, errno.errorcode.get(error.errno, error.errno))
    else:
        note(name, "done")
def call(number, *arguments):
    words = [word if isinstance(word, bytes) else ctypes.c_long(word) for word in arguments]
    result = libc.syscall(ctypes.c_long(number), *words)
    if result == -1:
        raise OSError(ctypes.get_errno(), "")
    return result
"#;

/// A way to run programs: forked or not, and layers that are left out.
type Key = (bool, Vec<Layer>);

fn config(prefork: bool, without: &[Layer]) -> CodeConfig {
    let mut config = CodeConfig::default();
    config.prefork = prefork;
    config.without_layers = without.to_vec();
    config.allow_unsandboxed = without.iter().any(|layer| layer.is_required());
    config.limits = Limits::default()
        .with_cpu(Duration::from_secs(3))
        .with_wall(Duration::from_secs(12))
        .with_memory(512 << 20);
    config.preamble = String::new();
    config.workers = 1;
    config
}

/// The verifier that runs programs this way; made once.
fn verifier(prefork: bool, without: &[Layer]) -> &'static CodeVerifier {
    static ALL: Mutex<BTreeMap<Key, &'static OnceLock<CodeVerifier>>> = Mutex::new(BTreeMap::new());
    let cell = {
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (prefork, without.to_vec());
        *all.entry(key)
            .or_insert_with(|| Box::leak(Box::new(OnceLock::new())))
    };
    cell.get_or_init(|| CodeVerifier::new(&config(prefork, without)).unwrap())
}

fn cases(tests: serde_json::Value) -> TestCases {
    TestCases::parse(&tests.to_string()).unwrap()
}

/// Tests of a program that doubles a number.
fn doubling() -> TestCases {
    cases(serde_json::json!({"inputs": ["3\n", "10\n"], "outputs": ["6\n", "20\n"]}))
}

fn doubling_call() -> TestCases {
    cases(serde_json::json!({"inputs": ["3", "10"], "outputs": ["6", "20"], "fn_name": "solve"}))
}

fn codes(grade: &CodeGrade) -> Vec<&'static str> {
    grade.tests.iter().map(|test| test.verdict.code()).collect()
}

/// What a probe wrote, and the verdict on it.
#[derive(Debug)]
struct Seen {
    verdict: &'static str,
    message: String,
    said: String,
}

impl Seen {
    fn says(&self, line: &str) -> bool {
        self.said.lines().any(|said| said.trim() == line)
    }
}

/// Runs a probe once; `input` is what it reads.
fn probe_with(verifier: &CodeVerifier, program: &str, input: &str) -> Seen {
    let tests = serde_json::json!({"inputs": [input], "outputs": ["6\n"]});
    let mut grade = verifier.grade(format!("{PRELUDE}\n{program}"), cases(tests));
    let test = grade.tests.remove(0);
    Seen {
        verdict: test.verdict.code(),
        message: test.message,
        said: format!("{}\n{}", test.stderr, test.stdout),
    }
}

/// That nothing gets through while one of the layers is there, and something does without them. `done` is what the probe says
/// when it gets through; each of the layers is enough by itself.
fn only_without(layers: &[Layer], done: &str, program: &str, input: &str) {
    let program = format!("{program}\nprint(6)");
    for prefork in [true, false] {
        let verifier = verifier(prefork, &[]);
        assert_eq!(verifier.why_not_preforked().is_none(), prefork);
        let seen = probe_with(verifier, &program, input);
        assert!(!seen.says(done), "forked {prefork}: {seen:?}");
        assert_eq!(seen.verdict, "AC", "forked {prefork}: {seen:?}");
    }
    let report = verifier(false, &[]).sandbox();
    let here = layers.iter().copied().filter(|layer| report.has(*layer));
    let here: Vec<Layer> = here.collect();
    for enough in &here {
        // Without privileges a namespace of any kind needs that of users.
        let needed = |layer: Layer| {
            layer == *enough || (layer == Layer::UserNamespace && is_namespace(*enough))
        };
        let off = here.iter().copied().filter(|layer| !needed(*layer));
        let without: Vec<Layer> = off.collect();
        let seen = probe_with(verifier(false, &without), &program, input);
        let name = enough.name();
        assert!(
            !seen.says(done),
            "the {name} by itself does not stop it: {seen:?}"
        );
    }
    let seen = probe_with(verifier(false, &here), &program, input);
    assert!(
        seen.says(done),
        "it fails without {layers:?} too, so this shows nothing: {seen:?}"
    );
}

fn is_namespace(layer: Layer) -> bool {
    matches!(
        layer,
        Layer::PidNamespace
            | Layer::MountNamespace
            | Layer::NetNamespace
            | Layer::IpcNamespace
            | Layer::UtsNamespace
    )
}
