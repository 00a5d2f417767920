use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use prime_policy::FinishReason;

use super::*;
use crate::config;
use crate::data::tasks::{PassMark, Split, TaskName};
use crate::metrics::MetricsWriter;
use crate::rng::Stream;

/// A run folder as training would leave it, from made-up numbers.
pub(super) fn synthetic_run(run: &Path) {
    let config = config::resolve(&[]).unwrap();
    fs::create_dir_all(run).unwrap();
    fs::write(run.join("config.toml"), config.to_toml().unwrap()).unwrap();

    let mut noise = Stream::new([1, 2, 3, 4]);
    let mut metrics = MetricsWriter::create(&run.join("metrics.jsonl")).unwrap();
    for step in 0..=40u64 {
        let progress = 1.0 - (-(step as f64) / 14.0).exp();
        let mut jitter = |size: f64| (noise.unit() - 0.5) * size;
        let mut record = StepMetrics::new(step);
        if step % 10 == 0 {
            record
                .set("eval/pass@1", 0.14 + 0.8 * progress + jitter(0.02))
                .unwrap();
        }
        for (name, value) in [
            (
                "acc",
                (0.15 + 0.78 * progress + jitter(0.2)).clamp(0.0, 1.0),
            ),
            ("reward_model/step_auc", 0.5 + 0.3 * progress + jitter(0.06)),
            (
                "reward_model/dpo_acc_before",
                0.5 + 0.22 * progress + jitter(0.2),
            ),
            ("reward_model/prm_loss", 0.69 - 0.3 * progress + jitter(0.1)),
            ("actor/pg_loss", jitter(0.02)),
            ("actor/entropy", 0.42 - 0.25 * progress + jitter(0.02)),
            ("actor/grad_norm", 0.6 + jitter(0.3)),
            ("actor/<odd> name", jitter(1e-6)),
        ] {
            record.set(name, value).unwrap();
        }
        metrics.write(&record).unwrap();
    }

    let task = TaskName::Exam.build();
    let verifier = task.verifier(PassMark::AtLeast(10)).unwrap();
    for step in [10u64, 40] {
        let transcripts: Vec<Transcript> = (0..16)
            .map(|i| {
                let problem = task.problem(0, Split::Train, step * 100 + i);
                let shown = task.demonstration(step, i).response;
                let mut tokens: Vec<String> =
                    problem.ground_truth.chars().map(String::from).collect();
                // A few answers of another sheet are wrong here.
                for (at, wrong) in shown.chars().enumerate() {
                    if at / 3 % 4 == (i as usize) % 5 && at % 3 != 2 {
                        tokens[at] = wrong.to_string();
                    }
                }
                let verdict = verifier.verify(&tokens.concat(), &problem.ground_truth);
                let right = verdict.steps().unwrap().to_vec();
                tokens.push("<eos>".to_string());
                let reward = |at: usize| {
                    let sign = match right.get(at / 3) {
                        Some(true) => 0.12,
                        _ => -0.35,
                    };
                    if at % 3 == 2 { 0.0 } else { sign }
                };
                let rewards: Vec<f32> = (0..tokens.len())
                    .map(|at| reward(at) + (noise.unit() as f32 - 0.5) * 0.25)
                    .collect();
                Transcript {
                    step,
                    prompt: problem.prompt.clone(),
                    advantages: rewards.iter().map(|r| r * 3.0).collect(),
                    process_rewards: rewards,
                    token_ids: vec![],
                    log_probs: vec![-0.5; tokens.len()],
                    finish: Some(FinishReason::Stop),
                    tokens,
                    outcome: verdict.score(),
                    reward: verdict.score(),
                    answer: None,
                    could_not_judge: None,
                    detail: None,
                    grader_details: vec![],
                    rewards: BTreeMap::new(),
                    answers_right: Some(right),
                    ground_truth: problem.ground_truth,
                }
            })
            .collect();
        write_transcripts(run, step, &transcripts).unwrap();
    }
    let phases = [
        ("warmup", 21.0),
        ("rollout", 9.5),
        ("prm", 14.2),
        ("policy", 8.1),
        ("eval", 6.0),
    ];
    let summary = Summary {
        task: "exam".into(),
        preset: "anchored".into(),
        seed: 0,
        steps: 40,
        rollouts: 1280,
        n: 1024,
        warmup_pass_at_1: Some(0.135),
        final_pass_at_1: Some(0.931),
        warmup_stderr: None,
        final_stderr: None,
        program: None,
        seconds: 71.3,
        seconds_by_phase: phases.map(|(name, s)| (name.to_string(), s)).into(),
    };
    summary.write(&run.join("summary.json")).unwrap();
}

/// Every element that is opened is closed, in order. Void elements aside, which pages use few of.
fn assert_balanced(html: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in html
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split('>').next())
    {
        let name = tag
            .split([' ', '/'])
            .find(|part| !part.is_empty())
            .unwrap_or("");
        if tag.starts_with('!') || name == "meta" || tag.ends_with('/') {
            continue;
        }
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name));
        } else {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_report_is_one_page_that_loads_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("demo & <run>");
    synthetic_run(&run);
    let html = fs::read_to_string(write_report(&run).unwrap()).unwrap();
    for part in [
        "93.1%",
        "13.5%",
        "1 min 11 s",
        "Held-out pass@1",
        "Step 40: 12 of 16",
        "reward_reference",
    ] {
        assert!(html.contains(part), "{part}");
    }
    assert!(html.contains("demo &amp; &lt;run&gt;") && html.contains("actor/&lt;odd&gt; name"));
    for outside in [
        "src=",
        "href=\"http",
        "href=\"/",
        "@import",
        "url(",
        "<script",
        "NaN",
        "refresh",
    ] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert_balanced(&html);
    let expected = 6 + 2;
    assert_eq!(
        html.matches("<svg").count(),
        expected,
        "six groups and two others"
    );
    assert!(!run.join("report").exists(), "nothing was too long");
}

/// The run's folder with `steps` records of about fifty metrics and transcripts of every tenth step, of `tokens` each.
fn long_run(run: &Path, steps: u64, tokens: usize, responses: usize) {
    fs::create_dir_all(run).unwrap();
    fs::write(run.join("config.toml"), "[rl]\nsteps = 20000\n").unwrap();
    let mut names: Vec<String> = [
        "acc",
        "reward/mean",
        "eval/pass@1",
        "response_length/mean",
        "response_length/max",
        "actor/entropy",
        "actor/ppo_kl",
        "reward_model/step_auc",
        "reward_model/prm_loss",
        "actor/pg_loss",
        "actor/pg_clipfrac",
    ]
    .map(String::from)
    .to_vec();
    names.extend((0..40).map(|i| format!("other/{i:02}")));
    let mut text = String::new();
    for step in 0..=steps {
        let _ = write!(text, "{{\"step\":{step}");
        for (at, name) in names.iter().enumerate() {
            let value = 0.5 + 0.4 * ((step * (at as u64 + 3)) as f64 * 0.37).sin();
            let _ = write!(text, ",\"{name}\":{value}");
        }
        text.push_str("}\n");
    }
    fs::write(run.join("metrics.jsonl"), text).unwrap();
    let long = Transcript {
        step: 1,
        prompt: "why? ".repeat(800),
        tokens: vec!["token".to_owned(); tokens],
        token_ids: vec![7; tokens],
        log_probs: vec![-0.123_456; tokens],
        finish: Some(FinishReason::Length),
        process_rewards: (0..tokens).map(|i| (i as f32).sin()).collect(),
        advantages: vec![-1.234_567; tokens],
        outcome: Some(0.0),
        reward: Some(0.0),
        answer: Some("x".repeat(5000)),
        could_not_judge: None,
        detail: None,
        grader_details: vec![],
        rewards: BTreeMap::new(),
        answers_right: None,
        ground_truth: "42".into(),
    };
    for step in (10..=steps).step_by(10) {
        write_transcripts(run, step, &vec![long.clone(); responses]).unwrap();
    }
}

const BOUND: u64 = 5_000_000;

#[test]
fn twenty_thousand_steps_make_a_small_page_quickly() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("long");
    long_run(&run, 20_000, 1, 1);
    let clock = std::time::Instant::now();
    let path = write_report(&run).unwrap();
    let seconds = clock.elapsed().as_secs_f64();
    let size = fs::metadata(&path).unwrap().len();
    assert!(size < BOUND, "{size} bytes");
    assert!(seconds < 20.0, "{seconds} s");
    let html = fs::read_to_string(&path).unwrap();
    assert!(html.contains("20000 steps so far of 20000") && html.contains(">20k<"));
    assert_balanced(&html);
}

#[test]
fn long_responses_are_cut_on_the_page_and_whole_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("wide");
    long_run(&run, 30, 3000, 16);
    let html = fs::read_to_string(write_report(&run).unwrap()).unwrap();
    assert!((html.len() as u64) < BOUND, "{} bytes", html.len());
    assert!(html.contains("2600 more tokens"));
    assert_balanced(&html);
    for step in [10, 20, 30] {
        let name = format!("step-{step:06}");
        assert!(html.contains(&format!("href=\"report/{name}.html\"")));
        assert!(html.contains(&format!("href=\"rollouts/{name}.jsonl\"")));
        let page = fs::read_to_string(run.join("report").join(name + ".html")).unwrap();
        assert!((page.len() as u64) < BOUND, "{} bytes", page.len());
        assert!(!page.contains("more tokens") && page.contains("href=\"../report.html\""));
        assert_balanced(&page);
    }
    // A report made again leaves no page of before.
    fs::remove_dir_all(run.join("rollouts")).unwrap();
    write_report(&run).unwrap();
    assert!(!run.join("report").exists());
}

#[test]
fn a_run_that_is_still_going_has_a_report() {
    let folder = tempfile::tempdir().unwrap();
    synthetic_run(folder.path());
    fs::remove_file(folder.path().join("summary.json")).unwrap();
    fs::remove_dir_all(folder.path().join("rollouts")).unwrap();
    let html = fs::read_to_string(write_report(folder.path()).unwrap()).unwrap();
    assert!(html.contains("40 steps so far") && !html.contains("Sampled responses"));
    assert!(
        html.contains("http-equiv=\"refresh\""),
        "it follows the run"
    );
    assert_balanced(&html);
}

#[test]
fn other_folders_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = write_report(folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("is not a run folder: it has no config.toml"),
        "{error}"
    );
    fs::write(folder.path().join("config.toml"), "").unwrap();
    let error = write_report(folder.path()).unwrap_err().to_string();
    assert!(error.contains("no metrics.jsonl"), "{error}");
}

#[test]
fn curves_skip_steps_without_the_metric() {
    let mut with = StepMetrics::new(10);
    with.set("eval/pass@1", 0.5).unwrap();
    let metrics = [StepMetrics::new(9), with];
    assert_eq!(curve(&metrics, "eval/pass@1"), [(10, 0.5)]);
}
