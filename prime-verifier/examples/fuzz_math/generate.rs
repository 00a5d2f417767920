//! Answers by grammar: templates that are filled in until a depth.
//!
//! In the templates, `#` is a scalar, `§` any answer, `@` a small integer, `µ` a variable, `¶` a number in some notation and
//! `¤` words or a unit.

use crate::random::Random;

pub struct Grammar {
    scalars: Vec<&'static str>,
    answers: Vec<&'static str>,
    words: Vec<&'static str>,
    variables: Vec<&'static str>,
}

/// Past this many bytes only leaves are added.
const LONG: usize = 1_500;

impl Grammar {
    pub fn new() -> Self {
        let lines = |text: &'static str| text.lines().collect();
        Self {
            scalars: lines(include_str!("grammar/scalars.txt")),
            answers: lines(include_str!("grammar/answers.txt")),
            words: lines(include_str!("grammar/words.txt")),
            variables: lines(include_str!("grammar/variables.txt")),
        }
    }

    /// An answer; short most of the time, for that is where odd readings are.
    pub fn answer(&self, random: &mut Random) -> String {
        let mut out = String::new();
        let depth = 1 + random.skewed(5);
        let template = random.pick(&self.answers);
        self.fill(template, depth, random, &mut out);
        out
    }

    pub fn scalar(&self, random: &mut Random) -> String {
        let mut out = String::new();
        let depth = random.skewed(4);
        self.fill("#", depth, random, &mut out);
        out
    }

    /// A piece of a template, for insertion where it does not belong.
    pub fn fragment(&self, random: &mut Random) -> String {
        let tables = [&self.scalars, &self.answers, &self.words, &self.variables];
        let table = random.pick(&tables);
        let template = random.pick(table);
        let pieces: Vec<&str> = template.split(['#', '§', '@', 'µ', '¶', '¤']).collect();
        random.pick(&pieces).to_owned()
    }

    fn fill(&self, template: &str, depth: usize, random: &mut Random, out: &mut String) {
        for character in template.chars() {
            let leaf = depth == 0 || out.len() > LONG;
            match character {
                '#' | '§' if leaf => self.leaf(random, out),
                '#' => {
                    let depth = depth - 1 - random.below(depth);
                    let template = random.pick(&self.scalars);
                    self.fill(template, depth, random, out);
                }
                '§' => {
                    let template = random.pick(&self.answers);
                    self.fill(template, depth - 1, random, out);
                }
                '@' => out.push_str(&small(random).to_string()),
                'µ' => out.push_str(random.pick(&self.variables)),
                '¶' => number(random, out),
                '¤' => out.push_str(random.pick(&self.words)),
                other => out.push(other),
            }
        }
    }

    fn leaf(&self, random: &mut Random, out: &mut String) {
        match random.below(8) {
            0..4 => out.push_str(&small(random).to_string()),
            4..6 => out.push_str(random.pick(&self.variables)),
            6 => number(random, out),
            _ => out.push('0'),
        }
    }
}

fn small(random: &mut Random) -> usize {
    match random.below(40) {
        0 => 10_usize.pow(random.below(8) as u32),
        1..6 => random.below(1_000),
        _ => random.below(13),
    }
}

/// A number in one of the notations that people use.
fn number(random: &mut Random, out: &mut String) {
    let mut digits = |most: usize| {
        let count = 1 + random.skewed(most);
        let text: String = (0..count)
            .map(|_| char::from(b'0' + random.below(10) as u8))
            .collect();
        (text, random.next())
    };
    let ((a, shape), (b, _), (c, _)) = (digits(12), digits(8), digits(3));
    out.push_str(&match shape % 24 {
        0..4 => a,
        4..8 => format!("{a}.{b}"),
        8 => format!(".{b}"),
        9 => format!("{a}."),
        10 => format!(
            "{c},{:0>3},{:0>3}",
            shape / 24 % 1_000,
            shape / 24_000 % 1_000
        ),
        11 => format!("{c}{{,}}{:0>3}", shape / 24 % 1_000),
        12 => format!(
            "{c} {:0>3} {:0>3}",
            shape / 24 % 1_000,
            shape / 24_000 % 1_000
        ),
        13 => format!(r"{c}\,{:0>3}", shape / 24 % 1_000),
        14 => format!("{a},{b}"),
        15 => format!("{a}e{c}"),
        16 => format!("{a}.{b}E-{c}"),
        17 => format!(r"{a}.{b} \times 10^{{{c}}}"),
        18 => format!(r"{a} \cdot 10^{{-{c}}}"),
        19 => format!(r"{c}.{b}\overline{{{c}}}"),
        20 => format!("{a}.{b}..."),
        21 => format!("-{a}.{b}"),
        22 => format!("{a}/{b}"),
        _ => format!(r"{c}\frac{{{c}}}{{{b}}}"),
    });
}
