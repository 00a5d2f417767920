//! Numbers `a + b√d`, exactly: powers that floats and balls would need tens of thousands of bits for.

use dashu_base::{BitTest, Signed};
use dashu_int::UBig;
use dashu_ratio::RBig;

use crate::math::budget::{Budget, Spent};
use crate::math::expr::Expr;

/// Least exponent that makes this worth while: smaller ones are quick in floats.
const LARGE: u64 = 64;

/// Most bits of a numerator or denominator.
const MAX_BITS: usize = 1 << 15;

/// Largest factor that is taken out of a radicand.
const MAX_FACTOR: u64 = 1000;

#[derive(Clone)]
struct Quadratic {
    a: RBig,
    b: RBig,
}

/// Whether two constants with a large power of one square root in them are equal; `None` for all other pairs.
pub(in crate::math) fn same(
    a: &Expr,
    b: &Expr,
    budget: &mut Budget,
) -> Result<Option<bool>, Spent> {
    let large = |expr: &Expr| {
        expr.any(&mut |part| {
            matches!(part, Expr::Pow(base, exponent)
                if exponent.as_written_integer().is_some_and(|e| e.unsigned_abs() >= LARGE)
                    && base.any(&mut |part| matches!(part, Expr::Root(..))))
        })
    };
    if !large(a) && !large(b) {
        return Ok(None);
    }
    let mut field = Field {
        radicand: None,
        budget,
    };
    let (Some(x), Some(y)) = (field.value(a)?, field.value(b)?) else {
        return Ok(None);
    };
    Ok(Some(x.a == y.a && x.b == y.b))
}

/// The numbers over one square root.
struct Field<'b> {
    radicand: Option<RBig>,
    budget: &'b mut Budget,
}

type Value = Result<Option<Quadratic>, Spent>;

impl Field<'_> {
    fn value(&mut self, expr: &Expr) -> Value {
        self.budget.charge(3)?;
        let rational = |a: RBig| Ok(Some(Quadratic { a, b: RBig::ZERO }));
        match expr {
            Expr::Number(n) => rational(n.value.clone()),
            Expr::Neg(inner) => Ok(self.value(inner)?.map(|q| Quadratic { a: -q.a, b: -q.b })),
            Expr::Add(terms) => {
                let mut total = Quadratic {
                    a: RBig::ZERO,
                    b: RBig::ZERO,
                };
                for term in terms {
                    let Some(term) = self.value(term)? else {
                        return Ok(None);
                    };
                    total = Quadratic {
                        a: total.a + term.a,
                        b: total.b + term.b,
                    };
                }
                Ok(Some(total))
            }
            Expr::Mul(factors) => {
                let mut total = Quadratic {
                    a: RBig::ONE,
                    b: RBig::ZERO,
                };
                for factor in factors {
                    let Some(factor) = self.value(factor)? else {
                        return Ok(None);
                    };
                    match self.product(&total, &factor)? {
                        Some(product) => total = product,
                        None => return Ok(None),
                    }
                }
                Ok(Some(total))
            }
            Expr::Inv(inner) => match self.value(inner)? {
                Some(value) => Ok(self.inverse(&value)),
                None => Ok(None),
            },
            Expr::Pow(base, exponent) => {
                let (Some(base), Some(exponent)) =
                    (self.value(base)?, exponent.as_written_integer())
                else {
                    return Ok(None);
                };
                self.power(base, exponent)
            }
            Expr::Root(radicand, index) if index.as_written_integer() == Some(2) => {
                match self.value(radicand)? {
                    Some(inner) if inner.b.is_zero() && !inner.a.is_negative() => {
                        Ok(self.root(&inner.a))
                    }
                    _ => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    /// `√(p/q)` as `(s/q)·√d`, where `d` has no small square in it.
    fn root(&mut self, value: &RBig) -> Option<Quadratic> {
        let mut radicand = value.numerator().clone().into_parts().1 * value.denominator();
        let mut outside = UBig::ONE;
        if radicand.bit_len() > 256 {
            return None;
        }
        for factor in 2..=MAX_FACTOR {
            let square = UBig::from(factor * factor);
            if square > radicand {
                break;
            }
            while (&radicand % &square).is_zero() {
                radicand /= &square;
                outside *= UBig::from(factor);
            }
        }
        let scale = RBig::from_parts(outside.into(), value.denominator().clone());
        let radicand = RBig::from(radicand);
        if radicand.is_zero() || radicand.is_one() {
            return Some(Quadratic {
                a: scale * radicand,
                b: RBig::ZERO,
            });
        }
        // A square that no small factor gives away would make `a + b√d` ambiguous.
        let root = radicand.numerator().clone().into_parts().1;
        let whole = dashu_base::SquareRoot::sqrt(&root);
        if &whole * &whole == root {
            return Some(Quadratic {
                a: scale * RBig::from(whole),
                b: RBig::ZERO,
            });
        }
        match &self.radicand {
            Some(known) if *known != radicand => return None,
            Some(_) => {}
            None => self.radicand = Some(radicand),
        }
        Some(Quadratic {
            a: RBig::ZERO,
            b: scale,
        })
    }

    fn d(&self) -> RBig {
        self.radicand.clone().unwrap_or(RBig::ZERO)
    }

    fn product(&mut self, x: &Quadratic, y: &Quadratic) -> Value {
        let size = |q: &Quadratic| bits(&q.a).max(bits(&q.b));
        let words = ((size(x) + size(y)) / 64) as u64;
        self.budget.charge(2 + words / 2 + words * words / 20)?;
        if size(x) + size(y) > MAX_BITS {
            return Ok(None);
        }
        Ok(Some(Quadratic {
            a: &x.a * &y.a + self.d() * &x.b * &y.b,
            b: &x.a * &y.b + &x.b * &y.a,
        }))
    }

    fn inverse(&self, x: &Quadratic) -> Option<Quadratic> {
        let norm = &x.a * &x.a - self.d() * &x.b * &x.b;
        (!norm.is_zero()).then(|| Quadratic {
            a: &x.a / &norm,
            b: -(&x.b / &norm),
        })
    }

    fn power(&mut self, base: Quadratic, exponent: i64) -> Value {
        let mut result = Quadratic {
            a: RBig::ONE,
            b: RBig::ZERO,
        };
        let mut square = base;
        let mut left = exponent.unsigned_abs();
        while left > 0 {
            if left & 1 == 1 {
                match self.product(&result, &square)? {
                    Some(product) => result = product,
                    None => return Ok(None),
                }
            }
            left >>= 1;
            if left > 0 {
                match self.product(&square, &square)? {
                    Some(product) => square = product,
                    None => return Ok(None),
                }
            }
        }
        Ok(if exponent < 0 {
            self.inverse(&result)
        } else {
            Some(result)
        })
    }
}

fn bits(q: &RBig) -> usize {
    q.numerator().bit_len() + q.denominator().bit_len()
}
