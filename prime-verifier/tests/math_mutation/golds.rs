//! Golds in the styles of competition, textbook and physics sets, written for this test.

/// All golds with their styles.
pub fn all() -> Vec<(&'static str, String)> {
    let mut golds: Vec<(&'static str, String)> = GOLDS
        .iter()
        .flat_map(|(style, golds)| golds.iter().map(|gold| (*style, (*gold).to_owned())))
        .collect();
    for k in [2, 3, 4, 5, 7] {
        for c in 1..k {
            golds.push(("floors", format!(r"\lfloor\frac{{n+{c}}}{{{k}}}\rfloor")));
            golds.push((
                "floors",
                format!(r"\lceil\frac{{2n-{c}}}{{{}}}\rceil+{c}", 2 * k + 1),
            ));
        }
        golds.push(("floors", format!(r"\lfloor\log_{k} n\rfloor+1")));
        golds.push(("recurrences", format!("a_{{n+1}}={k}a_n+{}", k + 1)));
        golds.push(("derivatives", format!(r"\frac{{dy}}{{dx}}={k}x^{}", k + 1)));
        golds.push(("intervals", format!(r"({k}-a,{k}+a]")));
        golds.push(("conditions", format!(r"x<-{k} \text{{ or }} x>{k}")));
        golds.push(("conditions", format!(r"n={k},n\ge {}", k + 4)));
        golds.push(("systems", format!(r"x={k}\quad y=-{}", k + 2)));
        golds.push(("numbers", format!(r"{k}^{{{}}}-{k}", 20 + k)));
        golds.push(("prose", format!(r"$f(x)=x^{k}+cx$ for some real $c$")));
        golds.push(("expressions", format!(r"\frac{{x+{k}}}{{x-{k}}}")));
        golds.push(("radicals", format!(r"{k}\sqrt{{{}}}+\sqrt{{2}}", k * k + 2)));
    }
    golds
}

/// Whether the first passage of a gold in words is the answer, and what follows is a condition.
pub fn says_it_first(gold: &str) -> bool {
    gold.starts_with("$f(") || gold.starts_with("$P(") || gold.starts_with("$y")
}

/// Near-misses that say the same all the same: a gold, its change.
pub const SAME: &[(&str, &str)] = &[
    (r"(-1)^{n}+3", r"(-1)^{n^3}+3"),
    // Two answers of one equation, whichever word joins them.
    (r"x=2 \text{ or } x=-7", r"x=2 \text{ and } x=-7"),
];

const GOLDS: &[(&str, &[&str])] = &[
    (
        "numbers",
        &[
            "42",
            "-17",
            "2024",
            "0",
            "1",
            "1048576",
            "12.5",
            "-0.375",
            r"\frac{3}{7}",
            r"-\frac{11}{13}",
            r"2\frac{1}{3}",
            r"10^{12}+1",
            r"\binom{12}{5}",
            "7!",
            r"\frac{4^{50}}{\binom{100}{50}}",
            r"\frac{1}{99!}",
            "3,4",
            "-3,0",
            r"\frac{2024!}{2023!}",
        ],
    ),
    (
        "radicals",
        &[
            r"\sqrt{3}",
            r"2\sqrt{7}-1",
            r"\frac{\sqrt{5}+1}{2}",
            r"\sqrt[3]{2}+\sqrt[3]{4}",
            r"\sqrt{2+\sqrt{3}}",
            r"\frac{\pi}{6}+\sqrt{3}",
            r"\frac{\pi^2}{12}",
            r"e^{2}-e",
            r"\ln 2+\frac{1}{3}",
            r"\sin 1+\cos 2",
            r"\log_2 7",
            r"4\pi-3",
            r"(7+4\sqrt{3})^{100}",
        ],
    ),
    (
        "expressions",
        &[
            "x^2+3x-5",
            "2a^3b-7ab^2",
            r"\frac{2x+1}{x^2-4}",
            r"(x-2)(x+5)",
            r"\sqrt{x^2+y^2}",
            r"x^{n+1}-x^n",
            r"\frac{n(n+1)}{2}",
            r"2^{n}-1",
            r"\frac{3^{n}+1}{2}",
            r"(n+1)!-n!",
            r"\binom{n}{3}+n",
            r"e^{2x}\sin x",
            r"\ln(x+1)-x",
            r"\frac{a+b}{a-b}",
            r"4x-3y+2",
            r"p^2q+5",
            r"\sum_{k=1}^{n}k^2",
            r"(-1)^{n}+3",
            r"a\cdot n+2",
        ],
    ),
    (
        "floors",
        &[
            r"\lfloor\frac{n}{2}\rfloor",
            r"\lceil\frac{n}{2}\rceil",
            r"\lfloor\sqrt{n}\rfloor",
            r"\lceil\sqrt{n+2}\rceil",
            r"\lfloor\log_2 n\rfloor",
            r"mn-\lfloor\frac{m}{2}\rfloor",
            r"\lfloor\frac{n^2}{4}\rfloor",
            r"\lceil\frac{3n}{4}\rceil-2",
            r"2^{\lfloor n/2\rfloor}",
            r"n-\lceil\frac{n}{3}\rceil",
            r"\lfloor\frac{m+n}{2}\rfloor+1",
        ],
    ),
    (
        "intervals",
        &[
            "[a,b)",
            "(a,b]",
            r"[a,\infty)",
            r"(-\infty,a]",
            r"(-\infty,-3)\cup[2,\infty)",
            r"[-1,5)",
            r"[0,1]\cup[2,a)",
            r"x\in[a,b)",
            r"x\in(-2,7]",
            r"[\frac{1}{2},3)",
            r"(0,n]",
            r"[-m,m)",
            r"[2,\sqrt{7})",
        ],
    ),
    (
        "conditions",
        &[
            "x<1,x>3",
            r"1<x\le 4",
            r"x\ge 2",
            r"x<-5",
            r"n=1,n\ge 3",
            r"x<0 \text{ or } x>6",
            r"x>2 \text{ and } x<9",
            r"a<x<b",
            r"x\ne 4",
            r"x\ne\pm 5",
            r"x\ne 2,3",
            r"a\le -1,a=0,a\ge 4",
            r"p\land q",
            r"p\lor r",
            r"|x-3|<2",
            r"k\le 0,k=8",
            r"\{x\mid x>3\}",
            r"x\ge a",
            r"2x+3y<7",
        ],
    ),
    (
        "derivatives",
        &[
            r"\frac{dy}{dx}=2x",
            r"\frac{dN}{dt}=-rN",
            r"\frac{d^2y}{dx^2}+4y=0",
            r"y'=3y+x",
            r"y''-5y'+6y=0",
            r"\frac{\partial u}{\partial t}=k\frac{\partial^2 u}{\partial x^2}",
            r"\frac{dx}{dt}=kx-a",
            r"\frac{dP}{dt}=P(3-P)",
            r"\frac{dy}{dx}=\frac{x}{y}",
        ],
    ),
    (
        "physics",
        &[
            r"\sqrt{2gh_m}",
            r"\frac{3}{2}k_BT",
            r"m_pc^2",
            r"I(0)e^{-\frac{t}{RC}}",
            r"N(0)e^{-kt}",
            r"A\cos(\omega_nt+\phi)",
            r"\frac{1}{2}mv_0^2",
            r"E(0)",
            r"v(0)+at",
            r"e^{-t/\tau_c}",
            r"\frac{GMm}{r^2}",
            r"\sqrt{\frac{k}{m}}",
            r"\vec{AB}+2\vec{CD}",
            r"\vec a\cdot\vec b",
            r"\vec u\times\vec v",
            r"V_0\sin(\omega t)",
        ],
    ),
    (
        "recurrences",
        &[
            r"a_n=2^{n}+3",
            r"a_{n+2}=a_{n+1}+a_n",
            r"f(n)=n^2+1",
            r"f(x+1)=f(x)+2",
            r"T(n)=2T(n-1)+1",
            r"a_1=3,a_2=7",
            r"f(x)=3x-2",
            r"g(x)=\frac{1}{x+1}",
            r"x_n^2+1",
        ],
    ),
    (
        "systems",
        &[
            r"x=1\quad y=2",
            "x=3,y=-4",
            "a=2,b=5,c=-1",
            r"y=x+1\quad z=3x",
            r"x=1\;y=8",
            r"m=4,n=9",
            r"x=2y+1",
            "xy=12",
            "(x,y)=(2,7)",
            "x^2+y^2=25",
            "3x-4y=10",
        ],
    ),
    (
        "collections",
        &[
            "16,3,1,1",
            "1,2,5",
            "-1,3,3",
            r"\{1,4,9\}",
            "(2,-3)",
            "(1,0,4)",
            r"\{(1,2),(3,5)\}",
            "2,2,7",
            "(a,b,c)",
            r"x=2 \text{ or } x=-7",
            r"\frac{1}{2},\frac{3}{4}",
            r"\begin{pmatrix}1&2\\3&5\end{pmatrix}",
        ],
    ),
    (
        "measures",
        &[
            "12:30",
            "7:45",
            "3:8",
            r"5\%",
            r"30^\circ",
            "5/7/2021",
            "17/3/1999",
            r"\angle ABC",
            r"\overline{ab}",
        ],
    ),
    (
        "prose",
        &[
            "odd $n$",
            "even $n$",
            "all primes $p$",
            "radius: 5, center: $(-1,2)$",
            "local min. $(1,0)$; saddle pt. $(-1,0)$",
            "$P(n)=(n+2a)^{2}-2a^{2}$ for some nonnegative integer $a$",
            "$f(x)=ax+b$, where $a>0$",
            "$y=Ce^{x}$ for any constant $C$",
            "every $n$ except $n=7$",
            "max at $x=2$; min at $x=5$",
            "multiples of $6$ below $100$",
            "$n=4$ or $n$ divisible by $6$",
        ],
    ),
];
