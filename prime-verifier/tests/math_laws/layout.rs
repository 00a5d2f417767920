//! Layout changes no verdict.

use prime_verifier::math::{Answer, MathPolicy, MathVerdict, compare};
use proptest::prelude::*;

use super::answers::{answer, plain};

/// One token in another layout.
fn respelled(token: &str, choice: usize) -> String {
    let spellings: &[&str] = match token {
        r"\frac{" => &[r"\dfrac{", r"\tfrac{", r"\frac {", r"\cfrac{"],
        "(" => &["( ", r"\bigl(", r"\big(", r"\Big("],
        ")" => &[" )", r"\bigr)", r"\big)", r"\Big)"],
        "+" => &[" + ", r"\,+\,", "+ ", r"~+\!"],
        "-" => &[" - ", r"\,-\,", "- ", "−"],
        "," => &[", ", r",\,", r",\quad ", r",\;"],
        r"\cdot" => &[r"\times", r"\cdot\,", r"\;\cdot\;", "·"],
        r"\le" => &[r"\leq", "≤", r"\leqslant", r"\;\le\;"],
        r"\ge" => &[r"\geq", "≥", r"\geqslant", r"\;\ge\;"],
        r"\pi" => &["π", r"{\pi}", r"\pi~", r"\pi\,"],
        "=" => &[" = ", r"\;=\;", "= ", r"\,=~"],
        r"\text{ or }" => &[
            r"\textrm{ or }",
            r"\quad\text{or}\quad ",
            r"\mbox{ or }",
            r"\ \text{or}\ ",
        ],
        _ => return token.to_owned(),
    };
    spellings[choice % spellings.len()].to_owned()
}

/// A comma between numbers of which the second has three digits: one number without blanks, and two with them.
fn has_thousands(tokens: &[String]) -> bool {
    let digits = |token: &str| token.bytes().all(|byte| byte.is_ascii_digit());
    let places = tokens.windows(3);
    places.into_iter().any(|place| match place {
        [before, comma, after] => {
            comma == "," && digits(before) && digits(after) && after.len() == 3
        }
        _ => false,
    })
}

/// Answers that can be read: half a fraction in a box is no longer half a fraction.
fn readable() -> impl Strategy<Value = Vec<String>> {
    answer().prop_filter("an answer", |tokens| {
        !has_thousands(tokens) && Answer::read(&plain(tokens)).syntax_error().is_none()
    })
}

fn same(a: &str, b: &str) -> Result<(), TestCaseError> {
    for name in MathPolicy::NAMES {
        let policy = MathPolicy::by_name(name).unwrap();
        let verdict = compare(a, b, &policy).verdict;
        prop_assert_eq!(verdict, MathVerdict::Equal, "{} ~ {} under {}", a, b, name);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn other_spellings_of_tokens(tokens in readable(), choices in prop::collection::vec(0usize..4, 64)) {
        let other: Vec<String> = tokens
            .iter()
            .zip(choices.iter().cycle())
            .map(|(token, choice)| respelled(token, *choice))
            .collect();
        same(&plain(&tokens), &plain(&other))?;
    }

    #[test]
    fn sized_brackets(tokens in readable()) {
        let text = plain(&tokens);
        for (open, close) in [(r"\left(", r"\right)"), (r"\bigl(", r"\bigr)"), (r"\Big(", r"\Big)")] {
            same(&text, &text.replace('(', open).replace(')', close))?;
        }
    }

    #[test]
    fn wrappers(tokens in readable()) {
        let text = plain(&tokens);
        for wrapped in [
            format!("${text}$"),
            format!("$${text}$$"),
            format!(r"\({text}\)"),
            format!(r"\[ {text} \]"),
            format!(r"\boxed{{{text}}}"),
            format!(r"$\boxed{{{text}}}$"),
            format!(r"\displaystyle {text}"),
            format!("{text}."),
            format!("\n {text}\t"),
        ] {
            same(&text, &wrapped)?;
        }
    }
}
