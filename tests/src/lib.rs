//! What the whole-system tests share: the built binary, its runs, and how they end.
//!
//! Nothing here links the training crates. The tests see what a user sees: arguments, exit codes, text and files.

mod build;
mod files;
mod process;
mod verify;

pub use build::{binary, prm_auc};
pub use files::{Folder, Record, recorded_text, records};
pub use process::{Finished, Started, prime_train, prime_train_reading, run};
pub use verify::{assert_failed, parsed, verified, verify_with};

/// `--set key=value` for each pair.
pub fn sets<'a>(settings: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    settings
        .into_iter()
        .flat_map(|setting| ["--set".to_owned(), setting.to_owned()])
        .collect()
}

/// Settings of a run that takes a fraction of a second and still does everything: a model of one narrow block, a few
/// steps, fractions as outcomes so that even this model is told something.
pub fn tiny() -> Vec<String> {
    sets([
        "data.task=mod3",
        "data.pass_mark=fraction",
        "model.hidden_size=16",
        "model.intermediate_size=16",
        "model.num_hidden_layers=1",
        "model.num_attention_heads=2",
        "model.num_key_value_heads=1",
        "warmup.steps=60",
        "warmup.batch_size=16",
        "warmup.lr_warmup_steps=5",
        "rl.steps=3",
        "rl.prompts_per_step=4",
        "prm.process_warmup_steps=1",
        "prm.replay.mini_batches=2",
        "prm.replay.batch_size=16",
        "eval.problems=16",
        "eval.every=2",
        "eval.every_problems=8",
    ])
}

/// The repository's README, so that its example is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct ReadMe;
