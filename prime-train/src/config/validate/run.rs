//! `[code]`, `[eval]` and `[run]`.

use super::{Checked, at_least_one, ensure, not_negative};
use crate::code_args::{MEMORY_MIB, MOST_SECONDS};
use crate::config::Config;

pub(super) fn code(config: &Config) -> Checked {
    let c = &config.code;
    ensure(
        c.time_limit > 0.0 && c.time_limit <= MOST_SECONDS,
        "code.time_limit",
        c.time_limit,
        format_args!("above 0, up to {MOST_SECONDS} seconds"),
    )?;
    ensure(
        MEMORY_MIB.contains(&c.memory_limit_mib),
        "code.memory_limit_mib",
        c.memory_limit_mib,
        format_args!("from {} to {}", MEMORY_MIB.start(), MEMORY_MIB.end()),
    )
}

pub(super) fn eval_and_run(config: &Config) -> Checked {
    let e = &config.eval;
    at_least_one("eval.problems", e.problems)?;
    at_least_one("eval.every_problems", e.every_problems)?;
    at_least_one("eval.k", e.k)?;
    not_negative("eval.temperature", e.temperature)?;
    ensure(
        !config.run.out_dir.is_empty(),
        "run.out_dir",
        "\"\"",
        "a folder",
    )?;
    not_negative("run.save_minutes", config.run.save_minutes)?;
    let run = &config.run;
    ensure(
        run.save_best.is_empty() || run.save_best.starts_with("eval/"),
        "run.save_best",
        &run.save_best,
        "a metric of the evaluation, such as eval/pass@1, or empty",
    )?;
    ensure(
        run.stop_after == 0 || !run.save_best.is_empty(),
        "run.stop_after",
        run.stop_after,
        "0 without run.save_best, the metric whose gain it waits for",
    )?;
    at_least_one("run.keep_last", run.keep_last)
}
