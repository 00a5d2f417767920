//! Numbers in an output.

use std::io::Write as _;

/// Whether two doubles are finite and differ by no more than `epsilon`, relative to `expected` where that is
/// beyond ±1.
pub(in crate::code) fn within(answer: f64, expected: f64, epsilon: f64) -> bool {
    answer.is_finite()
        && expected.is_finite()
        && (answer - expected).abs() <= epsilon * expected.abs().max(1.0)
}

/// A token of ASCII digits with at most one sign, point and exponent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decimal<'t> {
    text: &'t str,
    sign: &'t str,
    whole: &'t str,
    /// With a point, though nothing may stand behind it.
    fraction: Option<&'t str>,
    exponent: Option<&'t str>,
}

impl<'t> Decimal<'t> {
    pub(super) fn read(token: &'t [u8]) -> Option<Self> {
        // Words are most often told by how they begin.
        if !matches!(token.first()?, b'0'..=b'9' | b'+' | b'-' | b'.') {
            return None;
        }
        let text = std::str::from_utf8(token).ok()?;
        let (sign, unsigned) = text.split_at(usize::from(text.starts_with(['+', '-'])));
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (unsigned, None),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        let is_decimal = all_digits(whole)
            && fraction.is_none_or(all_digits)
            && whole.len() + fraction.map_or(0, str::len) > 0
            && exponent.is_none_or(|exponent| {
                let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                !digits.is_empty() && all_digits(digits)
            });
        is_decimal.then_some(Self {
            text,
            sign,
            whole,
            fraction,
            exponent,
        })
    }

    /// Whether it is written without point and exponent.
    pub(super) fn is_whole(&self) -> bool {
        self.fraction.is_none() && self.exponent.is_none()
    }

    /// The nearest double; infinite beyond the largest.
    pub(super) fn value(&self) -> f64 {
        self.text.parse().unwrap_or(f64::NAN)
    }

    /// Writes the digits without zeros at either end, and the power of ten of the last one. `false`, with
    /// nothing written, if that power is out of bounds.
    fn spell(&self, line: &mut Vec<u8>) -> bool {
        let fraction = self.fraction.unwrap_or_default();
        let digits = || self.whole.bytes().chain(fraction.bytes());
        let zeros = digits().rev().take_while(|digit| *digit == b'0').count();
        let length = self.whole.len() + fraction.len();
        if zeros == length {
            line.push(b'0');
            return true;
        }
        // Lengths are far below the bounds of i64.
        let Some(power) = self
            .exponent
            .map_or(Some(0), |exponent| exponent.parse::<i64>().ok())
            .and_then(|exponent| exponent.checked_add(zeros as i64 - fraction.len() as i64))
        else {
            return false;
        };
        if self.sign == "-" {
            line.push(b'-');
        }
        let significant = digits().take(length - zeros);
        line.extend(significant.skip_while(|digit| *digit == b'0'));
        write!(line, "e{power}").is_ok()
    }

    /// Whether it is the spelling of a whole number that `2.0` may stand for: not `02`, `+2` or `-0`.
    fn is_plain(&self) -> bool {
        self.is_whole()
            && self.sign != "+"
            && if self.whole.starts_with('0') {
                self.whole == "0" && self.sign.is_empty()
            } else {
                true
            }
    }
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Appends a token to a line such that equal tokens append equal bytes.
///
/// A decimal's spelling is a decimal that is spelled like that already, so no word is taken for one.
pub(super) fn spell(token: &[u8], line: &mut Vec<u8>) {
    let spelled = Decimal::read(token)
        .filter(|decimal| decimal.is_plain() || !decimal.is_whole())
        .is_some_and(|decimal| decimal.spell(line));
    if !spelled {
        line.extend_from_slice(token);
    }
    line.push(b' ');
}
