//! Parts, their sum, and what becomes of a part that could not judge.

use std::sync::Arc;

use super::*;
use crate::config::{Layer, resolve};
use crate::data::ability::Ability;
use crate::data::answer_place::AnswerPlace;
use crate::data::row::{Message, Row};

fn config(reward: &str) -> Config {
    let head = "model.path = 'any'\ndata.train_file = 'any'\npreset = 'rloo'\n";
    let text = format!("{head}sampling.max_new_tokens = 100\n{reward}");
    resolve(&[Layer::text("f", &text).unwrap()]).unwrap()
}

fn problem(gold: &str, extract: Option<AnswerPlace>) -> PreparedProblem {
    PreparedProblem {
        prompt: "1+1?".to_owned(),
        ground_truth: gold.to_owned(),
        row: Some(Arc::new(Row {
            prompt: vec![Message::new("user", "1+1?")],
            ability: Ability::Math,
            golds: vec![gold.to_owned()],
            only_words: false,
            data_source: Some("mine".to_owned()),
            extra_info: Some(r#"{"index":7}"#.to_owned()),
            extract,
            reference: None,
            layout: "verl",
            text: None,
        })),
        ..PreparedProblem::default()
    }
}

fn open(config: &Config) -> Result<Rewards, TrainError> {
    Rewards::open(config, DataVerifier::rows(config, false)?)
}

fn asked<'a>(problem: &'a PreparedProblem, response: &'a str, tokens: usize) -> Asked<'a> {
    Asked {
        response,
        tokens,
        finish: FinishReason::Stop,
        problem,
    }
}

#[test]
fn the_default_is_the_score_of_the_verifier_to_the_bit() {
    let rewards = open(&config("")).unwrap();
    assert!(rewards.is_plain());
    let problem = problem("2", None);
    for (text, score) in [(r"\boxed{2}", 1.0), (r"\boxed{3}", 0.0), ("2", 0.0)] {
        let judged = rewards
            .judge(&[asked(&problem, text, 9)], Scope::All)
            .remove(0);
        assert_eq!(judged.reward, Some(score));
        assert_eq!(judged.verdict, rewards.verify(text, &problem));
    }
    let judged = rewards
        .judge(&[asked(&problem, r"\boxed{2.0}", 9)], Scope::All)
        .remove(0);
    assert_eq!(judged.answer.as_deref(), Some("2.0"));
    // A fault of the data keeps its own words.
    let broken = self::problem(r"\frac{2", None);
    let Verdict::CouldNotJudge { reason } = rewards.verify(r"\boxed{2}", &broken) else {
        panic!("it was judged");
    };
    assert!(reason.starts_with("the ground truth"), "{reason}");
}

#[test]
fn answers_are_read_where_the_row_or_the_setting_says() {
    let auto = open(&config("")).unwrap();
    let hash = problem("2", Some(AnswerPlace::Hashes));
    let score = |rewards: &Rewards, text, problem| rewards.verify(text, problem).score();
    assert_eq!(score(&auto, "#### 2", &hash), Some(1.0));
    assert_eq!(score(&auto, r"\boxed{2}", &hash), Some(1.0));
    assert_eq!(score(&auto, "The answer is 2.", &hash), Some(0.0));
    let unasked = problem("2", None);
    assert_eq!(score(&auto, "#### 2", &unasked), Some(0.0));
    let tags = problem("2", Some(AnswerPlace::AnswerTags));
    assert_eq!(score(&auto, "<answer>2</answer>", &tags), Some(1.0));
    let line = problem("2", Some(AnswerPlace::AnswerLine));
    assert_eq!(score(&auto, "So.\nAnswer: $2$", &line), Some(1.0));

    let fixed = open(&config("data.extract = 'final_answer,hash'")).unwrap();
    assert_eq!(score(&fixed, "The final answer is 2.", &tags), Some(1.0));
    assert_eq!(score(&fixed, "<answer>2</answer>", &tags), Some(0.0));
}

#[test]
fn the_first_part_is_the_outcome_and_the_sum_is_the_reward() {
    let rewards = open(&config(
        r#"[reward]
        parts = [
            { kind = "verifier", weight = 2 },
            { kind = "format", name = "tags", tags = ["think", "answer"], weight = 0.5 },
            { kind = "length", target_tokens = 10, limit_tokens = 20, weight = -1 },
        ]
        overlong_buffer = 50
        overlong_penalty = 0.5"#,
    ))
    .unwrap();
    assert_eq!(rewards.names(), ["verifier", "tags", "length", "overlong"]);
    assert!(!rewards.is_plain());
    let problem = problem("2", Some(AnswerPlace::AnswerTags));
    let right = "<think></think><answer>2</answer>";
    let all = [asked(&problem, right, 15), asked(&problem, "no", 75)];
    let judged = rewards.judge(&all, Scope::All);
    assert_eq!(judged[0].parts, [1.0, 1.0, 0.5, 0.0]);
    assert_eq!(judged[0].reward, Some(2.0 + 0.5 - 0.5));
    assert_eq!(judged[0].verdict.score(), Some(1.0));
    assert_eq!(judged[1].parts, [0.0, 0.0, 0.0, -0.25]);
    assert_eq!(judged[1].reward, Some(-0.25));
    // Evaluation is about the outcome.
    let judged = rewards.judge(&all, Scope::Outcome);
    assert_eq!(judged[0].parts, [1.0]);
    assert_eq!(judged[0].reward, Some(1.0));
}

#[cfg(unix)]
#[test]
fn a_grader_of_ones_own_is_told_everything_and_never_earns_a_response_0_by_failing() {
    let grader = r#"
import json, sys
for line in sys.stdin:
    ask = json.loads(line)
    assert ask["ground_truth"] == "2" and ask["ground_truths"] == ["2"] and ask["data_source"] == "mine"
    assert ask["messages"] == [{"role": "user", "content": "1+1?"}] and ask["prompt"] == "1+1?"
    assert ask["extra_info"] == {"index": 7} and ask["ability"] == "math"
    assert ask["finish_reason"] == "length" and ask["truncated"] and ask["tokens"] == 3
    score = {"bad": 7, "none": None}.get(ask["response"], 0.25)
    print(json.dumps({"id": ask["id"], "score": score, "reason": "unreadable", "detail": "a quarter"}), flush=True)
"#;
    let text = format!(
        "[reward]\nparts = [{{ kind = 'command', name = 'mine', command = ['python3', '-c', {}] }},
         {{ kind = 'verifier' }}]",
        toml::Value::String(grader.to_owned())
    );
    let rewards = open(&config(&text)).unwrap();
    let problem = problem("2", None);
    let all = ["good", "bad", "none", r"\boxed{2}"].map(|response| Asked {
        finish: FinishReason::Length,
        ..asked(&problem, response, 3)
    });
    for scope in [Scope::All, Scope::Outcome] {
        let judged = rewards.judge(&all, scope);
        let scores: Vec<Option<f32>> = judged.iter().map(|judged| judged.verdict.score()).collect();
        assert_eq!(scores, [Some(0.25), None, None, Some(0.25)], "{judged:?}");
        assert_eq!(judged[1].reward, None);
        assert_eq!(judged[0].details, ["mine: a quarter"]);
        for (at, part) in [(1, "`score` is 7"), (2, "unreadable")] {
            let Verdict::CouldNotJudge { reason } = &judged[at].verdict else {
                panic!("it was judged");
            };
            assert!(
                reason.contains("reward `mine`") && reason.contains(part),
                "{reason}"
            );
        }
    }
    assert_eq!(rewards.judge(&all, Scope::All)[3].reward, Some(1.25));
}

#[test]
fn graders_that_are_not_there_are_refused_before_any_work() {
    let command = "[reward]\nparts = [{ kind = 'command', command = ['no-such-grader'] }]";
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let http = format!("[reward]\nparts = [{{ kind = 'http', url = 'http://127.0.0.1:{port}/' }}]");
    for (text, part) in [
        (
            command,
            "reward `command`: `no-such-grader` could not be started",
        ),
        (&http, "reward `http`: nobody answers at http://127.0.0.1"),
    ] {
        let Err(error) = open(&config(text)) else {
            panic!("{text} was opened");
        };
        assert!(error.to_string().contains(part), "{error}");
        assert_eq!(error.exit_code(), 2);
    }
}

#[test]
fn an_address_is_asked_about_each_response() {
    use std::io::{BufRead, BufReader, Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut line, mut length) = (String::new(), 0);
            while line != "\r\n" {
                line.clear();
                if reader.read_line(&mut line).unwrap_or(0) == 0 {
                    break;
                }
                let lower = line.to_lowercase();
                if let Some(given) = lower.strip_prefix("content-length:") {
                    length = given.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            // Somebody who only looks whether the door is open says nothing.
            let Ok(ask) = serde_json::from_slice::<serde_json::Value>(&body) else {
                continue;
            };
            let answer = match ask["response"].as_str() {
                Some("good") => "{\"score\": 0.75}",
                _ => "{\"score\": 75}",
            };
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
                answer.len()
            );
            let _ = stream.write_all(format!("{head}{answer}").as_bytes());
        }
    });
    let parts = format!(
        "[reward]\nparts = [{{ kind = 'http', url = 'http://{address}/grade', deadline = 5 }}]"
    );
    let rewards = open(&config(&parts)).unwrap();
    let problem = problem("2", None);
    let all = ["good", "bad"].map(|response| asked(&problem, response, 3));
    let judged = rewards.judge(&all, Scope::All);
    assert_eq!(judged[0].reward, Some(0.75));
    let Verdict::CouldNotJudge { reason } = &judged[1].verdict else {
        panic!("it was judged");
    };
    assert!(
        reason.contains("reward `http`") && reason.contains("`score` is 75"),
        "{reason}"
    );
}
