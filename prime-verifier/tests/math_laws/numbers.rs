//! Rational and Gaussian numbers in all their spellings, by arithmetic of this file's own.

use proptest::prelude::*;

use super::{different, same};

/// Spellings of `numerator / denominator`, which are positive or negative and positive.
fn spellings(numerator: i64, denominator: i64, factor: i64) -> Vec<String> {
    let (n, d, k) = (numerator, denominator, factor);
    let sign = if n < 0 { "-" } else { "" };
    let size = n.abs();
    let mut all = vec![
        format!("{n}/{d}"),
        format!(r"\frac{{{n}}}{{{d}}}"),
        format!(r"{sign}\frac{{{size}}}{{{d}}}"),
        format!(r"\dfrac{{{}}}{{{}}}", n * k, d * k),
        format!(r"\frac{{{}}}{{{}}}", -n, -d),
        format!(r"({n})\cdot {d}^{{-1}}"),
        format!(r"({n})\div {d}"),
        format!(r"\frac{{{}}}{{{d}}}\%", 100 * n),
        format!("{}/{d} - {k}", n + k * d),
    ];
    if size > d && size % d != 0 {
        let (whole, rest) = (size / d, size % d);
        all.push(format!(r"{sign}{whole}\frac{{{rest}}}{{{d}}}"));
        all.push(format!("{sign}{whole} {rest}/{d}"));
    }
    if 1000 % d == 0 {
        let thousandths = size * (1000 / d);
        let (whole, rest) = (thousandths / 1000, thousandths % 1000);
        all.push(format!("{sign}{whole}.{rest:03}"));
        all.push(format!("{sign}{thousandths}e-3"));
        all.push(format!(r"{sign}{thousandths}\times 10^{{-3}}"));
        let short = format!("{whole}.{rest:03}");
        all.push(format!("{sign}{}", short.trim_end_matches('0')));
    }
    if n % d == 0 {
        all.push((n / d).to_string());
    }
    all
}

fn gaussian(re: i64, im: i64) -> String {
    match (re, im) {
        (re, 0) => re.to_string(),
        (0, im) => format!("{im}i"),
        (re, im) => format!("{re}{im:+}i"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_fraction_has_many_spellings(n in -60i64..60, d in 1i64..25, k in 2i64..9) {
        let all = spellings(n, d, k);
        for spelling in &all {
            same(&all[0], spelling)?;
        }
    }

    #[test]
    fn another_fraction_is_different(n in -60i64..60, d in 1i64..25, other in (-60i64..60, 1i64..25), k in 2i64..9) {
        prop_assume!(n * other.1 != other.0 * d);
        // A hundredfold is a matter of the percent sign.
        prop_assume!(100 * n * other.1 != other.0 * d && n * other.1 != 100 * other.0 * d);
        for (a, b) in spellings(n, d, k).iter().zip(spellings(other.0, other.1, k).iter().rev()) {
            different(a, b)?;
        }
    }

    #[test]
    fn whole_numbers_have_thousands(value in 1000u64..1_000_000_000_000) {
        let digits = value.to_string();
        let grouped = |mark: &str| {
            let mut out = String::new();
            for (at, digit) in digits.chars().enumerate() {
                if at > 0 && (digits.len() - at) % 3 == 0 {
                    out += mark;
                }
                out.push(digit);
            }
            out
        };
        for mark in [",", "{,}", r"\,", r",\!", r"\ ", "~", " "] {
            same(&digits, &grouped(mark))?;
        }
        different(&digits, &(value + 1).to_string())?;
        different(&grouped(","), &(value - 1).to_string())?;
    }

    #[test]
    fn gaussian_integers_multiply(a in -20i64..20, b in -20i64..20, c in -20i64..20, d in -20i64..20) {
        let factors = format!("({})({})", gaussian(a, b), gaussian(c, d));
        let (re, im) = (a * c - b * d, a * d + b * c);
        same(&factors, &gaussian(re, im))?;
        different(&factors, &gaussian(re + 1, im))?;
        different(&factors, &gaussian(re, im - 1))?;
        same(&format!("|{}|^2", gaussian(a, b)), &(a * a + b * b).to_string())?;
        if (c, d) != (0, 0) {
            same(&format!(r"\frac{{{}}}{{{}}}", gaussian(re, im), gaussian(c, d)), &gaussian(a, b))?;
        }
    }

    #[test]
    fn digits_in_a_base_have_a_value(value in 1u64..100_000, base in 2u64..11) {
        let mut digits = String::new();
        let mut rest = value;
        while rest > 0 {
            digits.insert(0, char::from(b'0' + (rest % base) as u8));
            rest /= base;
        }
        let based = format!("{digits}_{{{base}}}");
        same(&based, &value.to_string())?;
        if digits != (value + 1).to_string() {
            different(&based, &(value + 1).to_string())?;
        }
    }

    #[test]
    fn a_repeating_decimal_is_a_fraction(head in 0u64..100, period in 1u64..1000) {
        // 0.hh ppp ppp …
        let numerator = head * 999 + period;
        same(&format!(r"0.{head:02}\overline{{{period:03}}}"), &format!("{numerator}/99900"))?;
        different(&format!(r"0.{head:02}\overline{{{period:03}}}"), &format!("{}/99900", numerator + 1))?;
    }

    #[test]
    fn squares_come_out_of_roots(outer in 2u64..30, inner in 2u64..30) {
        let square_free = (2..6).all(|p| inner % (p * p) != 0);
        prop_assume!(square_free);
        same(&format!(r"\sqrt{{{}}}", outer * outer * inner), &format!(r"{outer}\sqrt{{{inner}}}"))?;
        different(&format!(r"\sqrt{{{}}}", outer * outer * inner + 1), &format!(r"{outer}\sqrt{{{inner}}}"))?;
        same(&format!(r"\frac{{{inner}}}{{\sqrt{{{inner}}}}}"), &format!(r"\sqrt{{{inner}}}"))?;
    }
}
