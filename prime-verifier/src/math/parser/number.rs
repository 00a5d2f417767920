//! Numbers: decimals, mixed numbers, repeating digits, other bases.

use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

use super::token::{Command, Fence, Grouping, Kind};
use super::{Parsed, Parser};
use crate::math::expr::{Decimal, Expr, Number};

/// Largest power of ten in `1e400`; beyond, a number is not read.
const MAX_EXPONENT: i64 = 1200;

/// The number that digits with at most one point spell.
pub(super) fn decimal(digits: &str) -> Option<Number> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if fraction.is_empty() && whole.len() <= 18 {
        let value: i64 = whole.parse().ok()?;
        return Some(Number::exact(RBig::from(value)));
    }
    let joined = format!("{whole}{fraction}");
    let numerator: UBig = joined.parse().ok()?;
    let places = fraction.len();
    Some(Number {
        value: RBig::from_parts(IBig::from(numerator), UBig::from(10u8).pow(places)),
        decimal: (places > 0).then(|| Decimal {
            exponent: -(places as i64),
            significant: joined.trim_start_matches('0').len() as u32,
        }),
        commas: false,
    })
}

pub(super) fn ratio(numerator: i64, denominator: i64) -> Option<Expr> {
    let denominator = u64::try_from(denominator).ok().filter(|d| *d > 0)?;
    Some(Expr::exact(RBig::from_parts(
        IBig::from(numerator),
        UBig::from(denominator),
    )))
}

impl<'t> Parser<'t> {
    pub(super) fn number(&mut self) -> Parsed {
        if let Some(based) = self.attempt(Self::digits_in_base) {
            return Ok(based);
        }
        let Some(Kind::Number { text, grouping }) = self.peek() else {
            return Err(self.expected("a number"));
        };
        let digits: String = match grouping {
            Grouping::None => text.to_owned(),
            Grouping::DecimalComma => text.replace("{,}", "."),
            Grouping::Comma | Grouping::Other => text
                .chars()
                .filter(|c| c.is_ascii_digit() || *c == '.')
                .collect(),
        };
        let mut number = decimal(&digits).ok_or_else(|| self.expected("a number"))?;
        number.commas = grouping == Grouping::Comma && number.decimal.is_none();
        self.advance();
        if let Some(repeating) = self.repeating(&digits)? {
            return Ok(Expr::exact(repeating));
        }
        if let Some(exponent) = self.attempt(Self::scientific) {
            return self.scaled(number, exponent);
        }
        if number.decimal.is_none()
            && let Some(fraction) = self.attempt(Self::fraction_of_mixed)
        {
            return Ok(Expr::exact(number.value + fraction));
        }
        Ok(Expr::from(number))
    }

    /// `0.1\overline{6}`, `0.333…`.
    fn repeating(&mut self, digits: &str) -> Result<Option<RBig>, super::SyntaxError> {
        if self.peek() == Some(Kind::Command(Command::Overline)) {
            self.advance();
            let period = match self.peek() {
                Some(Kind::Open(Fence::Group)) => {
                    self.advance();
                    let period = self.peek();
                    self.advance();
                    self.need(Kind::Close(Fence::Group), "`}`")?;
                    period
                }
                other => {
                    self.advance();
                    other
                }
            };
            return match period {
                Some(Kind::Number { text, .. }) if text.bytes().all(|b| b.is_ascii_digit()) => {
                    Ok(repeated(digits, text))
                }
                _ => Err(self.expected("repeating digits")),
            };
        }
        if self.peek() == Some(Kind::Ellipsis)
            && let Some((_, fraction)) = digits.split_once('.')
            && let Some(period) = shortest_period(fraction)
            && !matches!(self.peek_at(1), Some(Kind::Comma))
        {
            self.advance();
            let (head, period) = fraction.split_at(fraction.len() - period);
            let whole = digits.split('.').next().unwrap_or("0");
            return Ok(repeated(&format!("{whole}.{head}"), period));
        }
        Ok(None)
    }

    /// The `e-5` of `1.5e-5`.
    fn scientific(&mut self) -> Result<i64, super::SyntaxError> {
        let glued = |parser: &Self| parser.peek_token().is_some_and(|token| !token.space);
        match self.peek() {
            Some(Kind::Letter {
                letter: 'e' | 'E',
                run,
            }) if run.len() == 1 && glued(self) => self.advance(),
            _ => return Err(self.expected("an exponent")),
        }
        let negative = match self.peek() {
            Some(Kind::Minus) if glued(self) => {
                self.advance();
                true
            }
            Some(Kind::Plus) if glued(self) => {
                self.advance();
                false
            }
            _ => false,
        };
        match self.peek() {
            Some(Kind::Number {
                text,
                grouping: Grouping::None,
            }) if glued(self) && !text.contains('.') => {
                let size: i64 = text
                    .parse()
                    .map_err(|_| self.expected("a smaller exponent"))?;
                self.advance();
                Ok(if negative { -size } else { size })
            }
            _ => Err(self.expected("an exponent")),
        }
    }

    fn scaled(&self, number: Number, exponent: i64) -> Parsed {
        if exponent.abs() > MAX_EXPONENT {
            return Err(self.expected("a smaller exponent"));
        }
        let power = RBig::from(10).pow(exponent as isize);
        let decimal = number.decimal.map(|d| Decimal {
            exponent: d.exponent + exponent,
            ..d
        });
        Ok(Expr::from(Number {
            value: number.value * power,
            decimal,
            commas: false,
        }))
    }

    /// The `\frac{5}{9}` of `7\frac{5}{9}`, the `5/9` of `7 5/9`.
    fn fraction_of_mixed(&mut self) -> Result<RBig, super::SyntaxError> {
        let proper = |value: &RBig| *value >= RBig::ZERO && *value < RBig::ONE;
        if self.on_new_line() {
            return Err(self.expected("a fraction on the same line"));
        }
        let fraction = match self.peek() {
            Some(Kind::Command(Command::Frac)) if self.digits_in_both_arguments() => {
                match self.fraction()? {
                    Expr::Number(n) if n.decimal.is_none() => n.value,
                    _ => return Err(self.expected("a fraction of whole numbers")),
                }
            }
            Some(Kind::Fraction(a, b)) => {
                self.advance();
                RBig::from_parts(IBig::from(a), UBig::from(b))
            }
            Some(Kind::Number {
                text: a,
                grouping: Grouping::None,
            }) if self.peek_token().is_some_and(|t| t.space) => {
                self.advance();
                if !self.take(Kind::Divide) {
                    return Err(self.expected("`/`"));
                }
                let Some(Kind::Number {
                    text: b,
                    grouping: Grouping::None,
                }) = self.peek()
                else {
                    return Err(self.expected("a denominator"));
                };
                self.advance();
                match (a.parse::<u32>(), b.parse::<u32>()) {
                    (Ok(a), Ok(b)) if b > 0 => RBig::from_parts(IBig::from(a), UBig::from(b)),
                    _ => return Err(self.expected("a fraction of whole numbers")),
                }
            }
            _ => return Err(self.expected("a fraction")),
        };
        let marked = matches!(self.peek(), Some(Kind::Caret | Kind::Bang));
        if proper(&fraction) && !marked {
            Ok(fraction)
        } else {
            Err(self.expected("a proper fraction"))
        }
    }

    /// Whether the two arguments of the `\frac` here are nothing but digits. Asked before the fraction is read, so that
    /// nothing is read twice.
    fn digits_in_both_arguments(&self) -> bool {
        let mut at = 1;
        let mut arguments = 0;
        while arguments < 2 {
            match (self.peek_at(at), self.peek_at(at + 1), self.peek_at(at + 2)) {
                (
                    Some(Kind::Open(Fence::Group)),
                    Some(Kind::Number { .. }),
                    Some(Kind::Close(Fence::Group)),
                ) => at += 3,
                // `\frac12`: one token, two arguments.
                (Some(Kind::Number { text, .. }), ..) if text.len() > 1 && arguments == 0 => {
                    return true;
                }
                (Some(Kind::Number { .. }), ..) => at += 1,
                _ => return false,
            }
            arguments += 1;
        }
        true
    }

    fn on_new_line(&self) -> bool {
        let before = self
            .at
            .checked_sub(1)
            .and_then(|before| self.tokens.get(before));
        match (before, self.peek_token()) {
            (Some(before), Some(here)) => self
                .text
                .get(before.end..here.start)
                .is_some_and(|gap| gap.contains('\n')),
            _ => false,
        }
    }

    /// `1011_2`, `2A_{16}`.
    fn digits_in_base(&mut self) -> Parsed {
        let from = self.at;
        let mut to = from;
        let mut numeral = false;
        while let Some(token) = self.tokens.get(to) {
            let glued = to == from || !token.space;
            match token.kind {
                Kind::Number {
                    grouping: Grouping::None,
                    ..
                } if glued => numeral = true,
                Kind::Letter {
                    letter: 'A'..='Z', ..
                } if glued => {}
                _ => break,
            }
            to += 1;
        }
        if !numeral || self.tokens.get(to).map(|t| t.kind) != Some(Kind::Underscore) {
            return Err(self.expected("digits with a base"));
        }
        let digits = self.source(from, to);
        self.at = to + 1;
        let base = self.base()?;
        Ok(Expr::Based {
            digits: digits.into(),
            base,
        })
    }

    /// The `_{2}` of `(1001100)_{2}`.
    pub(super) fn base_subscript(&mut self, value: Expr) -> Parsed {
        match value {
            Expr::Number(n) if n.value.is_int() && n.decimal.is_none() => Ok(Expr::Based {
                digits: n.value.numerator().to_string().into(),
                base: self.base()?,
            }),
            _ => Err(self.expected("a number before its base")),
        }
    }

    fn base(&mut self) -> Result<u32, super::SyntaxError> {
        let grouped = self.take(Kind::Open(Fence::Group));
        let base = match self.peek() {
            Some(Kind::Number { text, .. }) => {
                text.parse().ok().filter(|base| (2..=36).contains(base))
            }
            Some(Kind::Text(word)) => match word.to_ascii_lowercase().as_str() {
                "two" => Some(2),
                "three" => Some(3),
                "eight" => Some(8),
                "ten" => Some(10),
                _ => None,
            },
            _ => None,
        };
        let base = base.ok_or_else(|| self.expected("a base between 2 and 36"))?;
        self.advance();
        if grouped {
            self.need(Kind::Close(Fence::Group), "`}`")?;
        }
        Ok(base)
    }
}

/// `head` followed by `period` without end.
fn repeated(head: &str, period: &str) -> Option<RBig> {
    let (whole, fraction) = head.split_once('.').unwrap_or((head, ""));
    let before: IBig = format!("{whole}{fraction}").parse().ok()?;
    let all: IBig = format!("{whole}{fraction}{period}").parse().ok()?;
    let nines = UBig::from(10u8).pow(period.len()) - UBig::ONE;
    let scale = UBig::from(10u8).pow(fraction.len());
    (!period.is_empty()).then(|| RBig::from_parts(all - before, nines * scale))
}

/// Length of the shortest block that ends `digits` and is there at least three times (twice from four digits on).
fn shortest_period(digits: &str) -> Option<usize> {
    let bytes = digits.as_bytes();
    (1..=bytes.len() / 2).find(|&length| {
        let times = if length < 4 { 3 } else { 2 };
        let needed = length * times;
        bytes.len() >= needed && {
            let tail = &bytes[bytes.len() - needed..];
            tail.chunks(length).all(|chunk| chunk == &tail[..length])
        }
    })
}
