//! A text read as an answer.

use std::fmt;

use super::expr::{Bracket, Expr};
use super::parser::{self, SyntaxError};
use super::prose;

/// A text, read as an answer or found not to be one.
///
/// Reading never fails: what cannot be parsed stays a text that equals the same text only.
///
/// ```
/// use prime_verifier::math::{Answer, Kind};
///
/// assert_eq!(Answer::read(r"\frac{1}{2}").kind(), Kind::Number);
/// assert_eq!(Answer::read("(1, 2)").kind(), Kind::Tuple);
/// assert_eq!(Answer::read(r"\begin{cases").kind(), Kind::Unparsed);
/// ```
#[derive(Debug, Clone)]
pub struct Answer {
    text: Box<str>,
    pub(super) tree: Result<Expr, SyntaxError>,
    /// What a trailing "for some …", "where …" says about the letters of the tree.
    pub(super) condition: Option<Box<str>>,
}

/// What an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// A number, as a digit string or fraction.
    Number,
    /// A scalar expression.
    Expression,
    /// A value with a unit, percent or degree sign.
    Quantity,
    /// Digits in a base.
    Based,
    /// `a : b`.
    Ratio,
    /// Round or angle brackets with several entries; with two it may be an open interval.
    Tuple,
    /// Square brackets on at least one side.
    Interval,
    /// A list without brackets.
    List,
    /// Sets, named or listed or described, and unions, intersections and differences of sets.
    Set,
    /// A matrix or vector.
    Matrix,
    /// An equation, inequality, membership or chain of them.
    Relation,
    /// A residue class or congruence.
    Congruence,
    /// Values with conditions.
    Piecewise,
    /// The letter of a choice, in brackets or `\text{…}` or with the text of the choice.
    Choice,
    /// Words.
    Text,
    /// Not in the language of answers.
    Unparsed,
}

impl Answer {
    /// Reads a text.
    pub fn read(text: &str) -> Self {
        let text = text.trim();
        // `Option (B)` is the choice B.
        let tree = parser::parse(prose::named_choice(text).unwrap_or(text));
        if tree.is_err()
            && let Some((head, condition)) = prose::conditioned(text)
            && let Ok(tree) = parser::parse(head)
            && !matches!(tree, Expr::Text(_))
        {
            return Self {
                text: text.into(),
                tree: Ok(tree),
                condition: Some(condition.into()),
            };
        }
        Self {
            text: text.into(),
            tree,
            condition: None,
        }
    }

    /// Whether this is a text in words that is not read: one that equals the same text only.
    ///
    /// LaTeX that is broken or beyond the bounds is no such text.
    pub fn is_opaque(&self) -> bool {
        self.tree.is_err() && prose::is_words(&self.text)
    }

    /// The text that was read, trimmed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the text is.
    pub fn kind(&self) -> Kind {
        match &self.tree {
            // `(C)`, `\text{C}`: a lone letter that is more than a variable.
            Ok(Expr::Symbol(_)) if self.is_choice_letter() && self.text.len() > 1 => Kind::Choice,
            Ok(tree) => kind(tree),
            Err(_) => Kind::Unparsed,
        }
    }

    /// Why it could not be parsed, if it could not.
    pub fn syntax_error(&self) -> Option<&SyntaxError> {
        self.tree.as_ref().err()
    }

    pub(super) fn is_choice_letter(&self) -> bool {
        match &self.tree {
            Ok(Expr::Symbol(name)) => {
                let mut letters = name.chars();
                matches!((letters.next(), letters.next()), (Some('A'..='J'), None))
            }
            Ok(Expr::Choice(..)) => true,
            _ => false,
        }
    }
}

/// The parsed form, in a plain notation for logs; the text itself if it did not parse.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tree {
            Ok(tree) => tree.fmt(f),
            Err(_) => f.write_str(&self.text),
        }
    }
}

fn kind(expr: &Expr) -> Kind {
    match expr {
        Expr::Number(_) => Kind::Number,
        Expr::Neg(inner) if matches!(**inner, Expr::Number(_)) => Kind::Number,
        Expr::Quantity(..) | Expr::Percent(_) | Expr::Degree(_) => Kind::Quantity,
        Expr::Based { .. } => Kind::Based,
        Expr::Ratio(_) => Kind::Ratio,
        Expr::Sequence { open, close, .. }
            if *open == Bracket::Square || *close == Bracket::Square =>
        {
            Kind::Interval
        }
        Expr::Sequence { .. } => Kind::Tuple,
        Expr::List { .. } => Kind::List,
        Expr::Set(_) | Expr::Builder(..) | Expr::SetOp(..) | Expr::NamedSet(_) => Kind::Set,
        Expr::Matrix(_) => Kind::Matrix,
        Expr::Relation(..) => Kind::Relation,
        Expr::Congruence { .. } => Kind::Congruence,
        Expr::Piecewise(_) => Kind::Piecewise,
        Expr::Choice(..) => Kind::Choice,
        Expr::Text(_) => Kind::Text,
        _ => Kind::Expression,
    }
}
