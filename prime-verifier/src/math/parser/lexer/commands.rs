//! What begins with a backslash.

use super::super::SyntaxError;
use super::super::token::{Command, Fence, Kind, Token};
use super::super::vocabulary::{self, Entry};
use super::{Lexer, Side, closing_brace, fence_side};
use crate::math::expr::Relation;
use crate::math::units;

impl<'t> Lexer<'t> {
    pub(super) fn command(&mut self) -> Result<(), SyntaxError> {
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
                return self.delimiter_size(length, Side::Left);
            }
            "right" | "mright" | "bigr" | "Bigr" | "biggr" | "Biggr" => {
                return self.delimiter_size(length, Side::Right);
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
                self.push(Kind::Command(Command::Overline), length);
                return Ok(());
            }
            _ => {}
        }
        match vocabulary::command(name) {
            Some(Entry::Token(kind)) => self.push(fence_side(kind, self.side), length),
            Some(Entry::Skip) if matches!(name, "boxed" | "fbox") => self.boxed(length),
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

    /// A box is layout, its braces included: `\boxed{1,2}` is a list and `{1,2}` a set.
    fn boxed(&mut self, length: usize) {
        self.skip(length);
        let rest = self.rest();
        let inner = rest.trim_start();
        if inner.starts_with('{')
            && let Some(close) = closing_brace(inner)
        {
            let open = self.at + rest.len() - inner.len();
            self.layout_until.push(open + close);
            self.at = open + 1;
        }
    }

    /// `\left` and its kin: the side of the fence that follows.
    fn delimiter_size(&mut self, length: usize, side: Side) -> Result<(), SyntaxError> {
        self.at += length;
        let blanks = self.rest().len() - self.rest().trim_start().len();
        self.at += blanks;
        if self.rest().starts_with('.') {
            self.at += 1;
        } else if self.rest().starts_with(|c: char| c.is_alphanumeric()) {
            return Err(SyntaxError::Expected {
                at: self.at,
                expected: "a bracket behind \\left or \\right",
            });
        } else {
            self.side = side;
        }
        Ok(())
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
        if bold && let Some(vector) = vocabulary::unit_vector(trimmed) {
            self.push(vector, close + 1);
            return;
        }
        if let Some(half) = vocabulary::half_day(trimmed) {
            self.push(Kind::Text(half), close + 1);
            return;
        }
        // `\text{ m/s}`, and the lone `\text{ m}` behind a value.
        let alone = trimmed.len() == 1 || trimmed.starts_with('(');
        let unit = units::is_unit(trimmed) && (!alone || self.after_value());
        let function = vocabulary::plain_word(trimmed).is_some() && self.after_value();
        if unit
            && (trimmed.len() == 1 || function || !trimmed.bytes().all(|b| b.is_ascii_alphabetic()))
        {
            let start = self.at;
            self.at += offset;
            self.push(Kind::Text(trimmed), trimmed.len());
            self.at = start + close + 1;
            return;
        }
        if all_letters
            && trimmed.len() > 1
            && let Some(Entry::Token(kind)) = vocabulary::plain_word(trimmed)
        {
            self.push(kind, close + 1);
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

    /// `\mathbb{R}`, `\mathbb R`.
    fn blackboard(&mut self, length: usize) {
        let rest = &self.rest()[length..];
        let inner = rest.trim_start();
        let blanks = rest.len() - inner.len();
        let braced = inner.strip_prefix('{').and_then(|content| {
            let close = content.find('}')?;
            Some((content[..close].trim().chars().next()?, close + 2))
        });
        let found = braced.or_else(|| {
            inner
                .chars()
                .next()
                .map(|letter| (letter, letter.len_utf8()))
        });
        match found.and_then(|(letter, used)| Some((vocabulary::blackboard(letter)?, used))) {
            Some((kind, used)) => self.push(kind, length + blanks + used),
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
}
