//! Answers that are large, deep or expensive.

use crate::generate::Grammar;
use crate::random::Random;

/// What stands before and behind the inside of each kind of nest.
pub fn nests() -> Vec<(&'static str, &'static str)> {
    include_str!("grammar/nests.txt")
        .lines()
        .filter_map(|line| line.split_once('§'))
        .collect()
}

/// `inside` in `depth` nests, each of one of `kinds`; closed unless told otherwise.
pub fn nested(kinds: &[(&str, &str)], inside: &str, depth: usize, closed: bool) -> String {
    let mut text = String::new();
    for level in 0..depth {
        text.push_str(kinds[level % kinds.len()].0);
    }
    text.push_str(inside);
    if closed {
        for level in (0..depth).rev() {
            text.push_str(kinds[level % kinds.len()].1);
        }
    }
    text
}

pub fn answer(grammar: &Grammar, random: &mut Random) -> String {
    match random.below(4) {
        0 => nest(grammar, random),
        1 => many(grammar, random),
        2 => power(grammar, random),
        _ => long(grammar, random),
    }
}

fn nest(grammar: &Grammar, random: &mut Random) -> String {
    let all = nests();
    let kinds: Vec<(&str, &str)> = (0..1 + random.skewed(4))
        .map(|_| random.pick(&all))
        .collect();
    let depth = match random.below(8) {
        0..5 => 1 + random.below(40),
        5 => 60 + random.below(8),
        6 => 120 + random.below(20),
        _ => 200 + random.below(1_800),
    };
    let closed = !random.once_in(8);
    nested(&kinds, &grammar.scalar(random), depth, closed)
}

/// One thing many times.
fn many(grammar: &Grammar, random: &mut Random) -> String {
    let templates: Vec<&str> = include_str!("grammar/many.txt").lines().collect();
    let mut parts = random.pick(&templates).split('§');
    let mut part = || parts.next().unwrap_or_default();
    let (open, joint, close) = (part(), part(), part());
    let count = match random.below(4) {
        0 => 2 + random.below(6),
        1 => 2 + random.below(24),
        2 => 10 + random.below(100),
        _ => 100 + random.below(1_000),
    };
    let alike = random.once_in(2).then(|| grammar.scalar(random));
    let item = |random: &mut Random| match &alike {
        Some(item) => item.clone(),
        None => random.below(2 * count).to_string(),
    };
    let items: Vec<String> = (0..count).map(|_| item(random)).collect();
    format!("{open}{}{close}", items.join(joint))
}

/// Small to write, large to work out.
fn power(grammar: &Grammar, random: &mut Random) -> String {
    let templates: Vec<&str> = include_str!("grammar/powers.txt").lines().collect();
    let template = random.pick(&templates);
    let mut text = String::new();
    for character in template.chars() {
        match character {
            'A' | 'B' => text.push_str(&random.below(20).to_string()),
            'N' | 'M' if random.once_in(12) => text.push_str(&grammar.scalar(random)),
            'N' | 'M' => {
                let zeros = random.below(20) as u32;
                text.push_str(&match random.below(3) {
                    0 => 10_u128.pow(zeros).to_string(),
                    1 => format!("10^{{{zeros}}}"),
                    _ => (random.next() >> random.below(64)).to_string(),
                });
            }
            other => text.push(other),
        }
    }
    text
}

fn long(grammar: &Grammar, random: &mut Random) -> String {
    let length = 1 << random.below(14);
    match random.below(7) {
        0 => digits(random, length),
        1 => format!("{}.{}", digits(random, length / 4), digits(random, length)),
        2 => format!("{}/{}", digits(random, length), digits(random, length)),
        3 => format!("{}_{{{}}}", digits(random, length), 2 + random.below(35)),
        4 => format!("x^{{{}}}", digits(random, length)),
        5 => determinant(grammar, random),
        _ => grammar.answer(random).repeat(1 + length / 64),
    }
}

fn digits(random: &mut Random, count: usize) -> String {
    (0..count.max(1))
        .map(|_| char::from(b'0' + random.below(10) as u8))
        .collect()
}

fn determinant(grammar: &Grammar, random: &mut Random) -> String {
    let size = 2 + random.skewed(40);
    let symbolic = random.once_in(3);
    let row = |random: &mut Random| -> String {
        let entries: Vec<String> = (0..size)
            .map(|_| match random.below(8) {
                0 if symbolic => grammar.scalar(random),
                _ => random.below(20).to_string(),
            })
            .collect();
        entries.join("&")
    };
    let rows: Vec<String> = (0..size).map(|_| row(random)).collect();
    let kind = random.pick(&["vmatrix", "pmatrix", "bmatrix", "array", "cases"]);
    let prefix = random.pick(&["", "", r"\det ", "2"]);
    let suffix = random.pick(&["", "", "^{-1}", "^2", "^{1000}", "^T"]);
    format!(
        r"{prefix}\begin{{{kind}}}{}\end{{{kind}}}{suffix}",
        rows.join(r"\\")
    )
}
