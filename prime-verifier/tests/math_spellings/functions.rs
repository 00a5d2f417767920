//! Functions of numbers: angles, factorials, sums, limits, complex numbers, whole parts.

use super::{always, different, never};

#[test]
fn trigonometry() {
    always(&[
        (r"\sin 30^\circ", "1/2"),
        (r"\sin 30°", r"\frac12"),
        (r"\sin(30 ^ \circ)", "0.5"),
        (r"\sin \frac{\pi}{6}", "1/2"),
        (r"\tan\frac{\pi}{3}", r"\sqrt3"),
        (r"\cos\frac{\pi}{5}", r"\frac{1+\sqrt5}{4}"),
        (r"\sin 15^\circ", r"\frac{\sqrt6-\sqrt2}{4}"),
        (r"\sin^2 x + \cos^2 x", "1"),
        (r"\sin 2x", r"2\sin x\cos x"),
        (r"\cos 2x", r"1-2\sin^2 x"),
        (r"\sec x", r"\frac1{\cos x}"),
        (r"\cot x", r"1/\tan x"),
        (r"\arcsin\frac12", r"\frac\pi6"),
        (r"\tan^{-1} 1", r"\pi/4"),
        (r"4\arctan\frac15-\arctan\frac1{239}", r"\frac\pi4"),
        (r"\sin(x+y)", r"\sin x\cos y+\cos x\sin y"),
        (r"\sinh x", r"\frac{e^x-e^{-x}}2"),
        ("sin(pi/6)", "1/2"),
    ]);
    different(&[
        (r"\sin 30", "1/2"),
        (r"\cos 2x", r"1-\sin^2 x"),
        (r"\sin^{-1} x", r"\frac{1}{\sin x}"),
        (r"\sin^2 x", r"\sin(x^2)"),
        (r"\sin x", r"\sin(x+10^{-30})"),
        (r"\cos(10^{10})", "1"),
        (r"\cos(10^{-20})", "1"),
        (r"\tanh(100)", "1"),
    ]);
}

#[test]
fn angles() {
    always(&[
        (r"90^\circ", r"\frac{\pi}{2}"),
        (r"90^\circ", "90°"),
        (r"90^\circ", r"90\text{ degrees}"),
        (r"\frac{\pi}{2} \text{ rad}", r"90^\circ"),
    ]);
    different(&[(r"90^\circ", r"\frac{\pi}{3}"), (r"90^\circ", r"91^\circ")]);
}

#[test]
fn factorials_and_binomials() {
    always(&[
        ("5!", "120"),
        ("0!", "1"),
        ("6!!", "48"),
        (r"\binom{5}{2}", "10"),
        (r"\binom{10}{3}", r"\binom{10}{7}"),
        (r"\frac{10!}{8!}", "90"),
        (r"\frac{n!}{(n-1)!}", "n"),
        ("(n+1)!", r"(n+1)\cdot n!"),
        (r"\binom{n}{2}", r"\frac{n(n-1)}{2}"),
        (r"\binom{n}{k}", r"\binom{n}{n-k}"),
    ]);
    different(&[
        ("(n+1)!", "n!+1"),
        (r"\binom{n}{2}", r"\frac{n^2}{2}"),
        ("(-1)!", "1"),
    ]);
}

#[test]
fn sums_products_integrals_limits_derivatives() {
    always(&[
        (r"\sum_{k=1}^{10} k", "55"),
        (r"\sum_{k=1}^{n} k", r"\frac{n(n+1)}2"),
        (r"\sum_{i=0}^{n} 2^i", "2^{n+1}-1"),
        (r"\prod_{k=1}^5 k", "120"),
        (r"\int_0^1 x^2\,dx", "1/3"),
        (r"\int_0^{\pi} \sin x\,dx", "2"),
        (r"\lim_{x\to0}\frac{\sin x}{x}", "1"),
        (r"\lim_{n\to\infty} (1+\frac1n)^n", "e"),
        (r"\frac{d}{dx} x^3", "3x^2"),
        (r"\frac{d}{dx}(x^3)", "3x^2"),
    ]);
    different(&[
        (r"\sum_{k=1}^{10} k", "45"),
        (r"\sum_{k=1}^{n} k", r"\frac{n(n-1)}2"),
        (r"\int_0^1 x^2 dx", r"\frac12"),
        (r"\int_0^1 x^2 dx", r"\frac13+10^{-6}"),
        (r"\lim_{x\to0}\frac{\sin x}{x}", "0"),
        (r"\lim_{x\to0} \frac{\sin x}{x}", "0.999999"),
        (r"\frac{d}{dx} x^3", "3x"),
    ]);
}

#[test]
fn complex_numbers() {
    always(&[
        ("i^2", "-1"),
        ("(1+i)^2", "2i"),
        ("(-9+6i)^2", "45-108i"),
        ("1+2i", "i(2-i)"),
        (r"\frac{1+i}{1-i}", "i"),
        (r"e^{i\pi}", "-1"),
        (r"e^{\frac{i\pi}{3}}", r"\frac{1+i\sqrt3}{2}"),
        ("|3+4i|", "5"),
        (r"\sqrt{-4}", "2i"),
        (r"\text{Re}(3+4i)", "3"),
        ("3 + 4I", "3+4i"),
        (r"3+4\mathrm{i}", "3+4i"),
        (r"\cos\theta+i\sin\theta", r"e^{i\theta}"),
    ]);
    different(&[
        ("3+4i", "3-4i"),
        ("3+4i", "4+3i"),
        ("i", "j"),
        ("|3+4i|", "7"),
    ]);
}

#[test]
fn whole_parts_and_number_theory() {
    always(&[
        ("|-5|", "5"),
        (r"\left|-5\right|", r"\lvert 5\rvert"),
        ("|x-1|", "|1-x|"),
        (r"\lfloor 3.7\rfloor", "3"),
        (r"\lceil 3.2\rceil", "4"),
        (r"\lfloor -3.5 \rfloor", "-4"),
        (r"\left\lfloor\sqrt{10}\right\rfloor", "3"),
        (r"\gcd(12,18)", "6"),
        (r"\operatorname{lcm}(4,6)", "12"),
        (r"\max(1,2,3)", "3"),
        (r"\min\{4,2\}", "2"),
        (r"17 \bmod 5", "2"),
        (r"\frac{a+b+|a-b|}{2}", r"\max(a,b)"),
    ]);
    different(&[
        ("|x-1|", "x-1"),
        (r"\lfloor x \rfloor", "x"),
        (r"\gcd(12,18)", "3"),
    ]);
}

#[test]
fn values_that_do_not_exist_equal_no_number() {
    never(&[
        (r"\frac{0}{0}", "6"),
        (r"\tan\frac{\pi}{2}", "6"),
        (r"\ln 0", "6"),
        (r"\ln 0", r"-\infty"),
        ("(-1)!", "6"),
        (r"\infty", "6"),
        (r"\infty", r"-\infty"),
        (r"\infty-\infty", "0"),
    ]);
}
