//! Equations, inequalities, congruences, bases, ratios, cases.

use super::{always, different, equal};

#[test]
fn equations() {
    always(&[
        ("y=2x+1", "2x-y+1=0"),
        ("2y=4x+2", "y=2x+1"),
        ("x^2+y^2=4", r"\frac{x^2}{4}+\frac{y^2}{4}=1"),
        ("(x-1)^2+y^2=1", "x^2-2x+y^2=0"),
        ("xy=1", r"y=\frac1x"),
        (r"\frac{x}{2}=3", "x=6"),
        ("x=5", "5=x"),
        ("x=1, x=2", r"x=2 \text{ or } x=1"),
        ("x=1,2", "x=1, x=2"),
        (r"x=\pm 2", r"x=2 \text{ or } x=-2"),
        ("x=1,y=2", "(x,y)=(1,2)"),
    ]);
    different(&[
        ("y=2x+1", "y=2x-1"),
        ("x^2+y^2=4", "x^2+y^2=2"),
        ("3x+4y+14=0", "3x-y+13=0"),
        ("x=5", "y=5"),
        ("x=5", "x=6"),
        ("x^2=4", "x=2"),
        ("x=1,y=2", "x=2,y=1"),
        ("x=1, y=2", "x=1"),
        ("f(x)=x^2", "g(x)=x^2"),
        ("2=3", "4=5"),
    ]);
}

#[test]
fn a_left_side_may_be_missing() {
    equal(&[
        ("x=5", "5"),
        ("f(x)=x^2", "x^2"),
        ("x_1=1,x_2=2", "1,2"),
        ("|AB|=5", "5"),
        (r"P(A)=\frac13", "1/3"),
        (r"x \approx 3.14", "3.14"),
        ("x=2+3=5", "5"),
        (r"\angle ABC = 30^\circ", r"30^\circ"),
    ]);
    different(&[
        ("x=5", "6"),
        (r"x=1 \text{ or } x=2", "1"),
        (r"x \ne 5", "5"),
        ("x > 5", "5"),
        (r"x \ge 5", "5"),
        (r"x \not\in \{5\}", "5"),
        ("2x+z=1", "1"),
    ]);
}

#[test]
fn inequalities_and_chains() {
    always(&[
        (r"2x\le38", r"x\le19"),
        ("-x<-3", "x>3"),
        (r"3<x\le10", r"10\ge x>3"),
        ("0<x<1", "x>0, x<1"),
        ("a<b", "b>a"),
        (r"x \leqslant 3", "x≤3"),
        ("x>=3", r"x\geq 3"),
        ("x!=3", r"x \not= 3"),
    ]);
    different(&[
        ("x<3", r"x\le3"),
        ("x<3", "x>3"),
        (r"x\ne3", "x=3"),
        ("2x<6", "x<4"),
        (r"x>1 \text{ and } x<2", "x>1"),
    ]);
}

#[test]
fn congruences() {
    always(&[
        (r"x\equiv3\pmod7", r"x\equiv10\pmod7"),
        (r"x\equiv3\pmod{7}", r"x \equiv 3 \bmod 7"),
        (r"x \equiv 3 (mod 7)", r"x\equiv3\pmod7"),
    ]);
    equal(&[(r"3\pmod7", r"x\equiv 3\pmod7")]);
    different(&[
        (r"x\equiv3\pmod7", r"x\equiv3\pmod5"),
        (r"x\equiv3\pmod7", r"x\equiv4\pmod7"),
    ]);
}

#[test]
fn bases() {
    always(&[("1011_2", "(1011)_{2}")]);
    equal(&[
        ("1011_2", "11"),
        ("2A_{16}", "42"),
        ("263_8", "179"),
        ("263_8", "263"),
        (r"1011_{\text{two}}", "11"),
    ]);
    different(&[
        ("1126_7", "1126_8"),
        ("110121_3", "110121_4"),
        ("1011_2", "12"),
        ("263_8", "178"),
    ]);
}

#[test]
fn ratios() {
    always(&[("3 : 4", "3:4"), ("12:30", "12:30")]);
    equal(&[("5:7", "10:14"), ("5:7", "5/7"), ("1:2:3", "2:4:6")]);
    different(&[("5:7", "7:5"), ("1:2:3", "1:3:2"), ("12:00", "6:00")]);
}

#[test]
fn cases() {
    always(&[
        (
            r"\begin{cases}1&x>0\\0&x\le0\end{cases}",
            r"\begin{cases}0&x\le0\\1&x>0\end{cases}",
        ),
        (r"\begin{cases}x=1\\y=2\end{cases}", "x=1,y=2"),
        (
            r"\begin{cases} x^2 & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}",
            r"\begin{cases} x\cdot x & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}",
        ),
    ]);
    different(&[(
        r"\begin{cases}1&x>0\\0&x\le0\end{cases}",
        r"\begin{cases}0&x>0\\1&x\le0\end{cases}",
    )]);
}
