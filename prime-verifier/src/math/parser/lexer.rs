//! LaTeX, plain text and Unicode to one sequence of tokens.
//!
//! One pass from left to right. Layout (`\left`, `\,`, `$`, `\displaystyle`, `\boxed`) leaves no token, words inside
//! `\text{…}` become [`Kind::Text`] whatever their letters would mean outside.

use super::token::{Fence, Grouping, Kind, Token};
use super::vocabulary::{self, Entry};
use crate::math::expr::Relation;
use crate::math::units;

use super::{MAX_BYTES, MAX_TOKENS, SyntaxError};

/// Reads `text` into tokens.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, SyntaxError> {
    if text.len() > MAX_BYTES {
        return Err(SyntaxError::TooLong);
    }
    let mut lexer = Lexer {
        text,
        at: 0,
        space: false,
        out: Vec::with_capacity(text.len() / 2 + 4),
        text_until: vec![],
        brackets: 0,
        environments: 0,
        side: Side::Unknown,
    };
    while lexer.at < text.len() {
        lexer.step()?;
        if lexer.out.len() > MAX_TOKENS {
            return Err(SyntaxError::TooLong);
        }
    }
    Ok(lexer.out)
}

/// What `\left` and `\right` say about the next delimiter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Unknown,
    Left,
    Right,
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    space: bool,
    out: Vec<Token<'t>>,
    /// Ends of the `\text{…}` we are in.
    text_until: Vec<usize>,
    /// Brackets open here: in them a comma parts items.
    brackets: usize,
    /// Environments open here: in them `\\\\` ends a row.
    environments: usize,
    side: Side,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn push(&mut self, kind: Kind<'t>, length: usize) {
        self.out.push(Token {
            kind,
            space: self.space,
            start: self.at,
            end: self.at + length,
        });
        self.space = false;
        self.side = Side::Unknown;
        self.at += length;
    }

    fn skip(&mut self, length: usize) {
        self.at += length;
        self.space = true;
    }

    fn in_text(&self) -> bool {
        !self.text_until.is_empty()
    }

    fn step(&mut self) -> Result<(), SyntaxError> {
        if self.text_until.last().is_some_and(|&end| self.at >= end) {
            // The closing brace of `\text{…}`.
            self.text_until.pop();
            self.skip(1);
            return Ok(());
        }
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(());
        };
        match first {
            '\\' => self.command(),
            '0'..='9' => {
                self.number();
                Ok(())
            }
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) && !self.after_digit() => {
                self.number();
                Ok(())
            }
            'a'..='z' | 'A'..='Z' => {
                self.letters();
                Ok(())
            }
            _ if first.is_whitespace() || matches!(first, '~' | '\u{200b}' | '\u{feff}') => {
                self.skip(first.len_utf8());
                Ok(())
            }
            _ => self.punctuation(first),
        }
    }

    fn after_digit(&self) -> bool {
        !self.space
            && matches!(
                self.out.last(),
                Some(Token {
                    kind: Kind::Number { .. },
                    ..
                })
            )
    }

    /// Whether a number or a group has just ended.
    fn after_value(&self) -> bool {
        matches!(
            self.out.last().map(|token| token.kind),
            Some(Kind::Number { .. } | Kind::Fraction(..) | Kind::Close(_))
        )
    }

    fn number(&mut self) {
        let rest = self.rest();
        let (length, grouping) = number_length(rest, self.brackets == 0);
        self.push(
            Kind::Number {
                text: &rest[..length],
                grouping,
            },
            length,
        );
    }

    fn letters(&mut self) {
        let rest = self.rest();
        let length = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        let run = &rest[..length];
        if self.in_text() {
            if length == 1 {
                self.letter_run(run);
            } else {
                self.word(run);
            }
            return;
        }
        if length == 1 {
            return self.letter_run(run);
        }
        // `x=1orx=2`
        if let Some(word) = ["or", "and"]
            .into_iter()
            .find(|word| run.strip_prefix(word).is_some_and(|rest| rest.len() == 1))
            && !vocabulary::reads_as_words(run)
        {
            return self.word(&run[..word.len()]);
        }
        if let Some(entry) = vocabulary::plain_word(run) {
            return match entry {
                Entry::Token(kind) => self.push(kind, length),
                _ => self.word(run),
            };
        }
        // `Mcos(x)`
        let applied = rest[length..].trim_start().starts_with(['(', '{']);
        if applied && let Some(function) = vocabulary::applied_word(run) {
            return self.push(function, length);
        }
        if applied
            && let Some(Entry::Token(kind @ Kind::Function(_))) = vocabulary::plain_word(&run[1..])
        {
            self.letter_run(&run[..1]);
            return self.push(kind, length - 1);
        }
        if vocabulary::reads_as_words(run) {
            return self.word(run);
        }
        // `2pi`, `xsqrt(2)`: a known word behind a letter or two.
        if let Some((before, kind)) = vocabulary::glued_word(run) {
            self.letter_run(&run[..before]);
            return self.push(kind, length - before);
        }
        self.letter_run(run);
    }

    fn letter_run(&mut self, run: &'t str) {
        for (index, letter) in run.char_indices() {
            self.push(
                Kind::Letter {
                    letter,
                    run: if index == 0 { run } else { &run[index..] },
                },
                1,
            );
        }
    }

    /// A word joins the words before it.
    fn word(&mut self, run: &'t str) {
        let end = self.at + run.len();
        if let Some(last) = self.out.last_mut()
            && let Kind::Text(before) = &mut last.kind
            && let Some(both) = self.text.get(last.start..end)
            && both.bytes().all(|b| {
                b.is_ascii_alphabetic() || b.is_ascii_whitespace() || matches!(b, b'-' | b'\'')
            })
            && !vocabulary::is_connective(before)
            && !vocabulary::is_connective(run)
        {
            *before = both;
            last.end = end;
            self.at = end;
            self.space = false;
            return;
        }
        self.push(Kind::Text(run), run.len());
    }

    fn command(&mut self) -> Result<(), SyntaxError> {
        let rest = self.rest();
        let name_length = rest[1..]
            .bytes()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        if name_length == 0 {
            return self.escaped();
        }
        let name = &rest[1..=name_length];
        let length = name_length + 1;
        match name {
            "left" | "mleft" | "bigl" | "Bigl" | "biggl" | "Biggl" => {
                self.delimiter_size(length, Side::Left);
                return Ok(());
            }
            "right" | "mright" | "bigr" | "Bigr" | "biggr" | "Biggr" => {
                self.delimiter_size(length, Side::Right);
                return Ok(());
            }
            "not" => {
                let after = rest[length..].trim_start();
                let negated = [
                    ("=", Relation::Ne),
                    (r"\in", Relation::NotIn),
                    (r"\equiv", Relation::Other("nequiv")),
                ]
                .into_iter()
                .find_map(|(spelling, relation)| Some((after.strip_prefix(spelling)?, relation)));
                let Some((behind, relation)) = negated else {
                    return Err(SyntaxError::Command {
                        at: self.at,
                        name: name.to_owned(),
                    });
                };
                self.push(Kind::Relation(relation), rest.len() - behind.len());
                return Ok(());
            }
            "begin" | "end" => return self.environment(name, length),
            "overline" | "bar" if self.repeats_digits(length) => {
                // The digits stay with their decimal; `number.rs` reads both.
                self.push(Kind::Command(super::token::Command::Overline), length);
                return Ok(());
            }
            _ => {}
        }
        match vocabulary::command(name) {
            Some(Entry::Token(kind)) => self.push(fence_side(kind, self.side), length),
            Some(Entry::Skip) => self.skip(length),
            Some(Entry::Font) => {
                let bold = matches!(name, "mathbf" | "boldsymbol" | "bm" | "bf");
                self.font(length, bold);
            }
            Some(Entry::Word) => {
                let word = &rest[1..length];
                self.at += 1;
                self.push(Kind::Text(word), name_length);
            }
            Some(Entry::SkipArgument) => {
                self.at += length;
                self.skip_argument();
            }
            Some(Entry::Blackboard) => self.blackboard(length),
            None => {
                // `\pir` is nobody's command, `\pi r` is what was meant.
                for stuck in 1..=2 {
                    let Some(known) = name_length.checked_sub(stuck).filter(|length| *length >= 2)
                    else {
                        break;
                    };
                    match vocabulary::command(&name[..known]) {
                        Some(Entry::Token(kind)) => {
                            self.push(fence_side(kind, self.side), known + 1);
                            return Ok(());
                        }
                        Some(Entry::Skip) => {
                            self.skip(known + 1);
                            return Ok(());
                        }
                        _ => {}
                    }
                }
                return Err(SyntaxError::Command {
                    at: self.at,
                    name: name.chars().take(32).collect(),
                });
            }
        }
        Ok(())
    }

    /// `\left` and its kin: the side of the fence that follows.
    fn delimiter_size(&mut self, length: usize, side: Side) {
        self.at += length;
        let blanks = self.rest().len() - self.rest().trim_start().len();
        self.at += blanks;
        if self.rest().starts_with('.') {
            self.at += 1;
        } else {
            self.side = side;
        }
    }

    fn repeats_digits(&self, length: usize) -> bool {
        !self.space
            && matches!(self.out.last(), Some(Token { kind: Kind::Number { text, .. }, .. }) if text.contains('.'))
            && self
                .rest()
                .get(length..)
                .map(|rest| rest.trim_start().trim_start_matches('{'))
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    }

    fn environment(&mut self, which: &str, length: usize) -> Result<(), SyntaxError> {
        let rest = self.rest();
        let inner = rest[length..].trim_start();
        let name = inner
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
            .map(|(name, _)| name)
            .ok_or(SyntaxError::Environment { at: self.at })?;
        let blanks = rest.len() - length - inner.len();
        let mut total = length + blanks + name.len() + 2;
        let name = name.trim().trim_end_matches('*');
        if which == "end" {
            self.environments = self.environments.saturating_sub(1);
            self.push(Kind::End(name), total);
            return Ok(());
        }
        self.environments += 1;
        // Column layout says nothing about the entries.
        if matches!(name, "array" | "tabular" | "alignedat" | "darray") {
            let after = rest.get(total..).unwrap_or("");
            let trimmed = after.trim_start();
            if let Some(columns) = trimmed.strip_prefix('{')
                && let Some(close) = columns.find('}')
            {
                total += after.len() - trimmed.len() + close + 2;
            }
        }
        self.push(Kind::Begin(name), total);
        Ok(())
    }

    /// `\text{…}`, `\mathrm{…}`, `\operatorname{…}`: words inside are words.
    fn font(&mut self, length: usize, bold: bool) {
        let before = self.space;
        self.at += length;
        let rest = self.rest();
        let inner = rest.trim_start();
        self.at += rest.len() - inner.len();
        self.space = before;
        if !inner.starts_with('{') {
            // `\rm x` and `\text x` change nothing that matters here.
            self.space = true;
            return;
        }
        let Some(close) = closing_brace(inner) else {
            return;
        };
        let content = &inner[1..close];
        let trimmed = content.trim();
        let offset = 1 + content.len() - content.trim_start().len();
        let all_letters = !trimmed.is_empty() && trimmed.bytes().all(|b| b.is_ascii_alphabetic());
        if all_letters && trimmed.len() > 1 {
            if let Some(Entry::Token(kind)) = vocabulary::plain_word(trimmed) {
                self.push(kind, close + 1);
                return;
            }
        }
        if bold && let Some(vector) = vocabulary::unit_vector(trimmed) {
            self.push(vector, close + 1);
            return;
        }
        if let Some(half) = vocabulary::half_day(trimmed) {
            self.push(Kind::Text(half), close + 1);
            return;
        }
        // `\text{ m/s}`, and the lone `\text{ m}` behind a value.
        let unit = units::is_unit(trimmed) && (trimmed.len() > 1 || self.after_value());
        if unit && !trimmed.bytes().all(|b| b.is_ascii_alphabetic()) || unit && trimmed.len() == 1 {
            let start = self.at;
            self.at += offset;
            self.push(Kind::Text(trimmed), trimmed.len());
            self.at = start + close + 1;
            return;
        }
        let words = trimmed
            .bytes()
            .all(|b| b.is_ascii_alphabetic() || matches!(b, b' ' | b'-' | b'\''));
        if words && trimmed.len() > 1 && !vocabulary::holds_connective(trimmed) {
            let start = self.at;
            self.at += offset;
            self.space |= offset > 1;
            self.word(trimmed);
            self.at = start + close + 1;
            if let Some(last) = self.out.last_mut() {
                last.end = self.at;
            }
            return;
        }
        self.text_until.push(self.at + close);
        self.at += 1;
        if content.starts_with(' ') {
            self.space = true;
        }
    }

    fn blackboard(&mut self, length: usize) {
        let rest = &self.rest()[length..];
        let inner = rest.trim_start();
        let (letter, used) = match inner.strip_prefix('{') {
            Some(inner) => (
                inner.trim_start().chars().next(),
                inner.find('}').map_or(inner.len(), |at| at + 2),
            ),
            None => (inner.chars().next(), 1),
        };
        let blanks = rest.len() - inner.len();
        match letter.and_then(vocabulary::blackboard) {
            Some(kind) => self.push(kind, length + blanks + used),
            None => self.skip(length),
        }
    }

    fn skip_argument(&mut self) {
        let rest = self.rest();
        let inner = rest.trim_start();
        let blanks = rest.len() - inner.len();
        let used = if inner.starts_with('{') {
            closing_brace(inner).map_or(0, |close| close + 1)
        } else {
            0
        };
        self.skip(blanks + used);
    }

    /// A backslash before something that is no letter.
    fn escaped(&mut self) -> Result<(), SyntaxError> {
        let rest = self.rest();
        let Some(second) = rest[1..].chars().next() else {
            self.skip(1);
            return Ok(());
        };
        match second {
            '\\' => {
                // A row ends here; `\\frac` in prose is a doubled backslash, not a row.
                let after = &rest[2..];
                let doubled = self.environments == 0
                    && after.bytes().take_while(u8::is_ascii_alphabetic).count() > 1;
                if doubled {
                    self.at += 1;
                } else {
                    self.push(Kind::NewRow, 2);
                    self.row_spacing();
                }
            }
            '{' => {
                self.brackets += 1;
                self.push(Kind::Open(Fence::Brace), 2);
            }
            '}' => {
                self.brackets = self.brackets.saturating_sub(1);
                self.push(Kind::Close(Fence::Brace), 2);
            }
            '%' => self.push(Kind::Percent, 2),
            '$' => self.push(Kind::Currency, 2),
            '|' => {
                let kind = fence_side(Kind::Open(Fence::DoubleBar), self.side);
                self.push(kind, 2);
            }
            '(' | ')' | '[' | ']' | ',' | ';' | ':' | '!' | ' ' | '&' | '#' | '>' | '\n' | '\t' => {
                self.skip(2);
            }
            '_' => self.push(Kind::Underscore, 2),
            _ => self.skip(1),
        }
        Ok(())
    }

    /// `\\[4pt]`.
    fn row_spacing(&mut self) {
        let rest = self.rest();
        if let Some(inner) = rest.strip_prefix('[')
            && let Some(close) = inner.find(']')
            && inner[..close].bytes().any(|b| b.is_ascii_digit())
            && ["pt", "em", "ex", "cm", "mm"]
                .iter()
                .any(|unit| inner[..close].ends_with(unit))
        {
            self.at += close + 2;
        }
    }

    fn punctuation(&mut self, first: char) -> Result<(), SyntaxError> {
        let rest = self.rest();
        for (spelling, kind) in vocabulary::OPERATORS {
            if rest.starts_with(spelling) {
                self.push(*kind, spelling.len());
                return Ok(());
            }
        }
        let length = first.len_utf8();
        match first {
            '$' => {
                // Between digits and money it is a currency sign, around maths it is layout.
                let money = rest[1..]
                    .trim_start()
                    .starts_with(|c: char| c.is_ascii_digit())
                    && self.out.is_empty()
                    && !rest[1..].contains('$');
                if money {
                    self.push(Kind::Currency, 1);
                } else {
                    self.skip(1);
                }
            }
            '(' | '[' => {
                self.brackets += 1;
                let fence = if first == '(' {
                    Fence::Round
                } else {
                    Fence::Square
                };
                self.push(Kind::Open(fence), 1);
            }
            ')' | ']' => {
                self.brackets = self.brackets.saturating_sub(1);
                let fence = if first == ')' {
                    Fence::Round
                } else {
                    Fence::Square
                };
                self.push(Kind::Close(fence), 1);
            }
            '{' => self.push(Kind::Open(Fence::Group), 1),
            '}' => self.push(Kind::Close(Fence::Group), 1),
            '|' => {
                let kind = match self.side {
                    Side::Left => Kind::Open(Fence::Bar),
                    Side::Right => Kind::Close(Fence::Bar),
                    Side::Unknown => Kind::Bar,
                };
                self.push(kind, 1);
            }
            '<' if self.side == Side::Left => self.push(Kind::Open(Fence::Angle), 1),
            '>' if self.side == Side::Right => self.push(Kind::Close(Fence::Angle), 1),
            '"' | '“' | '”' | '`' | '?' | '†' => self.skip(length),
            '*' if self.in_text() => self.skip(1),
            '.' => {
                // The end of a sentence; a point between numbers was read with them.
                let after = rest[1..].trim_matches(|c: char| {
                    c.is_whitespace() || matches!(c, '$' | '}' | '.' | '*')
                });
                let done = after.is_empty() || self.in_text() || after == "\\)" || after == "\\]";
                if done {
                    self.skip(1);
                } else if matches!(
                    self.out.as_slice(),
                    [Token {
                        kind: Kind::Letter {
                            letter: 'A'..='J',
                            ..
                        },
                        ..
                    }]
                ) {
                    // `B. 12`
                    self.push(Kind::Colon, 1);
                } else {
                    return Err(SyntaxError::Character {
                        at: self.at,
                        character: '.',
                    });
                }
            }
            _ => {
                if let Some(kind) = vocabulary::character(first) {
                    self.push(kind, length);
                } else if let Some((digits, power)) = super::unicode::script(rest) {
                    self.scripts(digits, power);
                } else if first.is_alphabetic() {
                    let run = rest
                        .char_indices()
                        .find(|(_, c)| !c.is_alphabetic())
                        .map_or(rest.len(), |(at, _)| at);
                    self.push(Kind::Text(&rest[..run]), run);
                } else {
                    return Err(SyntaxError::Character {
                        at: self.at,
                        character: first,
                    });
                }
            }
        }
        Ok(())
    }

    /// `²`, `₁₀`: as `^2` and `_{10}` would be.
    fn scripts(&mut self, length: usize, power: bool) {
        let start = self.at;
        let kind = if power { Kind::Caret } else { Kind::Underscore };
        self.push(kind, 0);
        let run = self.text.get(start..start + length).unwrap_or("");
        let digits: &'static [&'static str] = super::unicode::DIGITS;
        self.push(Kind::Open(Fence::Group), 0);
        for character in run.chars() {
            let kind = match super::unicode::script_value(character) {
                Some(super::unicode::Script::Digit(d)) => Kind::Number {
                    text: digits.get(usize::from(d)).copied().unwrap_or("0"),
                    grouping: Grouping::None,
                },
                Some(super::unicode::Script::Minus) => Kind::Minus,
                Some(super::unicode::Script::Plus) => Kind::Plus,
                Some(super::unicode::Script::Letter(letter)) => Kind::Letter { letter, run: "" },
                None => continue,
            };
            self.push(kind, character.len_utf8());
        }
        self.push(Kind::Close(Fence::Group), 0);
    }
}

/// A `|` or `‖` between `\left` and `\right` knows its side.
fn fence_side(kind: Kind<'_>, side: Side) -> Kind<'_> {
    match (kind, side) {
        (Kind::Open(fence @ (Fence::Bar | Fence::DoubleBar)), Side::Right) => Kind::Close(fence),
        (kind, _) => kind,
    }
}

/// Where the brace that `text` opens with is closed.
pub(super) fn closing_brace(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'{' => depth += 1,
            b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Spellings of the mark between thousands that cannot be anything else.
const GROUP_MARKS: [&str; 8] = [
    r"{,}", r"\,", r",\!", r"\!,", r"\!", "\u{202f}", "\u{2009}", r"\ ",
];

/// How much of `text` is one number, thousands included.
fn number_length(text: &str, commas_may_group: bool) -> (usize, Grouping) {
    let digits = |from: usize| -> usize {
        text.get(from..).map_or(0, |rest| {
            rest.bytes().take_while(u8::is_ascii_digit).count()
        })
    };
    let whole = digits(0);
    let mut end = whole;
    let mut grouping = Grouping::None;
    if (1..=3).contains(&whole) && !text.starts_with('0') {
        let mut used: Option<(Grouping, bool)> = None;
        while let Some(rest) = text.get(end..) {
            let plain = [(",", commas_may_group), (" ", true), ("'", true)];
            let mark = group_mark(rest)
                .map(|length| (length, Grouping::Other))
                .or_else(|| {
                    plain
                        .iter()
                        .find(|(mark, allowed)| *allowed && rest.starts_with(mark))
                        .map(|(mark, _)| {
                            (
                                1,
                                if *mark == "," {
                                    Grouping::Comma
                                } else {
                                    Grouping::Other
                                },
                            )
                        })
                });
            let Some((length, kind)) = mark else { break };
            let class = (kind, length == 1);
            if used.is_some_and(|before| before != class) || digits(end + length) != 3 {
                break;
            }
            used = Some(class);
            grouping = kind;
            end += length + 3;
        }
    }
    let rest = text.get(end..).unwrap_or("");
    let decimal_comma = rest
        .strip_prefix("{,}")
        .is_some_and(|after| after.starts_with(|c: char| c.is_ascii_digit()));
    if decimal_comma && grouping == Grouping::None && whole > 0 {
        return (end + 3 + digits(end + 3), Grouping::DecimalComma);
    }
    if rest.starts_with('.') {
        let fraction = digits(end + 1);
        // `5.` ends a sentence, `1..5` is no number; `0.\overline{3}` has its digits still to come.
        let repeats = [r"\overline", r"\bar"]
            .iter()
            .any(|mark| rest[1..].starts_with(mark));
        if fraction > 0 || repeats {
            end += 1 + fraction;
        }
    }
    (end, grouping)
}

/// Length of a mark between thousands at the start of `text`; blanks may stand in `{ , }`.
fn group_mark(text: &str) -> Option<usize> {
    if let Some(mark) = GROUP_MARKS.iter().find(|mark| text.starts_with(**mark)) {
        let mut length = mark.len();
        // `12,\! 345`
        if mark.ends_with('!') {
            let rest = text.get(length..)?;
            length += rest.len() - rest.trim_start_matches(' ').len();
        }
        return Some(length);
    }
    let inner = text.trim_start_matches(' ').strip_prefix('{')?;
    let inner = inner.trim_start_matches(' ').strip_prefix(',')?;
    let inner = inner.trim_start_matches(' ').strip_prefix('}')?;
    Some(text.len() - inner.len())
}
