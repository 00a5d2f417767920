use std::collections::HashSet;

use super::*;

fn tokens(text: &str) -> Vec<String> {
    text.chars().map(String::from).collect()
}

fn tasks() -> impl Iterator<Item = Box<dyn Task>> {
    TaskName::ALL.into_iter().map(TaskName::build)
}

/// What the prompt asks, worked out from its text alone.
fn solve(name: TaskName, prompt: &str) -> Vec<String> {
    let text = prompt.strip_suffix('=').unwrap();
    let digit = |c: u8| u32::from(c - b'0');
    let bytes = text.as_bytes();
    match name {
        TaskName::Exam => bytes
            .chunks(3)
            .map(|c| match c[1] {
                b'*' => format!("{:02}", digit(c[0]) * digit(c[2])),
                b'+' => format!("{:02}", digit(c[0]) + digit(c[2])),
                other => panic!("operator {other}"),
            })
            .collect(),
        TaskName::Mod3 => bytes
            .chunks(2)
            .map(|c| (digit(c[0]) * digit(c[1]) % 3).to_string())
            .collect(),
        TaskName::Chain => {
            let mut total = digit(bytes[0]);
            bytes[1..]
                .chunks(2)
                .map(|c| {
                    let n = digit(c[1]);
                    total = if c[0] == b'+' { total + n } else { total * n } % 10;
                    total.to_string()
                })
                .collect()
        }
    }
}

#[test]
fn answers_are_what_the_prompt_asks() {
    for task in tasks() {
        for index in 0..200 {
            let problem = task.problem(3, Split::Train, index);
            assert_eq!(problem.answers, solve(task.name(), &problem.prompt));
            let mark = task.mark(&problem, &tokens(&problem.ground_truth), PassMark::All);
            assert_eq!(mark.outcome, 1.0);
            assert!(mark.well_formed);
        }
    }
}

#[test]
fn lengths_and_vocabulary_are_exact() {
    let lengths = tasks().map(|task| (task.prompt_tokens(), task.response_tokens()));
    assert_eq!(lengths.collect::<Vec<_>>(), [(38, 36), (34, 32), (35, 40)]);
    for task in tasks() {
        let vocabulary = task.vocabulary();
        assert_eq!(vocabulary[..3], ["<pad>", "<bos>", "<eos>"]);
        let known: HashSet<&String> = vocabulary.iter().collect();
        assert_eq!(known.len(), vocabulary.len());
        for index in 0..200 {
            let problem = task.problem(0, Split::Eval, index);
            let shown = task.demonstration(0, index);
            for (prompt, response) in [
                (&problem.prompt, &problem.ground_truth),
                (&shown.prompt, &shown.response),
            ] {
                assert_eq!(prompt.chars().count() + 1, task.prompt_tokens());
                assert_eq!(response.chars().count() + 1, task.response_tokens());
                assert!(tokens(prompt).iter().all(|token| known.contains(token)));
                assert!(tokens(response).iter().all(|token| known.contains(token)));
            }
        }
    }
}

#[test]
fn problems_are_reproducible_to_the_letter() {
    let exam = TaskName::Exam.build();
    let problem = exam.problem(0, Split::Train, 0);
    assert_eq!(problem.prompt, "6*74*22+79*72*88+54+59*38+73+69*44*2=");
    assert_eq!(
        exam.demonstration(0, 0).response,
        "11,09,15,08,54,63,09,06,09,12,15,40"
    );
    let mod3 = TaskName::Mod3.build().problem(0, Split::Eval, 7);
    assert_eq!(mod3.prompt, "82512841866846151774757166399369=");
    let chain = TaskName::Chain.build().problem(1, Split::Train, 1);
    assert_eq!(chain.prompt, "4*3+6*7+9+5+5+3*9+4+4+2+1*9+9+5+8=");
}

#[test]
fn splits_seeds_and_demonstrations_do_not_meet() {
    for task in tasks() {
        let mut seen = HashSet::new();
        for index in 0..1500 {
            for prompt in [
                task.problem(0, Split::Train, index).prompt,
                task.problem(0, Split::Eval, index).prompt,
                task.problem(1, Split::Train, index).prompt,
                task.demonstration(0, index).prompt,
            ] {
                assert!(seen.insert(prompt), "{} {index}", task.name().as_str());
            }
        }
    }
}

/// The expected share of right answers, from the share of weak facts and the slip of 0.6.
#[test]
fn the_pupil_is_as_sloppy_as_told() {
    for (task, expected) in [
        (TaskName::Exam, 1.0 - 0.6 * 64.0 / 128.0),
        (TaskName::Mod3, 1.0 - 0.6 * 38.0 / 81.0),
    ] {
        let task = task.build();
        let (mut right, mut all) = (0usize, 0usize);
        for index in 0..1500 {
            let shown = task.demonstration(9, index);
            let truth = solve(task.name(), &shown.prompt);
            let given = shown.response.split(',');
            right += given
                .zip(&truth)
                .filter(|(given, truth)| given == truth)
                .count();
            all += truth.len();
        }
        let share = right as f64 / all as f64;
        assert!(
            (share - expected).abs() < 0.015,
            "{share} against {expected}"
        );
    }
}

#[test]
fn the_chain_pupil_passes_about_a_third() {
    let task = TaskName::Chain.build();
    let passed = (0..2000)
        .filter(|&index| {
            let shown = task.demonstration(4, index);
            let totals = solve(TaskName::Chain, &shown.prompt);
            let (last, earlier) = totals.split_last().unwrap();
            shown.response == format!("{},\\boxed{{{last}}}", earlier.join(","))
        })
        .count();
    assert!((500..900).contains(&passed), "{passed} of 2000");
}

#[test]
fn marks_follow_the_pieces() {
    let task = TaskName::Exam.build();
    let problem = Problem {
        prompt: "2+23*3=".into(),
        ground_truth: "04,09".into(),
        answers: vec!["04".into(), "09".into()],
    };
    let mark = |text: &str, pass| task.mark(&problem, &tokens(text), pass);
    assert_eq!(mark("04,09", PassMark::All).outcome, 1.0);
    assert_eq!(mark("04,08", PassMark::All).outcome, 0.0);
    assert_eq!(mark("04,08", PassMark::All).right, [true, false]);
    assert_eq!(mark("04,08", PassMark::AtLeast(1)).outcome, 1.0);
    assert_eq!(mark("04,08", PassMark::Fraction).outcome, 0.5);
    assert_eq!(mark("04", PassMark::Fraction).right, [true, false]);
    assert!(!mark("04", PassMark::Fraction).well_formed);
    assert_eq!(mark("4,9", PassMark::Fraction).outcome, 0.0);
    assert_eq!(mark("04,09,11", PassMark::AtLeast(1)).outcome, 0.0);
    assert_eq!(mark("", PassMark::AtLeast(1)).outcome, 0.0);
    assert_eq!(mark("04,,09", PassMark::Fraction).outcome, 0.0);
}

#[test]
fn the_end_token_ends_and_other_specials_spoil() {
    let task = TaskName::Exam.build();
    let problem = Problem {
        prompt: "2+2=".into(),
        ground_truth: "04".into(),
        answers: vec!["04".into()],
    };
    let of = |tokens: &[&str]| tokens.iter().map(|t| t.to_string()).collect::<Vec<_>>();
    let ended = of(&["0", "4", EOS, ",", "7"]);
    assert_eq!(task.mark(&problem, &ended, PassMark::All).outcome, 1.0);
    assert_eq!(task.answer_spans(&ended).first(), Some(&(0..2)));
    let spoilt = of(&["0", PAD, "4"]);
    assert_eq!(task.mark(&problem, &spoilt, PassMark::All).outcome, 0.0);
}

#[test]
fn spans_are_the_answers() {
    for task in tasks() {
        let problem = task.problem(5, Split::Train, 5);
        let tokens = tokens(&problem.ground_truth);
        let read: Vec<String> = task
            .answer_spans(&tokens)
            .into_iter()
            .map(|span| tokens[span].concat())
            .collect();
        assert_eq!(read, problem.answers);
    }
}
