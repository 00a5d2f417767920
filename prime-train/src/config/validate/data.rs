//! `[data]`.

use super::{Checked, at_least_one, ensure, positive};
use crate::config::{Config, Data, DataTask, Purpose};
use crate::data::chat::chat_variables;
use crate::data::prompt_shape::{ExampleTurns, PROBLEM};
use crate::data::tasks::PassMark;
use crate::reward::extraction::{AUTO, extraction};

pub(super) fn data(config: &Config, purpose: Purpose) -> Checked {
    let d = &config.data;
    at_least_one("data.max_prompt_tokens", d.max_prompt_tokens)?;
    ensure(
        !d.chat_template.is_empty(),
        "data.chat_template",
        "\"\"",
        "\"auto\", \"none\" or the path of a Jinja template",
    )?;
    prompts(d)?;
    if purpose == Purpose::Sampling {
        return Ok(());
    }
    ensure(
        d.task != DataTask::Auto,
        "data.task",
        "auto",
        "\"exam\" or another built-in task, or data.train_file given: model.path does not say what there is to learn",
    )?;
    for (key, files) in [
        ("data.train_file", &d.train_file),
        ("data.eval_file", &d.eval_file),
    ] {
        for entry in files.entries() {
            positive(key, entry.weight)?;
        }
    }
    ensure(
        d.eval_file
            .entries()
            .iter()
            .all(|entry| entry.weight == 1.0),
        "data.eval_file",
        "a list with weights",
        "paths alone: all held-out problems are measured, one as the other",
    )?;
    held_out_sets(d)?;
    let Some(task) = d.task.builtin() else {
        if purpose == Purpose::Training {
            let demonstrations = !config.warmup.train_file.is_empty();
            ensure(
                !d.train_file.is_empty() || (config.rl.steps == 0 && demonstrations),
                "data.train_file",
                "\"\"",
                "a file with data.task = \"rows\"",
            )?;
            ensure(
                !config.model.path.is_empty(),
                "model.path",
                "\"\"",
                "a model folder with data.task = \"rows\": rows need its tokenizer",
            )?;
        }
        let given = d.pass_mark.map(|mark| mark.to_string()).unwrap_or_default();
        let need = "\"\" with data.task = \"rows\": the verifier judges whole responses";
        return ensure(d.pass_mark.is_none(), "data.pass_mark", given, need);
    };
    let name = task.name().as_str();
    ensure(
        d.max_prompt_tokens >= task.prompt_tokens(),
        "data.max_prompt_tokens",
        d.max_prompt_tokens,
        format_args!(
            "at least {}: prompts of `{name}` are that long",
            task.prompt_tokens()
        ),
    )?;
    ensure(
        config.sampling.max_new_tokens >= task.response_tokens(),
        "sampling.max_new_tokens",
        config.sampling.max_new_tokens,
        format_args!(
            "at least {}: responses of `{name}` are that long",
            task.response_tokens()
        ),
    )?;
    match d.pass_mark {
        Some(PassMark::AtLeast(mark)) => ensure(
            (1..=task.answers()).contains(&mark),
            "data.pass_mark",
            mark,
            format_args!("from 1 to {}, the answers of `{name}`", task.answers()),
        ),
        _ => Ok(()),
    }
}

/// Names of held-out sets become parts of metric names.
fn held_out_sets(d: &Data) -> Checked {
    const TAKEN: [&str; 4] = ["n", "answers", "could_not_judge", "other"];
    for (name, files) in &d.eval_sets {
        let fit = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        ensure(
            !name.is_empty() && name.len() <= 60 && name.chars().all(fit),
            "data.eval_sets",
            format!("{name:?}"),
            "tables whose names have letters, digits, `.`, `_` and `-`, 60 at most: metrics are called eval/<name>/pass@1",
        )?;
        ensure(
            !TAKEN.contains(&name.as_str()),
            "data.eval_sets",
            format!("{name:?}"),
            "another name: a metric of all sets has this one",
        )?;
        ensure(
            !files.is_empty(),
            "data.eval_sets",
            format!("{name} = \"\""),
            "a file or a list of files for each name",
        )?;
        let weighted = files.entries().iter().any(|entry| entry.weight != 1.0);
        ensure(
            !weighted,
            "data.eval_sets",
            format!("{name} with weights"),
            "paths alone: all held-out problems are measured, one as the other",
        )?;
    }
    Ok(())
}

/// What is added to prompts, and the columns that they come from.
fn prompts(d: &Data) -> Checked {
    ensure(
        d.prompt_template.contains(PROBLEM),
        "data.prompt_template",
        format!("{:?}", d.prompt_template),
        "a text with {prompt} where the row's own goes",
    )?;
    ensure(
        !d.ability.trim().is_empty(),
        "data.ability",
        "\"\"",
        "\"math\" or \"code\"",
    )?;
    if let Some((key, given, need)) = d.columns.fault() {
        return ensure(false, key, format!("{given:?}"), need);
    }
    if let ExampleTurns::Turns(turns) = &d.example_turns {
        for turn in turns {
            let blank = turn.user.trim().is_empty() || turn.assistant.trim().is_empty();
            ensure(
                !blank,
                "data.example_turns",
                format!("{turn:?}"),
                "a list of { user, assistant }, neither of them blank",
            )?;
        }
    }
    if d.extract != AUTO
        && let Err(error) = extraction(&d.extract)
    {
        let need = format!("auto, anywhere, or names of places: {error}");
        return ensure(false, "data.extract", format!("{:?}", d.extract), need);
    }
    chat_variables(&d.chat_template_kwargs).map(|_| ())
}
