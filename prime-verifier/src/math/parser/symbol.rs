//! Variables with their subscripts, primes and accents, and the functions that are named like variables.

use super::token::{Command, Fence, Kind};
use super::{Context, Parsed, Parser};
use crate::math::expr::{BigKind, BigOperator, Constant, Expr};

impl<'t> Parser<'t> {
    pub(super) fn symbol(&mut self) -> Parsed {
        if self.context.inner_integrand
            && self.at_differential()
            && let Some(Kind::Letter { letter, .. }) = self.peek_at(1)
        {
            self.at += 2;
            return Ok(Expr::Symbol(format!("{DIFFERENTIAL}{letter}").into()));
        }
        if let Some(based) = self.attempt(Self::digits_in_base_led_by_letter) {
            return Ok(based);
        }
        let name: String = match self.peek() {
            Some(Kind::Letter { letter, .. }) => letter.into(),
            Some(Kind::Named(name)) => name.into(),
            _ => return Err(self.expected("a variable")),
        };
        self.advance();
        // `\angle ABC`, `\triangle ABC`: one thing with one name.
        if matches!(
            name.as_str(),
            "angle" | "triangle" | "forall" | "exists" | "neg"
        ) {
            let operand = self.product()?;
            return Ok(Expr::Apply(name.into(), vec![operand]));
        }
        let bare = !matches!(self.peek(), Some(Kind::Underscore | Kind::Prime));
        if bare && name == "e" {
            return Ok(Expr::Constant(Constant::E));
        }
        if bare && name == "i" {
            return Ok(Expr::Constant(Constant::I));
        }
        self.decorated(name)
    }

    /// `x_1`, `x'`, `f(x)`, `f^{-1}(x)` from its name on.
    fn decorated(&mut self, mut name: String) -> Parsed {
        let mut index = None;
        loop {
            match self.peek() {
                Some(Kind::Underscore) if index.is_none() => {
                    self.advance();
                    let (text, expr) = self.subscript()?;
                    match expr {
                        Some(expr) => index = Some(expr),
                        None => {
                            name.push('_');
                            name.push_str(&text);
                        }
                    }
                }
                Some(Kind::Prime) => {
                    self.advance();
                    name.push('\'');
                }
                Some(Kind::Caret) if self.peek_at(1) == Some(Kind::Prime) => {
                    self.at += 2;
                    name.push('\'');
                }
                Some(Kind::Caret)
                    if self.peek_at(1) == Some(Kind::Open(Fence::Group))
                        && self.peek_at(2) == Some(Kind::Prime)
                        && self.peek_at(3) == Some(Kind::Close(Fence::Group)) =>
                {
                    self.at += 4;
                    name.push('\'');
                }
                _ => break,
            }
            if name.len() > 2 * MAX_SUBSCRIPT {
                return Err(self.expected("a shorter name"));
            }
        }
        if let Some(index) = index {
            name.push('_');
            return Ok(Expr::Apply(name.into(), vec![index]));
        }
        if is_function_name(&name) {
            if let Some(length) = self.inverse_mark() {
                self.at += length;
                return self.application(&format!("{name}⁻¹"));
            }
            if self.peek() == Some(Kind::Open(Fence::Round)) {
                return self.application(&name);
            }
            // `f{\left(x\right)}`
            if self.peek() == Some(Kind::Open(Fence::Group))
                && self.peek_at(1) == Some(Kind::Open(Fence::Round))
            {
                self.advance();
                let applied = self.application(&name)?;
                self.need(Kind::Close(Fence::Group), "`}`")?;
                return Ok(applied);
            }
        } else if self.defines_function() || self.is_value_at_end(&name) {
            return self.application(&name);
        }
        Ok(Expr::Symbol(name.into()))
    }

    /// A variable that got its power before its subscript.
    pub(super) fn subscripted(&mut self, symbol: Expr) -> Parsed {
        let Expr::Symbol(name) = symbol else {
            return Err(self.expected("a variable"));
        };
        let (text, index) = self.subscript()?;
        Ok(match index {
            Some(index) => Expr::Apply(format!("{name}_").into(), vec![index]),
            None => Expr::Symbol(format!("{name}_{text}").into()),
        })
    }

    /// Whether `( one token ) =` follows: the left side of a definition.
    fn defines_function(&self) -> bool {
        self.peek() == Some(Kind::Open(Fence::Round))
            && matches!(
                self.peek_at(1),
                Some(Kind::Letter { .. } | Kind::Number { .. } | Kind::Named(_))
            )
            && self.peek_at(2) == Some(Kind::Close(Fence::Round))
            && matches!(self.peek_at(3), Some(Kind::Relation(_)))
    }

    /// Whether `(0)` or `(1)` follows a letter that is plainly no factor: a value at the beginning or at the end, since
    /// nobody multiplies by 0 or 1 in an answer.
    fn is_value_at_end(&self, name: &str) -> bool {
        let end = matches!(
            self.peek_at(1),
            Some(Kind::Number {
                text: "0" | "1",
                ..
            })
        );
        if self.peek() != Some(Kind::Open(Fence::Round))
            || !end
            || self.peek_at(2) != Some(Kind::Close(Fence::Round))
        {
            return false;
        }
        // `2x(1)` is a product.
        let small = name.starts_with(|c: char| c.is_ascii_lowercase());
        let behind_number = self
            .at
            .checked_sub(2)
            .and_then(|at| self.tokens.get(at))
            .is_some_and(|token| matches!(token.kind, Kind::Number { .. }));
        !(small && behind_number)
    }

    fn application(&mut self, name: &str) -> Parsed {
        self.need(Kind::Open(Fence::Round), "`(`")?;
        let context = Context {
            given: true,
            ..self.context.inside()
        };
        let argument = self.nested(context, Self::list)?;
        self.need(Kind::Close(Fence::Round), "`)`")?;
        let arguments = match argument {
            Expr::List { items, .. } => items,
            one => vec![one],
        };
        Ok(Expr::Apply(name.into(), arguments))
    }

    /// Tokens of the `^{-1}` that stands here before a `(`.
    fn inverse_mark(&self) -> Option<usize> {
        let one = |kind: Option<Kind<'t>>| matches!(kind, Some(Kind::Number { text: "1", .. }));
        if self.peek() != Some(Kind::Caret) {
            return None;
        }
        let length = match self.peek_at(1)? {
            Kind::Minus if one(self.peek_at(2)) => 3,
            Kind::Open(Fence::Group)
                if self.peek_at(2) == Some(Kind::Minus)
                    && one(self.peek_at(3))
                    && self.peek_at(4) == Some(Kind::Close(Fence::Group)) =>
            {
                5
            }
            _ => return None,
        };
        (self.peek_at(length) == Some(Kind::Open(Fence::Round))).then_some(length)
    }

    /// A subscript: its text, and the expression if it holds a variable (`a_n`, which differs from `a_m`).
    fn subscript(&mut self) -> Result<(String, Option<Expr>), super::SyntaxError> {
        let from = self.at;
        let to = match self.peek() {
            Some(Kind::Open(Fence::Group)) => {
                self.group_end(from).ok_or_else(|| self.expected("`}`"))?
            }
            Some(
                Kind::Letter { .. }
                | Kind::Named(_)
                | Kind::Number { .. }
                | Kind::Constant(_)
                | Kind::Text(_)
                | Kind::Function(_)
                | Kind::Times,
            ) => from + 1,
            // What opens a bracket would be read here and again behind the name.
            _ => return Err(self.expected("a subscript")),
        };
        let readable = !matches!(
            self.peek(),
            Some(Kind::Text(_) | Kind::Function(_) | Kind::Times)
        );
        if readable
            && let Some(expr) = self.attempt(|parser| {
                let expr = parser.argument()?;
                let variable = expr.has_unknowns() && expr.is_scalar();
                if parser.at == to && variable {
                    Ok(expr)
                } else {
                    Err(parser.expected("a variable"))
                }
            })
        {
            return Ok((String::new(), Some(expr)));
        }
        // `x_12` is `x_1 2` in TeX and x₁₂ to whoever wrote it.
        let text: String = self
            .source(from, to)
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '{' | '}'))
            .map(super::unicode::lowered)
            .collect();
        if text.len() > MAX_SUBSCRIPT {
            return Err(self.expected("a shorter subscript"));
        }
        self.at = to;
        Ok((text, None))
    }

    fn digits_in_base_led_by_letter(&mut self) -> Parsed {
        match self.peek() {
            Some(Kind::Letter {
                letter: 'A'..='F', ..
            }) => self.number(),
            _ => Err(self.expected("digits")),
        }
    }

    pub(super) fn accent(&mut self, command: Command) -> Parsed {
        self.advance();
        let argument = self.argument()?;
        let name = match command {
            Command::Accent(name) => name,
            _ => "overline",
        };
        let axis = matches!(name, "hat" | "vec")
            && match &argument {
                Expr::Constant(Constant::I) => true,
                Expr::Symbol(letter) => matches!(&**letter, "j" | "k"),
                _ => false,
            };
        Ok(match (&argument, name) {
            (Expr::Constant(Constant::I), _) if axis => Expr::symbol("vec i"),
            (Expr::Symbol(letter), _) if axis => Expr::Symbol(format!("vec {letter}").into()),
            // Marks make one letter another.
            (Expr::Symbol(letter), _) if name != "overline" => {
                Expr::Symbol(format!("{name} {letter}").into())
            }
            _ => Expr::Apply(name.into(), vec![argument]),
        })
    }

    /// `\frac{d}{dx} f`, `\frac{dy}{dx}`, `\frac{d^2 y}{dx^2}` and the same with `∂`.
    pub(super) fn derivative(&mut self) -> Option<Parsed> {
        let head = self.derivative_head()?;
        Some(self.derivative_of(&head))
    }

    /// The shape of a derivative, looked at without reading anything, so that nothing is read twice.
    fn derivative_head(&self) -> Option<DerivativeHead> {
        let differential = |at: usize| match self.tokens.get(at)?.kind {
            Kind::Letter { letter: 'd', .. } => Some(false),
            Kind::Command(Command::Partial) => Some(true),
            _ => None,
        };
        // The power at a place, and the place behind it.
        let power = |at: usize| -> Option<(i64, usize)> {
            let kind = |offset: usize| self.tokens.get(at + offset).map(|token| token.kind);
            let order = |kind: Option<Kind<'t>>| match kind {
                Some(Kind::Number { text, .. }) => {
                    text.parse().ok().filter(|n| (1..=9).contains(n))
                }
                _ => None,
            };
            if kind(0) != Some(Kind::Caret) {
                return Some((1, at));
            }
            match kind(1)? {
                Kind::Open(Fence::Group) => Some((order(kind(2))?, at + 4)),
                _ => Some((order(kind(1))?, at + 2)),
            }
        };
        let above = self.at + 1;
        let is_group = |at: usize| {
            self.tokens.get(at).map(|token| token.kind) == Some(Kind::Open(Fence::Group))
        };
        if !is_group(above) {
            return None;
        }
        let partial = differential(above + 1)?;
        let (order, body) = power(above + 2)?;
        let below = self.group_end(above)?;
        if !is_group(below) || differential(below + 1)? != partial {
            return None;
        }
        let variable = match self.tokens.get(below + 2)?.kind {
            Kind::Letter { letter, .. } => letter.to_string(),
            Kind::Named(name) => name.to_owned(),
            _ => return None,
        };
        let (same, end) = power(below + 3)?;
        let closes = self.group_end(below)? == end + 1;
        (order == same && closes && body < below).then_some(DerivativeHead {
            variable,
            order,
            body,
            above_end: below - 1,
            end: end + 1,
        })
    }

    fn derivative_of(&mut self, head: &DerivativeHead) -> Parsed {
        let body = if head.body == head.above_end {
            self.at = head.end;
            self.product()?
        } else {
            self.at = head.body;
            let body = self.product()?;
            if self.at != head.above_end {
                return Err(self.expected("the end of the numerator"));
            }
            self.at = head.end;
            body
        };
        Ok(Expr::Big(Box::new(BigOperator {
            kind: BigKind::Derivative,
            variable: head.variable.as_str().into(),
            lower: None,
            upper: Some(Expr::integer(head.order)),
            body,
        })))
    }
}

/// Where the parts of a derivative stand, as indices of tokens.
struct DerivativeHead {
    variable: String,
    order: i64,
    /// The first token behind `d^n` in the numerator.
    body: usize,
    /// The brace that closes the numerator.
    above_end: usize,
    /// The first token behind the denominator.
    end: usize,
}

/// Longest subscript that is kept as a text, in bytes.
const MAX_SUBSCRIPT: usize = 200;

/// What marks the differential of a variable in an integrand.
pub(super) const DIFFERENTIAL: &str = "differential ";

/// A letter on its own.
pub(super) fn letter(letter: char) -> Expr {
    match letter {
        'e' => Expr::Constant(Constant::E),
        'i' => Expr::Constant(Constant::I),
        other => Expr::Symbol(other.to_string().into()),
    }
}

/// Letters that are functions wherever `(` follows them.
fn is_function_name(name: &str) -> bool {
    let base = name.trim_end_matches('\'');
    let base = base.split('_').next().unwrap_or(base);
    matches!(base, "f" | "g" | "F" | "G" | "P" | "Gamma" | "phi" | "zeta") || name.ends_with('\'')
}
