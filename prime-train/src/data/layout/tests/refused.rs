//! Rows that cannot be used, and the way out.

use super::*;

#[test]
fn layouts_without_a_usable_answer_are_refused_with_the_way_out() {
    let cases = [
        (
            "OpenThoughts",
            r#"{"system":"S","conversations":[{"from":"user","value":"1+1?"},{"from":"assistant","value":"\\boxed{2}"}]}"#,
            "row: a conversation alone has no answer",
        ),
        (
            "Tulu 3",
            r#"{"id":"x","messages":[{"role":"user","content":"1+1?"},{"role":"assistant","content":"2"}],"source":"flan"}"#,
            "data.columns.answer",
        ),
        (
            "LiveCodeBench",
            r#"{"question_title":"A","question_content":"Add one.","public_test_cases":"[]","private_test_cases":"eJw=","starter_code":"","metadata":"{}"}"#,
            "answer = \"public_test_cases\"",
        ),
        (
            "HumanEval",
            r#"{"task_id":"HumanEval/0","prompt":"def f():","entry_point":"f","canonical_solution":"x","test":"def check(c): assert c() == 1"}"#,
            "row: the tests are Python code",
        ),
        (
            "MBPP",
            r#"{"task_id":1,"text":"Add.","code":"x","test_list":["assert f(1) == 2"]}"#,
            "\"fn_name\"",
        ),
        (
            "KodCode",
            r#"{"question":"Add.","solution":"x","test":"def test_f(): assert f(1) == 2"}"#,
            "row: the tests are Python code",
        ),
        (
            "MMLU",
            r#"{"question":"1+1?","subject":"a","choices":["1","2"],"answer":1}"#,
            "row: the choices are in a column of their own",
        ),
        (
            "AQuA-RAT",
            r#"{"question":"1+1?","options":["A)1","B)2"],"rationale":"x","correct":"B"}"#,
            "write them into the prompt",
        ),
        (
            "open-instruct: instructions to follow",
            r#"{"messages":[{"role":"user","content":"Say hi."}],"ground_truth":"{\"func_name\": \"f\"}","dataset":"ifeval"}"#,
            "dataset: \"ifeval\" is not something that can be judged here; known are `math`",
        ),
        (
            "SYNTHETIC-1: judged by a model",
            r#"{"prompt":"Why?","task_type":"llm_judgeable_groundtruth_similarity","verification_info":"{}"}"#,
            "task_type: \"llm_judgeable_groundtruth_similarity\" is not",
        ),
        (
            "NuminaMath-1.5: a proof",
            r#"{"problem":"Prove it.","solution":"So.","answer":"proof"}"#,
            "answer: is \"proof\": there is no answer",
        ),
        (
            "OlympiadBench: a proof",
            r#"{"question":"Prove it.","final_answer":null,"solution":["So it is as was to be shown."]}"#,
            "solution: holds no",
        ),
        (
            "OlympiadBench: a picture",
            r#"{"question":"Where?","final_answer":["2"],"image_1":{"bytes":"x"}}"#,
            "image_1: is a picture",
        ),
        (
            "alpaca",
            r#"{"instruction":"Say hi.","input":"","output":""}"#,
            "row: instructions with an output",
        ),
        (
            "responses with a mark",
            r#"{"conversation":[{"content":"1+1?","role":"user"},{"content":"2","role":"assistant"}],"label":1}"#,
            "row: `label` says whether the response is right",
        ),
        (
            "ProcessBench",
            r#"{"id":"x","generator":"g","problem":"1+1?","steps":["a","b"],"final_answer_correct":false,"label":1}"#,
            "row: `label` is the first wrong step",
        ),
        (
            "names that are known, but no layout",
            r#"{"input":"1+1?","target":"2"}"#,
            "such as data.columns.answer = \"target\"",
        ),
        (
            "Countdown",
            r#"{"target":98,"nums":[44,19,35]}"#,
            "row: no layout is known with the columns `target`, `nums`; say which hold the prompt and the gold answer, such as data.columns = { prompt = ",
        ),
        (
            "a prompt alone",
            r#"{"prompt":"1+1?","id":7}"#,
            "row: no column is known to hold the gold answer; the row has `prompt`, `id`; say which does, such as data.columns.answer = \"id\"",
        ),
        (
            "gold with no word of an answer",
            r#"{"problem":"1+1?","solution":"One adds one to one, and that is it."}"#,
            "solution: holds no `\\boxed{}`",
        ),
        (
            "two golds",
            r#"{"question":"1+1?","answer":"2","ground_truth":"3"}"#,
            "ground_truth: could be the gold answer, and so could `answer`",
        ),
        (
            "an object",
            r#"{"question":"q","answer":{"value":"2"}}"#,
            "answer: expected an answer, found an object with `value`",
        ),
        (
            "a boolean",
            r#"{"question":"q","answer":true}"#,
            "answer: expected a string or a number, found a boolean",
        ),
        (
            "nothing",
            r#"{"question":"q","answer":""}"#,
            "answer: is empty",
        ),
        (
            "an empty list",
            r#"{"question":"q","answer":[]}"#,
            "answer: is an empty list",
        ),
        (
            "hashes and nothing",
            r#####"{"question":"q","answer":"So.\n#### "}"#####,
            "answer: has nothing behind",
        ),
        (
            "unreadable",
            r#"{"question":"q","answer":"\\frac{2"}"#,
            "answer: \"\\\\frac{2\" cannot be read by the maths grader",
        ),
        (
            "an empty prompt",
            r#"{"question":" ","answer":"2"}"#,
            "question: is empty",
        ),
        (
            "no prompt",
            r#"{"question":null,"answer":"2"}"#,
            "question: is null",
        ),
        ("no columns", "{}", "row: the object has no columns"),
        ("a list", "[1]", "row: expected an object, found a list"),
        ("not JSON", "{", "row: not JSON"),
    ];
    for (of, row, said) in cases {
        let error = parse(row, &[]).expect_err(of);
        assert!(error.contains(said), "{of}: {error}");
    }
}

#[test]
fn words_are_taken_and_counted() {
    assert!(
        parse(r#"{"question":"q","answer":"east"}"#, &[])
            .unwrap()
            .only_words
    );
    assert!(
        !parse(r#"{"question":"q","answer":"x+1"}"#, &[])
            .unwrap()
            .only_words
    );
}

#[test]
fn a_reward_that_needs_no_gold_takes_any_row_with_a_prompt() {
    let row = br#"{"prompt":"Say hi.","ability":"chat","reward_model":{"style":"model"}}"#;
    assert!(reading(&[]).parse(row).is_err());
    let row = reading(&[]).without_gold().keep_text().parse(row).unwrap();
    assert_eq!(row.ability, Ability::Other("chat".to_owned()));
    assert!(row.golds.is_empty() && row.text.is_some());
    let row = reading(&[])
        .without_gold()
        .parse(br#"{"prompt":"Say hi."}"#)
        .unwrap();
    assert_eq!(turns(&row), ["u:Say hi."]);
}
