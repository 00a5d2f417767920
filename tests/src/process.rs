//! Processes of the programs under test.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::build::binary;

/// How long a process may take to get where it is waited for.
const PATIENCE: Duration = Duration::from_secs(300);

/// How a process ended.
#[derive(Debug)]
pub struct Finished {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Finished {
    /// The same, of a process that had to succeed.
    ///
    /// # Panics
    /// With all it said, if it did not.
    pub fn expect_success(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.stdout, self.stderr);
        self
    }
}

fn command(program: &Path, arguments: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        // A message has to be clear without it, and stay short with it.
        .env("RUST_BACKTRACE", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs a program to its end.
///
/// # Panics
/// If it cannot be started.
pub fn run(program: &Path, arguments: &[impl AsRef<OsStr>]) -> Finished {
    let output = command(program, arguments)
        .output()
        .expect("the program starts");
    Finished::from(output)
}

/// Runs `prime-train` to its end.
///
/// # Panics
/// If it cannot be built or started.
pub fn prime_train(arguments: &[impl AsRef<OsStr>]) -> Finished {
    run(binary(), arguments)
}

/// Runs `prime-train` to its end with `input` on its standard input.
///
/// # Panics
/// If it cannot be built or started, or ends in a way that cannot be seen.
pub fn prime_train_reading(input: &str, arguments: &[impl AsRef<OsStr>]) -> Finished {
    let mut command = command(binary(), arguments);
    let child = command.stdin(Stdio::piped()).spawn();
    let mut child = child.expect("the binary starts");
    let mut stdin = child.stdin.take().expect("it was asked for");
    std::thread::scope(|scope| {
        // Beside reading what comes out, or both would wait for each other. A process that ends early reads no more.
        scope.spawn(move || stdin.write_all(input.as_bytes()).ok());
        let output = child.wait_with_output();
        Finished::from(output.expect("the process can be waited for"))
    })
}

/// A `prime-train` that is still running.
#[derive(Debug)]
pub struct Started(Child);

impl Started {
    /// Starts `prime-train`.
    ///
    /// # Panics
    /// If it cannot be built or started.
    pub fn new(arguments: &[impl AsRef<OsStr>]) -> Self {
        let child = command(binary(), arguments).spawn();
        Self(child.expect("the binary starts"))
    }

    /// Waits until `ready` says so.
    ///
    /// # Panics
    /// If the process ends first, or after five minutes.
    pub fn wait_until(&mut self, ready: impl Fn() -> bool) {
        let begun = Instant::now();
        while !ready() {
            assert!(begun.elapsed() < PATIENCE, "nothing happened for too long");
            let ended = self.0.try_wait().expect("the process can be asked");
            assert!(ended.is_none(), "ended before it was ready: {ended:?}");
            std::thread::sleep(Duration::from_millis(3));
        }
    }

    /// Whether it has ended.
    ///
    /// # Panics
    /// If it cannot be asked.
    pub fn has_ended(&mut self) -> bool {
        self.0
            .try_wait()
            .expect("the process can be asked")
            .is_some()
    }

    /// What Ctrl-C sends.
    ///
    /// # Panics
    /// If there is no shell to send it with.
    pub fn interrupt(&self) {
        self.signal("INT");
    }

    /// Sends a signal by its name.
    ///
    /// # Panics
    /// If there is no shell to send it with.
    pub fn signal(&self, name: &str) {
        // The standard library sends no signal but SIGKILL; every shell has `kill` built in.
        let status = Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", self.0.id())])
            .status();
        assert!(status.expect("sh runs").success());
    }

    /// Ends it on the spot, as a power cut would.
    ///
    /// # Panics
    /// If it cannot be ended.
    pub fn kill(mut self) {
        self.0.kill().expect("the process can be ended");
        self.0.wait().expect("the process can be waited for");
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it cannot be waited for.
    pub fn finish(self) -> Finished {
        let output = self.0.wait_with_output();
        Finished::from(output.expect("the process can be waited for"))
    }
}
