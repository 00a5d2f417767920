//! The table in the README: what counts as equal under each preset, as the code has it.

use std::path::Path;

use prime_verifier::math::MathPolicy;

use super::equal;

const PRESETS: [&str; 4] = ["strict", "default", "math_verify_compat", "prime_compat"];

/// What a row shows, a gold answer, an answer.
const ROWS: &[(&str, &str, &str)] = &[
    ("fraction and decimal", r"\frac12", "0.5"),
    ("expanded", "(x+1)^2", "x^2+2x+1"),
    ("rationalised", r"\frac{1}{\sqrt3}", r"\frac{\sqrt3}{3}"),
    ("angle in radians", r"90^\circ", r"\frac{\pi}{2}"),
    ("order in a set", r"\{1,2\}", r"\{2,1\}"),
    ("equation rearranged", "y=2x+1", "2x-y+1=0"),
    ("inequality turned around", "x<3", "3>x"),
    ("percentage and its value", r"5\%", "0.05"),
    ("number in a base and its value", "263_8", "179"),
    ("percent sign missing", r"5\%", "5"),
    ("unit missing", r"5\text{ cm}", "5"),
    ("degree sign missing", r"90^\circ", "90"),
    ("unit converted", r"1\text{ h}", r"60\text{ min}"),
    ("another unit", r"5\text{ cm}", r"5\text{ m}"),
    ("order in a list", "1, 2", "2, 1"),
    ("left side missing", "x=5", "5"),
    ("inequality and interval", "1<x<2", "(1,2)"),
    ("tuple for a set", r"\{1,2\}", "(1,2)"),
    ("brackets missing", "(1,2)", "1, 2"),
    ("braces missing", r"\{5\}", "5"),
    (
        "column vector and tuple",
        r"\begin{pmatrix}1\\2\end{pmatrix}",
        "(1,2)",
    ),
    ("rounded to six digits", r"\frac13", "0.333333"),
    ("rounded to four digits", r"\frac13", "0.3333"),
    ("rounded to two digits", r"\frac13", "0.33"),
    ("decimal a millionth off", "1.0000009", "1"),
    ("whole number a ten-thousandth off", "100000", "100009"),
    ("base missing", "263_8", "263"),
    ("another base", "263_8", "263_7"),
    ("ratio reduced", "10:14", "5:7"),
    ("ratio and quotient", "5:7", r"\frac57"),
    ("choice by its text", r"\text{(B) }12", "12"),
    ("number word", r"\text{two}", "2"),
    (
        "words for the empty set",
        r"\emptyset",
        r"\text{no solution}",
    ),
    ("root of a square", r"\sqrt{x^2}", "x"),
    ("another variable", "x=5", "y=5"),
    ("order in a tuple", "(1,2)", "(2,1)"),
    ("ends of an interval", "[1,2)", "[1,2]"),
    ("a letter taken for a unit", "5t", "5"),
    ("far too small to see", "10^{-30}", "10^{-31}"),
    ("two numbers for their sum", "1500", "3 500"),
    ("a number out of broken LaTeX", "5", r"\frac{5}"),
    (
        "steps alike at whole numbers",
        r"\lfloor\frac n2\rfloor",
        r"\lceil\frac{n-1}2\rceil",
    ),
    (
        "steps that differ at powers",
        r"\lfloor\log_2 n\rfloor+1",
        r"\lceil\log_2 n\rceil",
    ),
    (
        "conditions that exclude each other",
        "x<1,x>3",
        r"(-\infty,1)\cup(3,\infty)",
    ),
    ("conditions that meet", "x>1,x<3", "(1,3)"),
    ("neither of two", r"x\ne\pm1", r"x\ne1,x\ne-1"),
    ("neither, for everything", r"x\ne\pm1", r"\mathbb R"),
    ("derivative with a prime", r"\frac{dy}{dx}=2x", "y'=2x"),
    ("equations side by side", r"x=1\quad y=2", "x=1,y=2"),
    (
        "condition behind a formula missing",
        "$cx+1$ for some real $c$",
        "cx+1",
    ),
    ("letter below", r"\sqrt{4h_m}", r"2\sqrt{h_m}"),
    (
        "sum of a million terms",
        r"\sum_{k=1}^{1000000}k",
        "500000500000",
    ),
    ("decimal comma that could be a list", "1,5", "1.5"),
    ("decimal comma that could not", "1,05", "1.05"),
    ("double root left out", "3,1,1", "3,1"),
    ("end that is a letter", r"[a,\infty)", r"(a,\infty)"),
    (
        "\"and\" for \"or\"",
        r"x<1\text{ or }x>3",
        r"x<1\text{ and }x>3",
    ),
    (
        "another derivative",
        r"\frac{dy}{dx}=2x",
        r"\frac{dy}{dt}=2x",
    ),
    ("value at 0 for 0", "I(0)", "0"),
    ("fragment of a gold in words", "odd $n$", "n"),
    ("whole number rounded", "123456789", r"1.23457\times10^8"),
    (
        "vector turned around",
        r"\overrightarrow{AB}",
        r"\overrightarrow{BA}",
    ),
    (
        "cross product for dot product",
        r"\vec a\times\vec b",
        r"\vec a\cdot\vec b",
    ),
    ("time and ratio", "12:30", "2:5"),
    ("date and quotient", "5/5/2021", "1/2021"),
    ("degree sign for percent sign", r"27\%", r"27^\circ"),
    ("chain that is false", "11", "x=5+6=12"),
];

fn table() -> String {
    let mut out = format!(
        "| | gold | answer | {} |\n|---|---|---|",
        PRESETS.map(|name| format!("`{name}`")).join(" | ")
    );
    out += &":-:|".repeat(PRESETS.len());
    out.push('\n');
    for (name, gold, answer) in ROWS {
        let marks = PRESETS.map(|preset| {
            let policy = MathPolicy::by_name(preset).unwrap();
            if equal(gold, answer, &policy) {
                "✓"
            } else {
                "·"
            }
        });
        out += &format!(
            "| {name} | `{gold}` | `{answer}` | {} |\n",
            marks.join(" | ")
        );
    }
    out
}

#[test]
fn the_table_in_the_readme_is_what_the_code_does() {
    const BEGIN: &str = "<!-- policy-table:begin -->\n";
    const END: &str = "<!-- policy-table:end -->";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let begin = readme
        .find(BEGIN)
        .expect("the README has no beginning of the table")
        + BEGIN.len();
    let end = begin
        + readme[begin..]
            .find(END)
            .expect("the README has no end of the table");
    let table = table();
    if std::env::var_os("UPDATE_README").is_some_and(|value| value == "1") {
        std::fs::write(
            &path,
            format!("{}{table}{}", &readme[..begin], &readme[end..]),
        )
        .unwrap();
        return;
    }
    for (line, (found, expected)) in readme[begin..end].lines().zip(table.lines()).enumerate() {
        assert_eq!(
            found,
            expected,
            "line {} of the table; UPDATE_README=1 cargo test -p prime-verifier --test math_policy rewrites it",
            line + 1
        );
    }
    assert_eq!(
        &readme[begin..end],
        table,
        "the table in the README has another length"
    );
}

#[test]
fn the_table_shows_what_changes_and_what_does_not() {
    let marks = |gold: &str, answer: &str| {
        PRESETS.map(|preset| equal(gold, answer, &MathPolicy::by_name(preset).unwrap()))
    };
    let patterns: Vec<[bool; 4]> = ROWS
        .iter()
        .map(|(_, gold, answer)| marks(gold, answer))
        .collect();
    for preset in 0..PRESETS.len() {
        for other in 0..preset {
            assert!(
                patterns.iter().any(|row| row[preset] != row[other]),
                "no row tells {} from {}",
                PRESETS[preset],
                PRESETS[other]
            );
        }
    }
    assert!(patterns.contains(&[true; 4]) && patterns.contains(&[false; 4]));
}
