//! The same answer in another layout.

/// Respellings of a gold, with the kind of their change.
pub fn all(gold: &str) -> Vec<(&'static str, String)> {
    let mut out = vec![
        ("blanks around", format!("  {gold} ")),
        ("full stop", format!("{gold}.")),
        ("boxed", format!(r"\boxed{{{gold}}}")),
    ];
    if !gold.contains('$') {
        out.push(("dollars", format!("${gold}$")));
        out.push(("display", format!(r"\[{gold}\]")));
        out.push(("display style", format!(r"\displaystyle {gold}")));
    }
    for (kind, from, to) in SPELLINGS {
        let changed = replaced(gold, from, to);
        if changed != gold {
            out.push((kind, changed));
        }
    }
    let sized = gold
        .replace(r"\lfloor", r"\left\lfloor")
        .replace(r"\rfloor", r"\right\rfloor")
        .replace(r"\lceil", r"\left\lceil")
        .replace(r"\rceil", r"\right\rceil");
    if sized != gold {
        out.push(("sized brackets", sized));
    }
    if let Some(braced) = braced_powers(gold) {
        out.push(("braces around powers", braced));
    }
    out
}

const SPELLINGS: &[(&str, &str, &str)] = &[
    ("dfrac", r"\frac", r"\dfrac"),
    ("tfrac", r"\frac", r"\tfrac"),
    ("leq", r"\le", r"\leq"),
    ("geqslant", r"\ge", r"\geqslant"),
    ("neq", r"\ne", r"\neq"),
    ("unicode", r"\le", "≤"),
    ("unicode", r"\infty", "∞"),
    ("unicode", r"\cup", "∪"),
    ("unicode", r"\pi", "π"),
    ("blanks", ",", ", "),
    ("blanks", "=", " = "),
    ("blanks", "+", " + "),
    ("or", r"\text{ or }", r" \text{ or } "),
    ("newline for quad", r"\quad", r"\qquad"),
];

/// Whole commands only: `\le` is not the beginning of `\left`.
fn replaced(gold: &str, from: &str, to: &str) -> String {
    let mut out = String::new();
    let mut rest = gold;
    while let Some(at) = rest.find(from) {
        let behind = &rest[at + from.len()..];
        out.push_str(&rest[..at]);
        let longer =
            from.starts_with('\\') && behind.starts_with(|c: char| c.is_ascii_alphabetic());
        out.push_str(if longer { from } else { to });
        rest = behind;
    }
    out + rest
}

/// `x^2` as `x^{2}`.
fn braced_powers(gold: &str) -> Option<String> {
    let at = gold.find('^')?;
    let power = gold[at + 1..]
        .chars()
        .next()
        .filter(char::is_ascii_alphanumeric)?;
    Some(format!("{}^{{{power}}}{}", &gold[..at], &gold[at + 2..]))
}
