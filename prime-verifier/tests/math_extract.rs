//! Where an answer is looked for, one kind of place at a time.
#![cfg(feature = "math")]

use prime_verifier::math::{Extraction, MathPolicy, MathVerdict, MathVerifier, Source};

/// What one source finds in each text; `None` if nothing.
fn check(source: Source, table: &[(&str, Option<&str>)]) {
    let extraction = Extraction::boxed().with_sources([source]);
    let mut failures = vec![];
    for &(text, expected) in table {
        let found = extraction.find(text);
        if found.as_ref().map(|found| &*found.text) != expected {
            failures.push(format!("  {text:?}: {found:?}, expected {expected:?}"));
        }
        if let Some(found) = found {
            assert_eq!(found.source, source, "{text:?}");
            assert!(text.is_char_boundary(found.span.start), "{text:?}");
            assert!(text.get(found.span.clone()).is_some(), "{text:?}");
        }
    }
    assert!(failures.is_empty(), "{source:?}:\n{}", failures.join("\n"));
}

#[test]
fn boxes() {
    let table = [
        (r"so \boxed{5}.", Some("5")),
        (r"\boxed{1}, no: \boxed{2}", Some("2")),
        (r"First \boxed{1}. Then, corrected: \boxed{2}.", Some("2")),
        (r"\boxed{\boxed{3}}", Some(r"\boxed{3}")),
        (r"\boxed{x=\frac{1}{2}}", Some(r"x=\frac{1}{2}")),
        (r"\fbox{7}", Some("7")),
        (r"$\boxed{ 8 }$", Some("8")),
        (r"\boxed{}", None),
        (r"\boxed{5} and then \boxed{}", Some("5")),
        (r"\boxed{5", None),
        ("the answer is 5", None),
        ("", None),
    ];
    check(Source::Boxed, &table);
}

#[test]
fn neighbouring_boxes() {
    let table = [
        (r"\boxed{1}, \boxed{2}", Some("1, 2")),
        (r"\boxed{1} and \boxed{2}", Some("1, 2")),
        (r"\boxed{1} or \boxed{2}", Some("1, 2")),
        (r"$\boxed{1}$ and $\boxed{2}$", Some("1, 2")),
        (
            r"$\boxed{1}$, $\boxed{2}$, and $\boxed{3}$",
            Some("1, 2, 3"),
        ),
        (r"\boxed{1}\boxed{2}", Some("1, 2")),
        (r"$x = \boxed{1}$ and $y = \boxed{2}$", Some("1, 2")),
        // The same answer twice is one answer.
        (r"\boxed{5} \boxed{5}", Some("5")),
        (r"\boxed{5}, that is \boxed{5}", Some("5")),
        // A sentence, a paragraph or distance between them parts them.
        (r"\boxed{1}. \boxed{2}", Some("2")),
        ("\\boxed{1}\n\\boxed{2}", Some("1, 2")),
        ("\\boxed{1}\n\n\\boxed{2}", Some("2")),
        (
            r"\boxed{1}, which is not what was asked for, and hence \boxed{2}",
            Some("2"),
        ),
        (r"\boxed{1} is wrong \boxed{2}", Some("2")),
    ];
    check(Source::Boxed, &table);
}

#[test]
fn final_answers() {
    let table = [
        ("The final answer is 5.", Some("5")),
        ("The final answer is: 5", Some("5")),
        ("Final Answer: 5", Some("5")),
        (
            r"the final answer is $\frac{1}{2}$. I hope it is correct.",
            Some(r"\frac{1}{2}"),
        ),
        ("The final answer is 5. I hope it is correct.", Some("5")),
        ("**Final answer:** 12", Some("12")),
        (
            "The final answer is 1. No: the final answer is 2.",
            Some("2"),
        ),
        ("The answer is 5.", None),
        ("", None),
    ];
    check(Source::FinalAnswer, &table);
}

#[test]
fn answers() {
    let table = [
        ("The answer is 5.", Some("5")),
        ("Answer: 5", Some("5")),
        ("answer = 5", Some("5")),
        ("**Answer:** $x=5$", Some("x=5")),
        ("ANSWER: 5", Some("5")),
        ("The answer is therefore 5.", Some("5")),
        ("The answers are 2 and 3.", Some("2 and 3")),
        ("The answer to the question is 5.", Some("5")),
        ("The answer is $5$ because 2+3 is 5.", Some("5")),
        ("The answer is 5 because 2+3=5.", Some("5")),
        ("The solution is $x=2$.", Some("x=2")),
        ("The answer is 3. The answer is 4.", Some("4")),
        ("The answer is 3.5.", Some("3.5")),
        ("The answer is:\n\n5", Some("5")),
        ("There is no answer", None),
    ];
    check(Source::Answer, &table);
}

#[test]
fn the_whole_response() {
    let table = [
        ("5", Some("5")),
        (" 5\n", Some("5")),
        (r"\frac{1}{2}", Some(r"\frac{1}{2}")),
        ("$x=5$", Some("$x=5$")),
        ("(1, 2)", Some("(1, 2)")),
        ("that is 5", None),
        ("I have no idea.", None),
        ("yes", None),
        ("", None),
    ];
    check(Source::Whole, &table);
}

#[test]
fn bold() {
    let table = [
        ("so it is **5**.", Some("5")),
        ("**5** and **6**", Some("6")),
        ("**$5$**", Some("5")),
        ("**B**", Some("B")),
        ("**Answer:** 5", None),
        ("**Step 1:** do it", None),
        ("**very important**", None),
        ("**5", None),
        ("plain 5", None),
    ];
    check(Source::Bold, &table);
}

#[test]
fn passages_of_maths() {
    let table = [
        ("so $5$ it is", Some("5")),
        ("so $$5$$", Some("5")),
        (r"so \(5\) or so", Some("5")),
        (r"so \[5\]", Some("5")),
        ("$a$ then $b$", Some("b")),
        ("either $1$ or $2$.", Some("1$ or $2")),
        ("$1$, $2$ and $3$", Some("1$, $2$ and $3")),
        (r"costs \$5 and \$6", None),
        ("$5 and no end", None),
    ];
    check(Source::MathSpan, &table);
}

#[test]
fn last_numbers() {
    let table = [
        ("it is 2/3 of it", Some("2/3")),
        ("it is -5.", Some("-5")),
        ("it is 3.5.", Some("3.5")),
        ("it is 1,000.99€ now", Some("1,000.99")),
        ("it is 1 000 000 of them", Some("1 000 000")),
        ("it is 4 4/9 miles", Some("4 4/9")),
        ("it is 12% of it", Some("12%")),
        ("at 30° north", Some("30°")),
        ("12 of them, the 2nd time", Some("12")),
        ("licence AZYUK2A", None),
        ("12, licence AZYUK2A", Some("12")),
        ("", None),
    ];
    check(Source::LastValue, &table);
}

#[test]
fn choices_are_looked_for_where_the_ground_truth_is_one() {
    let verifier = MathVerifier::new(
        Extraction::boxed().with_sources([Source::Answer, Source::LastValue]),
        MathPolicy::default(),
    );
    let table = [
        ("I would say (B), with 12 points.", "B", MathVerdict::Equal),
        (
            "I would say (B), with 12 points.",
            r"\text{(B)}",
            MathVerdict::Equal,
        ),
        (
            "I would say (B), with 12 points.",
            "C",
            MathVerdict::NotEqual,
        ),
        ("I would say (B), with 12 points.", "12", MathVerdict::Equal),
        ("Not A but C.", "C", MathVerdict::Equal),
        ("Not A but C.", "A", MathVerdict::NotEqual),
        ("The answer is option D.", "D", MathVerdict::Equal),
        ("A good question.", "A", MathVerdict::NoAnswer),
        ("Bob has 5.", "B", MathVerdict::NoAnswer),
    ];
    for (response, gold, verdict) in table {
        let grade = verifier.grade(response, &[gold]);
        assert_eq!(
            grade.comparison.verdict, verdict,
            "{response:?} against {gold:?}: {grade:?}"
        );
    }
}

#[test]
fn the_surest_place_wins_and_a_later_final_answer_beats_a_box() {
    let table = [
        (r"The answer is 1. So \boxed{2}.", "2", Source::Boxed),
        (r"\boxed{2}. The answer is 1.", "2", Source::Boxed),
        (
            r"\boxed{1}, no. The final answer is 2.",
            "2",
            Source::FinalAnswer,
        ),
        (r"The final answer is 1: \boxed{2}", "2", Source::Boxed),
        ("Answer: 2. Compare $x$ with 3.", "2", Source::Answer),
        ("2", "2", Source::Whole),
        ("So it is **2**, as $1+1$ is.", "2", Source::Bold),
        ("From $1$ we get to $2$ at last.", "2", Source::MathSpan),
        (
            "From $1$ we get on. Then 2 follows.",
            "2",
            Source::LastValue,
        ),
        ("from 1 to 2", "2", Source::LastValue),
    ];
    for (text, answer, source) in table {
        let found = Extraction::anywhere().find(text);
        let found = found.map(|found| (found.text.into_owned(), found.source));
        assert_eq!(found, Some((answer.into(), source)), "{text:?}");
    }
}

#[test]
fn thinking_is_passed_over() {
    let table = [
        (r"<think>\boxed{1}</think>\boxed{2}", true, Some("2")),
        (r"<think>\boxed{1}</think> then nothing", true, None),
        (r"<think>\boxed{1}", true, None),
        (r"\boxed{1}</think>\boxed{2}", true, Some("2")),
        (r"\boxed{1}<think>\boxed{2}", true, Some("1")),
        (
            r"<think>a</think>\boxed{1}<think>b</think>\boxed{2}",
            true,
            Some("2"),
        ),
        (r"<think>\boxed{1}</think> then nothing", false, Some("1")),
        (r"<think>\boxed{1}", false, Some("1")),
    ];
    for (text, strip, expected) in table {
        let mut extraction = Extraction::boxed();
        extraction.strip_thinking = strip;
        let found = extraction.find(text).map(|found| found.text);
        assert_eq!(found.as_deref(), expected, "{text:?}, stripping {strip}");
    }
}

#[test]
fn only_the_tail_is_searched() {
    let text = r"\boxed{5} 123456789";
    for (tail, expected) in [
        (19, Some("5")),
        (18, None),
        (0, None),
        (usize::MAX, Some("5")),
    ] {
        let mut extraction = Extraction::boxed();
        extraction.tail = tail;
        let found = extraction.find(text).map(|found| found.text);
        assert_eq!(found.as_deref(), expected, "with a tail of {tail}");
    }
}

#[test]
fn the_default_reads_boxes_and_nothing_else() {
    assert_eq!(Extraction::default(), Extraction::boxed());
    for text in ["The final answer is 5.", "Answer: 5", "5", "**5**", "$5$"] {
        assert_eq!(Extraction::default().find(text), None, "{text:?}");
        assert!(Extraction::anywhere().find(text).is_some(), "{text:?}");
        let verdict = MathVerifier::default().grade(text, &["5"]);
        assert_eq!(
            verdict.comparison.verdict,
            MathVerdict::NoAnswer,
            "{text:?}"
        );
    }
}

#[test]
fn marks_of_a_layout_are_read_where_they_are_asked_for() {
    let table = [
        (Source::Hash, "9 + 9 = 18\n#### 18", Some("18")),
        (
            Source::Hash,
            "#### Step 1\nNo.\n#### 1,234\n",
            Some("1,234"),
        ),
        (Source::Hash, "####$5$.", Some("5")),
        (Source::Hash, r"#### \boxed{\frac12}", Some(r"\frac12")),
        (Source::Hash, "#### **7**", Some("7")),
        (Source::Hash, "####\n18", None),
        (Source::Hash, "### 18", None),
        (Source::Hash, "####", None),
        (
            Source::AnswerTag,
            "<think>1</think><answer>2</answer>",
            Some("2"),
        ),
        (
            Source::AnswerTag,
            "<answer>1</answer> no: <answer> $3$ </answer>",
            Some("$3$"),
        ),
        (
            Source::AnswerTag,
            r"<answer>It is \boxed{4}.</answer> 5",
            Some("4"),
        ),
        (
            Source::AnswerTag,
            "<answer>\nx + 1\n</answer>",
            Some("x + 1"),
        ),
        (Source::AnswerTag, "<answer>4", None),
        (Source::AnswerTag, "<answer></answer>", None),
        (Source::AnswerLine, "Well.\nAnswer: 42", Some("42")),
        (Source::AnswerLine, "Answer: 1\nAnswer: 2\nDone.", Some("2")),
        (Source::AnswerLine, "**Answer:** $x^2$", Some("x^2")),
        (Source::AnswerLine, "### Final answer: -5.", Some("-5")),
        (Source::AnswerLine, "Answer:\n\\boxed{6}", Some("6")),
        (Source::AnswerLine, "The answer : 6", Some("6")),
        (Source::AnswerLine, "My answer: 6", None),
        (Source::AnswerLine, "é\nAnswers: 6", None),
    ];
    for (source, text, expected) in table {
        let found = Extraction::anywhere().with_sources([source]).find(text);
        let found = found.map(|found| found.text.into_owned());
        assert_eq!(found.as_deref(), expected, "{source:?} in {text:?}");
    }
    // A heading is no answer to those who did not ask for this mark.
    assert!(Extraction::anywhere().find("#### Step").is_none());
    for source in Source::ALL {
        assert_eq!(Source::by_name(source.name()), Some(source));
        let written = serde_json::to_value(source).unwrap();
        assert_eq!(written, source.name());
    }
    assert_eq!(Source::by_name("anywhere"), None);
}

#[test]
fn a_thought_of_any_model_and_length_is_no_answer() {
    let long = "so it goes, ".repeat(20_000);
    let tags = [
        ("<think>", "</think>"),
        ("<thinking>", "</thinking>"),
        ("<reasoning>", "</reasoning>"),
        ("<|begin_of_thought|>", "<|end_of_thought|>"),
        ("◁think▷", "◁/think▷"),
        (
            "<|channel|>analysis<|message|>",
            "<|channel|>final<|message|>",
        ),
    ];
    for extraction in [Extraction::boxed(), Extraction::anywhere()] {
        for (open, close) in tags {
            let unfinished = format!(r"{open} perhaps \boxed{{3}}, {long} \boxed{{3}}");
            assert!(extraction.find(&unfinished).is_none(), "{open}");
            let finished = format!(r"{open} perhaps \boxed{{3}} {close} So \boxed{{4}}.");
            let found = extraction.find(&finished).unwrap();
            assert_eq!(&*found.text, "4", "{open}");
        }
    }
    let mut strict = Extraction::boxed();
    strict.require_closed_thinking = true;
    assert!(strict.find(r"It goes on and on, \boxed{3}").is_none());
    assert!(strict.find(r"It ends. </think> \boxed{3}").is_some());
    let mut own = Extraction::boxed();
    own.thinking_tags
        .push(["<musing>".into(), "</musing>".into()]);
    assert!(own.find(r"<musing> \boxed{3}").is_none());
}

#[test]
fn what_is_taken_back_or_bounded_is_no_answer() {
    let extraction = Extraction::anywhere();
    for text in [
        "The answer is not 5.",
        "The answer is at least 5",
        "the final answer is not $5$",
        "It is more than 5",
        "It must be less than $5$.",
        "Between 4 and 5.",
        "So x is not equal to 5",
        "The result is greater than 5.",
        r"The answer is \boxed{5",
    ] {
        let found = extraction.find(text);
        assert!(found.is_none(), "{text:?}: {found:?}");
    }
    for text in [
        "The answer is not 4 but 5.",
        "It is not small: 5",
        "At least he got it: 5",
    ] {
        let found = extraction.find(text).map(|found| found.text.into_owned());
        assert!(
            found.as_deref().is_some_and(|found| found.contains('5')),
            "{text:?}: {found:?}"
        );
    }
}

#[test]
fn money_is_no_passage_of_maths() {
    let extraction = Extraction::anywhere();
    let verifier = MathVerifier::new(extraction, MathPolicy::default());
    for (text, gold) in [
        ("She makes 9 * $2 = $18 every day.", "18"),
        ("He pays $20 - $14.99 = $5.01 in change.", "5.01"),
        ("Each egg costs $2 and she sells 9, so she makes $18.", "18"),
        (
            "The profit is $70,000, since $200,000 - $130,000 = $70,000.",
            "70000",
        ),
        (
            r"First we guess $\boxed{3}$ but the real one is $\boxed 8$.",
            "8",
        ),
    ] {
        assert!(
            verifier.grade(text, &[gold]).comparison.is_equal(),
            "{text}"
        );
    }
}
