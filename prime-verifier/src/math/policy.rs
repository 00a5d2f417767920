//! What counts as equal beyond mathematics: conventions of writing, one field each.

use serde::{Deserialize, Serialize};

/// Which conventions of writing count as equal.
///
/// Mathematics is not up for choice: `1/2 = 0.5` under every policy and `x+1 ≠ x-1` under every policy. The fields
/// decide about spellings that some readers accept and others do not. [`MathPolicy::default`] is what a reward for
/// maths problems wants; the other presets are [`MathPolicy::strict`], [`MathPolicy::math_verify_compat`] and
/// [`MathPolicy::prime_compat`].
///
/// ```
/// use prime_verifier::math::{MathPolicy, compare};
///
/// assert!(compare(r"5\%", "0.05", &MathPolicy::strict()).is_equal());
/// assert!(!compare(r"5\%", "5", &MathPolicy::strict()).is_equal());
/// assert!(compare(r"5\%", "5", &MathPolicy::default()).is_equal());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct MathPolicy {
    /// Whether `5\%` is also `5`. It is always `0.05`.
    pub percent: PercentPolicy,
    /// What units and degree signs count for.
    pub units: UnitPolicy,
    /// Whether a list without brackets, `1, 2`, has an order. Tuples always have one, sets never.
    pub order: OrderPolicy,
    /// Whether `x = 5` is also `5`.
    pub drop_left_side: bool,
    /// Whether `1 < x < 2` is also the interval `(1, 2)`, and `x = 1` or `x = 2` the set `{1, 2}`.
    pub relation_as_set: bool,
    /// Whether `(1, 2)` may stand for `{1, 2}`.
    pub tuple_as_set: bool,
    /// Whether brackets may be missing or of another kind where nothing else differs: `1, 2` for `(1, 2)` or `{1, 2}`,
    /// `\{5\}` for `5`, a column vector for a tuple.
    pub loose_brackets: bool,
    /// When a decimal stands for a number that it is close to.
    pub rounding: Rounding,
    /// What `263_8` is besides itself.
    pub base: BasePolicy,
    /// Whether `5:7` is `10:14` and `5/7`.
    pub reduce_ratios: bool,
    /// What variables may stand for.
    pub variables: VariablePolicy,
    /// The base of `\log` without one.
    pub log_base: LogBase,
    /// Whether `(B) 12` is also `12`, and number words are numbers.
    pub loose_text: bool,
    /// Whether `1,5` is also 1.5 where it could be the list of 1 and 5. `1,05` and `1{,}5` always are numbers.
    pub decimal_comma: bool,
}

/// Readings of a percentage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PercentPolicy {
    /// `5\% = 0.05` only.
    Exact,
    /// `5\% = 0.05` and `5\% = 5`.
    SignOptional,
}

/// Readings of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnitPolicy {
    /// Both sides need the same unit.
    Exact,
    /// A unit may be missing on one side; two units must be the same or convert (`1 h = 60 min`).
    Optional,
    /// Units count for nothing.
    Ignored,
}

/// Readings of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OrderPolicy {
    /// `1, 2` is not `2, 1`.
    Ordered,
    /// `1, 2` is `2, 1`.
    Unordered,
}

/// When a decimal stands for a number near it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Rounding {
    /// Never: `0.333333` is not `1/3`.
    Never,
    /// If the other number is at most half a unit of the last digit away and so many significant digits are shown; also
    /// if one side shows 15 to 17 digits, as a printed float does, and is off by no more than a float's rounding.
    LastDigit {
        /// Digits from the first that is not zero.
        significant: u32,
    },
    /// If one side is a decimal and the other at most this far away.
    Absolute {
        /// The distance, positive.
        tolerance: f64,
    },
    /// If the two numbers, decimals or not, differ by at most this share of the larger one.
    Relative {
        /// The share, positive.
        tolerance: f64,
    },
}

/// Readings of a number in another base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BasePolicy {
    /// `263_8 = 179`.
    Value,
    /// `263_8 = 179`, and `263_8 = 263` for an answer that left the base unsaid.
    SubscriptOptional,
    /// `263_8 = 263_7 = 263`.
    SubscriptIgnored,
}

/// What variables stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum VariablePolicy {
    /// Any real number: `\sqrt{x^2} \ne x`.
    Real,
    /// Positive numbers: `\sqrt{x^2} = x`.
    Positive,
}

/// The base of a logarithm that names none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LogBase {
    /// `\log 100 = 2`.
    Ten,
    /// `\log e = 1`.
    E,
}

impl Default for MathPolicy {
    /// Lenient about how an answer is written, exact about what it says.
    fn default() -> Self {
        Self {
            percent: PercentPolicy::SignOptional,
            units: UnitPolicy::Optional,
            order: OrderPolicy::Unordered,
            drop_left_side: true,
            relation_as_set: true,
            tuple_as_set: false,
            loose_brackets: true,
            rounding: Rounding::LastDigit { significant: 6 },
            base: BasePolicy::SubscriptOptional,
            reduce_ratios: true,
            variables: VariablePolicy::Real,
            log_base: LogBase::Ten,
            loose_text: true,
            decimal_comma: false,
        }
    }
}

impl MathPolicy {
    /// Nothing but mathematics: no missing unit, percent sign, left side or bracket, no rounding, lists in order.
    pub fn strict() -> Self {
        Self {
            percent: PercentPolicy::Exact,
            units: UnitPolicy::Exact,
            order: OrderPolicy::Ordered,
            drop_left_side: false,
            relation_as_set: false,
            tuple_as_set: false,
            loose_brackets: false,
            rounding: Rounding::Never,
            base: BasePolicy::Value,
            reduce_ratios: false,
            variables: VariablePolicy::Real,
            log_base: LogBase::Ten,
            loose_text: false,
            decimal_comma: false,
        }
    }

    /// The conventions of Math-Verify 0.9: decimals to 10⁻⁶, units and base subscripts ignored, `(1,2)` also a set.
    ///
    /// The conventions only: its bugs (fragments of unparsed text, tiny numbers taken for equal) are not repeated.
    pub fn math_verify_compat() -> Self {
        Self {
            units: UnitPolicy::Ignored,
            tuple_as_set: true,
            rounding: Rounding::Absolute { tolerance: 1e-6 },
            base: BasePolicy::SubscriptIgnored,
            ..Self::default()
        }
    }

    /// The conventions of PRIME's grader: every number to 10⁻⁴ of its size, units and base subscripts ignored.
    pub fn prime_compat() -> Self {
        Self {
            units: UnitPolicy::Ignored,
            order: OrderPolicy::Ordered,
            rounding: Rounding::Relative { tolerance: 1e-4 },
            base: BasePolicy::SubscriptIgnored,
            ..Self::default()
        }
    }

    /// A preset by the name it has in configuration files and on the command line.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "default" => Some(Self::default()),
            "strict" => Some(Self::strict()),
            "math_verify_compat" => Some(Self::math_verify_compat()),
            "prime_compat" => Some(Self::prime_compat()),
            _ => None,
        }
    }

    /// The names that [`Self::by_name`] knows.
    pub const NAMES: [&'static str; 4] =
        ["default", "strict", "math_verify_compat", "prime_compat"];
}
