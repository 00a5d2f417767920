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
            if name.len() > 64 {
                return Err(self.expected("a shorter name"));
            }
        }
        if let Some(index) = index {
            name.push('_');
            return Ok(Expr::Apply(name.into(), vec![index]));
        }
        if is_function_name(&name) {
            if let Some(applied) = self.attempt(|parser| parser.inverse_application(&name)) {
                return Ok(applied);
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
        } else if self.defines_function() {
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

    fn inverse_application(&mut self, name: &str) -> Parsed {
        self.need(Kind::Caret, "`^`")?;
        let exponent = self.argument()?;
        if exponent.as_written_integer() != Some(-1) {
            return Err(self.expected("an inverse"));
        }
        if self.peek() == Some(Kind::Open(Fence::Round)) {
            return self.application(&format!("{name}⁻¹"));
        }
        Err(self.expected("`(`"))
    }

    /// A subscript: its text, and the expression if it holds a variable (`a_n`, which differs from `a_m`).
    fn subscript(&mut self) -> Result<(String, Option<Expr>), super::SyntaxError> {
        let from = self.at;
        let to = match self.peek() {
            Some(Kind::Open(Fence::Group)) => {
                self.group_end(from).ok_or_else(|| self.expected("`}`"))?
            }
            Some(_) => from + 1,
            None => return Err(self.expected("a subscript")),
        };
        if let Some(expr) = self.attempt(|parser| {
            let expr = parser.argument()?;
            let variable = super::scalar::holds_symbol(&expr) && expr.is_scalar();
            if parser.at == to && variable {
                Ok(expr)
            } else {
                Err(parser.expected("a variable"))
            }
        }) {
            return Ok((String::new(), Some(expr)));
        }
        // `x_12` is `x_1 2` in TeX and x₁₂ to whoever wrote it.
        let text: String = self
            .source(from, to)
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '{' | '}'))
            .take(48)
            .collect();
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
        let start = self.at;
        let (head, order, of) = self.attempt(|parser| {
            parser.advance();
            let (head, order, of) = parser.differential_over()?;
            Ok((head, order, of))
        })?;
        let body = match of {
            Some(body) => body,
            None => match self.product() {
                Ok(body) => body,
                Err(_) => {
                    self.at = start;
                    return None;
                }
            },
        };
        Some(Ok(Expr::Big(Box::new(BigOperator {
            kind: BigKind::Derivative,
            variable: head.into(),
            lower: None,
            upper: Some(Expr::integer(order)),
            body,
        }))))
    }

    /// `{d^n y}{dx^n}`: variable, order and `y`, if it is there.
    fn differential_over(&mut self) -> Result<(String, i64, Option<Expr>), super::SyntaxError> {
        self.need(Kind::Open(Fence::Group), "`{`")?;
        let above = self.differential_sign()?;
        let order = self.small_power()?;
        let of = match self.peek() {
            Some(Kind::Close(Fence::Group)) => None,
            _ => Some(self.product()?),
        };
        self.need(Kind::Close(Fence::Group), "`}`")?;
        self.need(Kind::Open(Fence::Group), "`{`")?;
        let below = self.differential_sign()?;
        let variable = match self.peek() {
            Some(Kind::Letter { letter, .. }) => letter.to_string(),
            Some(Kind::Named(name)) => name.to_owned(),
            _ => return Err(self.expected("a variable")),
        };
        self.advance();
        let same = self.small_power()?;
        self.need(Kind::Close(Fence::Group), "`}`")?;
        if above != below || order != same {
            return Err(self.expected("a derivative"));
        }
        Ok((variable, order, of))
    }

    fn differential_sign(&mut self) -> Result<bool, super::SyntaxError> {
        match self.peek() {
            Some(Kind::Letter { letter: 'd', .. }) => {
                self.advance();
                Ok(false)
            }
            Some(Kind::Command(Command::Partial)) => {
                self.advance();
                Ok(true)
            }
            _ => Err(self.expected("a differential")),
        }
    }

    fn small_power(&mut self) -> Result<i64, super::SyntaxError> {
        if !self.take(Kind::Caret) {
            return Ok(1);
        }
        let power = self.argument()?;
        power
            .as_written_integer()
            .filter(|n| (1..=9).contains(n))
            .ok_or_else(|| self.expected("a small order"))
    }
}

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
