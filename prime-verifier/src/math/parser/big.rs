//! Sums, products, integrals and limits.

use super::symbol::DIFFERENTIAL;
use super::token::{Command, Fence, Kind};
use super::{Context, Parsed, Parser};
use crate::math::expr::{BigKind, BigOperator, Expr, Relation};

impl<'t> Parser<'t> {
    pub(super) fn big_operator(&mut self, command: Command) -> Parsed {
        self.advance();
        match command {
            Command::Integral => self.integral(),
            Command::Limit => self.limit(),
            Command::Product => self.indexed(BigKind::Product),
            _ => self.indexed(BigKind::Sum),
        }
    }

    /// `_{k=1}^{n} body`; the bounds in either order.
    fn indexed(&mut self, kind: BigKind) -> Parsed {
        let mut index = None;
        let mut upper = None;
        loop {
            match self.peek() {
                Some(Kind::Underscore) if index.is_none() => {
                    self.advance();
                    index = Some(self.index()?);
                }
                Some(Kind::Caret) if upper.is_none() => {
                    self.advance();
                    upper = Some(self.argument()?);
                }
                _ => break,
            }
        }
        let body = self.product()?;
        let (variable, lower) = index.ok_or_else(|| self.expected("bounds"))?;
        Ok(Expr::Big(Box::new(BigOperator {
            kind,
            body: bound(&body, &variable),
            variable: variable.into(),
            lower,
            upper,
        })))
    }

    /// `{k=1}`, or `{k}` alone.
    fn index(&mut self) -> Result<(String, Option<Expr>), super::SyntaxError> {
        match self.argument()? {
            Expr::Relation(first, rest) => match (name(&first), rest.as_slice()) {
                (Some(name), [(Relation::Eq, lower)]) => Ok((name, Some(lower.clone()))),
                _ => Err(self.expected("`k = …` under the sign")),
            },
            other => match name(&other) {
                Some(name) => Ok((name, None)),
                None => Err(self.expected("a variable under the sign")),
            },
        }
    }

    fn integral(&mut self) -> Parsed {
        let (mut lower, mut upper) = (None, None);
        loop {
            match self.peek() {
                Some(Kind::Underscore) if lower.is_none() => {
                    self.advance();
                    lower = self.bound()?;
                }
                Some(Kind::Caret) if upper.is_none() => {
                    self.advance();
                    upper = self.bound()?;
                }
                _ => break,
            }
        }
        let context = Context {
            integrand: true,
            ..self.context
        };
        let body = if self.at_differential() {
            Expr::integer(1)
        } else {
            self.nested(context, Self::sum)?
        };
        if !self.at_differential() {
            let (variable, body) = inner_differential(&body)
                .ok_or_else(|| self.expected("a differential such as `dx`"))?;
            return Ok(Expr::Big(Box::new(BigOperator {
                kind: BigKind::Integral,
                variable,
                lower,
                upper,
                body,
            })));
        }
        self.advance();
        let variable = match self.peek() {
            Some(Kind::Letter { letter, .. }) => letter.to_string(),
            Some(Kind::Named(name)) => name.to_owned(),
            _ => return Err(self.expected("the variable of the integral")),
        };
        self.advance();
        Ok(Expr::Big(Box::new(BigOperator {
            kind: BigKind::Integral,
            variable: variable.into(),
            lower,
            upper,
            body,
        })))
    }

    /// A bound of an integral; `{}` is none.
    fn bound(&mut self) -> Result<Option<Expr>, super::SyntaxError> {
        if self.peek() == Some(Kind::Open(Fence::Group))
            && self.peek_at(1) == Some(Kind::Close(Fence::Group))
        {
            self.at += 2;
            return Ok(None);
        }
        let negative = self.take(Kind::Minus);
        let bound = self.argument()?;
        Ok(Some(if negative { bound.negated() } else { bound }))
    }

    pub(super) fn at_differential(&self) -> bool {
        matches!(
            self.peek(),
            Some(Kind::Letter { letter: 'd', .. } | Kind::Text("d"))
        ) && matches!(self.peek_at(1), Some(Kind::Letter { .. } | Kind::Named(_)))
    }

    /// `_{x \to a}`, `_{x \to 0^+}`.
    fn limit(&mut self) -> Parsed {
        self.need(Kind::Underscore, "`_` under the limit")?;
        self.need(Kind::Open(Fence::Group), "`{`")?;
        let variable = match self.peek() {
            Some(Kind::Letter { letter, .. }) => letter.to_string(),
            Some(Kind::Named(name)) => name.to_owned(),
            _ => return Err(self.expected("a variable")),
        };
        self.advance();
        if !self.take(Kind::Relation(Relation::Other("to"))) {
            self.need(Kind::Relation(Relation::Other("implies")), "`\\to`")?;
        }
        let point = self.nested(self.context.inside(), |parser| {
            let negative = parser.take(Kind::Minus);
            let _ = parser.take(Kind::Plus);
            let point = parser.primary()?;
            Ok(if negative { point.negated() } else { point })
        })?;
        let side = self.side_of_limit()?;
        self.need(Kind::Close(Fence::Group), "`}`")?;
        let body = self.product()?;
        Ok(Expr::Big(Box::new(BigOperator {
            kind: BigKind::Limit,
            body: bound(&body, &variable),
            variable: variable.into(),
            lower: Some(point),
            upper: side,
        })))
    }

    fn side_of_limit(&mut self) -> Result<Option<Expr>, super::SyntaxError> {
        if !self.take(Kind::Caret) {
            return Ok(None);
        }
        let grouped = self.take(Kind::Open(Fence::Group));
        let side = match self.peek() {
            Some(Kind::Plus) => 1,
            Some(Kind::Minus) => -1,
            _ => return Err(self.expected("`+` or `-`")),
        };
        self.advance();
        if grouped {
            self.need(Kind::Close(Fence::Group), "`}`")?;
        }
        Ok(Some(Expr::integer(side)))
    }
}

/// The one differential that stands inside the integrand, and the integrand without it.
fn inner_differential(body: &Expr) -> Option<(Box<str>, Expr)> {
    let mut found: Vec<Box<str>> = vec![];
    let rest = body.rewritten(&mut |part| match part {
        Expr::Symbol(name) => name.strip_prefix(DIFFERENTIAL).map(|variable| {
            found.push(variable.into());
            Expr::integer(1)
        }),
        _ => None,
    });
    match found.as_slice() {
        [variable] => Some((variable.clone(), rest)),
        _ => None,
    }
}

fn name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Symbol(name) => Some(name.to_string()),
        // The letters of constants are free to be bound.
        Expr::Constant(crate::math::expr::Constant::I) => Some("i".to_owned()),
        _ => None,
    }
}

/// In a sum over `i`, `i` is the index.
fn bound(body: &Expr, variable: &str) -> Expr {
    if variable != "i" {
        return body.clone();
    }
    body.rewritten(&mut |part| match part {
        Expr::Constant(crate::math::expr::Constant::I) => Some(Expr::symbol("i")),
        _ => None,
    })
}
