//! Everything that can go wrong in this crate, with the words the user needs to put it right.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// An error of the training crate.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was being done, as a verb: `read`, `write`, `create`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Nothing could come of a run on this data with this model.
    #[error("preflight: {reason}")]
    Preflight {
        /// Why, and the way out.
        reason: String,
    },
    /// A data file is of a kind that is not read, or broken.
    #[error("{} {reason}", path.display())]
    DataFile {
        /// The file, or the pattern of names.
        path: PathBuf,
        /// What it is, and the way out.
        reason: String,
    },
    /// A data row does not follow the row schema.
    #[error("{} row {row}, field `{field}`: {reason} (data.skip_bad_rows = true counts such rows instead)", path.display())]
    Row {
        /// The data file.
        path: PathBuf,
        /// Its line, counted from 1.
        row: usize,
        /// The field, dotted; `row` when the line as a whole is meant.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A row to verify does not follow its schema.
    #[error("{} row {row}, field `{field}`: {reason} (--skip-bad-rows leaves such rows out)", input.display())]
    VerifyRow {
        /// The file, or `standard input`.
        input: PathBuf,
        /// Its line, counted from 1.
        row: u64,
        /// The field; `row` when the line as a whole is meant.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A data file holds no usable row.
    #[error(
        "{} holds no usable row ({skipped} skipped as broken, {too_long} with a prompt that is too long){why}",
        path.display()
    )]
    NoRows {
        /// The data file.
        path: PathBuf,
        /// Rows that were skipped as broken.
        skipped: usize,
        /// Rows that were left out for the length of their prompt.
        too_long: usize,
        /// What was wrong with them, by kind; empty if there were none.
        why: String,
    },
    /// A file that this crate wrote cannot be understood.
    #[error("{} line {line}: {reason}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A metric is NaN or infinite.
    #[error("step {step}: metric `{name}` is {value}; the step is not recorded")]
    NonFiniteMetric {
        /// The training step.
        step: u64,
        /// The metric.
        name: String,
        /// Its value.
        value: f64,
    },
    /// A number that is none was met where its cause is known.
    #[error("{source}. What helps: {way_out}")]
    NotFinite {
        /// The number.
        source: Box<TrainError>,
        /// What to change.
        way_out: &'static str,
    },
    /// A rule of `watch.stop` was broken.
    #[error("stopped by watch.stop after step {step}: {reason}. A checkpoint is in {}; prime-train train --resume RUN goes on from it", path.display())]
    Watch {
        /// The last step.
        step: u64,
        /// The rule, what was seen, and the way out.
        reason: String,
        /// The checkpoint.
        path: PathBuf,
    },
    /// A record cannot be written as JSON or TOML.
    #[error("cannot encode {what}: {reason}")]
    Encode {
        /// What was being written.
        what: &'static str,
        /// The encoder's message.
        reason: String,
    },
    /// The language model failed.
    #[error(transparent)]
    Policy(#[from] prime_policy::PolicyError),
    /// The implicit reward model failed.
    #[error(transparent)]
    Reward(#[from] prime_reward::RewardError),
    /// An estimator refused its input.
    #[error(transparent)]
    Advantage(#[from] prime_advantage::AdvantageError),
    /// A training step failed; the weights are those from before it.
    #[error("step {step}: {source}")]
    Step {
        /// The step.
        step: u64,
        /// What went wrong.
        source: Box<TrainError>,
    },
    /// A prompt is longer than the limit.
    #[error("prompt {index} has {tokens} tokens, but data.max_prompt_tokens is {limit}")]
    PromptTooLong {
        /// The problem's number.
        index: u64,
        /// Its length.
        tokens: usize,
        /// The limit.
        limit: usize,
    },
    /// A run folder is already there.
    #[error("{} exists already; choose another --name, or continue it with --resume {}", path.display(), path.display())]
    RunExists {
        /// The folder.
        path: PathBuf,
    },
    /// There is no checkpoint to continue from.
    #[error("{} has no checkpoint (checkpoints/step-*)", path.display())]
    NoCheckpoint {
        /// The run folder.
        path: PathBuf,
    },
    /// A step needs more memory than there is.
    #[error(
        "a step takes at least {needed_mib} MiB by the memory plan (--dry-run shows it), and there are {limit_mib} MiB: lower \
         rl.micro_batch_tokens, rl.mini_batch_size or sampling.max_new_tokens, train adapters (lora.rank = 16), or set \
         run.check_memory = false to try"
    )]
    Memory {
        /// By the plan, in MiB.
        needed_mib: u64,
        /// Of the machine or the control group, in MiB.
        limit_mib: u64,
    },
    /// Nobody reads standard output any more.
    #[error("standard output was closed")]
    OutputClosed,
    /// A file of a checkpoint is not what was written.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The checkpoint's folder.
        path: PathBuf,
        /// The files, and what is wrong with each.
        what: String,
    },
    /// What a run was started on is not what it was.
    #[error("{what} changed since the run began: {}; put the old files back, or accept them as they are now with --accept-changed", .files.join(", "))]
    Changed {
        /// What it is of the run.
        what: &'static str,
        /// The files, and how they differ.
        files: Vec<String>,
    },
    /// Another process works on the run.
    #[error("{} is in use by {holder}: wait for its end, or stop it", path.display())]
    RunLocked {
        /// The run folder.
        path: PathBuf,
        /// The process, as it calls itself.
        holder: String,
    },
    /// None of a step's responses could be judged.
    #[error("none of {responses} responses could be judged; the first: {reason}")]
    NothingJudged {
        /// Responses sampled.
        responses: usize,
        /// Why the first could not be judged.
        reason: String,
    },
    /// Programs cannot be run here.
    #[error("programs cannot be run: {source} ({})", .names)]
    Code {
        /// What is missing.
        source: prime_verifier::code::CodeError,
        /// What the settings that it speaks of are called where the user gave them.
        names: &'static str,
    },
    /// A grader of one's own cannot be asked.
    #[error("reward `{name}`: {source}")]
    Grader {
        /// What the configuration calls it.
        name: String,
        /// What is wrong.
        source: prime_verifier::external::GraderError,
    },
    /// The sandbox is not there, or what runs in it is not judged as it should be.
    #[error("{0}")]
    Doctor(String),
    /// The command line asks for something that does not fit together.
    #[error("{0}")]
    Usage(String),
    /// Ctrl-C.
    #[error("interrupted; the state is in {}", path.display())]
    Interrupted {
        /// The checkpoint written.
        path: PathBuf,
    },
    /// Ctrl-C before there was anything to save.
    #[error("interrupted during the warm-up; nothing was saved")]
    InterruptedEarly,
    /// Ctrl-C before an output was whole.
    #[error("interrupted; nothing was written to {}", output.display())]
    InterruptedOutput {
        /// The file that the output was for.
        output: PathBuf,
    },
    /// A folder holds nothing to report on.
    #[error("{} is not a run folder: it has no {missing}", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// The file that a run folder has.
        missing: &'static str,
    },
}

impl TrainError {
    /// The exit code of the process: 2 for a usage or configuration error, 3 where `watch.stop` ended the run, 130 after Ctrl-C, 1 for every other.
    pub fn exit_code(&self) -> u8 {
        match self {
            TrainError::Config(_)
            | TrainError::Usage(_)
            | TrainError::RunExists { .. }
            | TrainError::RunLocked { .. }
            | TrainError::Memory { .. }
            | TrainError::Grader { .. }
            | TrainError::Policy(
                prime_policy::PolicyError::Device { .. }
                | prime_policy::PolicyError::Sampling { .. },
            ) => 2,
            TrainError::Interrupted { .. }
            | TrainError::InterruptedEarly
            | TrainError::InterruptedOutput { .. } => 130,
            TrainError::Watch { .. } => 3,
            // What a shell calls the end by SIGPIPE.
            TrainError::OutputClosed => 141,
            _ => 1,
        }
    }

    /// A [`TrainError::Code`] where options of the command line set up the grader.
    pub(crate) fn code_by_options(source: prime_verifier::code::CodeError) -> Self {
        TrainError::Code {
            source,
            names: "options: --python, --allow-unsandboxed",
        }
    }

    /// A [`TrainError::Code`] where the configuration does.
    pub(crate) fn code_by_config(source: prime_verifier::code::CodeError) -> Self {
        TrainError::Code {
            source,
            names: "key: code.allow_unsandboxed; the Python is the first on PATH that will do",
        }
    }

    /// An [`TrainError::Io`] for use in `map_err`.
    pub(crate) fn io(
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(std::io::Error) -> TrainError {
        let path = path.to_path_buf();
        move |source| TrainError::Io {
            action,
            path,
            source,
        }
    }
}

/// An error in the configuration. `source` names the layer: a file, a preset or `--set …`.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The configuration file cannot be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The text is not TOML.
    #[error("{layer} is not valid TOML: {reason}")]
    Syntax {
        /// Where it was written.
        layer: String,
        /// The TOML parser's message, with line and column.
        reason: String,
    },
    /// A `--set` argument has no `=`.
    #[error("--set {given}: write --set section.key=value")]
    SetSyntax {
        /// The argument.
        given: String,
    },
    /// A key that does not exist.
    #[error("{layer}: {}", unknown(.keys))]
    UnknownKeys {
        /// Where they were written.
        layer: String,
        /// All of them, at least one.
        keys: Vec<UnknownKey>,
    },
    /// A key in the table of an objective or estimator that is not the one chosen.
    #[error("{layer}: nothing reads `{key}` here: it is read {when} only")]
    Unread {
        /// Where it was written.
        layer: String,
        /// The key, dotted.
        key: String,
        /// When it is read.
        when: String,
    },
    /// A preset that does not exist.
    #[error("{layer}: unknown preset `{given}`; there are {known}{}", suggest(.nearest))]
    UnknownPreset {
        /// Where it was written.
        layer: String,
        /// The name given.
        given: String,
        /// All names, comma-separated.
        known: String,
        /// The nearest name.
        nearest: Option<String>,
    },
    /// A value of the wrong type, or a word that is none of the choices.
    #[error("{layer}: `{key}`: {reason}")]
    WrongType {
        /// Where it was written.
        layer: String,
        /// The key, dotted.
        key: String,
        /// The given value and the type expected.
        reason: String,
    },
    /// A value outside its range, or at odds with another key.
    #[error("`{key}` is {given}, but must be {need}")]
    Range {
        /// The key, dotted.
        key: &'static str,
        /// The value.
        given: String,
        /// What it must be.
        need: String,
    },
    /// The resolved configuration cannot be written as TOML.
    #[error("cannot write the configuration as TOML: {reason}")]
    Encode {
        /// The encoder's message.
        reason: String,
    },
}

/// A key that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKey {
    /// The key, dotted.
    pub key: String,
    /// What may have been meant, in words.
    pub hint: Option<String>,
}

fn unknown(keys: &[UnknownKey]) -> String {
    let one = |known: &UnknownKey| {
        let hint = known.hint.as_ref().map(|hint| format!(" ({hint})"));
        format!("`{}`{}", known.key, hint.unwrap_or_default())
    };
    match keys {
        [key] => format!("unknown key {}", one(key)),
        keys => {
            let lines: Vec<String> = keys.iter().map(|key| format!("\n  {}", one(key))).collect();
            format!("{} unknown keys:{}", keys.len(), lines.concat())
        }
    }
}

fn suggest(nearest: &Option<String>) -> String {
    match nearest {
        Some(name) => format!(" (did you mean `{name}`?)"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_tell_usage_from_failure() {
        let usage = TrainError::from(ConfigError::SetSyntax { given: "x".into() });
        let failure = TrainError::NoRows {
            path: "d.jsonl".into(),
            skipped: 0,
            too_long: 0,
            why: String::new(),
        };
        assert_eq!((usage.exit_code(), failure.exit_code()), (2, 1));
    }

    #[test]
    fn suggestions_are_shown() {
        let key = UnknownKey {
            key: "rl.stepz".into(),
            hint: Some("did you mean `rl.steps`?".into()),
        };
        let error = ConfigError::UnknownKeys {
            layer: "--set rl.stepz=1".into(),
            keys: vec![key],
        };
        assert_eq!(
            error.to_string(),
            "--set rl.stepz=1: unknown key `rl.stepz` (did you mean `rl.steps`?)"
        );
    }
}
