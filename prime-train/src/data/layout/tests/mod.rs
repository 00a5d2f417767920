//! A row of each layout, written for this, and what it means; or why it is refused, and the way out.

mod code;
mod mapped;
mod maths;
mod refused;
mod turns;
mod verl;

use super::layouts;
use crate::data::ability::Ability;
use crate::data::answer_place::AnswerPlace;
use crate::data::reading::tests::reading;
use crate::data::row::Row;

/// A row and what is expected of it.
struct Case {
    /// The data set that is written so.
    of: &'static str,
    row: &'static str,
    layout: &'static str,
    /// The roles' initials and contents of the prompt: `u:1+1?`.
    prompt: &'static [&'static str],
    golds: &'static [&'static str],
    extract: Option<AnswerPlace>,
}

const PLAIN: Case = Case {
    of: "",
    row: "",
    layout: "",
    prompt: &["u:1+1?"],
    golds: &["2"],
    extract: None,
};

fn parse(row: &str, settings: &[&str]) -> Result<Row, String> {
    let parsed = reading(settings).parse(row.as_bytes());
    parsed.map_err(|broken| format!("{}: {}", broken.field, broken.reason))
}

fn turns(row: &Row) -> Vec<String> {
    let turn = |m: &crate::data::row::Message| format!("{}:{}", &m.role[..1], m.content);
    row.prompt.iter().map(turn).collect()
}

fn check(cases: &[Case], ability: &Ability) {
    for case in cases {
        let row = parse(case.row, &[]).unwrap_or_else(|error| panic!("{}: {error}", case.of));
        assert_eq!(row.layout, case.layout, "{}", case.of);
        assert_eq!(turns(&row), case.prompt, "{}", case.of);
        assert_eq!(row.golds, case.golds, "{}", case.of);
        assert_eq!(row.extract, case.extract, "{}", case.of);
        assert_eq!(&row.ability, ability, "{}", case.of);
    }
}

#[test]
fn the_readme_names_every_layout() {
    let readme = include_str!("../../../../README.md");
    for layout in layouts() {
        let line = format!("| {} | {} | ", layout.name, layout.data_sets);
        assert!(readme.contains(&line), "README.md has no row {line:?}");
    }
}

#[test]
fn there_is_a_bit_for_every_column() {
    assert!(super::HEADS.len() <= 128 && super::HEADS.values().all(|bit| *bit != 0));
}
