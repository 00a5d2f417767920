//! Problems of code.

use prime_verifier::code::TestCases;

use super::*;

#[test]
fn problems_with_tests() {
    let tests = r#"{"inputs": ["1", "2"], "outputs": ["2", "3"]}"#;
    let cases = [
        (
            "Eurus-2-RL-Data",
            "verl",
            r#"{"data_source":"taco","prompt":[{"role":"user","content":"Add one."}],"ability":"code","reward_model":{"style":"rule","ground_truth":"{\"inputs\": [\"1\", \"2\"], \"outputs\": [\"2\", \"3\"]}"}}"#,
        ),
        (
            "Skywork-OR1",
            "verl",
            r#"{"data_source":"train-code-taco","prompt":[{"role":"user","content":"Add one."}],"ability":"Coding","reward_model":{"style":"rule","ground_truth":{"inputs": ["1", "2"], "outputs": ["2", "3"]}}}"#,
        ),
        (
            "SYNTHETIC-1",
            "verification_info",
            r#"{"problem_id":"c","task_type":"verifiable_code","prompt":"Add one.","verification_info":"{\"language\": \"python\", \"test_cases\": [{\"type\": \"stdin_stdout\", \"input\": \"1\", \"output\": \"2\", \"fn_name\": null}, {\"type\": \"stdin_stdout\", \"input\": \"2\", \"output\": \"3\"}]}"}"#,
        ),
        (
            "APPS, TACO",
            "input_output",
            r#"{"question":"Add one.","solutions":"[]","starter_code":"","input_output":"{\"inputs\": [\"1\", \"2\"], \"outputs\": [\"2\", \"3\"]}","difficulty":"EASY","source":"codeforces"}"#,
        ),
        (
            "CodeContests",
            "public_tests",
            r#"{"name":"1_A","description":"Add one.","public_tests":{"input":["1"],"output":["2"]},"private_tests":{"input":[],"output":[]},"generated_tests":{"input":["2"],"output":["3"]},"source":2}"#,
        ),
        (
            "DeepCoder",
            "tests",
            r#"{"problem":"Add one.","solutions":["x"],"tests":"[{\"type\": \"stdin_stdout\", \"input\": \"1\", \"output\": \"2\"}, {\"type\": \"stdin_stdout\", \"input\": \"2\", \"output\": \"3\"}]"}"#,
        ),
    ];
    for (of, layout, row) in cases {
        let row = parse(row, &[]).unwrap_or_else(|error| panic!("{of}: {error}"));
        assert_eq!((row.layout, &row.ability), (layout, &Ability::Code), "{of}");
        assert_eq!(turns(&row), ["u:Add one."], "{of}");
        let read = TestCases::parse(&row.golds[0]).unwrap();
        assert_eq!(read, TestCases::parse(tests).unwrap(), "{of}");
    }
}

#[test]
fn calls_have_their_name_and_numbers_their_letters() {
    let row = r#"{"problem":"Add one.","starter_code":"def f(x):\n","tests":"[{\"input\": \"12345678901234567890123\", \"output\": \"1.50\", \"testtype\": \"functional\"}]","metadata":{"func_name":"f"}}"#;
    let row = parse(row, &[]).unwrap();
    assert_eq!(
        row.golds,
        [r#"{"inputs": ["12345678901234567890123"], "outputs": ["1.50"], "fn_name": "f"}"#]
    );
    assert_eq!(turns(&row), ["u:Add one.\n\n```python\ndef f(x):\n```"]);
}

#[test]
fn broken_tests_say_where() {
    let row =
        |tests: &str| format!(r#"{{"question":"q","input_output":{tests},"starter_code":null}}"#);
    for (tests, said) in [
        (r#""""#, "tests: the test cases are not JSON"),
        (
            r#"{"inputs":[],"outputs":[]}"#,
            "tests: `inputs` and `outputs` are empty",
        ),
        ("null", "input_output: is null"),
        (
            r#"["assert f(1) == 2"]"#,
            "input_output[0]: expected {\"input\": …, \"output\": …}, found an `assert`",
        ),
        (r#"[{"input":"1"}]"#, "input_output[0].output: is missing"),
        (
            r#"[{"input":"1","output":"2","testtype":"functional"}]"#,
            "input_output[0].fn_name: is missing",
        ),
        (
            r#"[{"input":"1","output":"2","fn_name":"f"},{"input":"1","output":"2","fn_name":"g"}]"#,
            "input_output[1]: calls \"g\", and an earlier test \"f\"",
        ),
    ] {
        let error = parse(&row(tests), &[]).unwrap_err();
        assert!(error.starts_with(said), "{tests}: {error}");
    }
}
