//! Symmetry, reflexivity, strict within lenient, one verdict for one pair.

use std::thread;

use prime_verifier::math::{Extraction, MathPolicy, MathVerdict, MathVerifier, compare};
use proptest::prelude::*;

use super::answers::{pair, plain};
use super::{lenient, strict};

fn blank(text: &str) -> bool {
    text.trim().is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn comparing_is_symmetric((a, b) in pair()) {
        let (a, b) = (plain(&a), plain(&b));
        prop_assume!(!blank(&a) && !blank(&b));
        for name in MathPolicy::NAMES {
            let policy = MathPolicy::by_name(name).unwrap();
            let there = compare(&a, &b, &policy).verdict;
            let back = compare(&b, &a, &policy).verdict;
            prop_assert_eq!(there, back, "{} ~ {} under {}", a, b, name);
        }
    }

    #[test]
    fn what_the_strict_call_equal_the_lenient_do_too((a, b) in pair()) {
        let (a, b) = (plain(&a), plain(&b));
        if strict(&a, &b) == MathVerdict::Equal {
            prop_assert_eq!(lenient(&a, &b), MathVerdict::Equal, "{} ~ {}", a, b);
        }
    }

    #[test]
    fn an_answer_equals_itself_in_other_blanks((a, _) in pair()) {
        let spaced = a.join(" ");
        let a = plain(&a);
        prop_assume!(!blank(&a));
        for name in MathPolicy::NAMES {
            let policy = MathPolicy::by_name(name).unwrap();
            prop_assert_eq!(compare(&a, &a, &policy).verdict, MathVerdict::Equal);
            prop_assert_eq!(compare(&a, &spaced, &policy).verdict, MathVerdict::Equal, "{} ~ {}", a, spaced);
        }
    }

    #[test]
    fn one_pair_has_one_verdict((a, b) in pair()) {
        let (a, b) = (plain(&a), plain(&b));
        let first = compare(&a, &b, &MathPolicy::default());
        let again = compare(&a, &b, &MathPolicy::default());
        prop_assert_eq!((first.verdict, first.stage), (again.verdict, again.stage));
    }
}

#[test]
fn threads_agree() {
    let verifier = MathVerifier::new(Extraction::anywhere(), MathPolicy::default());
    let pairs: Vec<(String, String)> = (1..200)
        .map(|n| match n % 4 {
            0 => (format!(r"\boxed{{\sqrt{{{n}}}}}"), format!("{n}^{{1/2}}")),
            1 => (format!("The answer is {n}."), format!("{}", n - n % 3)),
            2 => (
                format!(r"$\sum_{{k=1}}^{{{n}}} k$"),
                format!(r"\frac{{{n}\cdot {}}}{{2}}", n + 1),
            ),
            _ => (
                format!(r"\boxed{{(x+1)^{{{n}}}}}"),
                format!("(1+x)^{{{}}}", n - n % 7),
            ),
        })
        .collect();
    let verdicts = |verifier: &MathVerifier| -> Vec<MathVerdict> {
        pairs
            .iter()
            .map(|(response, gold)| verifier.grade(response, &[gold]).comparison.verdict)
            .collect()
    };
    let alone = verdicts(&verifier);
    assert!(alone.contains(&MathVerdict::Equal) && alone.contains(&MathVerdict::NotEqual));
    thread::scope(|scope| {
        let (verifier, verdicts) = (&verifier, &verdicts);
        let others: Vec<_> = (0..8)
            .map(|_| scope.spawn(move || verdicts(verifier)))
            .collect();
        for other in others {
            assert_eq!(other.join().unwrap(), alone);
        }
    });
}
