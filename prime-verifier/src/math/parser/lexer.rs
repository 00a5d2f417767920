//! LaTeX, plain text and Unicode to one sequence of tokens.
//!
//! One pass from left to right. Layout (`\left`, `\,`, `$`, `\displaystyle`, `\boxed`) leaves no token, words inside
//! `\text{…}` become [`Kind::Text`] whatever their letters would mean outside.

mod commands;

use super::token::{Fence, Grouping, Kind, Token};
use super::vocabulary::{self, Entry};
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
        layout_until: vec![],
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
    /// Closing braces that are layout, the innermost last.
    layout_until: Vec<usize>,
    /// Brackets open here: in them a comma parts items.
    brackets: usize,
    /// Environments open here: in them `\\` ends a row.
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
        if self.layout_until.last() == Some(&self.at) {
            self.layout_until.pop();
            self.skip(1);
            return Ok(());
        }
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            // Inside a character: no step leads here, and none may stand still.
            self.at += 1;
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

    /// Whether the number here stands directly behind a number and a comma, as in `98,99,100`.
    fn in_tight_list(&self) -> bool {
        let [.., number, comma] = self.out.as_slice() else {
            return false;
        };
        !self.space
            && !comma.space
            && comma.kind == Kind::Comma
            && matches!(number.kind, Kind::Number { .. })
    }

    /// Whether a value ends here, so that no argument is awaited.
    fn after_operand(&self) -> bool {
        matches!(
            self.out.last().map(|token| token.kind),
            Some(
                Kind::Number { .. }
                    | Kind::Fraction(..)
                    | Kind::Letter { .. }
                    | Kind::Named(_)
                    | Kind::Constant(_)
                    | Kind::Set(_)
                    | Kind::Close(_)
                    | Kind::Relation(_)
                    | Kind::Plus
                    | Kind::Minus
                    | Kind::Times
                    | Kind::Comma
            )
        )
    }

    /// Whether a number or a group has just ended.
    fn after_value(&self) -> bool {
        matches!(
            self.out.last().map(|token| token.kind),
            Some(
                Kind::Number { .. }
                    | Kind::Fraction(..)
                    | Kind::Close(_)
                    | Kind::Bang
                    | Kind::Constant(crate::math::expr::Constant::Pi)
            )
        )
    }

    fn number(&mut self) {
        let rest = self.rest();
        let (length, grouping) =
            super::grouping::number_length(rest, self.brackets == 0 && !self.in_tight_list());
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
            // `\pi{}` ends the name of the command and prints nothing.
            '{' if self.after_operand() && rest[1..].trim_start().starts_with('}') => {
                let blanks = rest.len() - 1 - rest[1..].trim_start().len();
                self.skip(2 + blanks);
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
fn closing_brace(text: &str) -> Option<usize> {
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
