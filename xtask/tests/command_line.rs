//! The built binary: what it prints, what it starts, and how it ends. The shell stands in for cargo.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const XTASK: &str = env!("CARGO_BIN_EXE_xtask");

/// `xtask args…`, with the shell in cargo's place: what would be `cargo run …` is then `sh run …`, and `lines`
/// are what stands in the file `run`. (A script written and executed at once may be busy; one that is read is not.)
fn xtask(test: &str, lines: &str, args: &[&str]) -> Command {
    let folder = folder(test);
    for cargo_command in ["run", "bench"] {
        fs::write(folder.join(cargo_command), lines).expect("our own folder");
    }
    let mut command = Command::new(XTASK);
    command
        .args(args)
        .env("CARGO", "/bin/sh")
        .current_dir(folder);
    command
}

fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    fs::create_dir_all(&folder).expect("the folder for tests is writable");
    folder
}

fn output(mut command: Command) -> Output {
    command.output().expect("the binary starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn help_goes_to_stdout_and_succeeds() {
    for args in [&[][..], &["--help"]] {
        let output = output(xtask("help", "exit 1", args));
        assert!(output.status.success());
        assert!(text(&output.stdout).contains("Usage: cargo xtask <command>"));
    }
}

#[test]
fn an_unknown_command_exits_with_2_and_starts_nothing() {
    let output = output(xtask("unknown", "echo started", &["trian"]));
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout), "");
    assert!(text(&output.stderr).contains("did you mean `train`?"));
}

#[test]
fn arguments_output_and_exit_code_pass_through() {
    let lines = r#"printf '<%s>' "$@"; exit 130"#;
    let train = output(xtask(
        "passing",
        lines,
        &["train", "--set", "run.name=a b", "", "--", "x"],
    ));
    assert_eq!(train.status.code(), Some(130));
    let expected =
        "<--package><prime-train><--bin><prime-train><--><train><--set><run.name=a b><><--><x>";
    assert_eq!(text(&train.stdout), expected);

    let bench = output(xtask(
        "passing",
        lines,
        &["bench", "some-crate", "--", "name"],
    ));
    assert_eq!(text(&bench.stdout), "<--package><some-crate><--><name>");
}

#[test]
fn a_signal_to_xtask_reaches_the_command() {
    let lines = "trap 'echo saved; exit 130' INT TERM; echo ready; while :; do sleep 0.05; done";
    for signal in ["-INT", "-TERM"] {
        let mut command = xtask("signalled", lines, &["train"]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        assert_eq!(lines.next().and_then(Result::ok).as_deref(), Some("ready"));
        let kill = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status()
            .expect("kill starts");
        assert!(kill.success());
        assert_eq!(lines.next().and_then(Result::ok).as_deref(), Some("saved"));
        assert_eq!(child.wait().expect("our child").code(), Some(130));
    }
}

#[test]
fn the_notice_is_printed_only_until_the_binary_is_there() {
    let folder = folder("notice");
    let (own, train) = (folder.join("xtask"), folder.join("prime-train"));
    for old in [&own, &train] {
        let _ = fs::remove_file(old);
    }
    fs::hard_link(XTASK, &own).expect("tests write to the folder cargo builds in");
    let notice = || {
        let output = Command::new(&own)
            .arg("train")
            .env("CARGO", "true")
            .output()
            .expect("the link starts");
        text(&output.stderr)
    };
    assert!(notice().contains("building prime-train"));
    fs::write(&train, "").expect("our own folder");
    assert_eq!(notice(), "");
}

#[test]
fn a_missing_cargo_is_named() {
    let mut command = xtask("missing", "", &["train"]);
    command.env("CARGO", "/nonexistent/cargo");
    let output = output(command);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("cannot start `/nonexistent/cargo`"));
}

#[test]
fn every_command_of_the_trainer_can_be_called_from_here() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../prime-train/src/cli.rs");
    let source = fs::read_to_string(source).expect("the trainer's command line is beside us");
    let body = source
        .split_once("pub enum Command {\n")
        .and_then(|(_, rest)| rest.split_once("\n}\n"))
        .expect("it has an enum of its commands")
        .0;
    let commands: Vec<String> = body
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
        .map(|line| {
            let name: String = line.chars().take_while(|c| c.is_alphanumeric()).collect();
            name.to_lowercase()
        })
        .collect();
    assert!(commands.len() >= 11, "{commands:?}");
    let help = text(&output(xtask("every", "exit 1", &["--help"])).stdout);
    for command in commands {
        let line = format!("\n  {command:<10} ");
        assert!(help.contains(&line), "`{command}` is missing:\n{help}");
    }
}
