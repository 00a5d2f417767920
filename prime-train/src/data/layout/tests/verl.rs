//! The schema of verl and its variants; `verification_info`.

use super::*;

#[test]
fn rows_that_say_how_they_are_judged() {
    let cases = [
        Case {
            of: "Eurus-2-RL-Data",
            layout: "verl",
            row: r#"{"data_source":"numina","prompt":[{"role":"system","content":"Use \\boxed{}."},{"role":"user","content":"1+1?"}],"ability":"math","reward_model":{"style":"rule","ground_truth":"2"},"extra_info":{"index":0,"split":"train"}}"#,
            prompt: &["s:Use \\boxed{}.", "u:1+1?"],
            extract: Some(AnswerPlace::Boxed),
            ..PLAIN
        },
        Case {
            of: "verl's gsm8k",
            layout: "verl",
            row: r#####"{"data_source":"openai/gsm8k","prompt":[{"role":"user","content":"1+1? Let's think step by step and output the final answer after \"####\"."}],"ability":"math","reward_model":{"style":"rule","ground_truth":"2"},"extra_info":{"split":"train","index":0,"answer":"1+1=2\n#### 2","question":"1+1?"}}"#####,
            prompt: &[
                "u:1+1? Let's think step by step and output the final answer after \"####\".",
            ],
            extract: Some(AnswerPlace::Hashes),
            ..PLAIN
        },
        Case {
            of: "DAPO-Math-17k",
            layout: "verl",
            row: r#"{"data_source":"math_dapo","prompt":[{"content":"Solve it. The last line of your response should be of the form Answer: $Answer.\n\n1+1?\n\nRemember to put your answer on its own line after \"Answer:\".","role":"user"}],"ability":"MATH","reward_model":{"ground_truth":"2","style":"rule-lighteval/MATH_v2"},"extra_info":{"index":"9a9b"}}"#,
            prompt: &[
                "u:Solve it. The last line of your response should be of the form Answer: $Answer.\n\n1+1?\n\nRemember to put your answer on its own line after \"Answer:\".",
            ],
            extract: Some(AnswerPlace::AnswerLine),
            ..PLAIN
        },
        Case {
            of: "DAPO-Math-17k processed",
            layout: "verl",
            row: r#"{"prompt":"1+1?","solution":"2","data_source":"math_dapo","source_prompt":[{"content":"x","role":"user"}],"ability":"MATH","reward_model":{"ground_truth":"2","style":"rule"},"extra_info":{"index":"1"}}"#,
            ..PLAIN
        },
        Case {
            of: "Skywork-OR1: the text of a list",
            layout: "verl",
            row: r#"{"data_source":"train-math-deepscaler","prompt":[{"role":"user","content":"1+1?"}],"ability":"math","reward_model":{"ground_truth":"[\"2\", \"two\"]","style":"rule"},"extra_info":{"index":1,"model_difficulty":{"a":3}}}"#,
            golds: &["2", "two"],
            ..PLAIN
        },
        Case {
            of: "reward_model as JSON text, no data_source, style or ability",
            layout: "verl",
            row: r#"{"prompt":"1+1?","reward_model":"{\"ground_truth\": 2.50}"}"#,
            golds: &["2.50"],
            ..PLAIN
        },
        Case {
            of: "an R1-style system prompt",
            layout: "verl",
            row: r#"{"prompt":[{"role":"system","content":"Reason in <think> </think> and answer in <answer> </answer> tags."},{"role":"user","content":[{"type":"text","text":"1+1?"}]}],"ability":null,"reward_model":{"ground_truth":["2"]}}"#,
            prompt: &[
                "s:Reason in <think> </think> and answer in <answer> </answer> tags.",
                "u:1+1?",
            ],
            extract: Some(AnswerPlace::AnswerTags),
            ..PLAIN
        },
        Case {
            of: "SYNTHETIC-1",
            layout: "verification_info",
            row: r#"{"problem_id":"v_1","source":"numina","task_type":"verifiable_math","in_source_id":"7","prompt":"1+1?","gold_standard_solution":"So 2.","verification_info":"{\"ground_truth\": \"2\"}","metadata":"{}"}"#,
            ..PLAIN
        },
        Case {
            of: "INTELLECT-2-RL-Dataset",
            layout: "verification_info",
            row: r#"{"problem_id":"p","task_type":"verifiable_math","prompt":"1+1?","verification_info":{"ground_truth":2},"solve_rate_qwen_r1_distill_7b":0.5}"#,
            ..PLAIN
        },
    ];
    check(&cases, &Ability::Math);
}

#[test]
fn where_rows_come_from_and_what_else_they_say_is_kept() {
    let row = parse(
        r#"{"prompt":"1+1?","source":["a","b"],"reward_model":{"ground_truth":"2"},"extra_info":{"n": 1.50}}"#,
        &[],
    );
    let row = row.unwrap();
    assert_eq!(row.data_source.as_deref(), Some("a"));
    assert_eq!(row.extra_info.as_deref(), Some(r#"{"n": 1.50}"#));
    let broken = parse(
        r#"{"prompt":"x","reward_model":"{'ground_truth': 2}"}"#,
        &[],
    );
    assert!(
        broken
            .unwrap_err()
            .starts_with("reward_model: is text that begins as JSON does")
    );
    let broken = parse(r#"{"prompt":"x","reward_model":{"truth":2}}"#, &[]).unwrap_err();
    assert!(
        broken.starts_with("reward_model.ground_truth: is missing; `reward_model` has `truth`")
    );
}
