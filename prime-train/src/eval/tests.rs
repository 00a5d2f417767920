//! Whole evaluations of a small model on rows and on a built-in task, with votes counted again from what `--responses` writes.

use std::collections::BTreeMap;

use prime_verifier::math::{MathPolicy, compare};

use super::*;
use crate::config::{Layer, resolve};
use crate::run::initial_model;

const SMALL: &str = r#"
preset = "rloo"
model.hidden_size = 16
model.intermediate_size = 24
model.num_hidden_layers = 1
model.num_attention_heads = 2
model.num_key_value_heads = 2
# Untrained models stop anywhere: responses of many lengths.
model.initializer_range = 0.4
warmup.steps = 0
eval.problems = 4
"#;

fn config(own: &str) -> Config {
    let layers = [format!("{SMALL}eval.k = 16"), own.to_owned()];
    resolve(&layers.map(|text| Layer::text("test", &text).unwrap())).unwrap()
}

/// An evaluation, and its responses.
fn evaluated(own: &str) -> (Evaluation, Vec<EvalResponse>) {
    let model = initial_model(&config("data.task = 'mod3'\n")).unwrap();
    let config = config(own);
    let problems = Problems::open(&config, &model.tokenizer).unwrap();
    let mut all = vec![];
    let tell = &mut |response| all.push(response);
    let found = evaluate_with(&model.model, &config, &problems, &model.tokenizer, 4, tell).unwrap();
    (found, all)
}

fn by_problem(all: &[EvalResponse]) -> BTreeMap<u64, Vec<&EvalResponse>> {
    let mut problems: BTreeMap<u64, Vec<&EvalResponse>> = BTreeMap::new();
    for response in all {
        problems.entry(response.problem).or_default().push(response);
    }
    problems
}

#[test]
fn maths_is_voted_on_by_what_the_grader_finds_equal() {
    let folder = tempfile::tempdir().unwrap();
    let row = |gold: u32| {
        format!(
            r#"{{"prompt":[{{"role":"user","content":"12="}}],"ability":"math","reward_model":{{"ground_truth":"{gold}"}}}}"#
        )
    };
    let path = folder.path().join("rows.jsonl");
    std::fs::write(&path, (0..4).map(|i| row(i % 3) + "\n").collect::<String>()).unwrap();
    let path = path.display();
    let (found, all) = evaluated(&format!(
        "data.task = 'rows'\nmodel.path = 'any'\ndata.extract = 'last_value'\ndata.chat_template = 'none'\n\
         data.train_file = '{path}'\ndata.eval_file = '{path}'\n"
    ));
    assert_eq!((found.n, found.k, all.len()), (4, 16, 64));
    let policy = MathPolicy::default();
    let (mut merged, mut silent, mut right) = (0, 0, 0);
    for responses in by_problem(&all).into_values() {
        let mut kinds: Vec<(usize, &str, usize)> = vec![];
        for response in &responses {
            let Some(answer) = &response.answer else {
                assert_eq!(response.vote, None);
                silent += 1;
                continue;
            };
            let known = kinds
                .iter_mut()
                .find(|(_, kind, _)| compare(kind, answer, &policy).is_equal());
            match known {
                Some((first, _, n)) => {
                    assert_eq!(response.vote, Some(*first));
                    merged += usize::from(responses[*first].response != response.response);
                    *n += 1;
                }
                None => kinds.push((response.sample, answer, 1)),
            }
        }
        let most = kinds.iter().map(|kind| kind.2).max().unwrap();
        let won = kinds.iter().find(|kind| kind.2 == most).unwrap().0;
        right += usize::from(responses[won].verdict == "right");
    }
    assert!(
        merged > 0 && silent > 0,
        "{merged} {silent}: nothing was tried"
    );
    assert_eq!(found.maj_at_k, Some(f64::from(right as u32) / 4.0));
    let cut = all
        .iter()
        .filter(|r| r.finish_reason == FinishReason::Length);
    let cut = cut.count() as f64 / 64.0;
    assert!(cut > 0.0 && cut < 1.0, "{cut}");
    assert_eq!((found.truncated, found.unjudged), (cut, 0.0));
}

#[test]
fn programs_have_no_votes() {
    let folder = tempfile::tempdir().unwrap();
    let row = r#"{"prompt":[{"role":"user","content":"12="}],"ability":"code","reward_model":{"ground_truth":"{\"inputs\":[\"\"],\"outputs\":[\"1\"]}"}}"#;
    let path = folder.path().join("rows.jsonl");
    std::fs::write(&path, format!("{row}\n")).unwrap();
    let path = path.display();
    let (found, all) = evaluated(&format!(
        "data.task = 'rows'\nmodel.path = 'any'\ndata.chat_template = 'none'\neval.k = 2\n\
         data.train_file = '{path}'\ndata.eval_file = '{path}'\n"
    ));
    assert_eq!((found.maj_at_k, found.without_votes), (None, 1));
    assert!(
        all.iter()
            .all(|r| r.vote.is_none() && r.ground_truth.is_none())
    );
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(
        (json.get("maj_at_k"), &json["without_votes"]),
        (None, &1.into())
    );
}

#[test]
fn lists_vote_as_lists_and_every_response_is_a_line() {
    let (found, all) = evaluated("data.task = 'mod3'\n");
    assert!(found.maj_at_k.is_some());
    for responses in by_problem(&all).into_values() {
        for response in &responses {
            let Some(first) = response.vote else {
                assert_eq!(response.answer, None);
                continue;
            };
            assert_eq!(response.answer, responses[first].answer);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = responses_path(folder.path(), 7);
    write_responses(&path, &all).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 64);
    for (line, response) in lines.iter().zip(&all) {
        assert_eq!(line["response"], response.response.as_str());
        assert_eq!(line["problem"], response.problem);
        for key in ["answer", "vote", "verdict", "score", "finish_reason"] {
            assert!(line.get(key).is_some(), "{key} in {line}");
        }
    }
}
