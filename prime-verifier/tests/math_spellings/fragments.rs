//! What does not parse equals the same text only: nothing is read out of a part of it.

use super::never;

#[test]
fn broken_latex() {
    never(&[
        (r"\frac{x=1", r"\frac{x=3"),
        (r"\frac{x=1", "x=1"),
        (r"\begin{cases} x=1", "x=1"),
        (r"\begin{cases} x=1", "1"),
        (r"\begin{pmatrix} 1 & 2", "1,2"),
        (r"x=1 \brokenlatex", "1"),
        (r"x=1 \brokenlatex", r"x=3 \brokenlatex"),
        (r"\foo{5}", "5"),
        (r"5 \bar", "5"),
        (r"\frac{5}", "5"),
        (r"\frac{5}{1}{2}", "5"),
        (r"\sqrt{", "0"),
        ("{5", "5"),
        ("5}", "5"),
        ("(5", "5"),
        ("[5", "5"),
        (r"\left(5", "5"),
        ("5+", "5"),
        ("5/", "5"),
        ("5=", "5"),
        ("5 = 6", "5"),
        ("5 @", "5"),
        ("5 # 6", "5"),
        ("5 R 2", "5"),
        ("!5", "5"),
    ]);
}

#[test]
fn code() {
    never(&[
        ("exec('x=5')", "5"),
        ("print(5)", "5"),
        (r#"eval("5")"#, "5"),
        ("lambda: 5", "5"),
        ("__import__('os').system('echo 5')", "5"),
        ("sympy.Integer(5)", "5"),
        ("Integer(5)", "5"),
        ("{{5}} if True else 6", "5"),
        (r"\input{5}", "5"),
        (r"\write18{echo 5}", "5"),
        (r"\def\x{5}\x", "5"),
        ("<script>5</script>", "5"),
        ("0x5", "5"),
        ("5j", "5"),
    ]);
}

#[test]
fn prose() {
    never(&[
        ("the answer is 5", "5"),
        ("not 5", "5"),
        ("5 or so", "5"),
        ("about 5", "5"),
        ("between 5 and 6", "5,6"),
        ("5 (approx)", "5"),
        (r"5 \text{ or } 6", "5"),
        (r"x=5 \Rightarrow x=6", "x=6"),
        (r"x \to 5", "5"),
        (r"x \text{ is not } 5", "x=5"),
        (r"\text{Yes, because 5}", "5"),
        (r"\text{Yes}, 5", r"\text{Yes}"),
        (r"\text{not } A", "A"),
        ("5, ...", "5"),
        (r"1, 2, 3, \ldots", "1,2,3"),
    ]);
}

#[test]
fn values_of_programs() {
    never(&[
        ("NaN", "6"),
        ("inf", "6"),
        ("null", "6"),
        ("None", "6"),
        ("True", "6"),
        ("undefined", "6"),
    ]);
}

#[test]
fn remainders_and_bases_stay() {
    never(&[
        (r"x=3 \pmod 7", r"x=3 \pmod 5"),
        ("1126_7", "1126_9 + 1"),
        ("5_x", "5"),
    ]);
}

#[test]
fn a_residue_may_go_without_its_modulus() {
    super::equal(&[
        (r"x\equiv 5 \pmod 7", "5"),
        (r"5 \pmod 7", "5"),
        (r"x\equiv -2 \pmod 7", "5"),
    ]);
    super::different(&[
        (r"x\equiv 5 \pmod 7", "12"),
        (r"x\equiv 5 \pmod 7", "7"),
        (r"x\equiv 5 \pmod 7", r"5 \pmod 8"),
    ]);
}

#[test]
fn intervals_are_joined_in_words_too() {
    super::equal(&[
        (
            r"(-\infty,1)\text{ or }(2,\infty)",
            r"(-\infty,1)\cup(2,\infty)",
        ),
        ("(-∞,1) U (2,∞)", r"(-\infty,1)\cup(2,\infty)"),
        ("[0,1) U [2,3)", r"[0,1)\cup[2,3)"),
    ]);
    super::never(&[("(-∞,1) U [2,∞)", r"(-\infty,1)\cup(2,\infty)")]);
}

#[test]
fn characters_that_stand_for_plain_ones() {
    super::always(&[
        ("x⁵⁶", "x^{56}"),
        ("10⁻¹²", "10^{-12}"),
        ("１２", "12"),
        ("𝑥+1", "x+1"),
        ("∛2", r"\sqrt[3]{2}"),
        ("x₁₂", "x_{12}"),
    ]);
    super::equal(&[("-5", r"-5^\circ"), (r"-20\%", "-20")]);
}

#[test]
fn rows_behind_a_brace_binomials_units_and_choices() {
    super::equal(&[
        (
            r"\left\{\begin{array}{l}x=1\\y=2\end{array}\right.",
            "x=1,y=2",
        ),
        (
            r"\left\{\begin{array}{ll}x & x>0 \\ -x & x\leq 0\end{array}\right.",
            r"\begin{cases}x&x>0\\-x&x\le0\end{cases}",
        ),
        (r"{10 \choose 3}", "120"),
        ("binomial(5,2)", "10"),
        ("factorial(5)", "120"),
        (r"9\pi\text{ m}^2", r"9\pi"),
        (r"5!\text{ m}", "120"),
        (r"5\text{ V}", "5"),
        ("Option (B)", "B"),
        (r"\text{Option B}", "B"),
    ]);
    super::never(&[
        (r"{10 \choose 3}", r"{10 \choose 4}"),
        (r"5\text{ V}", r"5\text{ A}"),
        ("Option (C)", "B"),
        (
            r"\left\{\begin{array}{l}x=1\\y=3\end{array}\right.",
            "x=1,y=2",
        ),
    ]);
}

#[test]
fn a_letter_that_runs_through_the_whole_numbers_has_no_name() {
    super::always(&[
        (r"n\pi, n\in\mathbb{Z}", r"k\pi, k\in\mathbb{Z}"),
        (r"\{2n\mid n\in\mathbb{Z}\}", r"\{2k\mid k\in\mathbb{Z}\}"),
        (r"x=2n, n\in\mathbb{Z}", r"x=2k, k\in\mathbb{Z}"),
    ]);
    super::never(&[
        (r"n\pi, n\in\mathbb{Z}", r"2k\pi, k\in\mathbb{Z}"),
        (r"n\pi, n\in\mathbb{Z}", r"k\pi, k\in\mathbb{N}"),
        (r"\{2n\mid n\in\mathbb{Z}\}", r"\{3k\mid k\in\mathbb{Z}\}"),
        (r"x=2n, n\in\mathbb{Z}", r"y=3k, k\in\mathbb{Z}"),
    ]);
}
