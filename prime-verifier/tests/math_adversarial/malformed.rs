//! Code, control characters, invisible characters, broken LaTeX.

use super::Want::{Any, Equal, Unequal};
use super::{case, check};

/// Code that would say 5, delete a file or start a process if anything ran it.
#[test]
fn injections() {
    let answers = [
        "__import__('os').system('touch /tmp/pwned')",
        "exec('x=5')",
        "eval('5')",
        "print(5)",
        "os.system('echo 5')",
        "subprocess.run(['echo','5'])",
        "(lambda: 5)()",
        "[x for x in (5,)][0]",
        "().__class__.__bases__[0].__subclasses__()",
        "sympy.sympify('5')",
        "Integer(5)",
        "S(5)",
        "simplify(5)",
        "open('/etc/passwd').read()",
        "5 if True else 6",
        "5; import os",
        "5 # 6",
        "5 // 1",
        "10 >> 1",
        r"\input{/etc/passwd}",
        r"\include{5}",
        r"\write18{echo 5}",
        r"\immediate\write18{rm -rf /}",
        r"\def\a{5}\a",
        r"\newcommand{\a}{5}\a",
        r"\csname 5\endcsname",
        r"\loop 5 \repeat",
        r"\catcode`\5=5",
        r"\begin{verbatim}5\end{verbatim}",
        r"\href{javascript:5}{5}",
        "<script>5</script>",
        "<b>5</b>",
        "{{5}}; DROP TABLE answers",
        "' OR '1'='1",
        "$(echo 5)",
        "`echo 5`; ls",
        "%s%s%n",
        "../../5",
        "http://5",
        "[[5]]; [[6]]",
    ];
    let cases: Vec<_> = answers
        .into_iter()
        .map(|answer| case(answer, "5", answer, Unequal))
        .collect();
    check(&cases);
    assert!(!std::path::Path::new("/tmp/pwned").exists());
}

#[test]
fn characters_that_cannot_be_seen() {
    let nulls = "\u{0}".repeat(5000);
    let accents = format!("5{}", "\u{301}".repeat(5000));
    let replaced = "\u{fffd}".repeat(3000);
    let table = [
        ("a null byte", "\u{0}", Unequal),
        ("a number behind a null byte", "\u{0}6", Unequal),
        ("a null byte inside", "5\u{0}6", Unequal),
        ("5000 null bytes", nulls.as_str(), Unequal),
        (
            "another number behind a right-to-left mark",
            "\u{202e}6",
            Unequal,
        ),
        ("digits turned around", "\u{202e}65\u{202c}", Unequal),
        ("zero-width space inside", "5\u{200b}6", Unequal),
        ("zero-width joiner inside", "5\u{200d}6", Unequal),
        ("word joiner inside", "5\u{2060}6", Unequal),
        ("soft hyphen inside", "5\u{ad}6", Unequal),
        ("byte order mark in front", "\u{feff}5", Any),
        ("zero-width space behind", "5\u{200b}", Any),
        ("full-width six", "６", Unequal),
        ("full-width five", "５", Any),
        ("Arabic six", "٦", Unequal),
        ("Roman five", "Ⅴ", Any),
        ("bold six", "𝟔", Unequal),
        ("circled six", "⑥", Unequal),
        ("superscript", "⁵", Unequal),
        ("subscript", "₅", Unequal),
        ("combining marks", &accents, Unequal),
        ("private use", "\u{e000}5", Unequal),
        ("the last character", "\u{10ffff}", Unequal),
        ("replacement characters", &replaced, Unequal),
        ("emoji", "5️⃣6", Unequal),
        ("no-break spaces", "\u{a0}5\u{a0}", Equal),
        ("thin spaces around", "\u{2009}5\u{2009}", Equal),
        ("line separators", "6\u{2028}5", Unequal),
        ("a vertical tab", "6\u{b}5", Unequal),
        ("a bell", "\u{7}6", Unequal),
        ("an escape sequence", "\u{1b}[31m6\u{1b}[0m", Unequal),
        ("long dashes", "——5", Any),
    ];
    let cases: Vec<_> = table
        .into_iter()
        .map(|(name, answer, want)| case(name, "5", answer, want))
        .collect();
    check(&cases);
}

#[test]
fn broken_latex() {
    let answers = [
        r"\frac{5}",
        r"\frac",
        r"\frac{5}{",
        r"\sqrt",
        r"\sqrt[3",
        r"\sqrt[]{}",
        r"\left(5",
        r"5\right)",
        r"\left5\right5",
        r"\left",
        r"\right",
        r"\begin",
        r"\begin{",
        r"\begin{pmatrix",
        r"\begin{pmatrix} 1 & 2",
        r"\begin{pmatrix}5\end{bmatrix}",
        r"\end{pmatrix}5",
        r"\begin{nothing}5\end{nothing}",
        r"\text",
        r"\text{5",
        r"\mathbb",
        r"\overline",
        r"5_",
        r"5^",
        r"^5",
        r"_5",
        r"5^^5",
        r"5^{}",
        r"5_{}",
        r"{}",
        r"{5",
        r"5}",
        r"\\",
        r"\",
        r"5\",
        r"\5",
        r"&5",
        r"5&",
        r"#5",
        r"5~6",
        r"\sum",
        r"\sum_{k=1}",
        r"\sum_{}^{} 5",
        r"\int 5",
        r"\int_0^ 5\,dx",
        r"\lim 5",
        r"\lim_{x} 5",
        r"\log_ 5",
        r"\binom{5}",
        r"\pmod{5}",
        r"\pmod",
        r"\boxed{",
        r"\boxed",
        r"$5",
        r"\(5",
        r"5\]",
    ];
    let mut cases: Vec<_> = answers
        .into_iter()
        .map(|answer| case(answer, "7", answer, Unequal))
        .collect();
    // And in front of a whole answer, which must not be picked out. Some of the pieces are layout, which may stand there.
    const LAYOUT: &[&str] = &[
        r"\left", r"\right", r"\text", r"\mathbb", r"\boxed", r"\\", r"\", "{}",
    ];
    cases.extend(
        answers
            .into_iter()
            .filter(|junk| !LAYOUT.contains(junk))
            .map(|junk| case(format!("{junk} then 7"), "7", format!("{junk} 7"), Unequal)),
    );
    check(&cases);
}
