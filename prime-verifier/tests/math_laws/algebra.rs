//! Polynomials, by arithmetic of this file's own.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{different, same};

/// Coefficients by the powers of `x` and `y`.
type Polynomial = BTreeMap<(u32, u32), i64>;

fn product(a: &Polynomial, b: &Polynomial) -> Polynomial {
    let mut out = Polynomial::new();
    for ((ax, ay), c) in a {
        for ((bx, by), d) in b {
            *out.entry((ax + bx, ay + by)).or_default() += c * d;
        }
    }
    out.retain(|_, coefficient| *coefficient != 0);
    out
}

fn sum(a: &Polynomial, b: &Polynomial) -> Polynomial {
    let mut out = a.clone();
    for (powers, coefficient) in b {
        *out.entry(*powers).or_default() += coefficient;
    }
    out.retain(|_, coefficient| *coefficient != 0);
    out
}

fn term((x, y): (u32, u32), coefficient: i64) -> String {
    let power = |name: &str, power: u32| match power {
        0 => String::new(),
        1 => name.to_owned(),
        _ => format!("{name}^{{{power}}}"),
    };
    let letters = power("x", x) + &power("y", y);
    match (coefficient, letters.is_empty()) {
        (1, false) => letters,
        (-1, false) => format!("-{letters}"),
        _ => format!("{coefficient}{letters}"),
    }
}

/// The terms in an order that `keys` shuffle.
fn written(polynomial: &Polynomial, keys: &[u32]) -> String {
    let mut terms: Vec<(u32, String)> = polynomial
        .iter()
        .zip(keys.iter().cycle())
        .map(|((powers, coefficient), key)| (*key, term(*powers, *coefficient)))
        .collect();
    terms.sort();
    let mut out = String::new();
    for (_, term) in terms {
        if !out.is_empty() && !term.starts_with('-') {
            out.push('+');
        }
        out += &term;
    }
    if out.is_empty() { "0".into() } else { out }
}

fn polynomial() -> impl Strategy<Value = Polynomial> {
    prop::collection::btree_map(
        (0u32..3, 0u32..2),
        (-9i64..10).prop_filter("a term", |c| *c != 0),
        1..4,
    )
}

fn keys() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(any::<u32>(), 32)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn factored_is_expanded(factors in prop::collection::vec(polynomial(), 1..4), keys in keys()) {
        let expanded = factors.iter().fold(Polynomial::from([((0, 0), 1)]), |p, factor| product(&p, factor));
        let factored: String = factors.iter().map(|factor| format!("({})", written(factor, &keys))).collect();
        same(&factored, &written(&expanded, &keys))?;
    }

    #[test]
    fn one_changed_coefficient_shows(
        factors in prop::collection::vec(polynomial(), 1..4),
        keys in keys(),
        at in any::<prop::sample::Index>(),
        change in prop::sample::select(vec![-2i64, -1, 1, 2]),
    ) {
        let expanded = factors.iter().fold(Polynomial::from([((0, 0), 1)]), |p, factor| product(&p, factor));
        let powers = *expanded.keys().nth(at.index(expanded.len().max(1))).unwrap_or(&(0, 0));
        let other = sum(&expanded, &Polynomial::from([(powers, change)]));
        let factored: String = factors.iter().map(|factor| format!("({})", written(factor, &keys))).collect();
        different(&factored, &written(&other, &keys))?;
    }

    #[test]
    fn quotients_cancel(a in polynomial(), b in polynomial(), c in polynomial(), keys in keys()) {
        let [a, b, c] = [a, b, c].map(|p| written(&p, &keys));
        same(&format!(r"\frac{{({a})({b})}}{{({b})({c})}}"), &format!(r"\frac{{{a}}}{{{c}}}"))?;
        same(&format!(r"\frac{{{a}}}{{{c}}}+\frac{{{b}}}{{{c}}}"), &format!(r"\frac{{({a})+({b})}}{{{c}}}"))?;
    }

    #[test]
    fn sums_commute_and_nothing_adds_nothing(a in polynomial(), b in polynomial(), keys in keys()) {
        let [p, q] = [&a, &b].map(|p| written(p, &keys));
        let total = written(&sum(&a, &b), &keys);
        same(&format!("({p})+({q})"), &format!("({q})+({p})"))?;
        same(&format!("({p})+({q})"), &total)?;
        same(&format!("({p})+0"), &p)?;
        same(&format!(r"1\cdot({p})"), &p)?;
        different(&format!("({p})+1"), &p)?;
        different(&format!("-({p})"), &p)?;
    }

    #[test]
    fn powers_are_repeated_products(a in polynomial(), power in 2usize..6, keys in keys()) {
        let factor = format!("({})", written(&a, &keys));
        let expanded = (1..power).fold(a.clone(), |p, _| product(&p, &a));
        same(&format!("{factor}^{power}"), &factor.repeat(power))?;
        same(&format!("{factor}^{{{power}}}"), &written(&expanded, &keys))?;
    }

    #[test]
    fn an_equation_may_be_rearranged_and_scaled(a in polynomial(), b in polynomial(), factor in 2i64..9, keys in keys()) {
        let scaled = |p: &Polynomial| written(&product(p, &Polynomial::from([((0, 0), factor)])), &keys);
        let difference = sum(&a, &product(&b, &Polynomial::from([((0, 0), -1)])));
        // An equation between numbers has nothing to solve.
        prop_assume!(difference.keys().any(|powers| *powers != (0, 0)));
        let equation = format!("{}={}", written(&a, &keys), written(&b, &keys));
        same(&equation, &format!("{}={}", scaled(&a), scaled(&b)))?;
        same(&equation, &format!("{}={}", written(&b, &keys), written(&a, &keys)))?;
        same(&equation, &format!("{}=0", written(&difference, &keys)))?;
    }
}
