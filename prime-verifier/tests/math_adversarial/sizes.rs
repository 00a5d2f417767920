//! Numbers, powers, sums and collections that are too large to write out.

use super::Want::{Any, Equal, EqualOrOpen, NotEqual, Unequal};
use super::{Case, Stream, case, check};

#[test]
fn digit_strings() {
    let mut cases = vec![];
    for length in [10, 1000, 8000, 10_000, 100_000, 1_000_000] {
        let digits = "7".repeat(length);
        let other = format!("{}8", &digits[1..]);
        // Beyond the bound on answers, the same text is the same answer still.
        let readable = length <= 8000;
        let (respelled, differs) = if readable {
            (Equal, NotEqual)
        } else {
            (Any, Unequal)
        };
        cases.extend([
            case(format!("{length} digits, same"), &digits, &digits, Equal),
            case(
                format!("{length} digits, one more blank"),
                &digits,
                format!(" {digits}\n"),
                Equal,
            ),
            case(
                format!("{length} digits, respelled"),
                &digits,
                format!("+{digits}.0"),
                respelled,
            ),
            case(
                format!("{length} digits, last differs"),
                &digits,
                other,
                differs,
            ),
            case(
                format!("{length} digits, one more"),
                &digits,
                format!("{digits}7"),
                differs,
            ),
        ]);
    }
    check(&cases);
}

#[test]
fn powers_and_factorials() {
    let table = [
        ("(x+1)^{1000}", "(1+x)^{1000}", Equal),
        ("(x+1)^{1000}", "(x+1)^{999}(x+1)", Equal),
        ("(x+1)^{1000}", "(x+1)^{1000}+1", NotEqual),
        ("(x+1)^{1000}", "(x+1)^{1000}-1", NotEqual),
        ("(x+1)^{1000}", "(x+1)^{1001}", NotEqual),
        ("(x+y)^{10^{15}}", "(y+x)^{10^{15}}", Equal),
        ("2^{1000000}", "4^{500000}", Equal),
        ("2^{1000000}", "4^{500000}+1", NotEqual),
        ("2^{10^{12}}", r"4^{5\cdot10^{11}}", EqualOrOpen),
        ("2^{10^{12}}", "4^{10^{12}}", Unequal),
        ("9^{9^{9^9}}", "9^{9^{9^9}}", Equal),
        ("9^{9^{9^{9}}}", "9^{9^{9^{8}}}", Unequal),
        ("9^{9^{9^{9^{9^9}}}}", "10", Unequal),
        ("10^{10^{10}}", "10^{10^{10}}+1", Unequal),
        ("1e999999999999", "1", Unequal),
        (r"10^{-10^{10}}", "0", Unequal),
        (r"\frac{(10^6)!}{(10^6-1)!}", "10^6", EqualOrOpen),
        (r"\frac{(10^6)!}{(10^6-1)!}", "10^6+1", Unequal),
        ("(10^{12})!", "5", Unequal),
        ("((10!)!)!", "5", Unequal),
        ("100!!!!", "5", Unequal),
        (r"\binom{10^9}{5\cdot10^8}", "5", Unequal),
        (
            r"\binom{1000}{500}",
            r"\frac{1000!}{500!\,500!}",
            EqualOrOpen,
        ),
        (r"\gcd(2^{1000}-1, 2^{600}-1)", "2^{200}-1", EqualOrOpen),
        (r"10^{999} \bmod 7", "6", EqualOrOpen),
        (r"\sqrt[10^9]{2}", "1", Unequal),
    ];
    check(&rows(&table));
}

#[test]
fn sums_products_and_integrals() {
    let table = [
        (
            r"\sum_{k=1}^{10^{12}} k",
            r"\frac{10^{12}(10^{12}+1)}{2}",
            EqualOrOpen,
        ),
        (r"\sum_{k=1}^{10^{12}} k", "5", Unequal),
        (r"\sum_{k=1}^{10^{12}} 1", "10^{12}", EqualOrOpen),
        (r"\prod_{k=1}^{10^{12}} k", "5", Unequal),
        (r"\sum_{k=1}^{\infty} 2^{-k}", "1", EqualOrOpen),
        (r"\sum_{k=1}^{\infty} 2^{-k}", "2", Unequal),
        (
            r"\sum_{a=1}^{1000}\sum_{b=1}^{1000}\sum_{c=1}^{1000} 1",
            "10^9",
            EqualOrOpen,
        ),
        (
            r"\sum_{a=1}^{1000}\sum_{b=1}^{1000}\sum_{c=1}^{1000} 1",
            "10^9-1",
            Unequal,
        ),
        (r"\int_0^{10^{12}} \sin(x^2)\,dx", "5", Unequal),
        (
            r"\int_0^1\int_0^1\int_0^1\int_0^1 xyzw\,dx\,dy\,dz\,dw",
            r"\frac1{16}",
            EqualOrOpen,
        ),
        (r"\int_0^1 \frac{1}{x}\,dx", "5", Unequal),
        (r"\lim_{x\to\infty} x^{x^x}", "5", Unequal),
        (r"\lim_{n\to\infty}\sum_{k=1}^n\frac1k", "5", Unequal),
        (
            r"\frac{d}{dx}\frac{d}{dx}\frac{d}{dx}\frac{d}{dx}\sin x^9",
            "5",
            Unequal,
        ),
    ];
    check(&rows(&table));
}

fn rows(table: &[(&str, &str, super::Want)]) -> Vec<Case> {
    table
        .iter()
        .map(|&(gold, answer, want)| case(gold, gold, answer, want))
        .collect()
}

#[test]
fn determinants() {
    let mut numbers = Stream(40);
    let mut matrix = |upper: bool, size: usize| {
        let rows: Vec<String> = (0..size)
            .map(|row| {
                let cells: Vec<String> = (0..size)
                    .map(|column| match row.cmp(&column) {
                        std::cmp::Ordering::Greater if upper => "0".into(),
                        std::cmp::Ordering::Equal if upper => "1".into(),
                        _ => (numbers.below(19) as i64 - 9).to_string(),
                    })
                    .collect();
                cells.join("&")
            })
            .collect();
        format!(r"\begin{{vmatrix}}{}\end{{vmatrix}}", rows.join(r"\\"))
    };
    check(&[
        case("random, 40", "5", matrix(false, 40), Unequal),
        case("triangular, 5", "1", matrix(true, 5), Equal),
        case("triangular, 40", "1", matrix(true, 40), EqualOrOpen),
        case("triangular, 40, off by one", "2", matrix(true, 40), Unequal),
        case("random, 60", "5", matrix(false, 60), Unequal),
    ]);
}

#[test]
fn long_collections() {
    let joined = |items: &[String]| items.join(", ");
    let shuffled = |items: &[String]| {
        let mut numbers = Stream(1000);
        let mut items = items.to_vec();
        for at in (1..items.len()).rev() {
            items.swap(at, numbers.below(at as u64 + 1) as usize);
        }
        items
    };
    let mut cases = vec![];
    for (name, count, item) in [
        ("integers", 1000usize, "{}"),
        ("fractions", 700, r"{}/7"),
        ("tuples", 400, "({},1)"),
        ("roots", 500, r"\sqrt{{}}"),
        ("variables", 500, "x_{{}}"),
        ("powers", 500, "2^{{}}"),
    ] {
        let items: Vec<String> = (1..=count)
            .map(|number| item.replacen("{}", &(7 * number + 1).to_string(), 1))
            .collect();
        let mut changed = shuffled(&items);
        changed[count / 2] = "(0,0)".into();
        let (list, permuted, changed) =
            (joined(&items), joined(&shuffled(&items)), joined(&changed));
        let exact = if name == "integers" {
            Equal
        } else {
            EqualOrOpen
        };
        cases.extend([
            case(format!("{count} {name}"), &list, &permuted, exact),
            case(
                format!("{count} {name}, one differs"),
                &list,
                &changed,
                Unequal,
            ),
            case(
                format!("a set of {count} {name}"),
                format!(r"\{{{list}\}}"),
                format!(r"\{{{permuted}\}}"),
                exact,
            ),
            case(
                format!("a set of {count} {name}, one differs"),
                format!(r"\{{{list}\}}"),
                format!(r"\{{{changed}\}}"),
                Unequal,
            ),
        ]);
    }
    let intervals: Vec<String> = (0..500).map(|at| format!("({at},{}]", at + 1)).collect();
    cases.push(case(
        "500 intervals in a row",
        "(0,500]",
        shuffled(&intervals).join(r"\cup"),
        EqualOrOpen,
    ));
    check(&cases);
}

#[test]
fn long_expressions() {
    let terms = |count: usize, term: &str, joint: &str| vec![term; count].join(joint);
    check(&[
        case("1000 factors", "1", terms(1000, "1", r"\cdot "), Equal),
        case("10000 factors", "1", terms(10_000, "1", r"\cdot "), Any),
        case("2000 terms", "2000", terms(2000, "1", "+"), Equal),
        case(
            "2000 terms, off by one",
            "2001",
            terms(2000, "1", "+"),
            NotEqual,
        ),
        case("1000 quotients", "1", terms(1000, "1", "/"), Equal),
        case(
            "40 signs",
            "5",
            format!("1{}", r"\pm 1".repeat(40)),
            Unequal,
        ),
        case(
            "1000 signs",
            "5",
            format!("1{}", r"\pm 1".repeat(1000)),
            Unequal,
        ),
        case(
            "2000 minus signs",
            "1",
            format!("{}1", "-".repeat(2000)),
            Any,
        ),
        case("1000 bangs", "1", format!("1{}", "!".repeat(1000)), Any),
        case(
            "4000 primes",
            "f",
            format!("f{}", "'".repeat(4000)),
            Unequal,
        ),
        case("2000 relations", "1=1", terms(2000, "1", "="), Any),
        case("1000 inequalities", "1<2", terms(1000, "x", "<"), Unequal),
        case(
            "1000 variables",
            "1",
            (0..1000).map(|i| format!("x_{{{i}}}")).collect::<String>(),
            Unequal,
        ),
        case("500 sines", "1", terms(500, r"\sin x", r"\cdot "), Unequal),
        case("900 bars", "1", terms(900, "|", "x"), Unequal),
    ]);
}
