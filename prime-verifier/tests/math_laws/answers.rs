//! Random answers, as the tokens they are written with.

use proptest::prelude::*;

pub type Tokens = Vec<String>;

fn tokens(pieces: &[&str]) -> Tokens {
    pieces.iter().map(|piece| (*piece).to_owned()).collect()
}

fn around(open: &str, inner: Tokens, close: &str) -> Tokens {
    [tokens(&[open]), inner, tokens(&[close])].concat()
}

fn between(left: Tokens, joint: &str, right: Tokens) -> Tokens {
    [left, tokens(&[joint]), right].concat()
}

fn leaf() -> impl Strategy<Value = Tokens> {
    prop_oneof![
        (0u32..30).prop_map(|number| tokens(&[&number.to_string()])),
        prop::sample::select(vec!["0.5", "1.25", "2.75", "100", "1{,}000"])
            .prop_map(|number| tokens(&[number])),
        prop::sample::select(vec!["x", "y", "n", r"\pi", "e", r"\alpha", "x_1", "C"])
            .prop_map(|name| tokens(&[name])),
    ]
}

/// A scalar expression.
pub fn scalar() -> impl Strategy<Value = Tokens> {
    leaf().prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            (
                inner.clone(),
                prop::sample::select(vec!["+", "-", r"\cdot"]),
                inner.clone()
            )
                .prop_map(|(a, joint, b)| between(a, joint, around("(", b, ")"))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| [
                around(r"\frac{", a, "}"),
                around("{", b, "}")
            ]
            .concat()),
            inner.clone().prop_map(|a| around(r"\sqrt{", a, "}")),
            (inner.clone(), 2u32..5).prop_map(|(a, n)| {
                [around("(", a, ")"), tokens(&["^{", &n.to_string(), "}"])].concat()
            }),
            (
                prop::sample::select(vec![r"\sin", r"\cos", r"\ln", r"\arctan"]),
                inner.clone()
            )
                .prop_map(|(f, a)| [tokens(&[f]), around("(", a, ")")].concat()),
            inner.clone().prop_map(|a| around("(-(", a, "))")),
            inner.prop_map(|a| around("|", around("(", a, ")"), "|")),
        ]
    })
}

fn joined(items: Vec<Tokens>, joint: &str) -> Tokens {
    let mut all = vec![];
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            all.push(joint.to_owned());
        }
        all.extend(item);
    }
    all
}

/// Any kind of answer.
pub fn answer() -> impl Strategy<Value = Tokens> {
    let items = || prop::collection::vec(scalar(), 2..4);
    prop_oneof![
        4 => scalar(),
        1 => items().prop_map(|items| around("(", joined(items, ","), ")")),
        1 => items().prop_map(|items| around(r"\{", joined(items, ","), r"\}")),
        1 => items().prop_map(|items| joined(items, ",")),
        1 => items().prop_map(|items| joined(items, r"\text{ or }")),
        1 => (scalar(), scalar()).prop_map(|(a, b)| around("[", between(a, ",", b), ")")),
        1 => scalar().prop_map(|a| [tokens(&["x", "="]), a].concat()),
        1 => (scalar(), prop::sample::select(vec!["<", r"\le", ">", r"\ge", r"\ne"]))
            .prop_map(|(a, op)| [tokens(&["x", op]), a].concat()),
        1 => scalar().prop_map(|a| [tokens(&["1", r"\pm"]), around("(", a, ")")].concat()),
        1 => (0u32..20, prop::sample::select(vec![r"\text{ cm}", r"\%", r"^\circ", r"\text{ hours}"]))
            .prop_map(|(number, unit)| tokens(&[&number.to_string(), unit])),
        1 => items().prop_map(|items| {
            around(r"\begin{pmatrix}", joined(items, r"\\"), r"\end{pmatrix}")
        }),
        1 => prop::sample::select(vec![
            r"\text{yes}", r"\text{(B)}", "B", r"\emptyset", r"\mathbb{R}", r"\infty", "1011_2", "5:7",
            r"x \equiv 3 \pmod{7}", r"\text{no solution}", "12:30", r"\text{(B) }12", "3,14", "1,234",
            r"\{ x : x > 2 \}", r"(-\infty, 2] \cup (3, \infty)", r"\frac{1", r"\foo 5", "5 6", "x y z ?",
        ])
        .prop_map(|text| tokens(&[text])),
    ]
}

/// As written without needless blanks: one stands behind a command only.
pub fn plain(tokens: &[String]) -> String {
    let mut out = String::new();
    for token in tokens {
        out += token;
        if token.starts_with('\\') && token.ends_with(|c: char| c.is_ascii_alphabetic()) {
            out.push(' ');
        }
    }
    out
}

/// Two answers that often have to do with each other: one is the other with a token exchanged, or their places swapped.
pub fn pair() -> impl Strategy<Value = (Tokens, Tokens)> {
    let exchanged = (answer(), any::<prop::sample::Index>(), leaf()).prop_map(|(a, at, other)| {
        let mut b = a.clone();
        let at = at.index(b.len());
        let number = |token: &str| token.bytes().all(|byte| byte.is_ascii_digit());
        if number(&b[at]) {
            b.splice(at..=at, other);
        }
        (a, b)
    });
    prop_oneof![
        (answer(), answer()),
        exchanged,
        (scalar(), scalar())
            .prop_map(|(a, b)| (between(a.clone(), "+", b.clone()), between(b, "+", a))),
        answer().prop_map(|a| {
            let bare = a
                .iter()
                .filter(|token| !r"(){}[]\{\}".contains(token.as_str()));
            (a.clone(), bare.cloned().collect())
        }),
    ]
}
