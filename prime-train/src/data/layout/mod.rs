//! Layouts: how published data sets name and nest what a row means. Each is recognised by its columns.
//!
//! To add one, put a [`Layout`] into the file that it is akin to. The order of [`layouts`] is the order of recognition: the
//! first whose columns are all there wins, so a layout with more columns comes before one with fewer.

mod choice;
mod code;
mod maths;
#[cfg(test)]
mod tests;
mod turns;
mod unnamed;
mod verifiable;

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use super::ability::Ability;
use super::broken::Broken;
use super::json::Object;
use super::path::has;
use super::row::Message;

pub(crate) use turns::WHOLE_ROW;
pub(crate) use unnamed::{ANSWERS, PROMPTS, SURE, guess};

/// One way to write rows.
#[derive(Debug, Clone)]
pub struct Layout {
    /// What it is called in messages and in the documentation.
    pub name: &'static str,
    /// Data sets that are written so.
    pub data_sets: &'static str,
    /// The columns, or paths into them, that are there in every row of it and not null.
    pub columns: &'static [&'static str],
    pub(crate) prompt: Prompt,
    pub(crate) gold: Gold,
    /// Columns with a whole response; the first that is there counts.
    pub(crate) reference: &'static [&'static str],
    /// The column that says what judges a response; empty: `ability`.
    pub(crate) ability: &'static str,
    /// What judges it where no column says so; `None`: as `data.ability` says.
    pub(crate) implied: Option<Ability>,
}

/// Where the prompt stands.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Prompt {
    At(&'static str),
    Made(fn(&Object<'_>) -> Result<Vec<Message>, Broken>),
}

/// Where the gold answer, or the tests, stand.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Gold {
    /// At the first of these paths that is there.
    At(&'static [&'static str], How),
    /// Answers, put together.
    Made(fn(&Object<'_>) -> Result<Vec<String>, Broken>),
    /// Tests, put together.
    Tests(fn(&Object<'_>) -> Result<String, Broken>),
    /// Rows of this layout have none that could be used: why, and the way out.
    Missing(&'static str),
}

/// How a gold answer is written. Tests of code are to the letter, whatever is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// To the letter.
    Exact,
    /// An answer, perhaps behind `####`.
    Answer,
    /// A worked solution that holds the answer.
    Solution,
}

/// For layouts that differ from it in few things.
const PLAIN: Layout = Layout {
    name: "",
    data_sets: "",
    columns: &[],
    prompt: Prompt::At("prompt"),
    gold: Gold::At(&["answer"], How::Answer),
    reference: &["completion", "response"],
    ability: "",
    implied: None,
};

const GROUPS: [&[Layout]; 6] = [
    verifiable::LAYOUTS,
    code::LAYOUTS,
    choice::LAYOUTS,
    turns::LAYOUTS,
    maths::LAYOUTS,
    turns::LATE,
];

/// All layouts, in the order of recognition.
pub fn layouts() -> impl Iterator<Item = &'static Layout> {
    GROUPS.into_iter().flatten()
}

/// The layout of a row: the first whose columns are all there.
pub(crate) fn recognise(row: &Object<'_>) -> Option<&'static Layout> {
    let (there, with_nulls) = row.0.iter().fold((0, 0), |(there, all), (name, value)| {
        let bit = HEADS.get(&**name).copied().unwrap_or(0);
        let here = if value.get() == "null" { 0 } else { bit };
        (there | here, all | bit)
    });
    let fits = |layout: &Layout| layout.columns.iter().all(|column| has(row, column));
    let found = MASKS
        .iter()
        .find(|(mask, layout)| mask & there == *mask && fits(layout));
    // With a null in it, a row is one of its layout that is broken.
    let flat = |layout: &Layout| layout.columns.iter().all(|c| row.get(c).is_some());
    let broken = || {
        MASKS
            .iter()
            .find(|(mask, layout)| mask & with_nulls == *mask && flat(layout))
    };
    found.or_else(broken).map(|(_, layout)| *layout)
}

/// A bit for each column that a layout asks for: a row's columns are held against all layouts at once.
static HEADS: LazyLock<HashMap<&'static str, u128>> = LazyLock::new(|| {
    let names: BTreeSet<&str> = layouts()
        .flat_map(|layout| layout.columns)
        .map(|c| head(c))
        .collect();
    names
        .into_iter()
        .enumerate()
        .map(|(i, name)| (name, 1 << i))
        .collect()
});

static MASKS: LazyLock<Vec<(u128, &'static Layout)>> = LazyLock::new(|| {
    let bit = |column: &&str| HEADS.get(head(column)).copied().unwrap_or(0);
    let mask = |layout: &Layout| {
        layout
            .columns
            .iter()
            .map(bit)
            .fold(0, |mask, bit| mask | bit)
    };
    layouts().map(|layout| (mask(layout), layout)).collect()
});

/// The column that a path begins with.
fn head(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or(path)
}
