//! Nesting from 25 to 20 000 levels: read where the bounds allow it, refused soon where they do not.

use super::Want::{Any, Equal, Unequal};
use super::{case, check};

/// What opens, what stands inside, what closes, and whether all levels together are the inside again.
const NESTS: &[(&str, &str, &str, bool)] = &[
    ("(", "5", ")", true),
    ("{", "5", "}", true),
    (r"\left(", "5", r"\right)", true),
    ("[", "5", "]", false),
    (r"\{", "5", r"\}", false),
    (r"\langle ", "5", r"\rangle ", false),
    ("|", "5", "|", false),
    (r"\sqrt{", "5", "}", false),
    (r"\sqrt[", "5", "]{2}", false),
    (r"\frac{1}{", "5", "}", false),
    (r"\frac{", "5", "}{2}", false),
    (r"\frac{1}{1+", "5", "}", false),
    ("2^{", "5", "}", false),
    ("x_{", "5", "}", false),
    ("-(", "5", ")", false),
    (r"\sin(", "5", ")", false),
    (r"\lfloor ", "5", r"\rfloor ", false),
    ("f(", "5", ")", false),
    (r"\text{", "5", "}", false),
    (r"\boxed{", "5", "}", true),
    (r"\binom{", "5", "}{2}", false),
    (r"\sum_{k=1}^{", "5", "} k", false),
    (r"\int_0^{", "5", "} x\\,dx", false),
    (r"\begin{pmatrix}", "5", r"\end{pmatrix}", false),
    (r"\begin{cases}", "5", r"\end{cases}", false),
    (r"\{x : ", "x>5", r"\}", false),
    ("(1,", "5", ")", false),
    ("1+(", "5", ")", false),
    ("5!+(", "5", ")", false),
];

#[test]
fn balanced() {
    let mut cases = vec![];
    for &(open, inside, close, same) in NESTS {
        for depth in [25, 100, 1000, 20_000] {
            let text = format!("{}{inside}{}", open.repeat(depth), close.repeat(depth));
            let name = format!("{depth} × {open}{close}");
            if same {
                // Deeper than any answer is, and within the bound on depth.
                let want = if depth == 25 { Equal } else { Any };
                cases.push(case(name, "5", text, want));
            } else {
                cases.push(case(name, "7", text, Unequal));
            }
        }
    }
    check(&cases);
}

#[test]
fn unbalanced() {
    let mut cases = vec![];
    for &(open, inside, close, _) in NESTS {
        for depth in [1, 100, 5000] {
            let name = |what: &str| format!("{depth} × {open}{close}, {what}");
            cases.extend([
                case(name("never closed"), "7", open.repeat(depth), Unequal),
                case(name("never opened"), "7", close.repeat(depth), Unequal),
                case(
                    name("one not closed"),
                    "7",
                    format!("{}{inside}{}", open.repeat(depth), close.repeat(depth - 1)),
                    Unequal,
                ),
                case(
                    name("inside out"),
                    "7",
                    format!("{}{inside}{}", close.repeat(depth), open.repeat(depth)),
                    Unequal,
                ),
            ]);
        }
    }
    check(&cases);
}

/// Deep trees on both sides, different at the bottom only: comparing them must not take more than reading them.
#[test]
fn deep_on_both_sides() {
    let mut cases = vec![];
    for &(open, inside, close, _) in NESTS {
        for depth in [20, 50, 120] {
            let nest =
                |inside: &str| format!("{}{inside}{}", open.repeat(depth), close.repeat(depth));
            let (gold, same, other) = (nest(inside), nest(&format!(" {inside} ")), nest("x>6y"));
            cases.extend([
                case(format!("{depth} × {open}{close} twice"), &gold, same, Any),
                case(
                    format!("{depth} × {open}{close}, another inside"),
                    &gold,
                    other,
                    Unequal,
                ),
            ]);
        }
    }
    check(&cases);
}

#[test]
fn brackets_of_all_kinds_in_turn() {
    let opens = [
        "(",
        "[",
        r"\{",
        "|",
        r"\frac{",
        r"\sqrt{",
        "2^{",
        r"\begin{pmatrix}",
    ];
    let cases: Vec<_> = [50, 1000]
        .into_iter()
        .map(|depth| {
            let text: String = opens.iter().copied().cycle().take(depth).collect();
            case(format!("{depth} openings"), "7", text, Unequal)
        })
        .collect();
    check(&cases);
}
