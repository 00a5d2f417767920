//! Whole steps and runs under rewards of one's own: what fails to judge costs nothing but the step.
#![cfg(all(feature = "flex", unix))]

use std::path::Path;

use prime_train::config::{Config, Layer, resolve};
use prime_train::data::problems::Problems;
use prime_train::metrics::{StepMetrics, read_metrics};
use prime_train::run::{Run, initial_model};
use prime_train::step::{Environment, Learner, StepReport, step};

const SMALL: &str = r#"
preset = "rloo"
data.task = "mod3"
model.hidden_size = 16
model.intermediate_size = 24
model.num_hidden_layers = 1
model.num_attention_heads = 2
model.num_key_value_heads = 2
# Untrained models stop anywhere: responses of many lengths.
model.initializer_range = 0.4
warmup.steps = 0
rl.prompts_per_step = 3
rl.epochs_per_step = 1
filter.accuracy = false
eval.problems = 4
eval.every = 0
"#;

/// Has no opinion on a response with this digit, and gives the others the share of their text that is digits.
const GRADER: &str = r#"
import json, sys
for line in sys.stdin:
    ask = json.loads(line)
    text = ask["response"]
    if sys.argv[1] in text or sys.argv[1] == "all":
        answer = {"id": ask["id"], "score": None, "reason": "my compiler is broken"}
    else:
        answer = {"id": ask["id"], "score": sum(c.isdigit() for c in text) / max(1, len(text))}
    print(json.dumps(answer), flush=True)
"#;

fn config(own: &str) -> Config {
    resolve(&[Layer::text("test", &format!("{SMALL}{own}")).unwrap()]).unwrap()
}

fn graded_by_command(unjudged: &str) -> String {
    let program = toml::Value::String(GRADER.to_owned());
    format!(
        "reward.parts = [{{ kind = 'command', name = 'mine', command = ['python3', '-c', {program}, '{unjudged}'] }}]\n"
    )
}

/// A step, and the learner after it.
fn one_step(config: &Config, model: &Config) -> (StepReport, Learner<prime_policy::Decoder>) {
    let start = initial_model(model).unwrap();
    let mut learner = Learner::new(start.model, config).unwrap();
    let environment = Environment {
        config,
        problems: &Problems::open(config, &start.tokenizer).unwrap(),
        tokenizer: &start.tokenizer,
        estimator: &config.estimator(true),
        outcome_estimator: &config.estimator(false),
        objective: &config.objective(),
    };
    let report = step(&mut learner, &environment).unwrap();
    (report, learner)
}

fn metrics(own: &str) -> StepMetrics {
    let config = config(own);
    one_step(&config, &config).0.metrics
}

#[test]
fn a_step_in_which_nothing_can_be_judged_learns_nothing_and_goes_on() {
    let config = config(&graded_by_command("all"));
    let (report, learner) = one_step(&config, &config);
    assert_eq!((learner.step, learner.next_problem), (1, 3));
    let get = |name| report.metrics.get(name);
    assert_eq!(get("verifier/could_not_judge"), get("rollouts"));
    assert_eq!(get("verifier/steps_unjudged"), Some(1.0));
    assert_eq!(get("acc"), None, "nothing is not 0");
    assert_eq!(get("actor/optimizer_steps"), None);
    let unjudged = report.unjudged.unwrap();
    assert!(unjudged.nothing_left && unjudged.count == unjudged.of);
    assert!(
        unjudged.reason.contains("my compiler is broken"),
        "{}",
        unjudged.reason
    );
}

#[test]
fn a_run_outlives_a_grader_that_fails_and_records_no_pass_at_1() {
    let folder = tempfile::tempdir().unwrap();
    let settings = format!("{}rl.steps = 2\n", graded_by_command("all"));
    let config = config(&settings);
    let run = Run::start(
        &config,
        folder.path(),
        initial_model(&config).unwrap(),
        false,
    )
    .unwrap();
    let summary = run.finish().unwrap();
    assert_eq!((summary.steps, summary.final_pass_at_1), (2, None));
    let records = read_metrics(&folder.path().join("metrics.jsonl")).unwrap();
    assert_eq!(records.len(), 3);
    for at in [0, 2] {
        assert_eq!(records[at].get("eval/pass@1"), None);
        assert_eq!(records[at].get("eval/could_not_judge"), Some(4.0));
    }
    assert_eq!(records[1].get("verifier/steps_unjudged"), Some(1.0));
    assert!(folder.path().join("report.html").exists());
}

#[test]
fn rewards_reach_the_metrics_the_advantages_and_the_transcripts() {
    let parts = graded_by_command("#").replace(
        "}]\n",
        "}, { kind = 'verifier', weight = 0 }, { kind = 'length', target_tokens = 1, weight = 3 }]\n",
    );
    let config = config(&format!("{parts}reward.overlong_buffer = 10\n"));
    let (report, _) = one_step(&config, &config);
    let get = |name| report.metrics.get(name).unwrap();
    let sum =
        get("reward/mine/mean") + 3.0 * get("reward/length/mean") + get("reward/overlong/mean");
    assert!((get("reward/mean") - sum).abs() < 1e-5);
    assert!(get("reward/overlong/mean") < 0.0);
    assert!(
        (get("acc") - get("reward/mine/mean")).abs() < 1e-6,
        "the first is the outcome"
    );
    assert_eq!(get("verifier/could_not_judge"), 0.0);
    let rewards = &report.transcripts[0].rewards;
    let names: Vec<&str> = rewards.keys().map(String::as_str).collect();
    assert_eq!(names, ["length", "mine", "overlong", "verifier"]);

    let plain = metrics("");
    assert!(
        plain
            .iter()
            .all(|(name, _)| name == "reward/mean" || !name.starts_with("reward/"))
    );
    let advantages = |metrics: &StepMetrics| metrics.get("critic/advantages/max").unwrap();
    assert!(advantages(&report.metrics) > 0.0);
    assert_ne!(advantages(&report.metrics), advantages(&plain));
}

#[test]
fn masked_responses_are_in_the_baselines_and_not_in_the_loss() {
    // Rewards that differ, or there would be nothing to mask.
    let base = graded_by_command("#");
    let (without, with) = (
        metrics(&base),
        metrics(&format!("{base}rl.mask_truncated = true\n")),
    );
    let truncated = with.get("response_length/clip_ratio").unwrap() * with.get("rollouts").unwrap();
    assert!(truncated > 0.5 && truncated < 11.5, "{truncated}");
    let masked = with.get("actor/masked_responses").unwrap();
    assert!((masked - truncated).abs() < 1e-6, "{masked} of {truncated}");
    for name in ["critic/advantages/mean", "critic/advantages/max", "acc"] {
        assert_eq!(with.get(name), without.get(name), "{name}");
    }
    assert_ne!(with.get("actor/grad_norm"), without.get("actor/grad_norm"));
    assert_eq!(without.get("actor/masked_responses"), None);
}

#[test]
fn stop_strings_end_responses_and_are_not_part_of_what_is_judged() {
    let config = config(
        "sampling.stop_strings = ['1', '2']\nreward.parts = [{ kind = 'format', pattern = '^[^12]*$' }]\n",
    );
    let (report, _) = one_step(&config, &config);
    let mut stopped = 0;
    for transcript in &report.transcripts {
        let (last, before) = transcript.tokens.split_last().unwrap();
        assert!(
            !before.iter().any(|token| token.contains(['1', '2'])),
            "{before:?}"
        );
        stopped += usize::from(last == "1" || last == "2");
        assert_eq!(transcript.outcome, Some(1.0), "{:?}", transcript.tokens);
        // The token that was sampled is trained on.
        assert_eq!(transcript.advantages.len(), transcript.tokens.len());
    }
    assert!(stopped > 5, "{stopped}");
}

fn rows(folder: &Path, sources: &[&str]) -> Config {
    let path = folder.join("rows.jsonl");
    let row = |source: &&str| {
        format!(
            r#"{{"data_source":"{source}","prompt":[{{"role":"user","content":"12"}}],"ability":"math","reward_model":{{"style":"rule","ground_truth":"2"}}}}"#
        )
    };
    let text: Vec<String> = sources.iter().map(row).collect();
    std::fs::write(&path, text.join("\n")).unwrap();
    let own = format!("{SMALL}model.path = 'any'\ndata.train_file = {path:?}\n");
    let own = own.replace("mod3", "rows");
    resolve(&[Layer::text("test", &own).unwrap()]).unwrap()
}

#[test]
fn each_source_has_its_accuracy() {
    let folder = tempfile::tempdir().unwrap();
    let model = config("");
    let with = |sources: &[&str]| one_step(&rows(folder.path(), sources), &model).0.metrics;
    let several = with(&["openai/gsm8k", "MATH", "MATH"]);
    let get = |name| several.get(name).unwrap();
    let mean = (get("acc/openai_gsm8k") + 2.0 * get("acc/MATH")) / 3.0;
    assert!((mean - get("acc")).abs() < 1e-6);
    let one = with(&["MATH", "MATH", "MATH"]);
    assert!(one.iter().all(|(name, _)| !name.starts_with("acc/")));
}
