//! Conversations.

use super::*;

#[test]
fn conversations_with_their_answer() {
    let cases = [
        Case {
            of: "ORZ: the row is a list",
            layout: "turns with ground_truth",
            row: r#"[{"from":"human","value":"1+1?"},{"from":"assistant","ground_truth":{"value":"2"}}]"#,
            ..PLAIN
        },
        Case {
            of: "ORZ in a column",
            layout: "turns with ground_truth",
            row: r#"{"conversations":[{"from":"human","value":"1+1?"},{"from":"assistant","ground_truth":{"value":2}}]}"#,
            ..PLAIN
        },
        Case {
            of: "ORZ as Parquet",
            layout: "turns as columns",
            row: r#"{"0":{"from":"human","value":"1+1?","ground_truth":null},"1":{"from":"assistant","value":null,"ground_truth":{"value":"2"}}}"#,
            ..PLAIN
        },
        Case {
            of: "open-instruct",
            layout: "messages, ground_truth",
            row: r#"{"messages":[{"role":"user","content":"1+1?"}],"ground_truth":"2","dataset":"gsm8k","constraint_type":null}"#,
            ..PLAIN
        },
        Case {
            of: "open-instruct, lists",
            layout: "messages, ground_truth",
            row: r#"{"messages":[{"role":"user","content":"1+1?"}],"ground_truth":["2"],"dataset":["MATH"]}"#,
            ..PLAIN
        },
        Case {
            of: "ms-swift",
            layout: "messages, solution",
            row: r#"{"messages":[{"role":"system","content":"S"},{"role":"user","content":"1+1?"}],"solution":"So \\boxed{2}"}"#,
            prompt: &["s:S", "u:1+1?"],
            ..PLAIN
        },
        Case {
            of: "messages and an answer",
            layout: "messages, answer",
            row: r#"{"messages":[{"role":"user","content":"1+1?"},{"role":"assistant","content":"Two."}],"answer":2}"#,
            ..PLAIN
        },
    ];
    check(&cases, &Ability::Math);
}

#[test]
fn the_assistants_turn_at_the_end_is_a_reference() {
    let row = r#"{"messages":[{"role":"user","content":"1+1?"},{"role":"assistant","content":"2"},{"role":"user","content":"+1?"},{"role":"assistant","content":"3"}],"answer":"3"}"#;
    let row = parse(row, &[]).unwrap();
    assert_eq!(turns(&row), ["u:1+1?", "a:2", "u:+1?"]);
    assert_eq!(row.reference.as_deref(), Some("3"));
    // Without a gold answer such rows are demonstrations.
    let bare = br#"{"conversations":[{"from":"human","value":"1+1?"},{"from":"gpt","value":"2"}],"system":"S"}"#;
    let row = reading(&[]).without_gold().parse(bare).unwrap();
    assert_eq!(turns(&row), ["s:S", "u:1+1?"]);
    assert_eq!((row.reference.as_deref(), row.golds.len()), (Some("2"), 0));
    for (bare, prompt) in [
        (
            r#"{"prompt":"1+1?","completion":[{"role":"assistant","content":"2"}]}"#,
            "u:1+1?",
        ),
        (r#"{"prompt":"1+1?","response":"2"}"#, "u:1+1?"),
        (
            r#"{"instruction":"Add.","input":"1+1","output":"2"}"#,
            "u:Add.\n\n1+1",
        ),
        (
            r#"{"instruction":"1+1?","input":"","output":"2"}"#,
            "u:1+1?",
        ),
    ] {
        let row = reading(&[]).without_gold().parse(bare.as_bytes()).unwrap();
        assert_eq!(turns(&row), [prompt]);
        assert_eq!(row.reference.as_deref(), Some("2"), "{bare}");
    }
}
