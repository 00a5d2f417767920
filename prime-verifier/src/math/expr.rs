//! The tree that an answer is parsed into.

use dashu_ratio::RBig;

/// A parsed answer, or a part of one.
///
/// One type for scalars and for the structures around them, because structures nest in each other freely: a set of
/// tuples, a relation between matrices, an interval whose ends are sums.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    Number(Box<Number>),
    Constant(Constant),
    /// A variable, with the accents and subscripts that make it another one.
    Symbol(Box<str>),
    Add(Vec<Expr>),
    Mul(Vec<Expr>),
    Neg(Box<Expr>),
    /// One over it. Quotients are products with an inverse, so that `a/b/c/…` does not nest.
    Inv(Box<Expr>),
    Pow(Box<Expr>, Box<Expr>),
    /// Radicand and index.
    Root(Box<Expr>, Box<Expr>),
    Call(Function, Vec<Expr>),
    /// A function nobody knows: `f(x)`, `P(A)`, the `k`-th `a_k`.
    Apply(Box<str>, Vec<Expr>),
    Big(Box<BigOperator>),
    /// `±x`, or `∓x`.
    PlusMinus {
        minus_first: bool,
        of: Box<Expr>,
    },
    Percent(Box<Expr>),
    Degree(Box<Expr>),
    Quantity(Box<Expr>, Unit),
    /// Digits in a base between 2 and 36.
    Based {
        digits: Box<str>,
        base: u32,
    },
    Ratio(Vec<Expr>),
    /// `(…)`, `[…]`, `[…)`, `⟨…⟩`: tuple, interval or plain brackets, whichever the other side makes of it.
    Sequence {
        open: Bracket,
        close: Bracket,
        items: Vec<Expr>,
    },
    List {
        connective: Connective,
        items: Vec<Expr>,
        /// What `3,14` is where a comma is the decimal mark.
        decimal: Option<Box<Number>>,
    },
    Set(Vec<Expr>),
    /// `{head : condition}`.
    Builder(Box<Expr>, Box<Expr>),
    SetOp(SetOp, Vec<Expr>),
    NamedSet(NamedSet),
    Matrix(Vec<Vec<Expr>>),
    /// `first op₁ rest₁ op₂ rest₂ …`.
    Relation(Box<Expr>, Vec<(Relation, Expr)>),
    /// `left ≡ right (mod modulus)`; without a left side a residue class.
    Congruence {
        left: Option<Box<Expr>>,
        right: Box<Expr>,
        modulus: Box<Expr>,
    },
    /// Values with the conditions they hold under.
    Piecewise(Vec<(Expr, Option<Expr>)>),
    /// `(B)`, alone or with what stands behind it.
    Choice(char, Option<Box<Expr>>),
    Text(Box<str>),
}

/// A number as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Number {
    pub value: RBig,
    /// How far its digits go, if it was written with a decimal point.
    pub decimal: Option<Decimal>,
    /// Whether plain commas stand between its digits, so that it could also be a list.
    pub commas: bool,
}

impl Number {
    pub fn exact(value: RBig) -> Self {
        Self {
            value,
            decimal: None,
            commas: false,
        }
    }
}

/// The precision that a decimal claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal {
    /// The power of ten of its last digit.
    pub exponent: i64,
    /// Digits from the first that is not zero.
    pub significant: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Constant {
    Pi,
    E,
    I,
    Infinity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Function {
    Sin,
    Cos,
    Tan,
    Cot,
    Sec,
    Csc,
    Asin,
    Acos,
    Atan,
    Acot,
    Asec,
    Acsc,
    Sinh,
    Cosh,
    Tanh,
    Coth,
    Sech,
    Csch,
    Asinh,
    Acosh,
    Atanh,
    Exp,
    Ln,
    /// Argument and base.
    Log,
    Abs,
    Floor,
    Ceil,
    Factorial,
    DoubleFactorial,
    Binomial,
    Gcd,
    Lcm,
    Max,
    Min,
    Mod,
    Determinant,
    Sign,
    Re,
    Im,
    Conjugate,
}

impl Function {
    /// Whether its argument is an angle.
    pub fn takes_angle(self) -> bool {
        use Function::{Cos, Cot, Csc, Sec, Sin, Tan};
        matches!(self, Sin | Cos | Tan | Cot | Sec | Csc)
    }

    /// The function that `f^{-1}` means.
    pub fn inverse(self) -> Option<Self> {
        use Function::*;
        Some(match self {
            Sin => Asin,
            Cos => Acos,
            Tan => Atan,
            Cot => Acot,
            Sec => Asec,
            Csc => Acsc,
            Sinh => Asinh,
            Cosh => Acosh,
            Tanh => Atanh,
            _ => return None,
        })
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BigOperator {
    pub kind: BigKind,
    /// The bound variable.
    pub variable: Box<str>,
    pub lower: Option<Expr>,
    pub upper: Option<Expr>,
    pub body: Expr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum BigKind {
    Sum,
    Product,
    Integral,
    /// `lower` is where the variable goes; `upper` is 1 or -1 if it goes there from above or below.
    Limit,
    /// `upper` is the order.
    Derivative,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unit {
    /// As written, in one spelling.
    pub name: Box<str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bracket {
    Round,
    Square,
    Angle,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connective {
    Comma,
    And,
    Or,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum SetOp {
    Union,
    Intersection,
    Difference,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum NamedSet {
    Reals,
    Integers,
    Naturals,
    Rationals,
    Complexes,
    Empty,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Relation {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Approx,
    In,
    NotIn,
    /// Read, kept and compared by name: `∥`, `⊥`, `⊂`, `→`, …
    Other(&'static str),
}

impl Relation {
    /// The relation with its sides exchanged, if it has one.
    pub fn flipped(self) -> Option<Self> {
        Some(match self {
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
            Self::Eq | Self::Ne | Self::Approx => self,
            Self::Other("parallel" | "perp" | "sim" | "cong" | "iff") => self,
            Self::In | Self::NotIn | Self::Other(_) => return None,
        })
    }

    pub fn is_order(self) -> bool {
        matches!(self, Self::Lt | Self::Le | Self::Gt | Self::Ge)
    }
}

impl From<Number> for Expr {
    fn from(number: Number) -> Self {
        Self::Number(Box::new(number))
    }
}

impl Expr {
    pub fn exact(value: RBig) -> Self {
        Self::Number(Box::new(Number::exact(value)))
    }

    pub fn integer(value: i64) -> Self {
        Self::exact(RBig::from(value))
    }

    pub fn symbol(name: &str) -> Self {
        Self::Symbol(name.into())
    }

    /// `-self`; a number takes the sign itself.
    pub fn negated(self) -> Self {
        match self {
            Self::Number(mut n) => {
                n.value = -n.value;
                Self::Number(n)
            }
            Self::Neg(inner) => *inner,
            other => Self::Neg(Box::new(other)),
        }
    }

    pub fn inverted(self) -> Self {
        Self::Inv(Box::new(self))
    }

    pub fn call(function: Function, argument: Expr) -> Self {
        Self::Call(function, vec![argument])
    }

    /// The exact whole number that is written here, sign included.
    pub fn as_written_integer(&self) -> Option<i64> {
        match self {
            Self::Number(n) if n.value.is_int() => n.value.numerator().try_into().ok(),
            Self::Neg(inner) => inner.as_written_integer()?.checked_neg(),
            _ => None,
        }
    }

    /// Whether this is one number or function of its variables, rather than a structure.
    pub fn is_scalar(&self) -> bool {
        match self {
            Self::Number(_)
            | Self::Constant(_)
            | Self::Symbol(_)
            | Self::Apply(..)
            | Self::Big(_) => true,
            Self::Call(Function::Determinant, _) => true,
            Self::Add(_)
            | Self::Mul(_)
            | Self::Neg(_)
            | Self::Inv(_)
            | Self::Pow(..)
            | Self::Root(..)
            | Self::Call(..)
            | Self::Degree(_)
            | Self::Percent(_) => self.children().into_iter().all(Expr::is_scalar),
            _ => false,
        }
    }
}
