//! Expressions that differ for negative numbers, or for numbers of different signs, only.
//!
//! Where expressions are evaluated depends on the texts. So each pair is tried with many names of its variables: one
//! spelling that comes out right proves little.

use prime_verifier::math::{MathPolicy, MathVerdict, VariablePolicy, compare};

/// Letters that are nothing but variables.
const LETTERS: &str = "abcdfghjklmnopqrstuvwxyz";

/// Unequal for some real `x` and `y`.
const PAIRS: &[(&str, &str)] = &[
    ("|x|", "x"),
    ("|x|", "-x"),
    ("|x|+x", "2x"),
    ("|x|-x", "0"),
    (r"\sqrt{x^2}", "x"),
    (r"\sqrt{9x^2}", "3x"),
    ("(x^2)^{1/2}", "x"),
    (r"\sqrt[4]{x^4}", "x"),
    (r"\max(x,0)", "x"),
    (r"\max(x,-x)", "x"),
    (r"\min(x,0)", "0"),
    (r"\frac{|x|}{x}", "1"),
    ("x|x|", "x^2"),
    (r"|x-\frac12|", r"x-\frac12"),
    ("|x-1000|", "1000-x"),
    ("|x+1000|", "x+1000"),
    (r"\left|\frac{x}{1000}-1\right|", r"1-\frac{x}{1000}"),
    ("|x^2-10^6|", "10^6-x^2"),
    (r"\sqrt{\cos^2 x}", r"\cos x"),
    (r"\arcsin(\sin x)", "x"),
    ("|x+y|", "|x|+|y|"),
    ("|x-y|", "x-y"),
    (r"\sqrt{x^2y^2}", "xy"),
    (r"\sqrt{(x-y)^2}", "x-y"),
    (r"\max(x,y)", "x"),
    (r"\max(x,y)", "|x|"),
];

/// `x` and `y` under the names `first` and `second`, not those inside `\max` or `\frac`.
fn renamed(text: &str, first: char, second: char) -> String {
    let mut out = String::new();
    let mut command = false;
    for character in text.chars() {
        command = character == '\\' || command && character.is_ascii_alphabetic();
        out.push(match character {
            'x' if !command => first,
            'y' if !command => second,
            other => other,
        });
    }
    out
}

fn equal_spellings(policy: &MathPolicy) -> Vec<String> {
    let letters: Vec<char> = LETTERS.chars().collect();
    let mut equal = vec![];
    for (left, right) in PAIRS {
        let names: Vec<String> = letters
            .iter()
            .zip(letters.iter().cycle().skip(7))
            .map(|(first, second)| [left, right].map(|text| renamed(text, *first, *second)))
            .filter(|[left, right]| compare(left, right, policy).verdict == MathVerdict::Equal)
            .map(|[left, _]| left)
            .collect();
        if !names.is_empty() {
            equal.push(format!(
                "  {left} ~ {right}: equal in {} of {} spellings, such as {}",
                names.len(),
                letters.len(),
                names[0]
            ));
        }
    }
    equal
}

#[test]
fn a_difference_for_negative_numbers_is_seen_whatever_the_names() {
    for policy in [MathPolicy::strict(), MathPolicy::default()] {
        let equal = equal_spellings(&policy);
        assert!(equal.is_empty(), "\n{}", equal.join("\n"));
    }
}

#[test]
fn positive_variables_have_no_signs() {
    let mut policy = MathPolicy::default();
    policy.variables = VariablePolicy::Positive;
    for (left, right) in [("|x|", "x"), (r"\sqrt{x^2y^2}", "xy"), ("|x+y|", "|x|+|y|")] {
        for name in LETTERS.chars().filter(|name| *name != 'w') {
            let [left, right] = [left, right].map(|text| renamed(text, name, 'w'));
            let verdict = compare(&left, &right, &policy).verdict;
            assert_eq!(verdict, MathVerdict::Equal, "{left} ~ {right}");
        }
    }
}
