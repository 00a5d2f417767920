//! The rules around tests: which are run, in what order, and when they are given up.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use prime_verifier::code::{CodeConfig, CodeError, CodeVerifier, Scoring, TestCases, TestVerdict};
use prime_verifier::sandbox::{Layer, SandboxError};

use crate::{cases, codes, config, doubling};

fn with(change: impl FnOnce(&mut CodeConfig)) -> CodeVerifier {
    let mut config = config(true, &[]);
    change(&mut config);
    CodeVerifier::new(&config).unwrap()
}

fn many(count: usize) -> TestCases {
    let inputs: Vec<String> = (0..count).map(|n| n.to_string()).collect();
    let outputs: Vec<String> = (0..count).map(|n| (2 * n).to_string()).collect();
    cases(serde_json::json!({"inputs": inputs, "outputs": outputs}))
}

#[test]
fn without_a_sandbox_there_is_no_grading_and_the_error_says_what_is_missing() {
    for layer in [Layer::Seccomp, Layer::Landlock] {
        let mut config = config(true, &[layer]);
        config.allow_unsandboxed = false;
        let error = CodeVerifier::new(&config).unwrap_err();
        let CodeError::Sandbox(SandboxError::SandboxUnavailable {
            missing,
            how_to_fix,
        }) = &error
        else {
            panic!("{error:?}");
        };
        assert!(
            missing.len() == 1 && missing[0].contains(layer.name()),
            "{missing:?}"
        );
        assert!(how_to_fix.contains("Linux 5.13"), "{how_to_fix}");
        assert!(error.to_string().contains("allow_unsandboxed"), "{error}");

        config.allow_unsandboxed = true;
        let verifier = CodeVerifier::new(&config).unwrap();
        assert!(!verifier.sandbox().is_sandboxed());
        assert_eq!(verifier.why_not_preforked(), Some("there is no sandbox"));
        let grade = verifier.grade("print(2 * int(input()))", doubling());
        assert_eq!((grade.score, grade.sandboxed), (Some(1.0), false));
    }
    let grade = with(|_| ()).grade("print(2 * int(input()))", doubling());
    assert_eq!((grade.score, grade.sandboxed), (Some(1.0), true));
}

#[test]
fn after_the_first_failure_the_rest_is_skipped_where_that_is_asked_for() {
    let verifier = with(|config| {
        config.stop_early = true;
        config.workers = 2;
    });
    let grade = verifier.grade("n = int(input())\nprint(2 * n if n < 2 else 0)", many(6));
    assert_eq!(codes(&grade), ["AC", "AC", "WA", "SK", "SK", "SK"]);
    assert_eq!(grade.score, Some(2.0 / 6.0));
    assert_eq!(grade.verdict(), TestVerdict::WrongAnswer);
}

#[test]
fn tests_beyond_the_time_of_a_solution_are_skipped() {
    let verifier = with(|config| config.solution_wall = 0.5);
    let program = "import time\ntime.sleep(0.3)\nprint(2 * int(input()))";
    let grade = verifier.grade(program, many(5));
    assert_eq!(codes(&grade), ["AC", "AC", "SK", "SK", "SK"], "{grade:?}");
}

#[test]
fn no_more_tests_than_asked_for_are_run() {
    let verifier = with(|config| config.max_tests = NonZeroUsize::new(3));
    let grade = verifier.grade("print(2 * int(input()))", many(50));
    assert_eq!((codes(&grade), grade.score), (vec!["AC"; 3], Some(1.0)));
}

#[test]
fn all_or_nothing_is_nothing_for_a_part() {
    let verifier = with(|config| config.scoring = Scoring::AllOrNothing);
    let grade = verifier.grade("print(0)", many(3));
    assert_eq!(
        (codes(&grade), grade.score),
        (vec!["AC", "WA", "WA"], Some(0.0))
    );
    let grade = verifier.grade("print(2 * int(input()))", many(3));
    assert_eq!(grade.score, Some(1.0));
}

#[test]
fn no_tests_are_no_success() {
    for scoring in [Scoring::Fraction, Scoring::AllOrNothing] {
        let verifier = with(|config| config.scoring = scoring);
        let grade = verifier.grade("print(6)", TestCases::Stdin(vec![]));
        assert_ne!(grade.score, Some(1.0), "{scoring:?}");
    }
}

#[test]
fn what_is_cancelled_ends_at_once_and_has_no_score() {
    let verifier = with(|config| config.workers = 2);
    let ticket = verifier.submit("import time\ntime.sleep(100)", many(20));
    std::thread::sleep(Duration::from_millis(300));
    let begun = Instant::now();
    ticket.cancel();
    let grade = ticket.wait();
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!((codes(&grade), grade.score), (vec!["IE"; 20], None));
    // The workers are free for others, also after a ticket that nobody waited for.
    drop(verifier.submit("import time\ntime.sleep(100)", many(20)));
    let begun = Instant::now();
    let grade = verifier.grade("print(2 * int(input()))", doubling());
    assert_eq!(grade.score, Some(1.0));
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn a_program_with_many_slow_tests_holds_up_another_by_one_of_them() {
    let verifier = with(|config| config.workers = 1);
    let slow = verifier.submit(
        "import time\ntime.sleep(0.3)\nprint(2 * int(input()))",
        many(12),
    );
    std::thread::sleep(Duration::from_millis(100));
    let begun = Instant::now();
    let quick = verifier.submit("print(2 * int(input()))", doubling());
    assert!(quick.wait_for(Duration::from_secs(3)));
    // One slow test before each of the two.
    assert!(
        begun.elapsed() < Duration::from_millis(1500),
        "{:?}",
        begun.elapsed()
    );
    let (done, all) = slow.progress();
    assert!(done < all / 2, "{done} of {all}");
    assert_eq!(quick.wait().score, Some(1.0));
}

#[test]
fn a_program_disturbs_no_other_that_runs_at_the_same_time() {
    let verifier = with(|config| config.workers = 2);
    let bad = [
        "while True: pass",
        "import os\nfor pid in range(1, 3000):\n    try: os.kill(pid, 9)\n    except OSError: pass",
        "import os\nos.kill(os.getpid(), 11)",
        "kept = bytearray(2 << 30)",
        "import os\nos.closerange(0, 64)\nos._exit(0)",
    ];
    let bad: Vec<_> = bad
        .iter()
        .map(|program| verifier.submit(*program, doubling()))
        .collect();
    let good: Vec<_> = (0..5)
        .map(|_| verifier.submit("print(2 * int(input()))", doubling()))
        .collect();
    for ticket in good {
        assert_eq!(ticket.wait().score, Some(1.0));
    }
    for ticket in bad {
        assert_eq!(ticket.wait().score, Some(0.0));
    }
}

#[test]
fn verdicts_have_the_names_that_contests_use() {
    let all: Vec<&str> = TestVerdict::ALL
        .iter()
        .map(|verdict| verdict.code())
        .collect();
    assert_eq!(all.join(" "), "AC WA TLE MLE OLE RE CE SV SK IE");
    for verdict in TestVerdict::ALL {
        let text = serde_json::to_string(&verdict).unwrap();
        assert_eq!(text, format!("{:?}", verdict.code()));
    }
}
