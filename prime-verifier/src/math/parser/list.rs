//! Answers from the outside: choices, lists, relations, ratios, sets joined by operators.

use super::token::{Command, Fence, Kind};
use super::{Parsed, Parser, vocabulary};
use crate::math::expr::{Bracket, Connective, Decimal, Expr, Function, Number, Relation, SetOp};
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

/// What stands between two items.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Separator {
    Comma,
    Semicolon,
    And,
    Or,
}

impl<'t> Parser<'t> {
    pub(super) fn answer(&mut self) -> Parsed {
        if let Some(letter) = self.choice_prefix() {
            let content = self.list()?;
            self.trailing_marks();
            return Ok(Expr::Choice(letter, Some(Box::new(content))));
        }
        let answer = self.list()?;
        self.trailing_marks();
        Ok(answer)
    }

    fn trailing_marks(&mut self) {
        while matches!(
            self.peek(),
            Some(Kind::Comma | Kind::Semicolon | Kind::NewRow | Kind::Colon)
        ) {
            self.advance();
        }
    }

    /// `(B) 12`, `B) 12`, `B. 12`: the letter, if more follows.
    fn choice_prefix(&mut self) -> Option<char> {
        let letter = |kind| match kind {
            Some(Kind::Letter { letter, run })
                if run.len() == 1 && ('A'..='J').contains(&letter) =>
            {
                Some(letter)
            }
            _ => None,
        };
        let follows = |parser: &Self, at: usize| {
            parser.tokens.get(at).is_some_and(|next| {
                next.space
                    && (next.kind.starts_operand()
                        || matches!(next.kind, Kind::Text(_) | Kind::Minus | Kind::Currency))
            })
        };
        if self.peek() == Some(Kind::Open(Fence::Round))
            && self.peek_at(2) == Some(Kind::Close(Fence::Round))
            && let Some(found) = letter(self.peek_at(1))
            && follows(self, self.at + 3)
        {
            self.at += 3;
            return Some(found);
        }
        if matches!(
            self.peek_at(1),
            Some(Kind::Close(Fence::Round) | Kind::Colon)
        ) && let Some(found) = letter(self.peek())
            && follows(self, self.at + 2)
            // `A:B = 3` is a ratio.
            && (self.source(self.at + 1, self.at + 2) != ":"
                || !self.tokens.iter().any(|token| matches!(token.kind, Kind::Relation(_))))
        {
            self.at += 2;
            return Some(found);
        }
        // `B)` alone.
        if self.tokens.len() == 2
            && self.peek_at(1) == Some(Kind::Close(Fence::Round))
            && letter(self.peek()).is_some()
        {
            self.tokens.pop();
        }
        None
    }

    /// Items between separators, up to something that neither continues one nor separates.
    pub(super) fn list(&mut self) -> Parsed {
        let first_token = self.at;
        let mut items = vec![self.item()?];
        let mut separators = vec![];
        loop {
            let equation = matches!(items.last(), Some(Expr::Relation(..)));
            let separator = match self.separator() {
                Some(separator) => separator,
                None if equation && self.row_of_equations_ends() => {
                    self.advance();
                    Separator::Comma
                }
                None if equation && self.equation_begins() => Separator::Comma,
                None => break,
            };
            items.push(self.item()?);
            separators.push(separator);
        }
        let decimal = self.decimal_comma(first_token);
        Ok(assemble(items, &separators, decimal))
    }

    /// `3,14` as one number, if those are all the tokens since `first`.
    fn decimal_comma(&self, first: usize) -> Option<Box<Number>> {
        let tokens = self.tokens.get(first..self.at)?;
        let (negative, tokens) = match tokens {
            [minus, rest @ ..] if minus.kind == Kind::Minus => (true, rest),
            all => (false, all),
        };
        let [whole, comma, fraction, rest @ ..] = tokens else {
            return None;
        };
        if !rest
            .iter()
            .all(|t| matches!(t.kind, Kind::Currency | Kind::Percent | Kind::Text(_)))
        {
            return None;
        }
        let (Kind::Number { text: whole, .. }, Kind::Comma, Kind::Number { text: digits, .. }) =
            (whole.kind, comma.kind, fraction.kind)
        else {
            return None;
        };
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if fraction.space || !plain(whole) || !plain(digits) {
            return None;
        }
        let joined = format!("{whole}{digits}");
        let value: IBig = joined.parse().ok()?;
        let scale = UBig::from(10u8).pow(digits.len());
        let value = RBig::from_parts(if negative { -value } else { value }, scale);
        Some(Box::new(Number {
            value,
            decimal: Some(Decimal {
                exponent: -(digits.len() as i64),
                significant: joined.trim_start_matches('0').len() as u32,
            }),
            commas: false,
        }))
    }

    fn separator(&mut self) -> Option<Separator> {
        let before = self.at;
        let mut found = None;
        loop {
            let separator = match self.peek() {
                Some(Kind::Comma) => Separator::Comma,
                Some(Kind::Semicolon) => Separator::Semicolon,
                Some(Kind::Text(word)) if word.eq_ignore_ascii_case("and") => Separator::And,
                Some(Kind::Text(word)) if word.eq_ignore_ascii_case("or") => Separator::Or,
                _ => break,
            };
            self.advance();
            // `1, and 2`, `x=1, or x=2`: the word says more than the comma.
            found = Some(match (found, separator) {
                (Some(word @ (Separator::And | Separator::Or)), _) => word,
                (_, separator) => separator,
            });
        }
        let goes_on = self.peek().is_some_and(|next| {
            next.starts_operand()
                || matches!(
                    next,
                    Kind::Plus
                        | Kind::Minus
                        | Kind::PlusMinus
                        | Kind::MinusPlus
                        | Kind::Text(_)
                        | Kind::Bar
                        | Kind::Currency
                        | Kind::Ellipsis
                        | Kind::Relation(_)
                )
        });
        if found.is_some() && !goes_on {
            self.at = before;
            return None;
        }
        found
    }

    /// A relation or a value, with a condition behind it.
    fn item(&mut self) -> Parsed {
        if self.peek() == Some(Kind::Ellipsis) {
            self.advance();
            return Ok(Expr::symbol("…"));
        }
        let value = self.relation()?;
        let condition = match self.peek() {
            Some(Kind::Text(word)) => [
                "if",
                "for",
                "when",
                "where",
                "with",
                "such that",
                "for all",
                "for some",
                "for any",
            ]
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known)),
            _ => false,
        };
        if !condition {
            return Ok(value);
        }
        self.advance();
        let condition = self.nested(self.context, Self::list)?;
        Ok(Expr::List {
            connective: Connective::And,
            items: vec![value, condition],
            decimal: None,
        })
    }

    /// `a`, `a = b`, `a < b ≤ c`, `a ≡ b (mod m)`.
    pub(super) fn relation(&mut self) -> Parsed {
        // `≈ 3.14`: the left side goes without saying.
        let first = match self.peek() {
            Some(Kind::Relation(Relation::Approx)) => {
                self.advance();
                return self.side();
            }
            Some(Kind::Relation(op)) if op.is_order() || op == Relation::In => Expr::symbol("□"),
            _ => self.side()?,
        };
        let mut rest = vec![];
        loop {
            let op = match self.peek() {
                Some(Kind::Relation(op)) => op,
                Some(Kind::Bar) if self.context.given && self.open_bars == 0 => {
                    Relation::Other("given")
                }
                Some(Kind::Mid) if self.context.given => Relation::Other("given"),
                Some(Kind::Mid) if !self.context.builder_head => Relation::Other("divides"),
                _ => break,
            };
            self.advance();
            let before = self.context;
            self.context.after_relation = true;
            let side = self.side();
            self.context = before;
            rest.push((op, side?));
        }
        let modulus = self.modulus()?;
        if let Some(modulus) = modulus {
            return congruence(first, rest, modulus)
                .ok_or_else(|| self.expected("one congruence before (mod …)"));
        }
        // `x ≡ 3 mod 7`
        if let [(Relation::Other("equiv"), Expr::Call(Function::Mod, arguments))] = rest.as_slice()
            && let [residue, modulus] = arguments.as_slice()
        {
            return Ok(Expr::Congruence {
                left: Some(Box::new(first)),
                right: Box::new(residue.clone()),
                modulus: Box::new(modulus.clone()),
            });
        }
        Ok(if rest.is_empty() {
            first
        } else {
            Expr::Relation(Box::new(first), rest)
        })
    }

    /// `\pmod{7}`, `(mod 7)`.
    fn modulus(&mut self) -> Result<Option<Expr>, super::SyntaxError> {
        if self.peek() == Some(Kind::Command(Command::Pmod)) {
            self.advance();
            return self.argument().map(Some);
        }
        if self.peek() == Some(Kind::Open(Fence::Round))
            && self.peek_at(1) == Some(Kind::Command(Command::Bmod))
        {
            self.at += 2;
            let modulus = self.sum()?;
            self.need(Kind::Close(Fence::Round), "`)` behind the modulus")?;
            return Ok(Some(modulus));
        }
        Ok(None)
    }

    /// One side of a relation: sets joined by operators, or a ratio, or a sum with its unit.
    fn side(&mut self) -> Parsed {
        let mut side = self.ratio()?;
        while let Some(op) = self.set_operator(&side) {
            self.advance();
            let right = self.ratio()?;
            side = join(op, side, right);
        }
        Ok(side)
    }

    /// `∪`, or the letter `U` between two intervals or sets.
    fn set_operator(&self, side: &Expr) -> Option<SetOp> {
        match self.peek() {
            Some(Kind::SetOp(op)) => Some(op),
            Some(Kind::Letter {
                letter: 'U',
                run: "U",
            }) if matches!(side, Expr::Sequence { .. } | Expr::Set(_) | Expr::SetOp(..))
                && matches!(
                    self.peek_at(1),
                    Some(Kind::Open(
                        Fence::Round | Fence::Square | Fence::Brace | Fence::Group
                    ))
                ) =>
            {
                Some(SetOp::Union)
            }
            _ => None,
        }
    }

    fn ratio(&mut self) -> Parsed {
        let first = self.measured()?;
        if self.context.builder_head || self.peek() != Some(Kind::Colon) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.peek() == Some(Kind::Colon)
            && self
                .peek_at(1)
                .is_some_and(|next| next.starts_operand() || next == Kind::Minus)
        {
            self.advance();
            parts.push(self.measured()?);
        }
        if parts.len() == 1 {
            return parts.pop().ok_or_else(|| self.expected("a ratio"));
        }
        // "The answer is: 5" is a sentence.
        if parts.iter().any(|part| matches!(part, Expr::Text(_))) {
            return Err(self.expected("numbers on both sides of the colon"));
        }
        Ok(Expr::Ratio(parts))
    }
}

fn join(op: SetOp, left: Expr, right: Expr) -> Expr {
    match left {
        Expr::SetOp(before, mut items) if before == op && op != SetOp::Difference => {
            items.push(right);
            Expr::SetOp(op, items)
        }
        left => Expr::SetOp(op, vec![left, right]),
    }
}

fn congruence(first: Expr, mut rest: Vec<(Relation, Expr)>, modulus: Expr) -> Option<Expr> {
    let modulus = Box::new(modulus);
    match rest.pop() {
        None => Some(Expr::Congruence {
            left: None,
            right: Box::new(first),
            modulus,
        }),
        Some((Relation::Other("equiv") | Relation::Eq, right)) if rest.is_empty() => {
            Some(Expr::Congruence {
                left: Some(Box::new(first)),
                right: Box::new(right),
                modulus,
            })
        }
        Some(_) => None,
    }
}

/// One item, a flat list, or a list of groups where two kinds of separators say so.
fn assemble(mut items: Vec<Expr>, separators: &[Separator], decimal: Option<Box<Number>>) -> Expr {
    if separators.is_empty()
        && let Some(only) = items.pop()
    {
        return only;
    }
    let has = |wanted| separators.contains(&wanted);
    let flat = |connective, items| Expr::List {
        connective,
        items,
        decimal: None,
    };
    let outer = if has(Separator::Semicolon) && has(Separator::Comma) {
        Some((Separator::Semicolon, Connective::Or))
    } else if has(Separator::Or) && has(Separator::And) {
        Some((Separator::Or, Connective::Or))
    } else {
        None
    };
    if let Some((outer, connective)) = outer {
        let mut groups: Vec<Vec<Expr>> = vec![vec![]];
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 && separators.get(index - 1) == Some(&outer) {
                groups.push(vec![]);
            }
            if let Some(group) = groups.last_mut() {
                group.push(item);
            }
        }
        let groups = groups
            .into_iter()
            .map(|mut group| match group.len() {
                1 => group.pop().unwrap_or_else(|| Expr::symbol("")),
                _ => Expr::Sequence {
                    open: Bracket::Round,
                    close: Bracket::Round,
                    items: group,
                },
            })
            .collect();
        return flat(connective, groups);
    }
    let connective = if has(Separator::Or) {
        Connective::Or
    } else if has(Separator::And) {
        Connective::And
    } else {
        Connective::Comma
    };
    Expr::List {
        connective,
        items,
        decimal,
    }
}

/// Whether a word is one that parts items.
pub(super) fn is_connective(kind: Kind<'_>) -> bool {
    matches!(kind, Kind::Text(word) if vocabulary::is_connective(word) || matches!(word.to_ascii_lowercase().as_str(), "such that" | "for all" | "for some" | "for any"))
}
