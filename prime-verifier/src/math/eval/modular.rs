//! Residues modulo two primes: identity testing after Schwartz and Zippel.
//!
//! Variables, π, e and everything that is no rational function of them (roots, sines, unknown functions) become fixed
//! random residues, a function of what they are. Expressions that agree at random residues are equal as rational
//! functions of those atoms, but for a chance of degree over 2⁶¹ for each prime. Expressions that differ are different
//! only if no atom obeys laws that this arithmetic does not know: [`Modular::lawless`] says so.

use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

use super::{Domain, NoValue, Value};
use crate::math::expr::{BigOperator, Constant, Function};
use crate::math::hash::{Mix, mix};

/// Primes 2⁶¹ − c with a small c, so that reduction needs no division, and 1 modulo 4, so that −1 has a square root.
const PRIMES: [u64; 2] = [(1 << 61) - 31, (1 << 61) - 283];

/// Largest factorial that is multiplied out.
const MAX_FACTORIAL: u64 = 1_100_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::math) struct Residues(pub [u64; 2]);

/// Arithmetic modulo both primes at one random point.
#[derive(Debug)]
pub(in crate::math) struct Modular {
    seed: u64,
    /// Whether some atom obeys laws unknown here (`√2·√2 = 2`), so that a difference proves nothing.
    pub lawless: bool,
}

impl Modular {
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            lawless: false,
        }
    }

    /// A residue that depends on what the atom is.
    fn atom(&self, what: &dyn Fn(&mut Mix)) -> Residues {
        let mut state = Mix::new(self.seed);
        what(&mut state);
        let hash = state.finish();
        Residues([
            mix(hash) % PRIMES[0],
            mix(hash ^ 0x5851_f42d_4c95_7f2d) % PRIMES[1],
        ])
    }

    fn function_atom(&mut self, name: &str, arguments: &[Residues]) -> Residues {
        self.atom(&|state| {
            state.text(name);
            for argument in arguments {
                state.word(argument.0[0]);
                state.word(argument.0[1]);
            }
        })
    }
}

fn each(op: impl Fn(u64, usize) -> u64, a: &Residues) -> Residues {
    Residues([op(a.0[0], 0), op(a.0[1], 1)])
}

fn mul_mod(a: u64, b: u64, p: u64) -> u64 {
    const MASK: u128 = (1 << 61) - 1;
    let c = u128::from((1u64 << 61) - p);
    // Twice: 2⁶¹ is c, so the part above bit 61 counts c times below.
    let product = u128::from(a) * u128::from(b);
    let once = (product & MASK) + (product >> 61) * c;
    let twice = ((once & MASK) + (once >> 61) * c) as u64;
    if twice >= p { twice - p } else { twice }
}

fn pow_mod(mut base: u64, mut exponent: u64, p: u64) -> u64 {
    let mut result = 1;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = mul_mod(result, base, p);
        }
        base = mul_mod(base, base, p);
        exponent >>= 1;
    }
    result
}

fn residue(value: &IBig, p: u64) -> u64 {
    use dashu_base::Sign;
    let (sign, magnitude) = value.clone().into_parts();
    let rest = match u64::try_from(&magnitude) {
        Ok(small) => small % p,
        Err(_) => u64::try_from(&magnitude % UBig::from(p)).unwrap_or(0),
    };
    if sign == Sign::Negative && rest != 0 {
        p - rest
    } else {
        rest
    }
}

/// A square root of −1.
fn imaginary_unit(p: u64) -> u64 {
    (2..)
        .map(|base| pow_mod(base, (p - 1) / 4, p))
        .find(|root| mul_mod(*root, *root, p) == p - 1)
        .unwrap_or(0)
}

impl Domain for Modular {
    type Number = Residues;

    fn rational(&mut self, value: &RBig) -> Value<Residues> {
        let mut out = [0; 2];
        for (slot, p) in out.iter_mut().zip(PRIMES) {
            let numerator = residue(value.numerator(), p);
            *slot = if value.is_int() {
                numerator
            } else {
                let denominator = residue(&IBig::from(value.denominator().clone()), p);
                if denominator == 0 {
                    return Err(NoValue::NotHere);
                }
                mul_mod(numerator, pow_mod(denominator, p - 2, p), p)
            };
        }
        Ok(Residues(out))
    }

    fn constant(&mut self, constant: Constant) -> Value<Residues> {
        match constant {
            Constant::I => {
                static ROOTS: std::sync::OnceLock<[u64; 2]> = std::sync::OnceLock::new();
                Ok(Residues(*ROOTS.get_or_init(|| PRIMES.map(imaginary_unit))))
            }
            Constant::Pi => Ok(self.function_atom("π", &[])),
            Constant::E => Ok(self.function_atom("e", &[])),
            Constant::Infinity => Err(NoValue::NotHere),
        }
    }

    fn symbol(&mut self, name: &str) -> Value<Residues> {
        Ok(self.atom(&|state| {
            state.text("symbol ");
            state.text(name);
        }))
    }

    fn add(&mut self, a: &Residues, b: &Residues) -> Value<Residues> {
        Ok(Residues([0, 1].map(|at| (a.0[at] + b.0[at]) % PRIMES[at])))
    }

    fn mul(&mut self, a: &Residues, b: &Residues) -> Value<Residues> {
        Ok(Residues(
            [0, 1].map(|at| mul_mod(a.0[at], b.0[at], PRIMES[at])),
        ))
    }

    fn neg(&mut self, a: &Residues) -> Value<Residues> {
        Ok(each(|r, at| if r == 0 { 0 } else { PRIMES[at] - r }, a))
    }

    fn inv(&mut self, a: &Residues) -> Value<Residues> {
        if a.0.contains(&0) {
            return Err(NoValue::Undefined);
        }
        Ok(each(|r, at| pow_mod(r, PRIMES[at] - 2, PRIMES[at]), a))
    }

    fn power(&mut self, base: &Residues, exponent: &IBig) -> Value<Residues> {
        use dashu_base::Signed;
        if base.0.contains(&0) {
            return if exponent.is_negative() {
                Err(NoValue::Undefined)
            } else if exponent.is_zero() {
                Ok(Residues([1, 1]))
            } else {
                Ok(*base)
            };
        }
        // Fermat: exponents count modulo p − 1. One that is 0 there without being 0 says nothing.
        if !exponent.is_zero()
            && [0, 1]
                .iter()
                .any(|at| residue(exponent, PRIMES[*at] - 1) == 0)
        {
            return Err(NoValue::NotHere);
        }
        Ok(each(
            |r, at| pow_mod(r, residue(exponent, PRIMES[at] - 1), PRIMES[at]),
            base,
        ))
    }

    fn general_power(&mut self, base: &Residues, exponent: &Residues) -> Value<Residues> {
        self.lawless = true;
        Ok(self.function_atom("power", &[*base, *exponent]))
    }

    fn root(&mut self, radicand: &Residues, index: u32) -> Value<Residues> {
        if index == 1 || radicand.0 == [0, 0] || radicand.0 == [1, 1] {
            return Ok(*radicand);
        }
        self.lawless = true;
        Ok(self.function_atom(&format!("root {index}"), &[*radicand]))
    }

    fn call(&mut self, function: Function, arguments: &[Residues]) -> Value<Residues> {
        self.lawless = true;
        Ok(self.function_atom(&format!("{function:?}"), arguments))
    }

    fn apply(&mut self, name: &str, arguments: &[Residues]) -> Value<Residues> {
        // `a_k` at `k = 3` is `a_3`.
        if name.ends_with('_')
            && let [Residues([k, same])] = arguments
            && k == same
        {
            return self.symbol(&format!("{name}{k}"));
        }
        Ok(self.function_atom(name, arguments))
    }

    fn opaque(&mut self, big: &BigOperator, parts: &[Residues]) -> Value<Residues> {
        self.lawless = true;
        let name = format!("{:?} {}", big.kind, big.variable);
        Ok(self.function_atom(&name, parts))
    }

    fn large_factorial(&mut self, n: u64) -> Value<Residues> {
        if n > MAX_FACTORIAL {
            return Err(NoValue::NotHere);
        }
        // Several products side by side: one waits for no other.
        const LANES: u64 = 8;
        Ok(Residues(PRIMES.map(|p| {
            let mut lanes = [1u64; LANES as usize];
            let mut factor = 1;
            while factor + LANES <= n + 1 {
                for (lane, step) in lanes.iter_mut().zip(0..LANES) {
                    *lane = mul_mod(*lane, factor + step, p);
                }
                factor += LANES;
            }
            let whole = lanes.into_iter().fold(1, |a, b| mul_mod(a, b, p));
            (factor..=n).fold(whole, |product, factor| mul_mod(product, factor, p))
        })))
    }

    fn pivot_size(&self, value: &Residues) -> f64 {
        if value.0.contains(&0) { 0.0 } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_reduced() {
        for p in PRIMES {
            for a in [0, 1, 2, p / 2, p - 2, p - 1, 0x0123_4567_89ab_cdef] {
                for b in [0, 1, 3, p / 3, p - 1, 0x0fed_cba9_8765_4321] {
                    let plain = (u128::from(a) * u128::from(b) % u128::from(p)) as u64;
                    assert_eq!(mul_mod(a, b, p), plain, "{a} {b} {p}");
                }
            }
        }
    }

    #[test]
    fn the_primes_are_primes_with_a_root_of_minus_one() {
        for p in PRIMES {
            assert_eq!(p % 4, 1);
            // Miller and Rabin with the bases that decide every number below 2⁶⁴.
            for base in [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37] {
                let twos = (p - 1).trailing_zeros();
                let mut x = pow_mod(base, (p - 1) >> twos, p);
                let mut witnessed = x == 1 || x == p - 1;
                for _ in 1..twos {
                    x = mul_mod(x, x, p);
                    witnessed |= x == p - 1;
                }
                assert!(witnessed, "{p} to base {base}");
            }
            let root = imaginary_unit(p);
            assert_eq!(mul_mod(root, root, p), p - 1);
        }
    }
}
