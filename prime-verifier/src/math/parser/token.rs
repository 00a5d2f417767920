//! The words that answers are made of.

use crate::math::expr::{Constant, Function, NamedSet, Relation, SetOp};

/// A token and where it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Token<'t> {
    pub kind: Kind<'t>,
    /// Whether a blank, thin space or the like stands before it.
    pub space: bool,
    /// Bytes of the source, of its first and behind its last.
    pub start: usize,
    pub end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind<'t> {
    /// Digits with at most one point; marks between thousands are still in it.
    Number {
        text: &'t str,
        grouping: Grouping,
    },
    /// `½`
    Fraction(u8, u8),
    /// A single letter, and the run of letters that begins here (itself if it stands alone).
    Letter {
        letter: char,
        run: &'t str,
    },
    /// Greek and other named symbols.
    Named(&'static str),
    /// Words.
    Text(&'t str),
    Function(Function),
    Constant(Constant),
    Set(NamedSet),
    Command(Command),
    Relation(Relation),
    SetOp(SetOp),
    Plus,
    Minus,
    PlusMinus,
    MinusPlus,
    Times,
    Divide,
    Caret,
    Underscore,
    Bang,
    Prime,
    Percent,
    Degree,
    Currency,
    Comma,
    Semicolon,
    Colon,
    /// `( [ { \{ ⟨ ⌊ ⌈`
    Open(Fence),
    Close(Fence),
    /// A `|` whose side cannot be told from itself.
    Bar,
    /// `\mid`, `\middle|`
    Mid,
    Ampersand,
    NewRow,
    Ellipsis,
    Begin(&'t str),
    End(&'t str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fence {
    Round,
    Square,
    /// Braces that only group.
    Group,
    /// Braces that are printed.
    Brace,
    Angle,
    Floor,
    Ceil,
    Bar,
    DoubleBar,
}

/// How thousands are marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grouping {
    None,
    /// Plain commas, which could also part a list.
    Comma,
    /// `{,}`, thin spaces, blanks.
    Other,
    /// `3{,}14`: the comma is the decimal mark.
    DecimalComma,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Frac,
    Binom,
    Sqrt,
    Sum,
    Product,
    Integral,
    Limit,
    Log,
    Overline,
    /// Marks on a letter: another letter.
    Accent(&'static str),
    Pmod,
    Bmod,
    Substack,
    Choose,
    Partial,
}

impl Kind<'_> {
    /// Whether an operand can begin with it.
    pub fn starts_operand(&self) -> bool {
        matches!(
            self,
            Self::Number { .. }
                | Self::Fraction(..)
                | Self::Letter { .. }
                | Self::Named(_)
                | Self::Function(_)
                | Self::Constant(_)
                | Self::Set(_)
                | Self::Open(_)
                | Self::Begin(_)
        ) || matches!(self, Self::Command(command) if !matches!(command, Command::Pmod | Command::Bmod | Command::Choose))
    }
}
