//! `data.columns`, and what is added to prompts.

use super::*;

#[test]
fn columns_are_found_by_name_and_by_path() {
    let row = r#"{"q":"1+1?","a":{"b":[{"c":"So\n#### 2"}]},"k":"mathematics","s":"set","sys":"S","t":"{\"u\": 7}","turns":[{"from":"human","value":"9?"}]}"#;
    let mapped = parse(
        row,
        &[
            "data.columns.prompt=q",
            "data.columns.answer=a.b[0].c",
            "data.columns.ability=k",
            "data.columns.data_source=s",
            "data.columns.system=sys",
        ],
    )
    .unwrap();
    assert_eq!(turns(&mapped), ["s:S", "u:1+1?"]);
    assert_eq!(mapped.golds, ["2"]);
    assert_eq!(
        (mapped.data_source.as_deref(), mapped.layout),
        (Some("set"), "data.columns")
    );
    let inside = [
        "data.columns.prompt=turns[0].value",
        "data.columns.answer=t.u",
    ];
    let mapped = parse(row, &inside).unwrap();
    assert_eq!(
        (turns(&mapped), mapped.golds),
        (vec!["u:9?".to_owned()], vec!["7".to_owned()])
    );
    // One of the two is enough where the layout says the other, or its name does.
    let half = parse(
        r#"{"question":"1+1?","answer":"3","target":"2"}"#,
        &["data.columns.answer=target"],
    );
    assert_eq!(half.unwrap().golds, ["2"]);
    let half = parse(r#"{"text":"1+1?","y":"2"}"#, &["data.columns.answer=y"]);
    assert_eq!(turns(&half.unwrap()), ["u:1+1?"]);
    let half = parse(
        r#"{"w":"1+1?","expected_answer":"2"}"#,
        &["data.columns.prompt=w"],
    );
    assert_eq!(half.unwrap().golds, ["2"]);
    let said = r#"{"question":"1+1?","answer":"2","said":[{"role":"assistant","content":"Two."}]}"#;
    let said = parse(said, &["data.columns.response=said"]).unwrap();
    assert_eq!(said.reference.as_deref(), Some("Two."));
    // Names that are known make a row without a word.
    for plain in [
        r#"{"instruction":"1+1?","answer":"2"}"#,
        r#"{"id":1,"problem":"1+1?","ground_truth":"2"}"#,
        r#"{"Problem":"1+1?","Solution":"So \\boxed{2}"}"#,
    ] {
        let plain = parse(plain, &[]).unwrap();
        assert_eq!(
            (turns(&plain), plain.golds),
            (vec!["u:1+1?".to_owned()], vec!["2".to_owned()])
        );
        assert_eq!(plain.layout, "a prompt, an answer");
    }
    let two = r#"{"question":"1+1?","answer":"2","ground_truth":"3"}"#;
    assert_eq!(
        parse(two, &["data.columns.answer=ground_truth"])
            .unwrap()
            .golds,
        ["3"]
    );
}

#[test]
fn a_column_that_is_not_there_is_named() {
    let row = r#"{"question":"1+1?","extra_info":{"answer":"2"},"answer":"2"}"#;
    for (setting, said) in [
        (
            "data.columns.answer=gold",
            "gold: is missing; the row has `question`, `extra_info`, `answer`",
        ),
        (
            "data.columns.answer=extra_info.gold",
            "extra_info.gold: is missing; `extra_info` has `answer`",
        ),
        (
            "data.columns.answer=question.gold",
            "question: expected an object or its JSON text, found a string",
        ),
        ("data.columns.prompt=p", "p: is missing"),
        ("data.columns.ability=kind", "kind: is missing"),
        ("data.columns.data_source=from", "from: is missing"),
        ("data.columns.system=sys", "sys: is missing"),
        ("data.columns.response=said", "said: is missing"),
    ] {
        let error = parse(row, &[setting]).unwrap_err();
        assert!(error.starts_with(said), "{setting}: {error}");
    }
}

#[test]
fn rows_that_do_not_say_what_they_are_follow_the_setting() {
    let row = r#"{"prompt":"Add.","answer":[{"input":"1","output":"2"}]}"#;
    assert!(
        parse(row, &[])
            .unwrap_err()
            .starts_with("answer[0]: expected an answer, found an object")
    );
    let code = parse(row, &["data.ability=code"]).unwrap();
    assert_eq!(code.golds, [r#"{"inputs": ["1"], "outputs": ["2"]}"#]);
    let error = parse(row, &["data.ability=chess"]).unwrap_err();
    assert!(
        error.starts_with("data.ability: \"chess\" is not"),
        "{error}"
    );
}

#[test]
fn system_prompt_example_turns_and_instruction_are_added() {
    let row = r#"{"prompt":[{"role":"system","content":"Old."},{"role":"user","content":"1+1? {prompt}"}],"answer":"2"}"#;
    let settings = [
        "data.system_prompt=New.",
        r#####"data.example_turns=[{user = "2+2?", assistant = "#### 4"}]"#####,
        r#"data.prompt_template="{prompt}\nThink.""#,
    ];
    let shaped = parse(row, &settings).unwrap();
    let expected = ["s:New.", "u:2+2?", "a:#### 4", "u:1+1? {prompt}\nThink."];
    assert_eq!(turns(&shaped), expected);
    // What the examples show is where the answer is looked for; an instruction behind them says otherwise.
    assert_eq!(shaped.extract, Some(AnswerPlace::Hashes));
    let boxed = r#"data.prompt_template="{prompt} Put it in \\boxed{}.""#;
    let shaped = parse(row, &[settings[1], boxed]).unwrap();
    assert_eq!(shaped.extract, Some(AnswerPlace::Boxed));
    assert_eq!(turns(&shaped)[0], "s:Old.");
}

#[test]
fn example_turns_may_be_a_file_of_messages() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("turns.json");
    let setting = format!("data.example_turns={}", path.display());
    let read = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let row = r#"{"prompt":"1+1?","answer":"2"}"#;
        crate::data::reading::tests::try_reading(&[&setting])
            .map(|reading| turns(&reading.parse(row.as_bytes()).unwrap()))
            .map_err(|error| error.to_string())
    };
    let good = r#"[{"role":"user","content":"2+2?"},{"role":"assistant","content":"4"}]"#;
    assert_eq!(read(good).unwrap(), ["u:2+2?", "a:4", "u:1+1?"]);
    for (text, said) in [
        ("{", "not JSON"),
        ("[]", "its last message is not the assistant's"),
        (
            r#"[{"role":"user","content":"2+2?"}]"#,
            "its last message is not the assistant's",
        ),
        (r#"[{"role":"user"}]"#, "messages[0].content: is missing"),
    ] {
        let error = read(text).unwrap_err();
        assert!(
            error.contains("turns.json") && error.contains(said),
            "{error}"
        );
    }
}
