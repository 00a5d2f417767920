//! What stands in brackets: groups, tuples, intervals, sets, absolute values.

use super::token::{Command, Fence, Kind};
use super::{Context, Parsed, Parser};
use crate::math::expr::{Bracket, Expr, Function};

impl<'t> Parser<'t> {
    pub(super) fn fenced(&mut self, fence: Fence) -> Parsed {
        self.advance();
        match fence {
            Fence::Group => self.group(),
            Fence::Round => self.sequence(Bracket::Round),
            Fence::Square => self.sequence(Bracket::Square),
            Fence::Angle => self.sequence(Bracket::Angle),
            Fence::Brace => self.set(),
            Fence::Floor => self.closed_by(Fence::Floor, Function::Floor),
            Fence::Ceil => self.closed_by(Fence::Ceil, Function::Ceil),
            Fence::Bar => {
                let inner = self.nested(self.context.inside(), Self::sum)?;
                if !self.take(Kind::Close(Fence::Bar)) && !self.take(Kind::Bar) {
                    return Err(self.expected("`|`"));
                }
                Ok(absolute(inner))
            }
            Fence::DoubleBar => {
                let inner = self.nested(self.context.inside(), |parser| {
                    parser.open_bars = 1;
                    parser.sum()
                })?;
                if !self.take(Kind::Close(Fence::DoubleBar))
                    && !self.take(Kind::Open(Fence::DoubleBar))
                {
                    return Err(self.expected("`\\|`"));
                }
                Ok(Expr::Apply("norm".into(), vec![inner]))
            }
        }
    }

    fn closed_by(&mut self, fence: Fence, function: Function) -> Parsed {
        let inner = self.nested(self.context.inside(), Self::sum)?;
        if self.peek() != Some(Kind::Close(fence)) {
            return Err(self.expected("the closing bracket"));
        }
        self.advance();
        Ok(Expr::call(function, inner))
    }

    /// `{…}` without backslashes: a group, or a set in plain text.
    fn group(&mut self) -> Parsed {
        if self.take(Kind::Close(Fence::Group)) {
            // `{}` prints nothing.
            return match self.peek() {
                Some(_) => self.primary(),
                None => Err(self.expected("a value")),
            };
        }
        let inner = self.nested(self.context.inside(), Self::list)?;
        // `{n \choose k}`
        if self.take(Kind::Command(Command::Choose)) {
            let below = self.nested(self.context.inside(), Self::list)?;
            self.need(Kind::Close(Fence::Group), "`}`")?;
            return Ok(Expr::Call(Function::Binomial, vec![inner, below]));
        }
        self.need(Kind::Close(Fence::Group), "`}`")?;
        Ok(match inner {
            Expr::List { items, .. } => Expr::Set(items),
            one => one,
        })
    }

    fn sequence(&mut self, open: Bracket) -> Parsed {
        if let Some(close) = self.closing_bracket() {
            return Ok(Expr::Sequence {
                open,
                close,
                items: vec![],
            });
        }
        let context = Context {
            square: open == Bracket::Square,
            ..self.context.inside()
        };
        let inner = self.nested(context, Self::list)?;
        let close = match self.closing_bracket() {
            Some(close) => close,
            // `[0,1[`
            None if open == Bracket::Square && self.take(Kind::Open(Fence::Square)) => {
                Bracket::Round
            }
            None => return Err(self.expected("a closing bracket")),
        };
        match inner {
            Expr::List { items, .. } => Ok(Expr::Sequence { open, close, items }),
            one if open == close || matches!(one, Expr::Matrix(_)) => Ok(one),
            _ => Err(self.expected("two ends of an interval")),
        }
    }

    fn closing_bracket(&mut self) -> Option<Bracket> {
        let bracket = match self.peek() {
            Some(Kind::Close(Fence::Round)) => Bracket::Round,
            Some(Kind::Close(Fence::Square)) => Bracket::Square,
            Some(Kind::Close(Fence::Angle)) => Bracket::Angle,
            _ => return None,
        };
        self.advance();
        Some(bracket)
    }

    /// `]a, b[`, `]a, b]`.
    pub(super) fn reversed_interval(&mut self) -> Parsed {
        self.need(Kind::Close(Fence::Square), "a value")?;
        let context = Context {
            square: true,
            ..self.context.inside()
        };
        let inner = self.nested(context, Self::list)?;
        let close = if self.take(Kind::Open(Fence::Square)) {
            Bracket::Round
        } else {
            self.need(Kind::Close(Fence::Square), "the end of the interval")?;
            Bracket::Square
        };
        match inner {
            Expr::List { items, .. } if items.len() == 2 => Ok(Expr::Sequence {
                open: Bracket::Round,
                close,
                items,
            }),
            _ => Err(self.expected("two ends of an interval")),
        }
    }

    /// `\{1, 2\}`, `\{x : x > 2\}`.
    fn set(&mut self) -> Parsed {
        if self.take(Kind::Close(Fence::Brace)) {
            return Ok(Expr::Set(vec![]));
        }
        // `\left\{\begin{array}…\end{array}\right.`: a brace before rows, which nothing closes.
        if let Some(Kind::Begin(name)) = self.peek()
            && let Some(rows) = self.attempt(|parser| {
                let rows = parser.braced_rows(name)?;
                match parser.peek() {
                    Some(Kind::Close(Fence::Brace)) => {
                        Err(parser.expected("rows behind an open brace"))
                    }
                    _ => Ok(rows),
                }
            })
        {
            return Ok(rows);
        }
        let context = Context {
            builder_head: true,
            ..self.context.inside()
        };
        let head = self.nested(context, Self::list)?;
        if matches!(self.peek(), Some(Kind::Mid | Kind::Colon | Kind::Bar)) {
            self.advance();
            let condition = self.nested(self.context.inside(), Self::list)?;
            self.need(Kind::Close(Fence::Brace), "`\\}`")?;
            return Ok(Expr::Builder(Box::new(head), Box::new(condition)));
        }
        self.need(Kind::Close(Fence::Brace), "`\\}`")?;
        Ok(Expr::Set(match head {
            Expr::List { items, .. } => items,
            one => vec![one],
        }))
    }

    /// `|x|`, both bars alike.
    pub(super) fn absolute_value(&mut self) -> Parsed {
        self.need(Kind::Bar, "`|`")?;
        let inner = self.nested(self.context.inside(), |parser| {
            parser.open_bars = 1;
            parser.sum()
        })?;
        self.need(Kind::Bar, "`|`")?;
        Ok(absolute(inner))
    }
}

/// `|A|` of a matrix is its determinant.
fn absolute(inner: Expr) -> Expr {
    let function = match inner {
        Expr::Matrix(_) => Function::Determinant,
        _ => Function::Abs,
    };
    Expr::call(function, inner)
}
