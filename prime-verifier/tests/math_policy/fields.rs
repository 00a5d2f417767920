//! One field at a time, from one value to another, with all the others strict and with all the others lenient.

use prime_verifier::math::{
    BasePolicy, LogBase, MathPolicy, OrderPolicy, PercentPolicy, Rounding, UnitPolicy,
    VariablePolicy,
};

use super::equal;

type Set = fn(&mut MathPolicy);
type Pairs = &'static [(&'static str, &'static str)];

struct Switch {
    name: &'static str,
    from: Set,
    to: Set,
    /// Unequal before, equal after.
    flips: Pairs,
    /// Equal before, unequal after.
    back: Pairs,
    /// Unequal before and after.
    never: Pairs,
    /// Equal before and after.
    always: Pairs,
}

#[test]
fn a_field_decides_its_pairs_alone() {
    let mut failures = vec![];
    for switch in SWITCHES {
        for (base, start) in [
            ("strict", MathPolicy::strict()),
            ("default", MathPolicy::default()),
        ] {
            let (mut before, mut after) = (start.clone(), start);
            (switch.from)(&mut before);
            (switch.to)(&mut after);
            assert_ne!(before, after, "{} changes nothing", switch.name);
            for (pairs, expected) in [
                (switch.flips, (false, true)),
                (switch.back, (true, false)),
                (switch.never, (false, false)),
                (switch.always, (true, true)),
            ] {
                let both_orders = pairs.iter().flat_map(|&(a, b)| [(a, b), (b, a)]);
                for (gold, answer) in both_orders {
                    let found = (equal(gold, answer, &before), equal(gold, answer, &after));
                    if found != expected {
                        failures.push(format!(
                            "  {}, the rest {base}: {gold} ~ {answer}: equal {found:?}, expected {expected:?}",
                            switch.name
                        ));
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

const SWITCHES: &[Switch] = &[
    Switch {
        name: "decimal_comma",
        from: |policy| policy.decimal_comma = false,
        to: |policy| policy.decimal_comma = true,
        flips: &[("3,14", "3.14"), ("0,5", r"\frac12")],
        back: &[],
        never: &[("3,4", "7"), ("1,5", "15")],
        always: &[("3,05", "3.05"), ("3{,}14", "3.14"), ("1,5", "1, 5")],
    },
    Switch {
        name: "percent: exact to sign_optional",
        from: |policy| policy.percent = PercentPolicy::Exact,
        to: |policy| policy.percent = PercentPolicy::SignOptional,
        flips: &[(r"5\%", "5"), (r"12.5\%", r"\frac{25}{2}")],
        back: &[],
        never: &[(r"5\%", "0.5"), (r"5\%", r"6\%"), (r"5\%", "0.0005")],
        always: &[(r"5\%", "0.05"), (r"50\%", r"\frac12")],
    },
    Switch {
        name: "units: exact to optional",
        from: |policy| policy.units = UnitPolicy::Exact,
        to: |policy| policy.units = UnitPolicy::Optional,
        flips: &[
            (r"5\text{ cm}", "5"),
            (r"1\text{ hour}", r"60\text{ minutes}"),
            (r"90^\circ", "90"),
            (r"\$5", "5"),
        ],
        back: &[],
        never: &[
            (r"5\text{ cm}", r"5\text{ m}"),
            (r"5\text{ cm}", "6"),
            ("5t", "5"),
        ],
        always: &[(r"5\text{ cm}", "5 cm"), (r"90^\circ", r"\frac{\pi}{2}")],
    },
    Switch {
        name: "units: optional to ignored",
        from: |policy| policy.units = UnitPolicy::Optional,
        to: |policy| policy.units = UnitPolicy::Ignored,
        flips: &[
            (r"5\text{ cm}", r"5\text{ m}"),
            (r"5\text{ cm}", r"\$5"),
            (r"1\text{ hour}", r"1\text{ minute}"),
        ],
        back: &[(r"1\text{ hour}", r"60\text{ minutes}")],
        never: &[(r"5\text{ cm}", r"6\text{ cm}"), ("5t", "5")],
        always: &[(r"5\text{ cm}", "5")],
    },
    Switch {
        name: "order: ordered to unordered",
        from: |policy| policy.order = OrderPolicy::Ordered,
        to: |policy| policy.order = OrderPolicy::Unordered,
        flips: &[("1, 2", "2, 1"), ("(1,2), (3,4)", "(3,4), (1,2)")],
        back: &[],
        never: &[
            ("1, 2", "1, 3"),
            ("(1,2)", "(2,1)"),
            ("(1,2), (3,4)", "(2,1), (4,3)"),
        ],
        always: &[("1, 2", r"1\text{ and }2"), (r"\{1,2\}", r"\{2,1\}")],
    },
    Switch {
        name: "drop_left_side",
        from: |policy| policy.drop_left_side = false,
        to: |policy| policy.drop_left_side = true,
        flips: &[
            ("x=5", "5"),
            ("f(x)=x^2", "x^2"),
            (r"\angle A = 30^\circ", r"30^\circ"),
        ],
        back: &[],
        never: &[("x=5", "6"), ("x>5", "5"), ("x=5", "y=5"), ("2x+z=5", "5")],
        always: &[("x=5", "5=x")],
    },
    Switch {
        name: "relation_as_set",
        from: |policy| policy.relation_as_set = false,
        to: |policy| policy.relation_as_set = true,
        flips: &[
            ("1<x<2", "(1,2)"),
            (r"x\ge2", r"[2,\infty)"),
            (r"\{x : x>2\}", "x>2"),
        ],
        back: &[],
        never: &[("1<x<2", "[1,2]"), (r"x\ge2", r"(2,\infty)")],
        always: &[("1<x<2", "2>x>1"), (r"\{x : x>2\}", r"(2,\infty)")],
    },
    Switch {
        name: "tuple_as_set",
        from: |policy| policy.tuple_as_set = false,
        to: |policy| policy.tuple_as_set = true,
        flips: &[("(1,2)", r"\{1,2\}"), ("(2,1)", r"\{1,2\}")],
        back: &[],
        never: &[
            ("(1,2)", r"\{1,3\}"),
            ("(1,2)", "(2,1)"),
            ("[1,2]", r"\{1,2\}"),
        ],
        always: &[(r"\{1,2\}", r"\{2,1\}")],
    },
    Switch {
        name: "loose_brackets",
        from: |policy| policy.loose_brackets = false,
        to: |policy| policy.loose_brackets = true,
        flips: &[
            ("1, 2", "(1,2)"),
            ("1, 2", r"\{1,2\}"),
            (r"\{5\}", "5"),
            ("[1,2,3]", "(1,2,3)"),
            (r"\begin{pmatrix}1\\2\end{pmatrix}", "(1,2)"),
        ],
        back: &[],
        never: &[("1, 2", "(2,1)"), ("[1,2]", "(1,2)"), (r"\{5\}", "6")],
        always: &[
            ("(5)", "5"),
            (
                r"\begin{pmatrix}1\end{pmatrix}",
                r"\begin{bmatrix}1\end{bmatrix}",
            ),
        ],
    },
    Switch {
        name: "rounding: never to six digits",
        from: |policy| policy.rounding = Rounding::Never,
        to: |policy| policy.rounding = Rounding::LastDigit { significant: 6 },
        flips: &[("0.333333", "1/3"), (r"\sqrt2", "1.414214")],
        back: &[],
        never: &[
            ("0.33333", "1/3"),
            ("0.333334", "1/3"),
            ("1.0000001", "1"),
            ("1000001", "1000000"),
        ],
        always: &[("0.5", "1/2"), ("0.50", "0.5")],
    },
    Switch {
        name: "rounding: six digits to three",
        from: |policy| policy.rounding = Rounding::LastDigit { significant: 6 },
        to: |policy| policy.rounding = Rounding::LastDigit { significant: 3 },
        flips: &[("0.333", "1/3"), ("0.33333", "1/3"), ("3.14", r"\pi")],
        back: &[],
        never: &[("0.33", "1/3"), ("3.15", r"\pi"), ("0.3330", "1/3")],
        always: &[("0.333333", "1/3")],
    },
    Switch {
        name: "rounding: never to within a millionth",
        from: |policy| policy.rounding = Rounding::Never,
        to: |policy| policy.rounding = Rounding::Absolute { tolerance: 1e-6 },
        flips: &[("1.0000009", "1"), ("0.0000001", "0"), ("0.3333333", "1/3")],
        back: &[],
        never: &[
            ("1.0000011", "1"),
            (r"\frac{1}{1000001}", r"\frac{1}{1000000}"),
        ],
        always: &[("0.5", "1/2")],
    },
    Switch {
        name: "rounding: never to a ten-thousandth",
        from: |policy| policy.rounding = Rounding::Never,
        to: |policy| policy.rounding = Rounding::Relative { tolerance: 1e-4 },
        flips: &[
            ("100009", "100000"),
            (r"\frac{1}{1000001}", r"\frac{1}{1000000}"),
            ("3.1416", r"\pi"),
        ],
        back: &[],
        never: &[
            ("100011", "100000"),
            ("10^{-30}", "10^{-31}"),
            ("0.0000001", "0"),
        ],
        always: &[("0.5", "1/2")],
    },
    Switch {
        name: "base: value to subscript_optional",
        from: |policy| policy.base = BasePolicy::Value,
        to: |policy| policy.base = BasePolicy::SubscriptOptional,
        flips: &[("263_8", "263")],
        back: &[],
        never: &[("263_8", "263_7"), ("263_8", "264")],
        always: &[("263_8", "179")],
    },
    Switch {
        name: "base: subscript_optional to subscript_ignored",
        from: |policy| policy.base = BasePolicy::SubscriptOptional,
        to: |policy| policy.base = BasePolicy::SubscriptIgnored,
        flips: &[("263_8", "263_7")],
        back: &[("263_8", "179")],
        never: &[("263_8", "264_8")],
        always: &[("263_8", "263")],
    },
    Switch {
        name: "reduce_ratios",
        from: |policy| policy.reduce_ratios = false,
        to: |policy| policy.reduce_ratios = true,
        flips: &[("5:7", "10:14"), ("5:7", r"\frac57"), ("1:2:3", "2:4:6")],
        back: &[],
        never: &[("5:7", "7:5"), ("12:00", "6:00")],
        always: &[("5:7", "5 : 7")],
    },
    Switch {
        name: "variables: real to positive",
        from: |policy| policy.variables = VariablePolicy::Real,
        to: |policy| policy.variables = VariablePolicy::Positive,
        flips: &[(r"\sqrt{x^2}", "x"), ("|x|", "x")],
        back: &[],
        never: &[("x", "-x"), ("|x-1|", "x-1")],
        always: &[(r"\sqrt{x^2}", "|x|")],
    },
    Switch {
        name: "log_base: ten to e",
        from: |policy| policy.log_base = LogBase::Ten,
        to: |policy| policy.log_base = LogBase::E,
        flips: &[(r"\log e", "1"), (r"\log x", r"\ln x")],
        back: &[(r"\log 100", "2")],
        never: &[(r"\log x", r"\log_2 x")],
        always: &[(r"\log_2 8", "3"), (r"\ln e", "1")],
    },
    Switch {
        name: "loose_text",
        from: |policy| policy.loose_text = false,
        to: |policy| policy.loose_text = true,
        flips: &[
            (r"\text{(B) }12", "12"),
            (r"\text{two}", "2"),
            (r"\text{no solution}", r"\emptyset"),
        ],
        back: &[],
        never: &[(r"\text{two}", "3"), (r"\text{(B) }12", "13"), ("B", "C")],
        always: &[
            ("(B)", "B"),
            ("B", r"\text{(B) }12"),
            (r"\text{Yes}", "yes"),
        ],
    },
];
