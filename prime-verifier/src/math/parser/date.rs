//! Dates in digits, which are no quotients: `5/5/2021`, `2021-05-05`.

use super::Parser;
use super::token::Kind;
use crate::math::expr::Expr;

impl Parser<'_> {
    /// The date that the whole answer is.
    pub(super) fn date(&self) -> Option<Expr> {
        let [first, mark, second, same, third] = self.tokens.as_slice() else {
            return None;
        };
        if mark.kind != same.kind || !matches!(mark.kind, Kind::Divide | Kind::Minus) {
            return None;
        }
        let digits = |kind: Kind<'_>| match kind {
            Kind::Number { text, .. } if text.bytes().all(|b| b.is_ascii_digit()) => {
                Some((text.parse::<u32>().ok()?, text.len()))
            }
            _ => None,
        };
        let (a, b, c) = (
            digits(first.kind)?,
            digits(second.kind)?,
            digits(third.kind)?,
        );
        let small = |(value, length): (u32, usize)| (1..=31).contains(&value) && length <= 2;
        let year = |(value, length): (u32, usize)| (1000..=2999).contains(&value) && length == 4;
        let slashes = mark.kind == Kind::Divide;
        let date = if slashes && small(a) && small(b) && a.0.min(b.0) <= 12 && year(c) {
            format!("date {} {} {}", a.0, b.0, c.0)
        } else if year(a) && small(b) && b.0 <= 12 && small(c) && (slashes || b.1 == 2 && c.1 == 2)
        {
            format!("date {} {} {}", b.0, c.0, a.0)
        } else {
            return None;
        };
        Some(Expr::Text(date.into()))
    }
}
