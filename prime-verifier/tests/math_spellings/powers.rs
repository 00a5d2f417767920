//! Powers, roots, logarithms, polynomials.

use super::{always, different};

#[test]
fn powers() {
    always(&[
        ("2^{10}", "1024"),
        ("2**10", "1024"),
        ("2^-1", "0.5"),
        ("4^{1/2}", "2"),
        ("4^{0.5}", "2"),
        (r"8^{\frac{2}{3}}", "4"),
        ("(-8)^{1/3}", "-2"),
        ("2^{3^2}", "512"),
        ("-2^2", "-4"),
        ("(-2)^2", "4"),
        (r"\left(\frac12\right)^3", "0.125"),
        ("2^{1000000}", "4^{500000}"),
        ("x^10", "x^{10}"),
        ("2^{n+1}", r"2\cdot2^n"),
        ("e^{x+y}", "e^xe^y"),
        ("x^{a+b}", "x^ax^b"),
        ("(ab)^2", "a^2b^2"),
        ("x^{-1}", r"\frac1x"),
        ("x^0", "1"),
    ]);
    different(&[
        ("2^{3^2}", "64"),
        ("-2^2", "4"),
        ("2^{1000000}", "4^{500001}"),
        ("x^2", "x^4"),
        ("x^{2305843009213693950}", "1"),
        ("2305843009213693951x", "0"),
        ("(ab)^2", "ab^2"),
    ]);
}

#[test]
fn signs_to_the_power_of_a_whole_number() {
    always(&[
        ("(-1)^{2n}", "1"),
        ("(-1)^{n+1}", "(-1)^{n-1}"),
        ("(-1)^n", r"\cos(\pi n)"),
    ]);
    different(&[("(-1)^n", "(-1)^{n+1}"), ("(-1)^n", "1")]);
}

#[test]
fn roots() {
    always(&[
        (r"\sqrt2", r"\sqrt{2}"),
        (r"\sqrt2", "2^{1/2}"),
        (r"\sqrt2", "sqrt(2)"),
        ("sqrt2", r"\sqrt{2}"),
        (r"\sqrt{8}", r"2\sqrt{2}"),
        (r"\sqrt{12}+\sqrt{27}", r"5\sqrt3"),
        (r"\frac{1}{\sqrt{3}}", r"\frac{\sqrt{3}}{3}"),
        (r"\frac{1}{\sqrt3+\sqrt2}", r"\sqrt3-\sqrt2"),
        (r"\sqrt{3+2\sqrt{2}}", r"1+\sqrt2"),
        (r"\sqrt[3]{-8}", "-2"),
        (r"\sqrt[3]{7+5\sqrt2}+\sqrt[3]{7-5\sqrt2}", "2"),
        (r"\sqrt{1/n}", r"\frac{1}{\sqrt n}"),
        (r"\sqrt{0.25}", "1/2"),
        (r"\sqrt{x^2}", "|x|"),
        (r"\sqrt{x}\sqrt{x}", "x"),
        (r"\sqrt[n]{2}", "2^{1/n}"),
    ]);
    different(&[
        (r"3\sqrt{2}", r"\sqrt[3]{2}"),
        (r"\sqrt{2}", r"\sqrt{3}"),
        (r"\sqrt{x^2}", "x"),
        (r"\sqrt{xy}", r"\sqrt{x+y}"),
        (r"\sqrt2x", r"\sqrt{2x}"),
        (r"\sqrt2", r"\sqrt{2+10^{-40}}"),
        (r"\sqrt2", r"\sqrt{2}+10^{-60}"),
    ]);
}

#[test]
fn logarithms() {
    always(&[
        (r"\ln e", "1"),
        (r"\ln(e^2)", "2"),
        (r"\ln 8", r"3\ln 2"),
        (r"\ln 2 + \ln 3", r"\ln 6"),
        (r"\log_{2}{8}", "3"),
        ("log_2(8)", "3"),
        (r"\log_2 3", r"\frac{\ln 3}{\ln 2}"),
        (r"\log 100", "2"),
        (r"\lg 100", "2"),
        (r"\log_4 8", "3/2"),
        (r"\log_2 3 \cdot \log_3 2", "1"),
        (r"e^{2\ln 3}", "9"),
        (r"10^{\log 7}", "7"),
        (r"\ln\sqrt2", r"\frac{\ln 2}{2}"),
        (r"\ln^2 2", r"(\ln 2)^2"),
        (r"\ln x^2", r"2\ln|x|"),
        ("exp(1)", "e"),
    ]);
    different(&[
        (r"\ln 2 + \ln 3", r"\ln 5"),
        (r"\ln^2 2", r"\ln 4"),
        (r"\ln 2x", r"x\ln 2"),
        (r"\log_2 8", r"\log_3 8"),
        (r"1-\frac1e", r"1+\frac1e"),
    ]);
}

#[test]
fn polynomials_and_fractions_of_them() {
    always(&[
        ("(x+1)^2", "x^2+2x+1"),
        ("(x+1)(x-1)", "x^2-1"),
        (r"\frac{x^2-1}{x-1}", "x+1"),
        (r"\frac{x+2}{7}", r"\frac{x}{7}+\frac27"),
        ("a(b+c)", "ab+ac"),
        ("(a+b)^3", "a^3+3a^2b+3ab^2+b^3"),
        (r"2 \cdot 3x", "6x"),
        ("xy", "yx"),
        ("x_1+x_2", "x_2+x_1"),
        ("(x+1)^{1000}", "(1+x)^{1000}"),
        (r"\frac{x^2}{2}+C", r"C+\frac12x^2"),
        ("f(x+y)", "f(y+x)"),
    ]);
    different(&[
        ("(x+1)^2", "x^2+1"),
        ("a(b+c)", "ab+c"),
        ("xy", "x+y"),
        ("x_1", "x_2"),
        ("x_1", "x1"),
        ("(x+1)^{1000}", "(x+1)^{1000}+1"),
        ("x+C", "x"),
        ("x'", "x"),
        (r"\frac12x", r"\frac1{2x}"),
        (r"\frac{1}{x}", r"\frac{1}{x+10^{-20}}"),
        ("f(x)", "f(y)"),
        ("f(x)+1", "f(x)"),
        ("f^{-1}(x)", r"\frac1{f(x)}"),
        ("X", "x"),
        ("O", "0"),
        ("l", "1"),
    ]);
}

#[test]
fn kinks_far_from_zero_are_seen() {
    different(&[
        ("|x-100|", "100-x"),
        ("|x-10^6|", "10^6-x"),
        (r"\max(x,1000)", "1000"),
        (r"\max(x,-1000)", "x"),
        (r"\lfloor x/1000 \rfloor", "0"),
    ]);
}
