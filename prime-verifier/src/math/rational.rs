//! Exact numbers, as answers spell them.

use num_bigint::{BigInt, BigUint};

/// Longest text [`Rational::parse`] reads, in bytes.
pub const MAX_BYTES: usize = 4096;

/// Largest power of ten, up or down, that [`Rational::parse`] reads after an `e`.
pub const MAX_EXPONENT: u32 = 4096;

/// Spellings of the mark between groups of three digits.
const GROUP_MARKS: [&str; 4] = [",", "{,}", r",\!", r"\,"];

/// An exact rational number.
///
/// Equality is of the value: `0.5`, `1/2` and `\frac{2}{4}` are equal, `1/3` and `0.333` are not.
#[derive(Debug, Clone)]
pub struct Rational {
    numerator: BigInt,
    /// Not zero. Of either sign, and not in lowest terms: comparing needs neither.
    denominator: BigInt,
}

/// Why a text is not a [`Rational`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotRational {
    /// Longer than [`MAX_BYTES`].
    #[error("{bytes} bytes are too long for a number; at most {MAX_BYTES} are read")]
    TooLong {
        /// Length of the trimmed text in bytes.
        bytes: usize,
    },
    /// A power of ten beyond [`MAX_EXPONENT`].
    #[error("the exponent {exponent} is beyond ±{MAX_EXPONENT}")]
    ExponentTooLarge {
        /// The exponent as written.
        exponent: String,
    },
    /// A fraction over zero.
    #[error("the denominator is zero")]
    ZeroDenominator,
    /// Something else than a number in one of the accepted spellings.
    #[error("it is not an integer, decimal or fraction")]
    NotANumber,
}

use NotRational::NotANumber;

impl Rational {
    /// Reads a number. Accepted, with blanks around any part:
    ///
    /// * integers and decimals, `-7`, `0.50`, `.5`, `5.`, `1.5e-3`; leading zeros count for nothing;
    /// * thousands marked in full: `1,234,567`, `1{,}234`, `1,\!234`, `1\,234`. Every group but the first has
    ///   three digits and the number does not start with 0; anything else with a comma is a list, not a number;
    /// * fractions of such numbers, `a/b`, `\frac{a}{b}`, `\frac12`, also as `\dfrac`, `\tfrac`, `\cfrac`; not
    ///   nested;
    /// * one sign, `+`, `-` or `−`, before the number, before a `\frac`, and before either part of a fraction;
    /// * one pair of `$…$`, `$$…$$`, `\(…\)` or `\[…\]` around it all.
    ///
    /// Not accepted, because they leave room for two readings: mixed numbers (`1\frac{1}{2}`), percentages,
    /// units, `x = …`, digits grouped by blanks.
    ///
    /// Work is bounded by [`MAX_BYTES`] and [`MAX_EXPONENT`].
    ///
    /// # Errors
    /// [`NotRational`], saying which bound or rule was broken.
    ///
    /// ```
    /// use prime_verifier::math::Rational;
    ///
    /// assert_eq!(Rational::parse(r"$-\tfrac{1}{4}$")?, Rational::parse("-0.250")?);
    /// # Ok::<(), prime_verifier::math::NotRational>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, NotRational> {
        let text = text.trim();
        if text.len() > MAX_BYTES {
            return Err(NotRational::TooLong { bytes: text.len() });
        }
        let text = without_math_marks(text).trim();
        let (negative, unsigned) = split_sign(text);
        if let Some(arguments) = after_frac(unsigned) {
            let (numerator, rest) = argument(arguments).ok_or(NotANumber)?;
            let (denominator, rest) = argument(rest).ok_or(NotANumber)?;
            if !rest.trim().is_empty() {
                return Err(NotANumber);
            }
            let value = decimal(numerator)?.over(decimal(denominator)?)?;
            return Ok(if negative { value.negated() } else { value });
        }
        match text.split_once('/') {
            Some((numerator, denominator)) => decimal(numerator)?.over(decimal(denominator)?),
            None => decimal(text),
        }
    }

    fn over(self, divisor: Self) -> Result<Self, NotRational> {
        if divisor.numerator == BigInt::ZERO {
            return Err(NotRational::ZeroDenominator);
        }
        Ok(Self {
            numerator: self.numerator * divisor.denominator,
            denominator: self.denominator * divisor.numerator,
        })
    }

    fn negated(self) -> Self {
        Self {
            numerator: -self.numerator,
            ..self
        }
    }
}

impl PartialEq for Rational {
    fn eq(&self, other: &Self) -> bool {
        &self.numerator * &other.denominator == &other.numerator * &self.denominator
    }
}

impl Eq for Rational {}

fn without_math_marks(text: &str) -> &str {
    [("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]")]
        .into_iter()
        .find_map(|(open, close)| text.strip_prefix(open)?.strip_suffix(close))
        .unwrap_or(text)
}

/// Whether there is a minus, and what follows the sign.
fn split_sign(text: &str) -> (bool, &str) {
    let text = text.trim();
    match text.strip_prefix(['-', '−']) {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text.strip_prefix('+').map_or(text, str::trim_start)),
    }
}

fn after_frac(text: &str) -> Option<&str> {
    [r"\frac", r"\dfrac", r"\tfrac", r"\cfrac"]
        .into_iter()
        .find_map(|name| text.strip_prefix(name))
}

/// The next LaTeX argument, a `{…}` or a single digit, and what follows it.
fn argument(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return Some(text.split_at(1));
    }
    let inner = text.strip_prefix('{')?;
    let mut depth = 1usize;
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((&inner[..at], &inner[at + 1..]));
        }
    }
    None
}

/// A number without a fraction bar, possibly signed.
fn decimal(text: &str) -> Result<Rational, NotRational> {
    let (negative, unsigned) = split_sign(text);
    let (mantissa, exponent) = match unsigned.trim_end().split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
        None => (unsigned.trim_end(), 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = ungrouped(whole).ok_or(NotANumber)?;
    digits.push_str(fraction);
    if !is_digits(&digits) {
        return Err(NotANumber);
    }
    let magnitude: BigUint = digits.parse().map_err(|_| NotANumber)?;
    let value = Rational {
        numerator: BigInt::from(magnitude) * power_of_ten(exponent),
        denominator: power_of_ten(-exponent) * BigInt::from(10).pow(fraction.len() as u32),
    };
    Ok(if negative { value.negated() } else { value })
}

/// 10^`exponent`, or 1 for a negative one.
fn power_of_ten(exponent: i32) -> BigInt {
    BigInt::from(10).pow(u32::try_from(exponent).unwrap_or(0))
}

fn read_exponent(text: &str) -> Result<i32, NotRational> {
    let (negative, digits) = split_sign(text);
    if !is_digits(digits) {
        return Err(NotANumber);
    }
    match digits.parse::<i32>() {
        Ok(size) if size.unsigned_abs() <= MAX_EXPONENT => Ok(if negative { -size } else { size }),
        _ => Err(NotRational::ExponentTooLarge {
            exponent: text.to_owned(),
        }),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The digits of a whole number (none for `.5`) without the marks between thousands.
fn ungrouped(whole: &str) -> Option<String> {
    if whole.is_empty() || is_digits(whole) {
        return Some(whole.to_owned());
    }
    GROUP_MARKS.into_iter().find_map(|mark| {
        let (first, rest) = whole.split_once(mark)?;
        let leads = is_digits(first) && first.len() <= 3 && !first.starts_with('0');
        let in_threes = rest
            .split(mark)
            .all(|group| is_digits(group) && group.len() == 3);
        (leads && in_threes).then(|| whole.replace(mark, ""))
    })
}
