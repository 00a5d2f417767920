//! Objectives by name.

use prime_policy::PolicyError;
use prime_policy::objective::{LossAggregation, ObjectiveConfig, PolicyObjective};
use serde_json::{Value, json};

use crate::objectives;

#[test]
fn every_objective_survives_a_round_trip() {
    for objective in objectives() {
        let text = serde_json::to_value(&objective).unwrap();
        assert_eq!(text["objective"], objective.name());
        let again: ObjectiveConfig = serde_json::from_value(text).unwrap();
        assert_eq!(again, objective);
        assert_eq!(again.build().unwrap().name(), objective.name());
    }
}

#[test]
fn a_name_alone_is_enough() {
    for objective in objectives() {
        let config = json!({"objective": objective.name()});
        let config: ObjectiveConfig = serde_json::from_value(config).unwrap();
        config.build().unwrap();
    }
    assert_eq!(
        ObjectiveConfig::default(),
        serde_json::from_value(json!({"objective": "ppo_clip"})).unwrap()
    );
}

#[test]
fn methods_of_whole_responses_average_over_responses() {
    for objective in objectives() {
        let expected = match objective {
            ObjectiveConfig::Gspo(_) | ObjectiveConfig::Sapo(_) | ObjectiveConfig::Gmpo(_) => {
                Some(LossAggregation::SeqMeanTokenMean)
            }
            _ => None,
        };
        assert_eq!(objective.aggregation(), expected, "{objective:?}");
    }
}

fn error(config: Value) -> String {
    let config: ObjectiveConfig = serde_json::from_value(config).unwrap();
    let error = config.build().unwrap_err();
    assert!(matches!(error, PolicyError::Objective { .. }));
    error.to_string()
}

#[test]
fn parameters_out_of_range_are_named() {
    for (objective, field, value, accepted) in [
        ("ppo_clip", "clip_ratio_low", 1.5, "from 0 to 1"),
        ("ppo_clip", "clip_ratio_high", -0.5, "0 or more"),
        ("ppo_clip", "clip_ratio_c", 1.0, "above 1"),
        ("gspo", "clip_ratio_low", -0.5, "from 0 to 1"),
        ("gspo", "clip_ratio_high", -0.5, "0 or more"),
        ("sapo", "tau_pos", 0.0, "above 0"),
        ("sapo", "tau_neg", -1.0, "above 0"),
        ("cispo", "clip_ratio_low", -0.5, "0 or more"),
        ("cispo", "clip_ratio_high", -0.5, "0 or more"),
        ("gmpo", "clip_ratio_low", -0.5, "0 or more"),
        ("gmpo", "clip_ratio_high", -0.5, "0 or more"),
        ("clip_cov", "clip_ratio_low", 2.0, "from 0 to 1"),
        ("clip_cov", "clip_cov_ratio", 1.5, "from 0 to 1"),
        ("clip_cov", "clip_cov_ub", 0.5, "above clip_cov_lb"),
        ("kl_cov", "kl_cov_ratio", -0.1, "from 0 to 1"),
        ("kl_cov", "ppo_kl_coef", -0.5, "0 or more"),
        ("dppo_tv", "clip_ratio_low", -0.5, "0 or more"),
        ("dppo_tv", "clip_ratio_c", 1.0, "above 1"),
        ("dppo_kl", "clip_ratio_high", -0.5, "0 or more"),
        ("dppo_kl", "clip_ratio_c", 0.5, "above 1"),
        ("dro", "dro_beta", 0.0, "above 0"),
    ] {
        let message = error(json!({"objective": objective, field: value}));
        let start = format!("objective {objective}: {field} is {value}; accepted: ");
        assert!(message.starts_with(&start), "{message}");
        assert!(
            message.ends_with(accepted) || message.contains(accepted),
            "{message}"
        );
    }
    let config: ObjectiveConfig =
        serde_json::from_value(json!({"objective": "clip_cov", "clip_cov_lb": 1.0})).unwrap();
    let ObjectiveConfig::ClipCov(mut clip_cov) = config else {
        panic!("{config:?}");
    };
    clip_cov.clip_cov_lb = f64::NEG_INFINITY;
    let message = clip_cov.validate().unwrap_err().to_string();
    assert!(message.contains("clip_cov_lb is -inf"), "{message}");
}

#[test]
fn what_an_objective_does_not_know_is_refused() {
    for objective in objectives() {
        let config = json!({"objective": objective.name(), "clip_ratoi": 0.2});
        let error = serde_json::from_value::<ObjectiveConfig>(config).unwrap_err();
        assert!(error.to_string().contains("clip_ratoi"), "{error}");
    }
    let error = serde_json::from_value::<ObjectiveConfig>(json!({"objective": "gpso"}));
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("`gspo`") && error.contains("`dppo_kl`"),
        "{error}"
    );
    let error = serde_json::from_value::<ObjectiveConfig>(json!({"clip_ratio_low": 0.1}));
    assert!(error.unwrap_err().to_string().contains("objective"));
}
