//! Starting what was asked for.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The package and binary behind the training commands.
const TRAIN: &str = "prime-train";

/// Hands `args` to `prime-train`, building it first if need be.
pub(crate) fn train(args: Vec<OsString>) -> io::Result<ExitCode> {
    if !is_built(TRAIN) {
        eprintln!("building {TRAIN} (first build takes several minutes)…");
    }
    let mut cargo = cargo();
    cargo
        .args(["run", "--package", TRAIN, "--bin", TRAIN, "--"])
        .args(args);
    if let Some(commit) = commit() {
        cargo.env("PRIME_TRAIN_COMMIT", commit);
    }
    become_command(cargo)
}

/// The commit that is checked out, with a plus where files differ from it; `None` without git.
fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(workspace())
            .output();
        let output = output.ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
    Some(match changed.is_empty() {
        true => commit,
        false => format!("{commit}+"),
    })
}

/// `cargo bench` of the crate that comes first in `args`.
pub(crate) fn bench(args: Vec<OsString>) -> io::Result<ExitCode> {
    let mut cargo = cargo();
    cargo.args(["bench", "--package"]).args(args);
    become_command(cargo)
}

/// The checks of `.ci/run`, which stays the one list of them.
pub(crate) fn ci() -> io::Result<ExitCode> {
    let root = workspace();
    let mut script = Command::new("bash");
    script.arg(root.join(".ci").join("run")).current_dir(root);
    become_command(script)
}

fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn workspace() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// Whether cargo has put `binary` beside this one before.
fn is_built(binary: &str) -> bool {
    env::current_exe().is_ok_and(|own| {
        own.with_file_name(format!("{binary}{}", env::consts::EXE_SUFFIX))
            .exists()
    })
}

/// Replaces this process, as cargo does in turn: one process is left, which gets every signal itself and
/// whose exit code is the one the caller sees. Returns only if the command cannot be started.
#[cfg(unix)]
fn become_command(mut command: Command) -> io::Result<ExitCode> {
    use std::os::unix::process::CommandExt as _;

    Err(not_started(&command.exec(), &command))
}

/// Runs the command to its end. Ctrl-C is left to the command, which has a checkpoint to write.
#[cfg(not(unix))]
fn become_command(mut command: Command) -> io::Result<ExitCode> {
    ctrlc::set_handler(|| {}).map_err(io::Error::other)?;
    let status = command
        .status()
        .map_err(|error| not_started(&error, &command))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

fn not_started(error: &io::Error, command: &Command) -> io::Error {
    let program = command.get_program().display();
    io::Error::new(error.kind(), format!("cannot start `{program}`: {error}"))
}
