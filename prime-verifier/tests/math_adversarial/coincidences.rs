//! Numbers that agree to many digits, and degenerate values.

use super::Want::{Equal, NotEqual, Unequal};
use super::{case, check};

#[test]
fn near_coincidences() {
    let table = [
        ("10^{-30}", "10^{-31}", NotEqual),
        ("0", "10^{-30}", NotEqual),
        ("0", "10^{-3000}", Unequal),
        ("10^{50}", "10^{50}+1", NotEqual),
        ("10^{1000}", "10^{1000}+1", NotEqual),
        (r"\frac{1}{2004!}", r"\frac{1}{2006!}", NotEqual),
        ("1/2^{187}", "1/2^{186}", NotEqual),
        (r"e^{\pi\sqrt{163}}", "262537412640768744", NotEqual),
        (r"e^{\pi\sqrt{163}}", "640320^3+744", NotEqual),
        (r"\frac{\ln(640320^3+744)}{\sqrt{163}}", r"\pi", NotEqual),
        (r"e^{\pi\sqrt{58}}", "24591257752", NotEqual),
        (r"\pi", r"\frac{355}{113}", NotEqual),
        (r"e^\pi-\pi", "20", NotEqual),
        (r"\sqrt2+\sqrt3", r"\pi", NotEqual),
        (r"\sqrt{10^{40}+1}-10^{20}", "0", NotEqual),
        (r"\sqrt{10^{400}+1}-10^{200}", "0", NotEqual),
        (r"\sqrt{10^{400}+1}", "10^{200}", NotEqual),
        (r"\sqrt{10^{4000}+1}-10^{2000}", "0", Unequal),
        (r"10^{-40}(\sqrt{10^{80}+1}-10^{40})", "0", Unequal),
        (r"\sqrt2", r"\sqrt2+10^{-35}", NotEqual),
        (r"\sqrt2", r"\sqrt2+10^{-60}", Unequal),
        (r"\sqrt2", r"\sqrt2+10^{-300}", Unequal),
        (r"\cos(10^{-30})", "1", Unequal),
        (r"\sin(10^{-30})", r"\tan(10^{-30})", Unequal),
        (r"2^{1/10^{60}}", "1", Unequal),
        ("(1+10^{-30})^{10^{30}}", "e", Unequal),
        (r"\tanh 100", "1", Unequal),
        (r"\arctan(10^{30})", r"\frac{\pi}{2}", NotEqual),
        (r"\sin(10^{22})", "-0.8522008497671888", Equal),
        (r"\sin(10^{22})", "-0.85220084977", Equal),
        (r"\sin(10^{22})", "-0.85220084976", NotEqual),
        (r"\sqrt[3]{7+5\sqrt2}+\sqrt[3]{7-5\sqrt2}-1", "1", Equal),
        (r"\sqrt{5+2\sqrt6}-\sqrt2-\sqrt3", "0", Equal),
        (r"\sqrt{5+2\sqrt6}-\sqrt2-\sqrt3", "10^{-30}", NotEqual),
        (r"16\arctan\frac15-4\arctan\frac1{239}", r"\pi", Equal),
        (r"16\arctan\frac15-4\arctan\frac1{240}", r"\pi", NotEqual),
    ];
    let cases: Vec<_> = table
        .into_iter()
        .map(|(gold, answer, want)| case(gold, gold, answer, want))
        .collect();
    check(&cases);
}

/// None of these is 6, in whatever language it would be something.
#[test]
fn degenerate_answers() {
    let answers = [
        r"\frac{0}{0}",
        "0/0",
        r"\frac{6}{0}",
        "6/0",
        "0^{-1}",
        r"\frac{6}{1-1}",
        "(-1)!",
        r"(-\frac12)!",
        r"\tan\frac{\pi}{2}",
        r"\tan 90^\circ",
        r"\ln 0",
        r"\ln(-6)",
        r"\log_1 6",
        r"\log_0 6",
        r"\sqrt[0]{6}",
        r"\arcsin 6",
        r"\binom{-6}{-6}",
        r"6\bmod 0",
        r"\infty",
        r"-\infty",
        r"\infty-\infty",
        r"0\cdot\infty",
        "NaN",
        r"\text{NaN}",
        "nan",
        "inf",
        "Infinity",
        "null",
        "nil",
        "None",
        "undefined",
        "True",
        "true",
        "False",
        "[]",
        "()",
        r"\{\}",
        "x",
        "?",
        "-",
        "+",
        ".",
        ",",
        "e",
        "i",
        r"\emptyset",
        "0x6",
        "6j",
        "6L",
        "6_000",
        "1/6.6.6",
    ];
    let cases: Vec<_> = answers
        .into_iter()
        .map(|answer| case(answer, "6", answer, Unequal))
        .collect();
    check(&cases);
}
