//! `[warmup]`.

use super::{Checked, at_least_one, below_one, ensure, not_negative, positive};
use crate::config::Config;

pub(super) fn warmup(config: &Config) -> Checked {
    let w = &config.warmup;
    at_least_one("warmup.batch_size", w.batch_size)?;
    at_least_one("warmup.micro_batch_size", w.micro_batch_size)?;
    at_least_one("warmup.max_tokens", w.max_tokens)?;
    at_least_one("warmup.eval_demonstrations", w.eval_demonstrations)?;
    for entry in w.train_file.entries() {
        positive("warmup.train_file", entry.weight)?;
    }
    for entry in w.eval_file.entries() {
        positive("warmup.eval_file", entry.weight)?;
    }
    ensure(
        w.eval_file.is_empty() || !w.train_file.is_empty(),
        "warmup.eval_file",
        &w.eval_file,
        "\"\" without warmup.train_file: it is held out from that",
    )?;
    ensure(
        !w.packing || config.rl.micro_batch_tokens > 0,
        "warmup.packing",
        w.packing,
        "false without rl.micro_batch_tokens, the tokens that are packed into a forward pass",
    )?;
    ensure(
        w.train_file.is_empty() || w.steps > 0,
        "warmup.steps",
        w.steps,
        "at least 1 with warmup.train_file: how long its demonstrations are learned from",
    )?;
    ensure(
        w.train_file.is_empty() || !config.model.path.is_empty(),
        "warmup.train_file",
        &w.train_file,
        "\"\" without model.path: a fresh model has the characters of its built-in task only",
    )?;
    positive("warmup.lr", w.lr)?;
    below_one("warmup.beta1", w.beta1)?;
    below_one("warmup.beta2", w.beta2)?;
    not_negative("warmup.weight_decay", w.weight_decay)?;
    positive("warmup.grad_clip", w.grad_clip)?;
    ensure(
        w.steps == 0 || w.lr_warmup_steps < w.steps,
        "warmup.lr_warmup_steps",
        w.lr_warmup_steps,
        format_args!("less than warmup.steps ({})", w.steps),
    )
}
