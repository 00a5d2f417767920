//! Order and membership: sets, lists, tuples, intervals, matrices.

use prime_verifier::math::{MathPolicy, MathVerdict, OrderPolicy, compare};
use proptest::prelude::*;

use super::{different, lenient, same, strict};

fn numbers() -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(-20i64..20, 2..7)
}

fn joined(items: &[i64]) -> String {
    let items: Vec<String> = items.iter().map(i64::to_string).collect();
    items.join(", ")
}

/// A list and the same in another order.
fn permuted() -> impl Strategy<Value = (Vec<i64>, Vec<i64>)> {
    numbers().prop_flat_map(|items| (Just(items.clone()), Just(items).prop_shuffle()))
}

fn matrix(rows: &[Vec<i64>]) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|row| {
            row.iter()
                .map(i64::to_string)
                .collect::<Vec<_>>()
                .join(" & ")
        })
        .collect();
    format!(r"\begin{{pmatrix}} {} \end{{pmatrix}}", rows.join(r" \\ "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn sets_have_no_order((items, other) in permuted()) {
        same(&format!(r"\{{{}\}}", joined(&items)), &format!(r"\{{{}\}}", joined(&other)))?;
    }

    #[test]
    fn tuples_have_one((items, other) in permuted()) {
        let (a, b) = (format!("({})", joined(&items)), format!("({})", joined(&other)));
        if items == other {
            same(&a, &b)?;
        } else {
            different(&a, &b)?;
        }
    }

    #[test]
    fn lists_have_one_where_the_policy_says_so((items, other) in permuted()) {
        let (a, b) = (joined(&items), joined(&other));
        prop_assert_eq!(lenient(&a, &b), MathVerdict::Equal, "{} ~ {}", a, b);
        let in_order = if items == other { MathVerdict::Equal } else { MathVerdict::NotEqual };
        prop_assert_eq!(strict(&a, &b), in_order, "{} ~ {}", a, b);
        let mut policy = MathPolicy::default();
        policy.order = OrderPolicy::Ordered;
        prop_assert_eq!(compare(&a, &b, &policy).verdict, in_order, "{} ~ {}", a, b);
    }

    #[test]
    fn another_member_shows((items, other) in permuted(), at in any::<prop::sample::Index>()) {
        let mut changed = other;
        let at = at.index(changed.len());
        changed[at] = 77;
        for (open, close) in [(r"\{", r"\}"), ("(", ")"), ("", "")] {
            different(&format!("{open}{}{close}", joined(&items)), &format!("{open}{}{close}", joined(&changed)))?;
        }
    }

    #[test]
    fn a_missing_member_shows(items in numbers()) {
        let mut fewer = items.clone();
        let last = fewer.pop();
        prop_assume!(last.is_some_and(|last| !fewer.contains(&last)));
        prop_assume!(fewer.len() > 1);
        for (open, close) in [(r"\{", r"\}"), ("(", ")"), ("", "")] {
            different(&format!("{open}{}{close}", joined(&items)), &format!("{open}{}{close}", joined(&fewer)))?;
        }
    }

    #[test]
    fn an_interval_is_an_inequality(low in -20i64..20, width in 1i64..20, closed in any::<[bool; 2]>()) {
        let high = low + width;
        let write = |[left, right]: [bool; 2]| {
            let (open, close) = (if left { '[' } else { '(' }, if right { ']' } else { ')' });
            let (below, above) = (if left { r"\le" } else { "<" }, if right { r"\le" } else { "<" });
            let chain = format!("{low} {below} x {above} {high}");
            let turned = format!("{high} {} x {} {low}", if right { r"\ge" } else { ">" }, if left { r"\ge" } else { ">" });
            let parts = format!(r"x {above} {high} \text{{ and }} {low} {below} x");
            (format!("{open}{low}, {high}{close}"), [chain, turned, parts])
        };
        let (interval, chains) = write(closed);
        for chain in &chains {
            prop_assert_eq!(lenient(&interval, chain), MathVerdict::Equal, "{} ~ {}", interval, chain);
            prop_assert_eq!(strict(&interval, chain), MathVerdict::NotEqual, "{} ~ {}", interval, chain);
            same(&chains[0], chain)?;
        }
        let (other, other_chains) = write([closed[0], !closed[1]]);
        different(&interval, &other)?;
        for chain in &other_chains {
            different(&interval, chain)?;
            different(&chains[0], chain)?;
        }
    }

    #[test]
    fn a_union_has_no_order_and_merges(points in prop::collection::btree_set(-30i64..30, 4..=4)) {
        let points: Vec<i64> = points.into_iter().collect();
        let [a, b, c, d] = points[..] else { unreachable!("four points") };
        let union = format!(r"[{a},{b}) \cup ({c},{d}]");
        same(&union, &format!(r"({c},{d}] \cup [{a},{b})"))?;
        same(&format!(r"[{a},{c}] \cup [{b},{d}]"), &format!("[{a},{d}]"))?;
        same(&format!(r"[{a},{c}] \cap [{b},{d}]"), &format!("[{b},{c}]"))?;
        different(&union, &format!("[{a},{d}]"))?;
        different(&union, &format!(r"[{a},{b}] \cup ({c},{d}]"))?;
    }

    #[test]
    fn a_matrix_is_its_transpose_only_if_symmetric(cells in prop::collection::vec(-3i64..4, 9), size in 2usize..4) {
        let rows: Vec<Vec<i64>> = cells.chunks(size).take(size).map(<[i64]>::to_vec).collect();
        prop_assume!(rows.len() == size && rows.iter().all(|row| row.len() == size));
        let transposed: Vec<Vec<i64>> = (0..size).map(|column| rows.iter().map(|row| row[column]).collect()).collect();
        if rows == transposed {
            same(&matrix(&rows), &matrix(&transposed))?;
        } else {
            different(&matrix(&rows), &matrix(&transposed))?;
        }
        same(&matrix(&rows), &matrix(&rows).replace("pmatrix", "bmatrix"))?;
        let doubled: Vec<Vec<i64>> = rows.iter().map(|row| row.iter().map(|cell| 2 * cell).collect()).collect();
        same(&format!("2{}", matrix(&rows)), &matrix(&doubled))?;
        same(&format!("{0} + {0}", matrix(&rows)), &matrix(&doubled))?;
    }

    #[test]
    fn residues_repeat(residue in 0i64..50, modulus in 2i64..50, turns in -5i64..5) {
        let class = |residue: i64, modulus: i64| format!(r"x \equiv {residue} \pmod{{{modulus}}}");
        same(&class(residue, modulus), &class(residue + turns * modulus, modulus))?;
        different(&class(residue, modulus), &class(residue + 1, modulus))?;
        different(&class(residue, modulus), &class(residue, modulus + 1))?;
    }
}
