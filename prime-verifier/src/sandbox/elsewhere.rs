//! Runs where there is no sandbox: with the rights of the grader, and only for those who said that they want that.
//!
//! What is kept: a clean environment, processor time, time on the clock, output, and the end of the whole process group.

use std::ffi::CString;
use std::io::{Read, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::{
    Cancel, End, Interpreter, Layer, LayerState, Limits, Outcome, SandboxError, SandboxOptions,
    SandboxReport,
};

/// How often a run is looked at.
const TICK: Duration = Duration::from_millis(2);
/// How long to wait for output that is still in a pipe when the process is gone; something else may keep the pipe open.
const DRAIN: Duration = Duration::from_millis(200);
/// What is kept of standard error.
const STDERR_KEPT: usize = 64 << 10;

/// Nothing has to be told its own number here.
#[cfg(not(target_os = "linux"))]
pub(crate) const OWN_PID: u32 = 0;

/// An interpreter that nothing confines.
#[derive(Debug)]
pub(crate) struct Confinement {
    interpreter: PathBuf,
}

/// There is none here.
#[cfg(not(target_os = "linux"))]
pub(crate) enum Forker {}

#[cfg(not(target_os = "linux"))]
impl Forker {
    pub(crate) fn run(&self, _: &[&[u8]], _: &Limits, _: &Cancel) -> Result<Outcome, SandboxError> {
        match *self {}
    }
}

impl Confinement {
    /// # Errors
    /// [`SandboxError::SandboxUnavailable`] unless the options allow to do without.
    pub(crate) fn probe(
        interpreter: &Interpreter,
        options: &SandboxOptions,
    ) -> Result<(Self, SandboxReport), SandboxError> {
        if !options.allow_unsandboxed {
            let required = Layer::ALL.iter().filter(|layer| layer.is_required());
            let system = std::env::consts::OS;
            return Err(SandboxError::SandboxUnavailable {
                missing: required
                    .map(|layer| format!("{} (not on {system})", layer.name()))
                    .collect(),
                how_to_fix: "It takes Linux 5.13 or newer: a virtual machine or a container with Linux will do."
                    .to_owned(),
            });
        }
        let mut report = SandboxReport::new();
        report.set(Layer::Environment, LayerState::On(String::new()));
        let confinement = Self {
            interpreter: interpreter.path.clone(),
        };
        Ok((confinement, report))
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn forker(
        &self,
        _: &[CString],
        _: &str,
        _: &Limits,
    ) -> Result<Forker, SandboxError> {
        Err(failed("there is no sandbox to fork in"))
    }

    /// Runs the interpreter once with `arguments` and `input`.
    pub(crate) fn run(
        &self,
        arguments: &[CString],
        input: &[&[u8]],
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<Outcome, SandboxError> {
        let begun = Instant::now();
        let mut child = self.start(arguments, limits)?;
        feed(&mut child, input.concat());
        let stdout = collect(child.stdout.take(), limits.output, false);
        let stderr = collect(child.stderr.take(), limits.output, true);
        let (mut out, mut err) = (None, None);
        let mut ended = None;
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) => {}
                Err(error) => {
                    kill(&mut child);
                    return Err(failed(format!("waiting: {error}")));
                }
            }
            out = out.or_else(|| stdout.try_recv().ok());
            err = err.or_else(|| stderr.try_recv().ok());
            let over = |read: &Option<Collected>| read.as_ref().is_some_and(|read| read.over);
            let why = if over(&out) || over(&err) {
                Some(End::OutputLimit)
            } else if begun.elapsed() >= limits.wall {
                Some(End::WallLimit)
            } else if cancel.is_cancelled() {
                Some(End::Cancelled)
            } else {
                None
            };
            if ended.is_none() && why.is_some() {
                ended = why;
                kill(&mut child);
            }
            std::thread::sleep(TICK);
        };
        let wall = begun.elapsed();
        // What the program started goes with it.
        kill(&mut child);
        let out = out
            .or_else(|| stdout.recv_timeout(DRAIN).ok())
            .unwrap_or_default();
        let err = err
            .or_else(|| stderr.recv_timeout(DRAIN).ok())
            .unwrap_or_default();
        if out.over || err.over {
            ended.get_or_insert(End::OutputLimit);
        }
        Ok(Outcome {
            end: ended.unwrap_or_else(|| end_of(status)),
            stdout: out.bytes,
            stderr: err.bytes,
            cpu: Duration::ZERO,
            wall,
            peak_memory: 0,
        })
    }

    #[cfg(unix)]
    fn start(&self, arguments: &[CString], limits: &Limits) -> Result<Child, SandboxError> {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;
        use std::os::unix::process::CommandExt as _;

        let seconds = limits.cpu.as_secs() + u64::from(limits.cpu.subsec_nanos() > 0);
        let mut command = Command::new("/bin/sh");
        command
            .arg("-c")
            .arg(format!(
                "ulimit -c 0; ulimit -t {seconds}; exec \"$0\" \"$@\""
            ))
            .arg(&self.interpreter)
            .args(
                arguments
                    .iter()
                    .map(|text| OsStr::from_bytes(text.to_bytes())),
            )
            .process_group(0);
        spawn(command)
    }

    #[cfg(not(unix))]
    fn start(&self, arguments: &[CString], _: &Limits) -> Result<Child, SandboxError> {
        let mut command = Command::new(&self.interpreter);
        command.args(
            arguments
                .iter()
                .map(|text| text.to_string_lossy().into_owned()),
        );
        spawn(command)
    }
}

fn failed(reason: impl Into<String>) -> SandboxError {
    SandboxError::Failed {
        reason: reason.into(),
    }
}

fn spawn(mut command: Command) -> Result<Child, SandboxError> {
    command
        .env_clear()
        .envs([
            ("PATH", "/usr/bin:/bin"),
            ("LANG", "C.UTF-8"),
            ("TZ", "UTC"),
            ("PYTHONHASHSEED", "0"),
            ("PYTHONSAFEPATH", "1"),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(format!("starting the interpreter: {error}")))
}

/// Ends the process and what is left of its group.
fn kill(child: &mut Child) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process_group};
        if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
    let _ = child.kill();
}

/// Writes the input on a thread of its own; a program that does not read it ends that thread when it ends.
fn feed(child: &mut Child, input: Vec<u8>) {
    if let Some(mut stdin) = child.stdin.take() {
        std::thread::spawn(move || {
            let _ = stdin.write_all(&input);
        });
    }
}

#[derive(Default)]
struct Collected {
    bytes: Vec<u8>,
    /// There was more than there may be.
    over: bool,
}

/// Reads to the end or to the limit, on a thread of its own.
fn collect(
    pipe: Option<impl Read + Send + 'static>,
    limit: usize,
    end_only: bool,
) -> Receiver<Collected> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut read = Collected::default();
        if let Some(pipe) = pipe {
            let _ = pipe.take(limit as u64 + 1).read_to_end(&mut read.bytes);
        }
        read.over = read.bytes.len() > limit;
        read.bytes.truncate(limit);
        if end_only {
            let start = read.bytes.len().saturating_sub(STDERR_KEPT);
            read.bytes.drain(..start);
        }
        let _ = sender.send(read);
    });
    receiver
}

fn end_of(status: ExitStatus) -> End {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        if let Some(signal) = status.signal() {
            return End::Signaled(signal);
        }
    }
    End::Exited(status.code().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(shell: &str, input: &str, limits: &Limits) -> Outcome {
        let confinement = Confinement {
            interpreter: "/bin/sh".into(),
        };
        let arguments = [c"-c".to_owned(), CString::new(shell).unwrap()];
        let input = [input.as_bytes()];
        confinement
            .run(&arguments, &input, limits, &Cancel::default())
            .unwrap()
    }

    #[test]
    fn without_a_word_there_is_no_run_outside_a_sandbox() {
        let interpreter = Interpreter {
            path: "/bin/sh".into(),
            readable: vec![],
            loader: None,
        };
        let mut options = SandboxOptions::default();
        let refused = Confinement::probe(&interpreter, &options).unwrap_err();
        assert!(
            matches!(refused, SandboxError::SandboxUnavailable { .. }),
            "{refused}"
        );
        options.allow_unsandboxed = true;
        let (_, report) = Confinement::probe(&interpreter, &options).unwrap();
        assert!(!report.is_sandboxed());
    }

    #[test]
    fn input_output_and_status_are_those_of_the_program() {
        let ran = run("cat; echo $HOME >&2; exit 3", "hello", &Limits::default());
        assert_eq!(
            (ran.end, ran.stdout.as_slice()),
            (End::Exited(3), &b"hello"[..])
        );
        assert_eq!(ran.stderr, b"\n", "the environment is clean");
        let ran = run("kill -9 $$", "", &Limits::default());
        assert_eq!(ran.end, End::Signaled(9));
    }

    #[test]
    fn limits_hold_also_for_what_the_program_starts() {
        let limits = Limits::default()
            .with_wall(Duration::from_millis(300))
            .with_output(100);
        let begun = Instant::now();
        let ran = run("sleep 60 & sleep 60", "", &limits);
        assert_eq!(ran.end, End::WallLimit);
        let ran = run("sleep 60 & echo done", "", &limits);
        assert_eq!(
            (ran.end, ran.stdout.as_slice()),
            (End::Exited(0), &b"done\n"[..])
        );
        let ran = run("yes", "", &limits);
        assert_eq!((ran.end, ran.stdout.len()), (End::OutputLimit, 100));
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
}
