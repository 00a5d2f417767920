//! Money, units, large-number words and percentages behind (or before) a value.

use super::token::{Fence, Kind};
use super::{Parsed, Parser, list};
use crate::math::expr::{Expr, Number, Unit};
use crate::math::units;
use dashu_ratio::RBig;

/// Words that no unit has: they say more than what is counted.
const SAYS_MORE: [&str; 24] = [
    "not", "is", "are", "isn't", "never", "wrong", "maybe", "but", "no", "at", "least", "most",
    "negative", "positive", "below", "above", "zero", "bc", "ad", "ago", "before", "after",
    "exactly", "only",
];

/// Words that say something about the number before them rather than what it counts.
const CHANGES_THE_NUMBER: [&str; 16] = [
    "times",
    "squared",
    "cubed",
    "factorial",
    "half",
    "halves",
    "thirds",
    "quarters",
    "plus",
    "minus",
    "over",
    "divided",
    "less",
    "more",
    "than",
    "choose",
];

impl<'t> Parser<'t> {
    /// A sum with its unit.
    pub(super) fn measured(&mut self) -> Parsed {
        if self.peek() == Some(Kind::Minus) && self.peek_at(1) == Some(Kind::Currency) {
            self.advance();
            return Ok(match self.measured_unsigned()? {
                Expr::Quantity(value, unit) => Expr::Quantity(Box::new(value.negated()), unit),
                other => other.negated(),
            });
        }
        self.measured_unsigned()
    }

    fn measured_unsigned(&mut self) -> Parsed {
        if self.peek() == Some(Kind::Currency) {
            let unit = currency(self.source(self.at, self.at + 1));
            self.advance();
            let value = self.sum()?;
            let value = self.with_large_words(value);
            // `\$5 million`, `\$3 per hour`
            if self.unit_follows(&value) {
                let rest = self.unit_text();
                let whole = format!("{unit} {rest}");
                return Ok(quantity(value, &whole));
            }
            return Ok(quantity(value, unit));
        }
        let value = self.sum()?;
        let mut value = self.with_large_words(value);
        if self.peek() == Some(Kind::Currency) {
            let unit = currency(self.source(self.at, self.at + 1));
            self.advance();
            return Ok(quantity(value, unit));
        }
        if self.peek() == Some(Kind::Percent) {
            self.advance();
            value = Expr::Percent(Box::new(value));
        }
        if self.unit_follows(&value) {
            let text = self.unit_text();
            return Ok(self.compound(quantity(value, text)));
        }
        Ok(value)
    }

    /// `3 hours 20 minutes`: one quantity in its first unit.
    fn compound(&mut self, first: Expr) -> Expr {
        let (Expr::Quantity(value, unit), Some(Kind::Number { .. })) = (&first, self.peek()) else {
            return first;
        };
        let context = self.context;
        let total =
            self.attempt(
                |parser| match parser.nested(context, Self::measured_unsigned)? {
                    Expr::Quantity(more, other) => match units::factor(&other.name, &unit.name) {
                        Some(factor) if other.name != unit.name => {
                            let converted = Expr::Mul(vec![*more, Expr::exact(factor)]);
                            Ok(Expr::Add(vec![(**value).clone(), converted]))
                        }
                        _ => Err(parser.expected("a smaller unit")),
                    },
                    _ => Err(parser.expected("a smaller unit")),
                },
            );
        match total {
            Some(total) => Expr::Quantity(Box::new(total), unit.clone()),
            None => first,
        }
    }

    /// `5 million`.
    fn with_large_words(&mut self, value: Expr) -> Expr {
        let (Expr::Number(number), Some(Kind::Text(words))) = (&value, self.peek()) else {
            return value;
        };
        let (first, rest) = words.split_once(' ').unwrap_or((words, ""));
        if first.eq_ignore_ascii_case("dozen") && rest.is_empty() {
            self.advance();
            return Expr::exact(&number.value * RBig::from(12));
        }
        let zeros = match first.to_ascii_lowercase().as_str() {
            "hundred" => 2,
            "thousand" => 3,
            "million" => 6,
            "billion" => 9,
            "trillion" => 12,
            _ => return value,
        };
        let scaled = Expr::from(Number {
            value: &number.value * RBig::from(10).pow(zeros),
            decimal: None,
            commas: false,
        });
        if rest.trim().is_empty() {
            self.advance();
        } else if let Some(token) = self.tokens.get_mut(self.at) {
            let rest = rest.trim_start();
            token.start = token.end.saturating_sub(rest.len());
            token.kind = Kind::Text(rest);
        }
        scaled
    }

    fn unit_follows(&self, value: &Expr) -> bool {
        match self.peek() {
            Some(kind @ Kind::Text(words)) => {
                if list::is_connective(kind)
                    || super::vocabulary::holds_connective(words)
                    || !value.is_scalar()
                {
                    return false;
                }
                // "5 (is not the answer)" measures nothing.
                let speaks = words.split(' ').count() > 4
                    || CHANGES_THE_NUMBER.contains(
                        &words
                            .split(' ')
                            .next()
                            .unwrap_or(words)
                            .to_ascii_lowercase()
                            .as_str(),
                    )
                    || words.split(' ').any(|word| {
                        let word = word.to_ascii_lowercase();
                        SAYS_MORE.contains(&word.as_str())
                    });
                if speaks {
                    return false;
                }
                let first = words.split(' ').next().unwrap_or(words);
                !value.has_unknowns() || units::is_bare_unit(first)
            }
            Some(Kind::Letter { .. }) => {
                !value.has_unknowns() && value.is_scalar() && self.at_bare_unit()
            }
            _ => false,
        }
    }

    /// Whether letters that are a unit stand here: apart from the number, or one of the few that are never variables.
    pub(super) fn at_bare_unit(&self) -> bool {
        let (Some(token), Some(Kind::Letter { run, .. })) = (self.peek_token(), self.peek()) else {
            return false;
        };
        let starts_run = self
            .text
            .get(..token.start)
            .is_some_and(|before| !before.ends_with(|c: char| c.is_ascii_alphabetic()));
        // `°C`, `°F`
        let temperature = matches!(run, "C" | "F")
            && self
                .at
                .checked_sub(1)
                .and_then(|before| self.tokens.get(before))
                .is_some_and(|before| {
                    before.kind == Kind::Degree
                        || before.kind == Kind::Close(Fence::Group)
                            && self.at >= 2
                            && self
                                .tokens
                                .get(self.at - 2)
                                .is_some_and(|t| t.kind == Kind::Degree)
                });
        // `1,000.99m²`: a lone metre with a power that only units carry in plain text.
        let raised = run == "m"
            && self
                .text
                .get(token.end..)
                .is_some_and(|rest| rest.starts_with(['²', '³']));
        starts_run
            && (temperature
                || raised
                || units::is_bare_unit(run)
                    && (token.space
                        || matches!(run, "cm" | "km" | "kg" | "mm" | "mph" | "mL" | "ml")))
    }

    /// The words, letters, quotients and powers that make one unit.
    fn unit_text(&mut self) -> &'t str {
        let from = self.at;
        while let Some(kind) = self.peek() {
            let goes_on = match kind {
                Kind::Text(_) => !list::is_connective(kind),
                // A letter is the unit's if it begins it, goes on with its word, or stands behind a sign in it.
                Kind::Letter { .. } => {
                    let before = self
                        .at
                        .checked_sub(1)
                        .and_then(|before| self.tokens.get(before));
                    let here = self.tokens.get(self.at);
                    self.at == from
                        || before.is_some_and(|t| {
                            matches!(t.kind, Kind::Divide | Kind::Times | Kind::Degree)
                        })
                        || matches!((before, here), (Some(a), Some(b)) if a.end == b.start && matches!(a.kind, Kind::Letter { .. }))
                }
                Kind::Divide | Kind::Times | Kind::Caret => true,
                Kind::Degree => true,
                Kind::Number { .. }
                | Kind::Minus
                | Kind::Open(Fence::Group)
                | Kind::Close(Fence::Group) => {
                    let inside = matches!(kind, Kind::Close(_))
                        || matches!(
                            self.tokens.get(self.at.wrapping_sub(1)).map(|t| t.kind),
                            Some(Kind::Caret | Kind::Open(Fence::Group) | Kind::Minus)
                        );
                    inside && self.opened_since(from, kind)
                }
                _ => false,
            };
            if !goes_on {
                break;
            }
            self.advance();
        }
        self.source(from, self.at)
    }

    /// A `}` belongs to the unit only if its `{` does.
    fn opened_since(&self, from: usize, kind: Kind<'t>) -> bool {
        if kind != Kind::Close(Fence::Group) {
            return true;
        }
        let mut depth = 0isize;
        for token in self.tokens.get(from..self.at).unwrap_or(&[]) {
            match token.kind {
                Kind::Open(Fence::Group) => depth += 1,
                Kind::Close(Fence::Group) => depth -= 1,
                _ => {}
            }
        }
        depth > 0
    }
}

fn quantity(value: Expr, unit: &str) -> Expr {
    let name = units::canonical(&plain(unit));
    if name == "degree" {
        return Expr::Degree(Box::new(value));
    }
    Expr::Quantity(Box::new(value), Unit { name: name.into() })
}

/// The source of a unit without its LaTeX.
fn plain(unit: &str) -> String {
    let mut text = unit
        .replace('²', "^2")
        .replace('³', "^3")
        .replace(['{', '}', '$'], " ");
    for command in [
        r"\text",
        r"\mathrm",
        r"\mbox",
        r"\rm",
        r"\cdot",
        r"\,",
        r"\;",
        r"\ ",
        r"\!",
        r"\operatorname",
    ] {
        text = text.replace(command, " ");
    }
    text
}

fn currency(sign: &str) -> &'static str {
    match sign {
        "€" | r"\euro" => "euro",
        "£" | r"\pounds" => "pound sterling",
        "¥" => "yen",
        "₹" => "rupee",
        "¢" => "cent",
        _ => "dollar",
    }
}
