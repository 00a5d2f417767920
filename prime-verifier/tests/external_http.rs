//! An address that grades: right answers come through, and nothing it does wrong becomes a score.
#![cfg(feature = "http")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use prime_verifier::external::{ExternalGrader, GraderError, HttpConfig, HttpGrader};
use serde_json::{Map, Value, json};

/// Serves every request by `answer`, which has the body and how many requests came before; a status and a body.
fn serve(answer: fn(&Value, usize) -> (u16, String)) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let counter = Arc::clone(&counter);
            thread::spawn(move || connection(stream, answer, &counter));
        }
    });
    (format!("http://{address}/grade"), asked)
}

fn connection(stream: TcpStream, answer: fn(&Value, usize) -> (u16, String), asked: &AtomicUsize) {
    let mut out = stream.try_clone().unwrap();
    let mut lines = BufReader::new(stream);
    loop {
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            if lines.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let lower = line.to_lowercase();
            if let Some(given) = lower.strip_prefix("content-length:") {
                length = given.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        lines.read_exact(&mut body).unwrap();
        let request = serde_json::from_slice(&body).unwrap();
        let (status, body) = answer(&request, asked.fetch_add(1, Ordering::SeqCst));
        if status == 0 {
            return;
        }
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nlocation: http://127.0.0.1:1/\r\n\r\n",
            body.len()
        );
        let _ = out.write_all(format!("{head}{body}").as_bytes());
    }
}

fn requests(responses: &[&str]) -> Vec<Map<String, Value>> {
    let request = |response: &&str| json!({ "response": response }).as_object().unwrap().clone();
    responses.iter().map(request).collect()
}

fn grade(url: &str, responses: &[&str]) -> Vec<Result<f32, String>> {
    let mut config = HttpConfig::new(url);
    config.deadline = Duration::from_secs(3);
    let grader = HttpGrader::connect(config).unwrap();
    let answers = grader.grade(&requests(responses)).into_iter();
    answers
        .map(|answer| answer.map(|graded| graded.score.get()))
        .collect()
}

#[test]
fn scores_come_back_to_their_responses() {
    let (url, _) = serve(|request, _| {
        let score: f32 = request["response"].as_str().unwrap().parse().unwrap();
        (200, json!({ "score": score }).to_string())
    });
    let responses: Vec<String> = (0..40).map(|i| (f64::from(i) / 64.0).to_string()).collect();
    let responses: Vec<&str> = responses.iter().map(String::as_str).collect();
    for (answer, response) in grade(&url, &responses).into_iter().zip(&responses) {
        assert_eq!(answer.unwrap(), response.parse::<f32>().unwrap());
    }
}

#[test]
fn faults_are_reasons() {
    let (url, asked) = serve(|request, _| match request["response"].as_str().unwrap() {
        "teapot" => (418, "no coffee".to_owned()),
        "moved" => (302, String::new()),
        "text" => (200, "yes".to_owned()),
        "high" => (200, r#"{"score": 1.01}"#.to_owned()),
        "null" => (200, r#"{"score": null, "reason": "no idea"}"#.to_owned()),
        _ => (200, r#"{"score": 1}"#.to_owned()),
    });
    let answers = grade(&url, &["teapot", "moved", "text", "high", "null", "fine"]);
    for (answer, part) in answers.iter().zip([
        "status 418 X: no coffee",
        "status 302",
        "`yes`, which is not a JSON object",
        "`score` is 1.01",
        "no idea",
    ]) {
        let reason = answer.as_ref().unwrap_err();
        assert!(reason.contains(part), "{reason}");
    }
    assert_eq!(answers[5], Ok(1.0));
    assert_eq!(
        asked.load(Ordering::SeqCst),
        6,
        "none of these is tried again"
    );
}

#[test]
fn what_may_pass_is_tried_again() {
    let (url, asked) = serve(|_, before| match before {
        0 => (503, "busy".to_owned()),
        1 => (0, String::new()),
        _ => (200, r#"{"score": 0.5}"#.to_owned()),
    });
    assert_eq!(grade(&url, &["x"]), [Ok(0.5)]);
    assert_eq!(asked.load(Ordering::SeqCst), 3);

    let (url, asked) = serve(|_, _| (500, "broken".to_owned()));
    let reason = grade(&url, &["x"]).remove(0).unwrap_err();
    assert!(
        reason.contains("status 500") && reason.contains("4 tries"),
        "{reason}"
    );
    assert_eq!(asked.load(Ordering::SeqCst), 4);
}

#[test]
fn a_deadline_is_kept() {
    let (url, _) = serve(|_, _| {
        thread::sleep(Duration::from_secs(30));
        (200, r#"{"score": 1}"#.to_owned())
    });
    let mut config = HttpConfig::new(url);
    config.deadline = Duration::from_secs(1);
    let grader = HttpGrader::connect(config).unwrap();
    let begun = std::time::Instant::now();
    let reason = grader.grade(&requests(&["x"])).remove(0).unwrap_err();
    assert!(reason.contains("no answer within 1 s"), "{reason}");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn an_address_where_nobody_listens_is_refused_at_once() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let config = HttpConfig::new(format!("http://127.0.0.1:{port}/grade"));
    let error = HttpGrader::connect(config).unwrap_err();
    assert!(matches!(error, GraderError::Unreachable { .. }), "{error}");
}
