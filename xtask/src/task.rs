//! Command lines.

use std::ffi::OsString;
use std::fmt::{self, Write as _};
use std::path::PathBuf;

/// Commands of the `prime-train` binary, handed over with all their arguments.
const TRAIN_COMMANDS: &[(&str, &str)] = &[
    ("train", "warm up, then reinforcement learning"),
    (
        "preflight",
        "try 16 responses to the data, and say what they show",
    ),
    ("sft", "supervised fine-tuning only"),
    ("eval", "measure a checkpoint on held-out problems"),
    ("generate", "sample responses from a checkpoint"),
    (
        "replay",
        "take a step of a run again, with everything that it says",
    ),
    ("merge", "merge an adapter into its base model"),
    (
        "compare",
        "run several configurations and chart them together",
    ),
    ("report", "write a run's report"),
    ("verify", "grade texts: JSONL in, verdict JSONL out"),
    ("config", "every key of the configuration, or --explain KEY"),
    ("doctor", "what programs would run in here, tried out"),
];

const OWN_COMMANDS: &[(&str, &str)] = &[
    ("ci", "every check of .ci/run: format, lints, tests, docs"),
    ("bench", "bench <crate> [args…]: cargo bench of one crate"),
    (
        "sums",
        "sums <folder>: rows of sums for a first run on a real model",
    ),
    ("help", "this text"),
];

/// What a command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Help,
    Ci,
    /// Arguments of `cargo bench --package`, the crate first.
    Bench {
        args: Vec<OsString>,
    },
    /// The folder that the rows go to.
    Sums {
        folder: PathBuf,
    },
    /// Arguments of `prime-train`, the command first.
    Train {
        args: Vec<OsString>,
    },
}

/// A command line that asks for nothing we have.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum UsageError {
    Unknown {
        command: String,
        nearest: Option<&'static str>,
    },
    NoCrate,
    NoFolder,
    Unexpected {
        command: &'static str,
        argument: String,
    },
}

impl Task {
    /// Reads the arguments after `cargo xtask`.
    pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        let mut args = args.into_iter();
        let Some(command) = args.next() else {
            return Ok(Self::Help);
        };
        match command.to_str() {
            Some("help" | "--help" | "-h") => Ok(Self::Help),
            Some("ci") => match args.next() {
                None => Ok(Self::Ci),
                Some(argument) => Err(UsageError::Unexpected {
                    command: "ci",
                    argument: argument.display().to_string(),
                }),
            },
            Some("bench") => {
                let args: Vec<_> = args.collect();
                match args.first().and_then(|name| name.to_str()) {
                    Some(name) if !name.starts_with('-') => Ok(Self::Bench { args }),
                    _ => Err(UsageError::NoCrate),
                }
            }
            Some("sums") => match (args.next(), args.next()) {
                (Some(folder), None) if !folder.to_string_lossy().starts_with('-') => {
                    Ok(Self::Sums {
                        folder: folder.into(),
                    })
                }
                _ => Err(UsageError::NoFolder),
            },
            Some(name) if TRAIN_COMMANDS.iter().any(|(known, _)| *known == name) => {
                Ok(Self::Train {
                    args: std::iter::once(command).chain(args).collect(),
                })
            }
            _ => {
                let command = command.display().to_string();
                let nearest = nearest(&command);
                Err(UsageError::Unknown { command, nearest })
            }
        }
    }
}

/// The command that `typed` was probably meant to be.
fn nearest(typed: &str) -> Option<&'static str> {
    /// Below this, a suggestion is more often odd than helpful.
    const ALIKE: f64 = 0.8;
    commands()
        .map(|(name, _)| (name, strsim::jaro_winkler(typed, name)))
        .filter(|(_, alike)| *alike >= ALIKE)
        .max_by(|(_, left), (_, right)| left.total_cmp(right))
        .map(|(name, _)| name)
}

fn commands() -> impl Iterator<Item = (&'static str, &'static str)> {
    TRAIN_COMMANDS.iter().chain(OWN_COMMANDS).copied()
}

/// The text of `cargo xtask --help`.
pub(crate) fn help() -> String {
    let mut text = String::from("Usage: cargo xtask <command> [args…]\n");
    for (title, commands) in [
        (
            "prime-train commands (add --help for their options)",
            TRAIN_COMMANDS,
        ),
        ("Developer commands", OWN_COMMANDS),
    ] {
        let _ = writeln!(text, "\n{title}:");
        for (name, about) in commands {
            let _ = writeln!(text, "  {name:<10} {about}");
        }
    }
    text
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { command, nearest } => {
                write!(f, "error: there is no command `{command}`")?;
                if let Some(nearest) = nearest {
                    write!(f, "; did you mean `{nearest}`?")?;
                }
                write!(f, "\n\n{}", help())
            }
            Self::NoCrate => writeln!(
                f,
                "error: name the crate to measure first: cargo xtask bench <crate> [args…]"
            ),
            Self::NoFolder => writeln!(
                f,
                "error: name the folder that the rows go to, and nothing else: cargo xtask sums <folder>"
            ),
            Self::Unexpected { command, argument } => {
                writeln!(
                    f,
                    "error: `{command}` takes no arguments, but was given `{argument}`"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Task, UsageError> {
        Task::parse(line.split_whitespace().map(OsString::from))
    }

    fn args(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn no_arguments_and_help_are_help() {
        for line in ["", "help", "--help", "-h"] {
            assert_eq!(parse(line), Ok(Task::Help), "{line:?}");
        }
    }

    #[test]
    fn train_commands_keep_every_argument_in_order() {
        for line in [
            "train",
            "train --help",
            "train --set a.b=c --resume",
            "eval -- x",
            "report runs/a ci",
            "merge --model a --out b",
            "verify --input - --output b",
            "doctor --python p",
            "config --explain rl.lr",
        ] {
            assert_eq!(parse(line), Ok(Task::Train { args: args(line) }));
        }
    }

    #[test]
    fn own_commands_check_their_arguments() {
        assert_eq!(parse("ci"), Ok(Task::Ci));
        assert_eq!(
            parse("ci now"),
            Err(UsageError::Unexpected {
                command: "ci",
                argument: "now".to_owned()
            })
        );
        assert_eq!(
            parse("bench prime-x -- rloo"),
            Ok(Task::Bench {
                args: args("prime-x -- rloo")
            })
        );
        assert_eq!(
            parse("sums data/sums"),
            Ok(Task::Sums {
                folder: "data/sums".into()
            })
        );
        for line in ["sums", "sums --help", "sums a b"] {
            assert_eq!(parse(line), Err(UsageError::NoFolder));
        }
        for line in ["bench", "bench --all"] {
            assert_eq!(parse(line), Err(UsageError::NoCrate));
        }
    }

    #[test]
    fn slips_get_the_nearest_command_and_nonsense_gets_none() {
        for (typed, meant) in [
            ("trian", Some("train")),
            ("evla", Some("eval")),
            ("comapre", Some("compare")),
            ("reprot", Some("report")),
            ("mrege", Some("merge")),
            ("Train", Some("train")),
            ("benches", Some("bench")),
            ("xyzzy", None),
            ("--release", None),
        ] {
            let expected = UsageError::Unknown {
                command: typed.to_owned(),
                nearest: meant,
            };
            assert_eq!(parse(typed), Err(expected));
        }
    }

    #[test]
    fn the_message_names_the_slip_the_guess_and_all_commands() {
        let message = parse("trian").expect_err("no such command").to_string();
        assert!(message.starts_with("error: there is no command `trian`; did you mean `train`?\n"));
        for (name, about) in commands() {
            assert!(
                message.contains(name) && message.contains(about),
                "{name} is missing"
            );
        }
    }
}
