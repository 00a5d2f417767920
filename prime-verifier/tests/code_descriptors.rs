//! Grading from a process that has many files open, whose numbers a test's own must not run into.
#![cfg(all(feature = "code", target_os = "linux"))]

use std::fs::File;

use prime_verifier::code::{CodeConfig, CodeVerifier, StdinCase, TestCases};

#[test]
fn any_number_of_open_files() {
    let mut config = CodeConfig::default();
    config.workers = 1;
    config.prefork = false;
    let verifier = CodeVerifier::new(&config).unwrap();
    let mut open = vec![];
    // A descriptor at a time, past every number that the sandbox itself uses.
    while open.len() < 80 {
        open.push(File::open("/dev/null").unwrap());
        let tests = TestCases::Stdin(vec![StdinCase {
            input: "7\n".to_owned(),
            output: "7".to_owned(),
        }]);
        let grade = verifier.submit("print(input())", tests).wait();
        let files = open.len();
        assert_eq!(grade.score, Some(1.0), "{files} files: {grade:?}");
    }
}
