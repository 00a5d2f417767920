//! Pairs of the kinds that once were marked wrongly: every kind with at least ten of them.
//!
//! What is wrong stays wrong under `strict` too.
#![cfg(feature = "math")]

use prime_verifier::Verifier;
use prime_verifier::math::{Extraction, MathPolicy, MathVerifier};

/// An answer, a gold answer, whether the first is right.
type Row = (&'static str, &'static str, bool);

fn failures(kind: &str, rows: &[Row]) -> Vec<String> {
    let mut failures = vec![];
    for preset in ["default", "strict"] {
        let policy = MathPolicy::by_name(preset).unwrap();
        let verifier = MathVerifier::new(Extraction::boxed(), policy);
        for (answer, gold, right) in rows {
            if *right && preset == "strict" {
                continue;
            }
            let bare = verifier
                .verdict(&verifier.grade_answer(answer, &[gold]))
                .score();
            let boxed = verifier
                .verify(&format!(r"So \boxed{{{answer}}}."), gold)
                .score();
            let wanted = Some(f32::from(u8::from(*right)));
            if bare != wanted || boxed != wanted {
                failures.push(format!(
                    "  {kind}, {preset}: {answer}  ~  {gold}: {bare:?}, boxed {boxed:?}"
                ));
            }
        }
    }
    failures
}

#[test]
fn every_kind_is_marked_rightly() {
    let failures: Vec<String> = KINDS
        .iter()
        .flat_map(|(kind, rows)| failures(kind, rows))
        .collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn every_kind_has_cases_enough() {
    for (kind, rows) in KINDS {
        assert!(rows.len() >= 10, "{kind}: {}", rows.len());
        assert!(rows.iter().any(|row| !row.2), "{kind} has nothing wrong");
    }
}

const KINDS: &[(&str, &[Row])] = &[
    (
        "a gold is no fragment of itself",
        &[
            (r"k", r"$f(x)=kx+3$ for some real $k$", false),
            (r"f(x)=kx+3", r"$f(x)=kx+3$ for some real $k$", true),
            (
                r"f(x)=kx+3 for some real k",
                r"$f(x)=kx+3$ for some real $k$",
                true,
            ),
            (r"f(x)=kx-3", r"$f(x)=kx+3$ for some real $k$", false),
            (
                r"f(x)=kx+3 \text{ for any real } k",
                r"$f(x)=kx+3$ for some real $k$",
                true,
            ),
            (r"p", r"all primes $p$", false),
            (r"p", r"prime $p$", false),
            (r"(2,3)", r"center: $(2,3)$, radius: $5$", false),
            (r"5", r"center: $(2,3)$, radius: $5$", false),
            (
                r"center: $(2,3)$, radius: $5$",
                r"center: $(2,3)$, radius: $5$",
                true,
            ),
            (r"c>0", r"$y=cx^2$, where $c>0$", false),
            (r"y=cx^2", r"$y=cx^2$, where $c>0$", true),
            (r"y=cx^2, where c<0", r"$y=cx^2$, where $c>0$", false),
            (r"\text{odd } n", r"odd $n$", true),
            (r"n", r"$n$ is odd", false),
            (r"m", r"perfect squares $m$", false),
            (r"3", r"max at $x=2$; min at $x=3$", false),
            (r"x=3", r"max at $x=2$; min at $x=3$", false),
            (r"k", r"every $n$ except powers of $k$", false),
            (r"6", r"$n=4$ or $n$ divisible by $6$", false),
            (r"n \text{ odd}", r"odd $n$", false),
            (r"t", r"$(2t, 3t)$ for all integers $t$", false),
            (r"(2t,3t)", r"$(2t, 3t)$ for all integers $t$", true),
            (r"(2t,4t)", r"$(2t, 3t)$ for all integers $t$", false),
            (r"x=2", r"$x=2$ with multiplicity $3$", false),
        ],
    ),
    (
        "functions of whole numbers",
        &[
            (
                r"\lceil\frac{n-1}{2}\rceil",
                r"\lfloor\frac{n}{2}\rfloor",
                true,
            ),
            (
                r"\lfloor\frac{n+1}{2}\rfloor",
                r"\lceil\frac n2\rceil",
                true,
            ),
            (
                r"\lfloor\frac{n+4}{5}\rfloor",
                r"\lceil\frac n5\rceil",
                true,
            ),
            (
                r"\lfloor\frac{n+3}{5}\rfloor",
                r"\lceil\frac n5\rceil",
                false,
            ),
            (r"\lceil\sqrt{n+1}\rceil-1", r"\lfloor\sqrt n\rfloor", true),
            (r"\lceil\sqrt{n}\rceil", r"\lfloor\sqrt n\rfloor+1", false),
            (
                r"\lfloor\log_3 n\rfloor+1",
                r"\lceil\log_3(n+1)\rceil",
                true,
            ),
            (r"\lfloor\log_3 n\rfloor+1", r"\lceil\log_3 n\rceil", false),
            (
                r"\lfloor\log_{10} n\rfloor+1",
                r"\lceil\log_{10} n\rceil",
                false,
            ),
            (r"n-\lfloor n/2\rfloor", r"\lceil n/2\rceil", true),
            (r"\lfloor n/2\rfloor+\lfloor (n+1)/2\rfloor", r"n", true),
            (
                r"\lfloor n/2\rfloor\lceil n/2\rceil",
                r"\lfloor n^2/4\rfloor",
                true,
            ),
            (r"\lfloor n/2\rfloor^2", r"\lfloor n^2/4\rfloor", false),
            (r"\frac{n^2}{4}", r"\lfloor n^2/4\rfloor", false),
            (r"\cos(n\pi)", r"(-1)^n", true),
            (r"\cos(n\pi)", r"(-1)^{n+1}", false),
            (r"\frac{1+(-1)^n}{2}", r"\cos^2\frac{n\pi}{2}", true),
            (r"\frac{2n-1+(-1)^n}{4}", r"\lfloor n/2\rfloor", true),
            (r"n \bmod 3", r"n-3\lfloor n/3\rfloor", true),
            (r"n \bmod 3", r"n-3\lfloor (n+1)/3\rfloor", false),
            (r"\binom{n}{2}+n", r"\binom{n+1}{2}", true),
            (r"\binom{n}{k}", r"\binom{n}{n-k}", true),
            (r"\binom{n}{k}", r"\binom{n}{k+1}", false),
            (r"(n+1)!-n!", r"n\cdot n!", true),
            (r"(n+1)!-n!", r"(n+1)\cdot n!", false),
            (r"\frac{(2n)!}{2^n n!}", r"(2n-1)!!", true),
            (r"\lfloor x\rfloor+1", r"\lceil x\rceil", false),
            (
                r"\lfloor x\rfloor+\lfloor x+\frac12\rfloor",
                r"\lfloor 2x\rfloor",
                true,
            ),
            (r"2\lfloor x\rfloor", r"\lfloor 2x\rfloor", false),
            (
                r"\lfloor\frac{2n+1}{4}\rfloor",
                r"\lfloor\frac n2\rfloor",
                true,
            ),
            (
                r"\lceil\frac{m}{2}\rceil\lceil\frac n2\rceil",
                r"\lfloor\frac{m+1}{2}\rfloor\lfloor\frac{n+1}{2}\rfloor",
                true,
            ),
            (
                r"\lceil\frac{m}{2}\rceil\lceil\frac n2\rceil",
                r"\lceil\frac{mn}{4}\rceil",
                false,
            ),
            (r"\lfloor n/1000\rfloor", r"\lceil n/1000\rceil-1", false),
            (r"2^{\lfloor n/2\rfloor}", r"2^{\lceil n/2\rceil}", false),
            (r"2^{\lfloor (n+1)/2\rfloor}", r"2^{\lceil n/2\rceil}", true),
            (r"n^2+n+1", r"\lfloor n^2+n+1+\frac{1}{n+1}\rfloor", true),
            (r"\max(a,b)", r"\frac{a+b+|a-b|}{2}", true),
            (r"\gcd(n,2)", r"\frac{3+(-1)^n}{2}", true),
            (
                r"\lfloor\frac{2023}{n}\rfloor",
                r"\lceil\frac{2024}{n}\rceil-1",
                true,
            ),
            (
                r"\lfloor\frac{2023}{n}\rfloor",
                r"\lceil\frac{2023}{n}\rceil-1",
                false,
            ),
            (r"3^{n-1}+(-1)^n", r"3^{n-1}-(-1)^{n+1}", true),
            (
                r"\lfloor \sqrt{2} n\rfloor",
                r"\lceil\sqrt2 n\rceil-1",
                true,
            ),
            (r"\lfloor \phi n\rfloor", r"\lceil \phi n\rceil", false),
        ],
    ),
    (
        "ends that are letters",
        &[
            (r"(a,b)", r"[a,b]", false),
            (r"[a,b)", r"(a,b]", false),
            (r"(-\infty,-m)", r"(-\infty,-m]", false),
            (r"x\ge a", r"[a,\infty)", true),
            (r"x>a", r"[a,\infty)", false),
            (r"a<x\le b", r"(a,b]", true),
            (r"(0,k)\cup(k,\infty)", r"(0,k)\cup[k,\infty)", false),
            (r"x\in[\frac1a,a]", r"\left[\frac{1}{a},a\right]", true),
            (r"[a,b]", r"[b,a]", false),
            (r"(a+1,b)", r"(1+a,b)", true),
            (r"x\in(-\sqrt a,\sqrt a)", r"x\in[-\sqrt a,\sqrt a]", false),
        ],
    ),
    (
        "lists of conditions",
        &[
            (r"(-\infty,1)\cup(3,\infty)", r"x<1,x>3", true),
            (r"x<1 \text{ or } x>3", r"x<1,x>3", true),
            (r"x<1 \text{ and } x>3", r"x<1 \text{ or } x>3", false),
            (r"n=1 \text{ or } n\ge100", r"n=1, n\ge3", false),
            (r"n=1\text{ or }n\ge3", r"n=1,n\ge3", true),
            (r"1<x<3", r"x>1,x<3", true),
            (r"x>1 \land x<3", r"1<x<3", true),
            (r"x>1 \lor x<3", r"1<x<3", false),
            (r"x\le -2 \text{ or } x\ge 2", r"|x|\ge2", true),
            (r"x\ge2, x\le-2", r"|x|\ge2", true),
            (r"\emptyset", r"x<1,x>3", false),
            (r"\mathbb R", r"x<3,x>1", false),
            (r"\emptyset", r"n=1,n\ge3", false),
            (r"x>0, x\ne 1", r"(0,1)\cup(1,\infty)", true),
            (r"x>0, x\ne 2", r"(0,1)\cup(1,\infty)", false),
            (r"p \lor q", r"p\text{ and }q", false),
            (r"x=1 \text{ and } y=2", r"x=1\text{ or }y=2", false),
            (r"x=1\text{ and }x=2", r"x=1\text{ or }x=2", true),
            (r"x<0,x=5", r"x<0,x=4", false),
            (r"a=3,a\geq 7", r"a=3,a\geq 6", false),
        ],
    ),
    (
        "exclusions",
        &[
            (r"x\ne\pm3", r"x\neq\pm2", false),
            (r"x\ne2,x\ne-2", r"x\neq\pm2", true),
            (r"x\ne2,-2", r"x\neq\pm2", true),
            (r"\mathbb R\setminus\{-2,2\}", r"x\neq\pm2", true),
            (r"x\ne 2", r"x\neq\pm2", false),
            (r"(-\infty,-2)\cup(-2,2)\cup(2,\infty)", r"x\neq\pm2", true),
            (r"\{x: x\ne 2\}", r"\{x: x\neq \pm2\}", false),
            (r"x\neq 0,\pm1", r"x\ne0,x\ne1,x\ne-1", true),
            (r"x\neq\pm1", r"x\neq\pm\frac12", false),
            (r"x=\pm1", r"x\neq\pm1", false),
        ],
    ),
    (
        "derivatives of letters",
        &[
            (r"\frac{dP}{dt}=kP", r"\frac{dP}{dt}=-kP", false),
            (r"P'=kP", r"\frac{dP}{dt}=kP", true),
            (r"\dot x=2x", r"\frac{dx}{dt}=2x", true),
            (r"\frac{d^2x}{dt^2}=-x", r"\frac{d^2x}{dt^2}=x", false),
            (r"x''=-x", r"\frac{d^2x}{dt^2}=-x", true),
            (r"x'=-x", r"\frac{d^2x}{dt^2}=-x", false),
            (r"\frac{dy}{dx}", r"\frac{dx}{dy}", false),
            (r"0", r"\frac{dy}{dx}", false),
            (
                r"\frac{\partial u}{\partial t}=0",
                r"\frac{\partial u}{\partial x}=0",
                false,
            ),
            (r"\frac{d}{dx}x^2", r"2x", true),
            (r"y''+y=0", r"\frac{d^2y}{dx^2}=-y", true),
            (r"3x^2", r"\frac{dy}{dx}=3x^2", true),
            (r"2\frac{dy}{dx}=6x^2", r"\frac{dy}{dx}=3x^2", true),
        ],
    ),
    (
        "values at 0 and 1",
        &[
            (r"0", r"B(0)", false),
            (r"2", r"2T(0)", false),
            (r"V", r"V(1)", false),
            (r"Q(0)e^{-t}", r"Q(0)e^{t}", false),
            (r"Q(0)e^{-t/\tau}", r"Q(0)e^{-\frac{t}{\tau}}", true),
            (r"y(0)", r"x(0)", false),
            (r"y(1)", r"y(0)", false),
            (r"0", r"v(0)+at", false),
            (r"at+v(0)", r"v(0)+at", true),
            (r"H(1)", r"H(0)", false),
            (r"T(0)", r"T(1)", false),
        ],
    ),
    (
        "lists that look like decimals",
        &[
            (r"2.5", r"2,5", false),
            (r"2,5", r"2,5", true),
            (r"5,2", r"2,5", true),
            (r"12.34", r"12,34", false),
            (r"-3", r"-3,0", false),
            (r"0", r"-3,0", false),
            (r"\{0,-3\}", r"-3,0", true),
            (r"7.25", r"7{,}25", true),
            (r"-3,1", r"-3,0", false),
            (r"10.5", r"10,5", false),
            (r"1.05", r"1,05", true),
        ],
    ),
    (
        "equations side by side",
        &[
            (r"x=1, y=2", r"x=1 \quad y=2", true),
            (r"y=2,x=1", r"x=1\\y=2", true),
            ("x=1\ny=3", "x=1\ny=2", false),
            (r"$x=1$ $y=2$", r"x=1,y=2", true),
            (r"x=2\qquad y=1", r"x=1\qquad y=2", false),
            (r"y=2", r"x=1\quad y=2", false),
            (r"(1,2)", r"x=1\;y=2", true),
            ("$a=3$\n$b=4$", r"a=3,b=4", true),
            (r"a=5 \quad b=4", r"a=3\quad b=4", false),
            (r"x=1 \quad y=-2", r"x=1\quad y=2", false),
            (r"(2,1)", r"x=1\quad y=2", false),
        ],
    ),
    (
        "whole numbers are not rounded",
        &[
            (r"1.22\times10^6", r"1220000", true),
            (r"1.0737\times10^9", r"2^{30}", false),
            (r"1.07374182\times10^9", r"2^{30}", false),
            (r"3.62880\times10^6", r"10!", true),
            (r"1.21645\times10^{17}", r"19!", false),
            (r"123456000", r"123456789", false),
            (r"1.23457\times10^8", r"123456789", false),
            (r"0.333333", r"\frac13", true),
            (r"5.00000001", r"5", false),
            (r"1.000000", r"1", true),
            (r"3.14159", r"\pi", true),
        ],
    ),
    (
        "multiplicities",
        &[
            (r"2", r"2,2", false),
            (r"2,2,5", r"2,5", false),
            (r"5,2,2", r"2,2,5", true),
            (r"2,5,5", r"2,2,5", false),
            (r"\{2,5\}", r"\{2,2,5\}", true),
            (r"1,1,1", r"1,1", false),
            (r"1,1,2", r"1,2,2", false),
            (r"-1,-1,4", r"4,-1,-1", true),
            (r"0,0,0,1", r"0,1", false),
            (r"7,7", r"7", false),
        ],
    ),
    (
        "vectors, figures, times, dates, signs",
        &[
            (r"\overrightarrow{CB}", r"\overrightarrow{BC}", false),
            (r"-\overrightarrow{CB}", r"\overrightarrow{BC}", true),
            (r"\angle CBA", r"\angle ABC", true),
            (r"\angle BAC", r"\angle ABC", false),
            (r"\vec u\cdot\vec v", r"\vec u\times\vec v", false),
            (r"\vec v\times\vec u", r"\vec u\times\vec v", false),
            (r"-\vec v\times\vec u", r"\vec u\times\vec v", true),
            (r"\vec v\cdot\vec u", r"\vec u\cdot\vec v", true),
            (r"\overline{BA}", r"\overline{AB}", true),
            (r"\overline{ba}", r"\overline{ab}", false),
            (r"\frac34", r"9:12", true),
            (r"1:2", r"11:22", true),
            (r"0.5", r"11:22", true),
            (r"1:6", r"5:30", false),
            (r"2021/1", r"1/2021", false),
            (r"6/6/2020", r"6/6/2021", false),
            (r"3/4/2020", r"3/4/2020", true),
            (r"30^\circ", r"30\text{ cm}", false),
            (r"30^\circ", r"30\%", false),
            (r"50\%", r"\frac12", true),
            (r"5\text{ m}", r"5^\circ", false),
            (r"p\land q", r"p\land q", true),
            (r"q\land p", r"p\land q", true),
            (r"p\lor q", r"p\land q", false),
            (r"\frac{\pi}{2}\text{ cm}", r"90^\circ", false),
        ],
    ),
    (
        "letters below, unknown functions",
        &[
            (r"\sqrt{2gh_k}", r"\sqrt{2gh_m}", false),
            (r"7", r"\sqrt{h_m}", false),
            (r"\sin(\omega_nt+\phi)", r"\sin(\omega_n t)", false),
            (r"e^{-t/\tau_c}", r"e^{-\frac{t}{\tau_c}}", true),
            (r"e^{t/\tau_c}", r"e^{-\frac{t}{\tau_c}}", false),
            (r"\frac12k_BT", r"\frac{k_B T}{2}", true),
            (r"\frac32k_BT", r"\frac{k_B T}{2}", false),
            (r"\sqrt{f(x)^2}", r"|f(x)|", true),
            (r"f(x)", r"|f(x)|", false),
            (r"\sin f(2x)", r"\sin f(x+x)", true),
            (r"\sin f(2x)", r"\sin f(3x)", false),
            (r"a_{n+1}=2a_n", r"a_{n+1}=3a_n", false),
            (r"a_{n+1}=2a_n", r"a_n=\frac{a_{n+1}}{2}", true),
            (r"\ln(P(A))", r"\ln(P(B))", false),
            (r"\sqrt{x_{n}^2+1}", r"\sqrt{1+x_n^2}", true),
            (r"\sum_{k=1}^n a_k", r"\sum_{k=1}^{n} a_{k}", true),
            (r"\sqrt{\sum_{k=1}^3 a_k}", r"\sqrt{a_1+a_2+a_3}", true),
            (r"\sqrt{\sum_{k=1}^3 a_k}", r"\sqrt{a_1+a_2}", false),
        ],
    ),
    (
        "answers that cannot be decided",
        &[
            (r"\det(B)", r"5", false),
            (r"g(t)", r"\pi", false),
            (r"7^{7^{7^7}}", r"12", false),
            (r"\int_0^1 h(x)dx", r"2", false),
            (r"\sum_{n=1}^\infty f(n)", r"e^2", false),
            (r"f(3)", r"\frac{1}{7}", false),
            (r"10^{10^{10^{10}}}", r"\sqrt2", false),
            (r"\prod_{k=1}^\infty f(k)", r"1", false),
            (r"\lim_{x\to0}f(x)", r"(1,2)", false),
            (r"\det(A)", r"\{1,2\}", false),
            (r"\zeta(5)", r"x+1", false),
            (r"\int_0^1 f(x)dx", r"x=\sqrt2", false),
            (r"(10^{15})!", r"1+\sqrt3", false),
            (r"\Gamma(1/3)", r"2.68", false),
        ],
    ),
    (
        "large exact numbers",
        &[
            (
                r"\frac{9^{1012}}{\binom{2024}{1012}}",
                r"\frac{4^{1012}}{\binom{2024}{1012}}",
                false,
            ),
            (
                r"\frac{4^{1012}(1012!)^2}{2024!}",
                r"\frac{4^{1012}}{\binom{2024}{1012}}",
                true,
            ),
            (r"0", r"\frac1{2004!}", false),
            (r"\frac{1}{2005!}", r"\frac1{2004!}", false),
            (r"\frac{2005}{2005!}", r"\frac1{2004!}", true),
            (r"3", r"\binom{4048}{2024}", false),
            (r"\frac{4048!}{2024!2024!}", r"\binom{4048}{2024}", true),
            (r"\ln(2024!)", r"\ln(2023!)", false),
            (r"500000500000", r"\sum_{k=1}^{1000000}k", true),
            (r"500000500001", r"\sum_{k=1}^{1000000}k", false),
            (r"\frac{n(n+1)(2n+1)}{6}", r"\sum_{k=1}^n k^2", true),
            (r"\frac{n(n+1)(2n-1)}{6}", r"\sum_{k=1}^n k^2", false),
            (r"2^{10000}+1", r"2^{10000}", false),
            (r"3^{5000}\cdot3^{5000}", r"9^{5000}", true),
            (r"(2+\sqrt3)^{1000}", r"(7+4\sqrt3)^{500}", true),
            (r"(2+\sqrt3)^{1000}", r"(7+4\sqrt3)^{501}", false),
            (r"\sqrt{2024!}", r"\sqrt{2023!}", false),
            (r"2", r"\frac{3000!}{2999!}", false),
            (r"3000", r"\frac{3000!}{2999!}", true),
            (r"10^{10000}", r"10^{10001}", false),
            (r"2^{2^{20}}", r"2^{2^{20}}+1", false),
            (
                r"\sum_{k=1}^{10^9}k^3",
                r"\left(\frac{10^9(10^9+1)}{2}\right)^2",
                true,
            ),
        ],
    ),
    (
        "series, antiderivatives, bound letters",
        &[
            (r"\ln 2", r"\sum_{n=1}^{\infty}\frac{(-1)^{n+1}}{n}", true),
            (
                r"\frac{\pi}{4}",
                r"\sum_{n=0}^{\infty}\frac{(-1)^n}{2n+1}",
                true,
            ),
            (
                r"\frac{\pi^2}{8}",
                r"\sum_{n=0}^{\infty}\frac{1}{(2n+1)^2}",
                true,
            ),
            (
                r"\frac{\pi^2}{6}",
                r"\sum_{n=0}^{\infty}\frac{1}{(2n+1)^2}",
                false,
            ),
            (r"\frac{1}{1-x}", r"\sum_{n=0}^{\infty}x^n", true),
            (r"\frac{1}{1+x}", r"\sum_{n=0}^{\infty}x^n", false),
            (
                r"\cos x",
                r"\sum_{n=0}^{\infty}\frac{(-1)^n x^{2n}}{(2n)!}",
                true,
            ),
            (
                r"\sin x",
                r"\sum_{n=0}^{\infty}\frac{(-1)^n x^{2n}}{(2n)!}",
                false,
            ),
            (r"e^x", r"\sum_{n=0}^{\infty}\frac{x^n}{n!}", true),
            (r"2", r"\sum_{n=0}^{\infty}\frac{1}{2^n}", true),
            (r"1", r"\sum_{n=1}^{\infty}\frac{1}{n(n+1)}", true),
            (
                r"\sum_{k=0}^{\infty} \frac{x^{k}}{k!}",
                r"\sum_{n=0}^{\infty}\frac{x^n}{n!}",
                true,
            ),
            (r"\frac{x^2}{2}", r"\int x\,dx", false),
            (r"\sin x+C", r"\int \cos x\,dx", true),
            (r"-\sin x+C", r"\int \cos x\,dx", false),
            (r"\gcd(\frac12,\frac13)", r"\frac16", true),
            (r"\sum_{j=1}^n a_j", r"\sum_{i=1}^n a_i", true),
            (r"\sum_{j=1}^n a_{j+1}", r"\sum_{i=1}^n a_i", false),
        ],
    ),
];
