//! Rules on records made by hand.

use super::*;
use crate::config::{Layer, resolve};

fn config(own: &str) -> Config {
    resolve(&[Layer::text("test", own).unwrap()]).unwrap()
}

/// A step with these values on top of those of a healthy one.
fn record(step: u64, values: &[(&str, f64)]) -> StepMetrics {
    let mut record = StepMetrics::new(step);
    let healthy = [
        ("acc", 0.4),
        ("rollouts", 32.0),
        ("frac_reward_zero_std", 0.3),
        ("filter/kept_groups", 6.0),
        ("verifier/no_answer", 0.1),
        ("response_length/clip_ratio", 0.0),
        ("actor/entropy", 0.1),
        ("actor/ppo_kl", 0.002),
        ("actor/pg_clipfrac", 0.01),
        ("actor/grad_norm", 0.5),
        ("critic/advantages/max", 1.5),
        ("critic/advantages/min", -1.5),
        ("reward_model/step_auc", 0.7),
        ("reward_model/grad_norm", 2.0),
    ];
    for (name, value) in healthy.iter().chain(values) {
        record.set(name, *value).unwrap();
    }
    record
}

/// (step, warning) of steps that all show the same.
fn warnings(
    watch: &mut Watch,
    steps: std::ops::Range<u64>,
    values: &[(&str, f64)],
) -> Vec<(u64, String)> {
    let mut all = vec![];
    for step in steps {
        let found = watch.look(&mut record(step, values), None).unwrap();
        all.extend(found.warnings.into_iter().map(|text| (step, text)));
    }
    all
}

/// A rule, the values that show it, and the step at which it is said.
type Case = (&'static str, &'static [(&'static str, f64)], u64);

#[test]
fn each_rule_is_broken_by_what_it_is_about_and_by_nothing_healthy() {
    let cases: &[Case] = &[
        ("nothing_judged", &[("verifier/steps_unjudged", 1.0)], 3),
        ("no_answer", &[("verifier/no_answer", 1.0)], 3),
        ("all_wrong", &[("acc", 0.0)], 3),
        ("all_right", &[("acc", 1.0)], 3),
        ("equal_outcomes", &[("frac_reward_zero_std", 1.0)], 3),
        ("filter_kept_nothing", &[("filter/kept_groups", 0.0)], 3),
        ("length_limit", &[("response_length/clip_ratio", 0.6)], 3),
        ("entropy_collapse", &[("actor/entropy", 0.001)], 3),
        ("prm_at_chance", &[("reward_model/step_auc", 0.5)], 3),
        ("off_policy", &[("actor/ppo_kl", -0.2)], 3),
        ("off_policy", &[("actor/pg_clipfrac", 0.5)], 3),
        ("gradient_norm", &[("actor/grad_norm", 101.0)], 1),
        ("prm_gradient_norm", &[("reward_model/grad_norm", 1e6)], 1),
        ("advantage_scale", &[("critic/advantages/min", -80.0)], 3),
    ];
    let config = config("watch.patience = 3");
    for (rule, values, first) in cases {
        let mut watch = Watch::new(&config);
        let found = warnings(&mut watch, 1..20, values);
        assert_eq!(found.len(), 1, "{rule}: {found:?}");
        let (step, text) = &found[0];
        assert_eq!(step, first, "{text}");
        assert!(
            text.contains(&format!("[watch/{rule}]")) && text.contains("What helps"),
            "{text}"
        );
    }
    let mut tried: Vec<&str> = cases.iter().map(|case| case.0).collect();
    tried.push("held_out_fell");
    assert!(
        names().all(|name| tried.contains(&name)),
        "every rule is tried"
    );
    assert_eq!(warnings(&mut Watch::new(&config), 1..50, &[]), []);
}

#[test]
fn it_is_said_again_only_after_it_went_away() {
    let mut watch = Watch::new(&config("watch.patience = 2"));
    let wrong = [("acc", 0.0)];
    assert_eq!(warnings(&mut watch, 1..10, &wrong).len(), 1);
    assert_eq!(warnings(&mut watch, 10..11, &[]), []);
    // One step is no spell.
    assert_eq!(warnings(&mut watch, 11..12, &wrong), []);
    let again = warnings(&mut watch, 12..20, &wrong);
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].0, 12);
}

#[test]
fn records_say_it_with_0_and_1_and_spells_come_from_them() {
    let mut watch = Watch::new(&config("watch.patience = 2"));
    let mut records = vec![];
    for (step, acc) in [
        (1, 0.5),
        (2, 0.0),
        (3, 0.0),
        (4, 0.0),
        (5, 0.5),
        (6, 0.0),
        (7, 0.0),
    ] {
        let mut record = record(step, &[("acc", acc)]);
        watch.look(&mut record, None).unwrap();
        records.push(record);
    }
    let values: Vec<Option<f64>> = records.iter().map(|r| r.get("watch/all_wrong")).collect();
    let values: Vec<f64> = values.into_iter().flatten().collect();
    assert_eq!(values, [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
    let curve: Vec<(u64, f64)> = (1..).zip(values).collect();
    let of = |name: &str| match name {
        "watch/all_wrong" => &curve[..],
        _ => &[],
    };
    let found: Vec<_> = spells(of)
        .into_iter()
        .map(|s| (s.rule, s.from, s.to, s.lasts))
        .collect();
    assert_eq!(
        found,
        [("all_wrong", 3, 4, false), ("all_wrong", 7, 7, true)]
    );

    // A run that goes on does not say again what was said.
    let before: Vec<StepMetrics> = records[..3].to_vec();
    let mut watch = Watch::resume(&config("watch.patience = 2"), &before).unwrap();
    assert_eq!(warnings(&mut watch, 4..9, &[("acc", 0.0)]), []);
}

#[test]
fn a_ranking_by_chance_is_seen_in_the_mean_and_not_in_every_step() {
    let config = config("watch.patience = 4");
    let auc = [0.3, 0.6, 0.4, 0.6];
    let mut watch = Watch::new(&config);
    let mut said = vec![];
    for step in 1..=4 {
        let value = auc[step as usize - 1];
        let mut record = record(step, &[("reward_model/step_auc", value)]);
        said.extend(watch.look(&mut record, None).unwrap().warnings);
    }
    assert_eq!(said.len(), 1, "{said:?}");
    let mut watch = Watch::new(&config);
    for (step, value) in [0.4, 0.9, 0.4, 0.4, 0.45, 0.9].into_iter().enumerate() {
        let mut record = record(step as u64, &[("reward_model/step_auc", value)]);
        assert!(
            watch.look(&mut record, None).unwrap().warnings.is_empty(),
            "{value}"
        );
    }
}

#[test]
fn a_fall_on_held_out_problems_is_told_from_noise() {
    let mut watch = Watch::new(&config(""));
    let mut look = |step, value, n| {
        let held_out = [("eval/pass@1", value), ("eval/n", n)];
        let mut record = record(step, &held_out);
        watch.look(&mut record, None).unwrap().warnings
    };
    assert!(look(0, 0.377, 1024.0).is_empty());
    assert!(look(2, 0.34, 256.0).is_empty(), "one standard error");
    let said = look(10, 0.003, 1024.0);
    assert!(
        said.len() == 1 && said[0].contains("held_out_fell"),
        "{said:?}"
    );
}

#[test]
fn rules_of_watch_stop_end_the_run_and_none_is_said_where_it_is_off() {
    let mut watch = Watch::new(&config("watch.patience = 2\nwatch.stop = ['all_wrong']"));
    let mut stops = vec![];
    for step in 1..6 {
        let looked = watch.look(
            &mut record(step, &[("acc", 0.0), ("actor/entropy", 0.0)]),
            None,
        );
        stops.extend(looked.unwrap().stop.map(|text| (step, text)));
    }
    assert_eq!(stops.len(), 1);
    let (step, text) = &stops[0];
    assert_eq!(*step, 2);
    assert!(
        text.contains("2 steps in a row") && text.contains("all_wrong"),
        "{text}"
    );

    let mut off = Watch::new(&config("watch.enabled = false"));
    let mut record = record(1, &[("acc", 0.0)]);
    assert!(off.look(&mut record, None).unwrap().warnings.is_empty());
    assert_eq!(record.get("watch/all_wrong"), None);
}

#[test]
fn what_could_not_be_judged_is_said_once() {
    let mut watch = Watch::new(&config(""));
    let found = Unjudged {
        count: 1,
        of: 4,
        reason: "no grader".to_owned(),
        nothing_left: false,
        transcripts: vec![],
    };
    let look = |watch: &mut Watch, step| {
        watch
            .look(&mut record(step, &[]), Some(&found))
            .unwrap()
            .warnings
    };
    let first = look(&mut watch, 2);
    for part in ["step 2", "1 of 4", "left out", "no grader"] {
        assert!(first[0].contains(part), "{first:?}");
    }
    assert!(look(&mut watch, 3).is_empty());
}

#[test]
fn names_of_rules_are_checked() {
    let refused = |stop: &str| {
        let layer = Layer::text("test", &format!("watch.stop = ['{stop}']")).unwrap();
        resolve(&[layer]).unwrap_err().to_string()
    };
    let message = refused("al_wrong");
    assert!(
        message.contains("did you mean `all_wrong`") && message.contains("no_answer"),
        "{message}"
    );
    assert!(resolve(&[Layer::set("watch.patience=0").unwrap()]).is_err());
}

#[test]
fn a_run_that_is_stopped_has_a_checkpoint_and_can_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(
        r#"
        preset = "rloo"
        data.task = "mod3"
        data.pass_mark = "all"
        model.hidden_size = 16
        model.intermediate_size = 24
        model.num_hidden_layers = 1
        model.num_attention_heads = 2
        model.num_key_value_heads = 2
        warmup.steps = 0
        rl.steps = 4
        rl.prompts_per_step = 2
        rl.epochs_per_step = 1
        eval.problems = 2
        watch.patience = 2
        watch.stop = ["all_wrong"]
        "#,
    );
    let start = crate::run::initial_model(&config).unwrap();
    let run = crate::run::Run::start(&config, folder.path(), start, false).unwrap();
    let error = run.finish().unwrap_err();
    assert_eq!(error.exit_code(), 3, "{error}");
    let text = error.to_string();
    for part in [
        "after step 2",
        "no response is right",
        "data.pass_mark",
        "step-000002",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let read = || crate::metrics::read_metrics(&folder.path().join("metrics.jsonl")).unwrap();
    let said: Vec<Option<f64>> = read().iter().map(|r| r.get("watch/all_wrong")).collect();
    assert_eq!(said, [None, Some(0.0), Some(1.0)]);
    let report = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(report.contains("<h2>Watch</h2>") && report.contains("no response is right"));

    let run = crate::run::Run::resume(&config, folder.path(), false).unwrap();
    assert_eq!(
        run.finish().unwrap().steps,
        4,
        "what was said does not stop it again"
    );
    assert_eq!(read().last().unwrap().get("watch/all_wrong"), Some(1.0));
}
