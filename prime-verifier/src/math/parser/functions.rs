//! Functions that have names, and how far their arguments reach.

use super::token::{Command, Fence, Kind};
use super::{Parsed, Parser};
use crate::math::expr::{Constant, Expr, Function};

impl<'t> Parser<'t> {
    pub(super) fn function(&mut self, function: Function) -> Parsed {
        self.advance();
        let power = self.function_power()?;
        if let (Some(power), Some(inverse)) = (&power, function.inverse())
            && power.as_written_integer() == Some(-1)
        {
            let arguments = self.arguments(inverse)?;
            return Ok(Expr::Call(inverse, arguments));
        }
        let arguments = self.arguments(function)?;
        Ok(raised(Expr::Call(function, arguments), power))
    }

    /// `\log_2 8`, `\log x`, `\log^2 x`, `\lg 100`.
    pub(super) fn logarithm(&mut self) -> Parsed {
        let ten = self.source(self.at, self.at + 1).ends_with("lg");
        self.advance();
        let mut base = ten.then(|| Expr::integer(10));
        let mut power = self.function_power()?;
        if self.take(Kind::Underscore) {
            base = Some(match self.peek() {
                // `\log_28`: a base is one digit, unless `10` says otherwise.
                Some(Kind::Number { text, .. }) if !text.starts_with("10") || text.len() > 2 => {
                    self.argument()?
                }
                Some(Kind::Number { .. }) => self.number()?,
                _ => self.argument()?,
            });
            power = power.or(self.function_power()?);
        }
        let mut arguments = self.arguments(Function::Log)?;
        arguments.truncate(1);
        if let Some(base) = base {
            arguments.push(base);
        }
        Ok(raised(Expr::Call(Function::Log, arguments), power))
    }

    /// The `^2` between `\sin` and its argument.
    fn function_power(&mut self) -> Result<Option<Expr>, super::SyntaxError> {
        if !self.take(Kind::Caret) {
            return Ok(None);
        }
        match self.peek() {
            Some(Kind::Minus) => {
                self.advance();
                Ok(Some(self.argument()?.negated()))
            }
            _ => self.argument().map(Some),
        }
    }

    fn arguments(&mut self, function: Function) -> Result<Vec<Expr>, super::SyntaxError> {
        let depth = self.context;
        match self.peek() {
            Some(Kind::Open(Fence::Round | Fence::Square | Fence::Group | Fence::Brace)) => {
                let argument = self.primary()?;
                let arguments = match argument {
                    Expr::Sequence { items, .. } | Expr::Set(items) => items,
                    Expr::List { items, .. } => items,
                    one => vec![one],
                };
                self.check_count(function, arguments)
            }
            _ => {
                let argument = self.nested(depth, |parser| parser.open_argument(function))?;
                self.check_count(function, vec![argument])
            }
        }
    }

    fn check_count(
        &self,
        function: Function,
        arguments: Vec<Expr>,
    ) -> Result<Vec<Expr>, super::SyntaxError> {
        use Function::{Gcd, Lcm, Max, Min};
        let many = matches!(function, Gcd | Lcm | Max | Min | Function::Log);
        if function == Function::Binomial {
            return match arguments.len() {
                2 => Ok(arguments),
                _ => Err(self.expected("two arguments")),
            };
        }
        if arguments.len() == 1 || many && !arguments.is_empty() {
            Ok(arguments)
        } else {
            Err(self.expected("one argument"))
        }
    }

    /// An argument without brackets: factors up to a sign, a function or a bracket.
    fn open_argument(&mut self, function: Function) -> Parsed {
        let negative = self.take(Kind::Minus);
        let mut factors = vec![self.factor()?];
        loop {
            match self.peek() {
                Some(
                    Kind::Number { .. }
                    | Kind::Letter { .. }
                    | Kind::Named(_)
                    | Kind::Constant(_)
                    | Kind::Command(Command::Frac | Command::Sqrt),
                ) if self.continues_argument() => factors.push(self.factor()?),
                // `\sin \pi/6`
                Some(Kind::Divide)
                    if function.takes_angle()
                        && factors.iter().all(is_angle)
                        && self.number_follows() =>
                {
                    self.advance();
                    factors.push(self.factor()?.inverted());
                }
                _ => break,
            }
        }
        let argument = match factors.len() {
            1 => factors.pop().ok_or_else(|| self.expected("an argument"))?,
            _ => Expr::Mul(factors),
        };
        Ok(if negative {
            argument.negated()
        } else {
            argument
        })
    }

    fn continues_argument(&self) -> bool {
        let differential = self.context.integrand
            && matches!(self.peek(), Some(Kind::Letter { letter: 'd', .. }))
            && matches!(self.peek_at(1), Some(Kind::Letter { .. } | Kind::Named(_)));
        let after_number = self
            .at
            .checked_sub(1)
            .and_then(|before| self.tokens.get(before))
            .is_some_and(|before| matches!(before.kind, Kind::Number { .. }));
        let two_numbers = after_number && matches!(self.peek(), Some(Kind::Number { .. }));
        !differential && !two_numbers
    }

    fn number_follows(&self) -> bool {
        matches!(self.peek_at(1), Some(Kind::Number { .. }))
    }
}

fn is_angle(factor: &Expr) -> bool {
    matches!(factor, Expr::Number(_) | Expr::Constant(Constant::Pi))
}

fn raised(value: Expr, power: Option<Expr>) -> Expr {
    match power {
        Some(power) => Expr::Pow(Box::new(value), Box::new(power)),
        None => value,
    }
}
