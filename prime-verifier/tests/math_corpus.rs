//! Labelled pairs: `corpora/math_dev.jsonl`, about ten of each of 79 categories, true or false by construction.
#![cfg(feature = "math")]

use prime_verifier::math::{
    BasePolicy, Extraction, LogBase, MathPolicy, MathVerdict, MathVerifier, OrderPolicy,
    PercentPolicy, Rounding, UnitPolicy, VariablePolicy,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Row {
    id: String,
    category: String,
    gold: String,
    pred: String,
    expected: bool,
    /// `firm`, or `policy:<tag>` where the label is a matter of convention.
    label_class: String,
    /// `answer`: both bare; `text_gold_answer`: a bare gold and the text of a model.
    form: String,
}

impl Row {
    fn verdict(&self, policy: &MathPolicy) -> MathVerdict {
        let verifier = MathVerifier::new(Extraction::anywhere(), policy.clone());
        let golds = [self.gold.as_str()];
        let grade = match self.form.as_str() {
            "answer" => verifier.grade_answer(&self.pred, &golds),
            "text_gold_answer" => verifier.grade(&self.pred, &golds),
            other => panic!("{}: unknown form {other:?}", self.id),
        };
        grade.comparison.verdict
    }

    fn equal(&self, policy: &MathPolicy) -> bool {
        self.verdict(policy) == MathVerdict::Equal
    }

    fn named(&self) -> String {
        let Self { id, gold, pred, .. } = self;
        format!("{id} ({}): {gold:?} ~ {pred:?}", self.category)
    }
}

fn rows() -> Vec<Row> {
    include_str!("corpora/math_dev.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn firm() -> Vec<Row> {
    let mut rows = rows();
    rows.retain(|row| row.label_class == "firm");
    rows
}

#[test]
fn every_firm_row_gets_its_label() {
    let rows = firm();
    assert_eq!(rows.len(), 755, "the corpus has changed");
    let policy = MathPolicy::default();
    let misses: Vec<String> = rows
        .iter()
        .filter(|row| row.equal(&policy) != row.expected)
        .map(|row| {
            format!(
                "  {}: {:?}, expected {}",
                row.named(),
                row.verdict(&policy),
                row.expected
            )
        })
        .collect();
    assert!(
        misses.is_empty(),
        "{} misses:\n{}",
        misses.len(),
        misses.join("\n")
    );
}

#[test]
fn every_bare_firm_row_is_understood() {
    let policy = MathPolicy::default();
    let open: Vec<String> = firm()
        .iter()
        .filter(|row| row.form == "answer")
        .filter(|row| {
            !matches!(
                row.verdict(&policy),
                MathVerdict::Equal | MathVerdict::NotEqual
            )
        })
        .map(Row::named)
        .collect();
    assert!(
        open.is_empty(),
        "no verdict, so right by luck at best:\n{}",
        open.join("\n")
    );
}

/// Categories with firm rows that a preset other than the default is meant to miss.
const MISSES: &[(&str, &[&str])] = &[
    // A condition is not a set.
    ("strict", &["hole-equiv"]),
    // The same digits in another base.
    ("math_verify_compat", &["base", "hole-base"]),
    // That, and numbers that differ by less than a ten-thousandth.
    (
        "prime_compat",
        &[
            "base",
            "bigint",
            "decimal",
            "factorial",
            "hole-base",
            "power",
            "thousands",
        ],
    ),
];

#[test]
fn the_other_presets_miss_what_they_are_meant_to() {
    let rows = firm();
    for (name, allowed) in MISSES {
        let policy = MathPolicy::by_name(name).unwrap();
        let missed: Vec<&Row> = rows
            .iter()
            .filter(|row| row.equal(&policy) != row.expected)
            .collect();
        let mut categories: Vec<&str> = missed.iter().map(|row| row.category.as_str()).collect();
        categories.sort_unstable();
        categories.dedup();
        let named: Vec<String> = missed.iter().map(|row| row.named()).collect();
        assert_eq!(categories, *allowed, "{name} misses\n{}", named.join("\n"));
        assert!(missed.len() < 40, "{name} misses {}", missed.len());
    }
}

#[test]
fn every_row_of_convention_gets_its_label_by_default() {
    let policy = MathPolicy::default();
    let mut count = 0;
    let misses: Vec<String> = rows()
        .iter()
        .filter(|row| row.label_class != "firm")
        .inspect(|_| count += 1)
        .filter(|row| row.equal(&policy) != row.expected)
        .map(|row| format!("  {} {}", row.label_class, row.named()))
        .collect();
    assert_eq!(count, 106, "the corpus has changed");
    assert!(
        misses.is_empty(),
        "not the label under the default policy:\n{}",
        misses.join("\n")
    );
}

type Change = fn(&mut MathPolicy);
type Pair = (&'static str, &'static str);

/// A tag, what makes its rows unequal, and the rows that are equal all the same because mathematics says so.
const SWITCHES: &[(&str, Change, &[Pair])] = &[
    (
        "policy:unit",
        |policy| policy.units = UnitPolicy::Exact,
        &[
            (r"\$6654", r"\$6654.00"),
            (r"\$3547", r"\$3547.00"),
            (r"90^\circ", r"90\text{ degrees}"),
            (r"225^\circ", r"225\text{ degrees}"),
        ],
    ),
    (
        "policy:unit-convert",
        |policy| policy.units = UnitPolicy::Exact,
        &[],
    ),
    (
        "policy:drop-lhs",
        |policy| policy.drop_left_side = false,
        &[],
    ),
    (
        "policy:relation-vs-set",
        |policy| policy.relation_as_set = false,
        &[],
    ),
    (
        "policy:order",
        |policy| policy.order = OrderPolicy::Ordered,
        &[],
    ),
    (
        "policy:rounding",
        |policy| policy.rounding = Rounding::Never,
        &[],
    ),
    (
        "policy:percent",
        |policy| policy.percent = PercentPolicy::Exact,
        &[
            (r"5\%", "0.05"),
            (r"1\%", "0.01"),
            (r"77.0\%", "0.77"),
            (r"95.8\%", "0.958"),
        ],
    ),
    (
        "policy:base",
        |policy| policy.base = BasePolicy::Value,
        &[("10220_3", "105"), ("1442_5", "247")],
    ),
    ("policy:ratio", |policy| policy.reduce_ratios = false, &[]),
    (
        "policy:log-base",
        |policy| policy.log_base = LogBase::E,
        &[],
    ),
    // Equal as mathematics, whatever the policy.
    (
        "policy:assumption",
        |policy| policy.variables = VariablePolicy::Positive,
        &[
            ("(-1)^{2n}", "1"),
            (r"\sqrt[3]{2+\sqrt5}+\sqrt[3]{2-\sqrt5}", "1"),
        ],
    ),
];

#[test]
fn one_field_switches_the_rows_of_a_tag() {
    let rows = rows();
    for (tag, change, stays) in SWITCHES {
        let mut policy = MathPolicy::default();
        change(&mut policy);
        let equal: Vec<(&str, &str)> = rows
            .iter()
            .filter(|row| row.label_class == *tag && row.expected)
            .filter(|row| row.equal(&policy))
            .map(|row| (row.gold.as_str(), row.pred.as_str()))
            .collect();
        assert_eq!(equal, *stays, "equal under {tag} when switched off");
        let tagged = rows.iter().filter(|row| row.label_class == *tag).count();
        assert!(
            tagged > stays.len() || *tag == "policy:assumption",
            "{tag} switches nothing"
        );
    }
}
