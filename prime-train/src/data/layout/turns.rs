//! Conversations with their answer beside or inside them.

use super::super::broken::Broken;
use super::super::conversation;
use super::super::json::{Object, list};
use super::super::row::Message;
use super::{Gold, How, Layout, PLAIN, Prompt};

/// What a row that is a list of turns is called as a column.
pub(crate) const WHOLE_ROW: &str = "conversations";

const NO_GOLD: &str = "a conversation alone has no answer that a response could be held against; add a column with it and name \
     it with data.columns.answer (for demonstrations, which need none, `sft` takes such rows)";

pub(super) const LAYOUTS: &[Layout] = &[
    Layout {
        name: "turns with ground_truth",
        data_sets: "ORZ (also where a row is the list of turns itself)",
        columns: &["conversations[-1].ground_truth"],
        prompt: Prompt::Made(|row| before_ground_truth(&turns(row))),
        gold: Gold::At(
            &[
                "conversations[-1].ground_truth.value",
                "conversations[-1].ground_truth",
            ],
            How::Exact,
        ),
        ..PLAIN
    },
    Layout {
        name: "turns as columns",
        data_sets: "ORZ as Parquet",
        columns: &["0", "1.ground_truth"],
        prompt: Prompt::Made(|row| before_ground_truth(&[row.get("0").unwrap_or("null")])),
        gold: Gold::At(&["1.ground_truth.value", "1.ground_truth"], How::Exact),
        ..PLAIN
    },
    Layout {
        name: "messages, ground_truth",
        data_sets: "open-instruct's RLVR mixtures",
        columns: &["messages", "ground_truth"],
        prompt: Prompt::At("messages"),
        gold: Gold::At(&["ground_truth"], How::Exact),
        ability: "dataset",
        ..PLAIN
    },
];

/// Conversations beside an answer or a solution, and conversations alone: the last to be tried, since data sets that have a
/// problem in a column often have it in a conversation too.
pub(super) const LATE: &[Layout] = &[
    Layout {
        name: "messages, solution",
        data_sets: "ms-swift",
        columns: &["messages", "solution"],
        prompt: Prompt::At("messages"),
        gold: Gold::At(&["answer", "solution"], How::Solution),
        ..PLAIN
    },
    Layout {
        name: "messages, answer",
        data_sets: "exports of chats with an answer",
        columns: &["messages", "answer"],
        prompt: Prompt::At("messages"),
        ..PLAIN
    },
    Layout {
        name: "conversations",
        data_sets: "OpenThoughts, Bespoke-Stratos, ShareGPT",
        columns: &["conversations"],
        prompt: Prompt::At("conversations"),
        gold: Gold::Missing(NO_GOLD),
        ..PLAIN
    },
    Layout {
        name: "messages",
        data_sets: "Tulu 3, UltraChat, SmolTalk",
        columns: &["messages"],
        prompt: Prompt::At("messages"),
        gold: Gold::Missing(NO_GOLD),
        ..PLAIN
    },
    Layout {
        name: "conversation, label",
        data_sets: "responses with a mark",
        columns: &["conversation", "label"],
        prompt: Prompt::At("conversation"),
        gold: Gold::Missing(
            "`label` says whether the response is right, not what the answer is; add a column with the answer and name it with \
             data.columns.answer",
        ),
        ..PLAIN
    },
    Layout {
        name: "problem, steps, label",
        data_sets: "ProcessBench",
        columns: &["problem", "steps", "label"],
        prompt: Prompt::At("problem"),
        gold: Gold::Missing(
            "`label` is the first wrong step of a solution, not the answer; add a column with the answer and name it with \
             data.columns.answer",
        ),
        ..PLAIN
    },
    Layout {
        name: "instruction, output",
        data_sets: "Alpaca, Dolly as Alpaca has it",
        columns: &["instruction", "output"],
        prompt: Prompt::Made(instruction),
        gold: Gold::Missing(
            "instructions with an output have no answer that a response could be held against; where the output is one, set \
             data.columns.answer = \"output\" (for demonstrations, which need none, `sft` takes such rows)",
        ),
        reference: &["output"],
        ..PLAIN
    },
];

/// The instruction and, where there is one, its input.
fn instruction(row: &Object<'_>) -> Result<Vec<Message>, Broken> {
    let read = |column: &str| conversation::text_of(row.get(column).unwrap_or("null"), column);
    let instruction = read("instruction")?;
    let whole = match read("input") {
        Ok(input) => format!("{instruction}\n\n{input}"),
        Err(_) => instruction,
    };
    Ok(vec![Message::new("user", whole)])
}

fn turns<'l>(row: &Object<'l>) -> Vec<&'l str> {
    row.get(WHOLE_ROW).and_then(list).unwrap_or_default()
}

/// The turns without the one that has the answer in place of a text.
fn before_ground_truth(turns: &[&str]) -> Result<Vec<Message>, Broken> {
    let asked: Vec<&str> = turns
        .iter()
        .copied()
        .filter(|turn| !Object::of(turn).is_some_and(|turn| turn.has("ground_truth")))
        .collect();
    let json = format!("[{}]", asked.join(","));
    Ok(conversation::read(&json, WHOLE_ROW)?.messages)
}
