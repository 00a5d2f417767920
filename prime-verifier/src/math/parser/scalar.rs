//! Sums, products, powers: what stands between the brackets.

use super::token::{Command, Fence, Kind};
use super::{Parsed, Parser};
use crate::math::expr::{Constant, Expr, Function, NamedSet, SetOp};

/// Most signs or marks in a row.
const MAX_MARKS: usize = 32;

impl<'t> Parser<'t> {
    pub(super) fn sum(&mut self) -> Parsed {
        let first = self.signed_product()?;
        let mut terms = vec![first];
        while let Some(sign @ (Kind::Plus | Kind::Minus | Kind::PlusMinus | Kind::MinusPlus)) =
            self.peek()
        {
            self.advance();
            let term = self.signed_product()?;
            if let [set] = terms.as_slice()
                && sign == Kind::Minus
                && (matches!(set, Expr::NamedSet(_)) || matches!(term, Expr::Set(_)))
            {
                terms = vec![Expr::SetOp(SetOp::Difference, vec![set.clone(), term])];
                continue;
            }
            terms.push(match sign {
                Kind::Minus => term.negated(),
                Kind::PlusMinus | Kind::MinusPlus => Expr::PlusMinus {
                    minus_first: sign == Kind::MinusPlus,
                    of: Box::new(term),
                },
                _ => term,
            });
        }
        Ok(match terms.len() {
            1 => terms.pop().ok_or_else(|| self.expected("a term"))?,
            _ => Expr::Add(terms),
        })
    }

    /// Signs, then a product.
    fn signed_product(&mut self) -> Parsed {
        let (negative, plus_minus) = self.signs()?;
        let mut product = self.product()?;
        if let Some(minus_first) = plus_minus {
            product = Expr::PlusMinus {
                minus_first,
                of: Box::new(product),
            };
        }
        Ok(if negative { product.negated() } else { product })
    }

    /// Whether the signs here make a minus, and whether there is a `±` (`Some(true)` for `∓`).
    fn signs(&mut self) -> Result<(bool, Option<bool>), super::SyntaxError> {
        let mut negative = false;
        let mut plus_minus = None;
        for _ in 0..MAX_MARKS {
            match self.peek() {
                Some(Kind::Plus) => {}
                Some(Kind::Minus) => negative = !negative,
                Some(Kind::PlusMinus) => plus_minus = Some(false),
                Some(Kind::MinusPlus) => plus_minus = Some(true),
                _ => return Ok((negative, plus_minus)),
            }
            self.advance();
        }
        Err(self.expected("fewer signs"))
    }

    /// Factors, written with or without a sign between them.
    pub(super) fn product(&mut self) -> Parsed {
        let mut factors = vec![self.factor()?];
        let mut symbols = self.has_symbols(&factors);
        loop {
            match self.peek() {
                Some(Kind::Times) => {
                    let cross = matches!(self.source(self.at, self.at + 1), r"\times" | "×");
                    self.advance();
                    let factor = self.signed_factor()?;
                    match factors.last_mut() {
                        // `a × b` of vectors is neither `a · b` nor `b × a`.
                        Some(last) if cross && is_vector(last) && is_vector(&factor) => {
                            *last = Expr::Apply("cross".into(), vec![last.clone(), factor]);
                        }
                        _ => factors.push(factor),
                    }
                }
                Some(Kind::Divide) => {
                    self.advance();
                    let divisor = self.signed_factor()?;
                    match quotient_of_numbers(&factors, &divisor) {
                        Some(number) => factors = vec![number],
                        None => factors.push(divisor.inverted()),
                    }
                }
                Some(Kind::Command(Command::Bmod)) => {
                    self.advance();
                    let modulus = self.factor()?;
                    let value = self.collected(factors)?;
                    factors = vec![Expr::Call(Function::Mod, vec![value, modulus])];
                }
                Some(_) if self.context.after_relation && self.equation_begins() => break,
                Some(Kind::Letter {
                    letter: 'U',
                    run: "U",
                }) if matches!(factors.as_slice(), [Expr::Sequence { .. } | Expr::Set(_)]) => {
                    break;
                }
                Some(next)
                    if self.continues_product(
                        next,
                        symbols,
                        matches!(factors.last(), Some(Expr::Number(_))),
                    ) =>
                {
                    let factor = self.factor()?;
                    factors.push(factor);
                }
                _ => break,
            }
            symbols = symbols || factors.last().is_some_and(Expr::has_unknowns);
        }
        self.collected(factors)
    }

    fn has_symbols(&self, factors: &[Expr]) -> bool {
        factors.iter().any(Expr::has_unknowns)
    }

    fn collected(&self, mut factors: Vec<Expr>) -> Parsed {
        match factors.len() {
            1 => factors.pop().ok_or_else(|| self.expected("a factor")),
            // Words and numbers beside each other are prose.
            _ if factors.iter().any(|factor| matches!(factor, Expr::Text(_))) => {
                Err(self.expected("no words between the factors"))
            }
            _ => Ok(Expr::Mul(factors)),
        }
    }

    /// Whether what comes multiplies what was read, without a sign.
    fn continues_product(&self, next: Kind<'t>, symbols: bool, bare_number: bool) -> bool {
        let previous_number = self
            .at
            .checked_sub(1)
            .and_then(|before| self.tokens.get(before))
            .is_some_and(|before| matches!(before.kind, Kind::Number { .. } | Kind::Fraction(..)));
        match next {
            Kind::Number { .. } | Kind::Fraction(..) => !(previous_number && bare_number),
            Kind::Bar => self.open_bars == 0 && !self.context.builder_head && !self.context.given,
            Kind::Open(Fence::DoubleBar) => self.open_bars == 0,
            Kind::Open(Fence::Square) => !self.context.square,
            Kind::Open(Fence::Brace) => false,
            Kind::Open(Fence::Round) => self.peek_at(1) != Some(Kind::Command(Command::Bmod)),
            Kind::Letter { letter: 'd', .. } if self.context.integrand => {
                !matches!(self.peek_at(1), Some(Kind::Letter { .. } | Kind::Named(_)))
            }
            Kind::Letter { .. } => symbols || !self.at_bare_unit(),
            kind => kind.starts_operand(),
        }
    }

    fn signed_factor(&mut self) -> Parsed {
        let (negative, _) = self.signs()?;
        let factor = self.factor()?;
        Ok(if negative { factor.negated() } else { factor })
    }

    /// A primary with its powers and marks.
    pub(super) fn factor(&mut self) -> Parsed {
        let mut value = self.primary()?;
        for _ in 0..MAX_MARKS {
            match self.peek() {
                Some(Kind::Caret) => {
                    self.advance();
                    value = self.superscript(value)?;
                }
                Some(Kind::Bang) => {
                    self.advance();
                    let function = if self.take(Kind::Bang) {
                        Function::DoubleFactorial
                    } else {
                        Function::Factorial
                    };
                    value = Expr::call(function, value);
                }
                // `7 % 3`
                Some(Kind::Percent)
                    if matches!(
                        self.peek_at(1),
                        Some(Kind::Number { .. } | Kind::Letter { .. })
                    ) && self.source(self.at, self.at + 1) == "%" =>
                {
                    self.advance();
                    let context = self.context;
                    let modulus = self.nested(context, Self::factor)?;
                    value = Expr::Call(Function::Mod, vec![value, modulus]);
                }
                Some(Kind::Percent) => {
                    self.advance();
                    value = Expr::Percent(Box::new(value));
                }
                Some(Kind::Degree) => {
                    self.advance();
                    value = Expr::Degree(Box::new(value));
                }
                Some(Kind::Underscore) => {
                    self.advance();
                    value = match value {
                        // `\lambda^2_1`
                        Expr::Pow(base, exponent) if matches!(*base, Expr::Symbol(_)) => {
                            let base = self.subscripted(*base)?;
                            Expr::Pow(Box::new(base), exponent)
                        }
                        value => self.base_subscript(value)?,
                    };
                }
                _ => return Ok(value),
            }
        }
        Err(self.expected("fewer marks"))
    }

    fn superscript(&mut self, base: Expr) -> Parsed {
        if self.take(Kind::Degree) {
            return Ok(Expr::Degree(Box::new(base)));
        }
        if self.peek() == Some(Kind::Open(Fence::Group))
            && self.peek_at(1) == Some(Kind::Degree)
            && self.peek_at(2) == Some(Kind::Close(Fence::Group))
        {
            self.at += 3;
            return Ok(Expr::Degree(Box::new(base)));
        }
        if matches!(
            self.peek(),
            Some(Kind::Text("T" | "t")) | Some(Kind::Letter { letter: 'T', .. })
        ) && matches!(base, Expr::Matrix(_) | Expr::Sequence { .. })
        {
            self.advance();
            return Ok(transposed(base));
        }
        let exponent = self.exponent()?;
        Ok(Expr::Pow(Box::new(base), Box::new(exponent)))
    }

    fn exponent(&mut self) -> Parsed {
        let (negative, _) = self.signs()?;
        let mut exponent = match self.peek() {
            Some(Kind::Open(Fence::Group)) => self.argument()?,
            Some(Kind::Number { .. } | Kind::Letter { .. })
                if self.peek_at(1) == Some(Kind::Underscore) =>
            {
                self.argument()?
            }
            _ => self.primary()?,
        };
        // `2^3^2`
        if self.peek() == Some(Kind::Caret) {
            self.advance();
            let context = self.context;
            let upper = self.nested(context, Self::exponent)?;
            exponent = Expr::Pow(Box::new(exponent), Box::new(upper));
        }
        Ok(if negative {
            exponent.negated()
        } else {
            exponent
        })
    }

    /// A TeX argument: a group, or a single digit, letter or command.
    pub(super) fn argument(&mut self) -> Parsed {
        match self.peek() {
            Some(Kind::Open(Fence::Group)) => {
                self.advance();
                let value = self.nested(self.context.inside(), Self::list)?;
                self.need(Kind::Close(Fence::Group), "`}`")?;
                Ok(value)
            }
            Some(Kind::Number { text, grouping }) if text.len() > 1 && text.is_ascii() => {
                // `\frac12`: the token gives its first digit away.
                let (digit, rest) = text.split_at(1);
                if let Some(token) = self.tokens.get_mut(self.at) {
                    self.split.push((self.at, *token));
                    token.kind = Kind::Number {
                        text: rest,
                        grouping,
                    };
                    token.start += 1;
                    token.space = false;
                }
                super::number::decimal(digit)
                    .map(Expr::from)
                    .ok_or_else(|| self.expected("a digit"))
            }
            Some(Kind::Minus) => {
                self.advance();
                Ok(self.primary()?.negated())
            }
            // A letter alone: in `\int^b_a` the `_a` is not its own.
            Some(Kind::Letter { letter, .. }) => {
                self.advance();
                Ok(super::symbol::letter(letter))
            }
            Some(Kind::Named(name)) => {
                self.advance();
                Ok(Expr::symbol(name))
            }
            Some(Kind::Number { text, .. }) if self.peek_at(1) == Some(Kind::Underscore) => {
                self.advance();
                super::number::decimal(text)
                    .map(Expr::from)
                    .ok_or_else(|| self.expected("a number"))
            }
            Some(_) => self.primary(),
            None => Err(self.expected("an argument")),
        }
    }

    pub(super) fn primary(&mut self) -> Parsed {
        let context = self.context;
        self.nested_keeping_bars(context, Self::primary_here)
    }

    /// One level deeper with the bars that are open here still open.
    fn nested_keeping_bars(
        &mut self,
        context: super::Context,
        parse: impl FnOnce(&mut Self) -> Parsed,
    ) -> Parsed {
        let bars = self.open_bars;
        self.nested(context, |parser| {
            parser.open_bars = bars;
            parse(parser)
        })
    }

    fn primary_here(&mut self) -> Parsed {
        let Some(kind) = self.peek() else {
            return Err(self.expected("a value"));
        };
        match kind {
            Kind::Number { .. } => self.number(),
            Kind::Fraction(a, b) => {
                self.advance();
                super::number::ratio(i64::from(a), i64::from(b))
                    .ok_or_else(|| self.expected("a fraction"))
            }
            Kind::Letter { .. } | Kind::Named(_) => self.symbol(),
            Kind::Constant(constant) => {
                self.advance();
                Ok(Expr::Constant(constant))
            }
            Kind::Set(set) => self.named_set(set),
            Kind::Function(function) => self.function(function),
            Kind::Command(command) => self.command(command),
            Kind::Open(fence) => self.fenced(fence),
            Kind::Close(Fence::Square) => self.reversed_interval(),
            Kind::Bar => self.absolute_value(),
            Kind::Begin(name) => self.environment(name),
            Kind::Text(words) => {
                self.advance();
                Ok(Expr::Text(words.into()))
            }
            _ => Err(self.expected("a value")),
        }
    }

    fn command(&mut self, command: Command) -> Parsed {
        match command {
            Command::Frac => self.fraction(),
            Command::Binom => {
                self.advance();
                let n = self.argument()?;
                let k = self.argument()?;
                Ok(Expr::Call(Function::Binomial, vec![n, k]))
            }
            Command::Sqrt => self.root(),
            Command::Log => self.logarithm(),
            Command::Sum | Command::Product | Command::Integral | Command::Limit => {
                self.big_operator(command)
            }
            Command::Overline | Command::Accent(_) => self.accent(command),
            Command::Pmod
            | Command::Bmod
            | Command::Substack
            | Command::Choose
            | Command::Partial => Err(self.expected("a value")),
        }
    }

    pub(super) fn fraction(&mut self) -> Parsed {
        if let Some(derivative) = self.derivative() {
            return derivative;
        }
        self.advance();
        let numerator = self.argument()?;
        let denominator = self.argument()?;
        if let Some(number) = quotient_of_numbers(std::slice::from_ref(&numerator), &denominator) {
            return Ok(number);
        }
        Ok(Expr::Mul(vec![numerator, denominator.inverted()]))
    }

    fn root(&mut self) -> Parsed {
        self.advance();
        let index = if self.peek() == Some(Kind::Open(Fence::Square)) {
            self.advance();
            let index = self.nested(self.context.inside(), Self::sum)?;
            self.need(Kind::Close(Fence::Square), "`]` behind the index of a root")?;
            index
        } else {
            Expr::integer(2)
        };
        let radicand = match self.peek() {
            Some(Kind::Number { .. }) => self.number()?,
            _ => self.argument()?,
        };
        Ok(Expr::Root(Box::new(radicand), Box::new(index)))
    }

    fn named_set(&mut self, set: NamedSet) -> Parsed {
        self.advance();
        if !matches!(self.peek(), Some(Kind::Caret | Kind::Underscore)) {
            return Ok(Expr::NamedSet(set));
        }
        // `ℝ^+`, `ℤ_{>0}`, `ℕ^*`: another set, by the name it is written with.
        let from = self.at + 1;
        let sign = |kind: Option<Kind<'t>>| {
            matches!(
                kind,
                Some(Kind::Plus | Kind::Minus | Kind::Times | Kind::Relation(_))
            )
        };
        let grouped = self.peek_at(1) == Some(Kind::Open(Fence::Group));
        if !sign(self.peek_at(if grouped { 2 } else { 1 })) {
            return Ok(Expr::NamedSet(set));
        }
        let to = if grouped {
            self.group_end(from).unwrap_or(from + 1)
        } else {
            from + 1
        };
        let mark: String = self
            .source(from, to)
            .chars()
            .filter(|c| !matches!(c, '{' | '}' | ' '))
            .collect();
        self.at = to;
        Ok(restricted(set, &mark))
    }
}

impl super::Context {
    /// The context inside brackets, where nothing from outside ends an expression.
    pub(super) fn inside(self) -> Self {
        Self {
            inner_integrand: self.integrand || self.inner_integrand,
            ..Self::default()
        }
    }
}

fn restricted(set: NamedSet, mark: &str) -> Expr {
    use crate::math::expr::Bracket::{Round, Square};
    let infinity = || Expr::Constant(Constant::Infinity);
    let interval = |open, low, high| Expr::Sequence {
        open,
        close: Round,
        items: vec![low, high],
    };
    match (set, mark) {
        (NamedSet::Reals, "+" | ">0") => interval(Round, Expr::integer(0), infinity()),
        (NamedSet::Reals, "-") => interval(Round, infinity().negated(), Expr::integer(0)),
        (NamedSet::Reals, r"\ge0" | r"\geq0" | "≥0") => {
            interval(Square, Expr::integer(0), infinity())
        }
        (NamedSet::Integers, "+" | ">0") => Expr::NamedSet(NamedSet::Naturals),
        _ => Expr::Apply(format!("{set:?}{mark}").into(), vec![]),
    }
}

/// Whether a factor is written as a vector.
fn is_vector(factor: &Expr) -> bool {
    match factor {
        Expr::Symbol(name) => name.starts_with("vec ") || name.starts_with("hat "),
        Expr::Apply(name, _) => matches!(&**name, "vec" | "cross"),
        Expr::Neg(inner) => is_vector(inner),
        _ => false,
    }
}

/// `3/4` as one exact number.
fn quotient_of_numbers(numerators: &[Expr], denominator: &Expr) -> Option<Expr> {
    let ([Expr::Number(a)], Expr::Number(b)) = (numerators, denominator) else {
        return None;
    };
    let whole = |n: &crate::math::expr::Number| n.decimal.is_none() && n.value.is_int();
    if !whole(a) || !whole(b) || b.value.is_zero() {
        return None;
    }
    Some(Expr::exact(&a.value / &b.value))
}

fn transposed(expr: Expr) -> Expr {
    match expr {
        Expr::Matrix(rows) => {
            let width = rows.first().map_or(0, Vec::len);
            Expr::Matrix(
                (0..width)
                    .map(|column| {
                        rows.iter()
                            .filter_map(|row| row.get(column).cloned())
                            .collect()
                    })
                    .collect(),
            )
        }
        Expr::Sequence { items, .. } => {
            Expr::Matrix(items.into_iter().map(|item| vec![item]).collect())
        }
        other => other,
    }
}
