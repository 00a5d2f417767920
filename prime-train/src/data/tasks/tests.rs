use std::collections::HashSet;

use itertools::Itertools;
use prime_verifier::Verdict;

use super::*;

fn judge(task: &dyn Task, mark: PassMark, response: &str, truth: &str) -> Verdict {
    task.verifier(mark).unwrap().verify(response, truth)
}

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
            let verdict = judge(
                task.as_ref(),
                PassMark::All,
                &problem.ground_truth,
                &problem.ground_truth,
            );
            assert_eq!(verdict.score(), Some(1.0));
            assert_eq!(verdict.steps(), Some(&vec![true; task.answers()][..]));
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
    let exam = TaskName::Exam.build();
    let truth = exam.problem(0, Split::Eval, 0).ground_truth;
    let right: Vec<&str> = truth.split(',').collect();
    let with = |changes: &[(usize, &str)]| {
        let mut answers = right.clone();
        for &(at, answer) in changes {
            answers[at] = answer;
        }
        answers.join(",")
    };
    let score = |response: &str, mark| judge(exam.as_ref(), mark, response, &truth).score();
    let two_wrong = with(&[(0, "00"), (11, "00")]);
    let three_wrong = with(&[(0, "00"), (5, "00"), (11, "00")]);
    assert_eq!(score(&two_wrong, PassMark::All), Some(0.0));
    assert_eq!(score(&two_wrong, exam.pass_mark()), Some(1.0));
    assert_eq!(score(&three_wrong, exam.pass_mark()), Some(0.0));
    assert_eq!(score(&three_wrong, PassMark::Fraction), Some(0.75));
    let verdict = judge(exam.as_ref(), PassMark::All, &two_wrong, &truth);
    let mut flags = [true; 12];
    (flags[0], flags[11]) = (false, false);
    assert_eq!(verdict.steps(), Some(&flags[..]));

    let short = right[..11].join(",");
    assert_eq!(score(&short, PassMark::Fraction), Some(11.0 / 12.0));
    assert_eq!(
        score(&format!("{truth},11"), PassMark::AtLeast(1)),
        Some(0.0)
    );
    assert_eq!(score("", PassMark::AtLeast(1)), Some(0.0));
    let gap = with(&[(3, "")]);
    assert_eq!(score(&gap, PassMark::Fraction), Some(11.0 / 12.0));
    let bare: String = right.iter().map(|a| a.trim_start_matches('0')).join(",");
    assert!(right.iter().any(|a| a.starts_with('0')));
    assert_eq!(score(&bare, PassMark::All), Some(0.0));
}

#[test]
fn pass_marks_that_no_sheet_can_reach_are_refused() {
    for task in tasks() {
        for mark in [0, task.answers() + 1] {
            let error = task.verifier(PassMark::AtLeast(mark)).err().unwrap();
            let error = error.to_string();
            assert!(
                error.starts_with(&format!("`data.pass_mark` is {mark}")),
                "{error}"
            );
        }
        assert!(task.verifier(PassMark::AtLeast(task.answers())).is_ok());
    }
}

#[test]
fn the_end_token_ends_and_other_specials_spoil() {
    let exam = TaskName::Exam.build();
    let of = |tokens: &[&str]| tokens.iter().map(|t| t.to_string()).collect::<Vec<_>>();
    let ended = of(&["0", "4", ",", "1", "1", EOS, ",", "7"]);
    assert_eq!(exam.answer_spans(&ended), [0..2, 3..5]);

    // As the trainer reads them: through the tokenizer, which spells other special tokens out.
    let tokenizer =
        prime_policy::Tokenizer::characters(exam.vocabulary().iter().filter_map(|token| {
            let mut characters = token.chars();
            characters.next().filter(|_| characters.next().is_none())
        }))
        .unwrap();
    let truth = exam.problem(0, Split::Train, 0).ground_truth;
    let score = |ids: &[u32]| {
        let text = tokenizer.decode_response(ids).unwrap();
        judge(exam.as_ref(), PassMark::All, &text, &truth).score()
    };
    let mut ids = tokenizer.encode_response(&truth).unwrap();
    ids.extend_from_slice(&[7, 7]);
    assert_eq!(score(&ids), Some(1.0));
    ids.insert(1, 0);
    assert_eq!(score(&ids), Some(0.0));
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

#[test]
fn a_list_is_read_as_the_verifier_reads_it() {
    assert_eq!(listed(" 3 ,7, \\boxed{ 4 }").as_deref(), Some("3,7,4"));
    assert_eq!(
        listed("07,\\boxed{1},2").as_deref(),
        Some("07,\\boxed{1},2")
    );
    assert_eq!(listed("  "), None);
}
