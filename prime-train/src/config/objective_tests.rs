//! `rl.objective` and the keys around it.

use prime_policy::objective::{
    ImportanceLevel, ImportanceWeights, LossAggregation, ObjectiveConfig, PolicyObjective,
};

use super::*;

const ALL: [Objective; 12] = [
    Objective::PpoClip,
    Objective::Gspo,
    Objective::Sapo,
    Objective::Cispo,
    Objective::Gmpo,
    Objective::ClipCov,
    Objective::KlCov,
    Objective::DppoTv,
    Objective::DppoKl,
    Objective::Dro,
    Objective::Gpg,
    Objective::Reinforce,
];

/// On a preset without `all_actions`, which is for `ppo_clip` only.
fn with(arguments: &[&str]) -> Result<Config, ConfigError> {
    let layers: Result<Vec<Layer>, _> = arguments.iter().map(|a| Layer::set(a)).collect();
    let mut layers = layers?;
    layers.insert(0, Layer::text("base", "preset = \"rloo\"").unwrap());
    resolve(&layers)
}

fn message(arguments: &[&str]) -> String {
    with(arguments).unwrap_err().to_string()
}

fn by_name(objective: Objective) -> ObjectiveConfig {
    let text = format!("{{\"objective\": \"{}\"}}", objective.as_str());
    serde_json::from_str(&text).unwrap()
}

#[test]
fn an_objective_named_alone_has_its_own_defaults() {
    for objective in ALL {
        let config = with(&[&format!("rl.objective={}", objective.as_str())]).unwrap();
        assert_eq!(config.objective(), by_name(objective));
        assert_eq!(config.objective().name(), objective.as_str());
        let own = config.objective().aggregation();
        assert!(own.is_none() || own == Some(config.loss_aggregation()));
        let text = config.to_toml().unwrap();
        let again = resolve(&[Layer::text("copy", &text).unwrap()]).unwrap();
        assert_eq!(again, config);
    }
}

#[test]
fn the_default_is_ppo_as_ever() {
    let config = resolve(&[]).unwrap();
    assert_eq!(config.objective(), ObjectiveConfig::default());
    assert_eq!(config.loss_aggregation(), LossAggregation::TokenMean);
    assert_eq!(config.importance_weights(), None);
    for name in preset_names() {
        let config = resolve(&[Layer::preset(name)]).unwrap();
        assert_eq!(config.rl.objective, Objective::PpoClip, "{name}");
    }
}

#[test]
fn the_names_of_verl_are_understood() {
    for (name, objective) in [
        ("vanilla", Objective::PpoClip),
        ("geo_mean", Objective::Gmpo),
    ] {
        let config = with(&[&format!("rl.objective={name}")]).unwrap();
        assert_eq!(config.objective(), by_name(objective));
    }
}

#[test]
fn keys_win_over_the_defaults_of_an_objective_in_any_order() {
    let name = "rl.objective=gspo";
    let key = "rl.clip_ratio_low=0.01";
    for arguments in [[name, key], [key, name]] {
        let rl = with(&arguments).unwrap().rl;
        assert_eq!((rl.clip_ratio_low, rl.clip_ratio_high), (0.01, 4e-4));
    }
    let file = "preset = \"rloo\"\n[rl]\nclip_ratio_high = 0.02\nobjective = \"gspo\"";
    let rl = resolve(&[Layer::text("f", file).unwrap()]).unwrap().rl;
    assert_eq!((rl.clip_ratio_low, rl.clip_ratio_high), (3e-4, 0.02));
}

#[test]
fn the_topmost_objective_counts() {
    let rl = with(&["rl.objective=gspo", "rl.objective=gmpo"])
        .unwrap()
        .rl;
    assert_eq!((rl.objective, rl.clip_ratio_low), (Objective::Gmpo, 0.4));
    let rl = with(&["rl.objective=gspo", "rl.objective=ppo_clip"]);
    let rl = rl.unwrap().rl;
    assert_eq!(rl, with(&[]).unwrap().rl);
}

#[test]
fn keys_of_the_preset_stay_with_its_objective() {
    let named = with(&["preset=recipe", "rl.objective=vanilla"]).unwrap();
    assert_eq!(named.rl.clip_ratio_c, 3.0, "the recipe's dual clip");
    let other = with(&["preset=recipe", "rl.objective=sapo"]).unwrap();
    assert_eq!(other.rl.clip_ratio_c, 0.0);
    assert_eq!(other.rl.loss_agg, LossAgg::SeqMeanTokenMean);
}

#[test]
fn an_unknown_objective_gets_the_list() {
    let error = message(&["rl.objective=gpso"]);
    assert!(
        error.starts_with("--set rl.objective=gpso: `rl.objective`: "),
        "{error}"
    );
    for objective in ALL {
        assert!(error.contains(objective.as_str()), "{error}");
    }
    assert_eq!(
        message(&["rl.tau_poss=1"]),
        "--set rl.tau_poss=1: unknown key `rl.tau_poss` (did you mean `rl.tau_pos`?)"
    );
}

#[test]
fn a_key_that_the_objective_does_not_read_is_refused() {
    assert_eq!(
        message(&["rl.tau_pos=2"]),
        "`rl.tau_pos` is 2, but must be 1: rl.objective = \"ppo_clip\" does not read it"
    );
    for (objective, key) in [
        ("sapo", "rl.clip_ratio_low"),
        ("gspo", "rl.clip_ratio_c"),
        ("dro", "rl.tau_neg"),
        ("gpg", "rl.dro_beta"),
        ("kl_cov", "rl.clip_cov_ratio"),
        ("cispo", "rl.clip_cov_lb"),
        ("gmpo", "rl.clip_cov_ub"),
        ("clip_cov", "rl.kl_cov_ratio"),
        ("reinforce", "rl.ppo_kl_coef"),
    ] {
        let error = message(&[&format!("rl.objective={objective}"), &format!("{key}=0.7")]);
        assert!(error.starts_with(&format!("`{key}` is 0.7")), "{error}");
        assert!(error.contains(objective), "{error}");
    }
}

#[test]
fn parameters_out_of_range_are_named() {
    for (objective, key, value) in [
        ("gspo", "rl.clip_ratio_low", "1.5"),
        ("cispo", "rl.clip_ratio_high", "-1"),
        ("gmpo", "rl.clip_ratio_low", "-1"),
        ("sapo", "rl.tau_pos", "0"),
        ("sapo", "rl.tau_neg", "inf"),
        ("dro", "rl.dro_beta", "0"),
        ("clip_cov", "rl.clip_cov_ratio", "1.5"),
        ("clip_cov", "rl.clip_cov_ub", "0.5"),
        ("kl_cov", "rl.kl_cov_ratio", "-1"),
        ("kl_cov", "rl.ppo_kl_coef", "-1"),
        ("dppo_tv", "rl.clip_ratio_c", "1"),
        ("dppo_kl", "rl.clip_ratio_low", "-1"),
    ] {
        let arguments = [
            format!("rl.objective={objective}"),
            format!("{key}={value}"),
        ];
        let error = message(&[&arguments[0], &arguments[1]]);
        assert!(
            error.starts_with(&format!("`{key}` is {value}, but must be ")),
            "{error}"
        );
    }
    // No lower bound, as verl's example has it.
    assert!(with(&["rl.objective=cispo", "rl.clip_ratio_low=10"]).is_ok());
}

#[test]
fn an_objective_with_an_average_of_its_own_keeps_it() {
    let error = message(&["rl.objective=gspo", "rl.loss_agg=token_mean"]);
    assert_eq!(
        error,
        "`rl.loss_agg` is token_mean, but must be seq_mean_token_mean: rl.objective = \"gspo\" is defined with it"
    );
    let config = with(&["rl.objective=cispo", "rl.loss_agg=token_sum"]).unwrap();
    assert_eq!(config.loss_aggregation(), LossAggregation::TokenSum);
}

#[test]
fn the_divisor_of_dr_grpo_is_the_longest_response_unless_given() {
    let norm = "rl.loss_agg=seq_mean_token_sum_norm";
    let config = with(&[norm]).unwrap();
    let scale = config.sampling.max_new_tokens as f64;
    assert_eq!(
        config.loss_aggregation(),
        LossAggregation::SeqMeanTokenSumNorm { scale }
    );
    let config = with(&[norm, "rl.loss_scale_factor=1000"]).unwrap();
    assert_eq!(
        config.loss_aggregation(),
        LossAggregation::SeqMeanTokenSumNorm { scale: 1000.0 }
    );
}

#[test]
fn importance_weights_are_for_losses_without_a_ratio() {
    for objective in ALL {
        let arguments = [
            format!("rl.objective={}", objective.as_str()),
            "rl.rollout_is=sequence".to_owned(),
            "rl.rollout_is_threshold=3".to_owned(),
        ];
        let given = with(&[&arguments[0], &arguments[1], &arguments[2]]);
        if matches!(objective, Objective::Reinforce | Objective::Gpg) {
            let expected = ImportanceWeights {
                level: ImportanceLevel::Sequence,
                cap: 3.0,
            };
            assert_eq!(given.unwrap().importance_weights(), Some(expected));
        } else {
            let error = given.unwrap_err().to_string();
            assert!(
                error.starts_with("`rl.rollout_is` is sequence, but must be off"),
                "{error}"
            );
        }
    }
}

#[test]
fn all_actions_is_ppo() {
    let layers = [Layer::set("rl.objective=gspo").unwrap()];
    let error = resolve(&layers).unwrap_err().to_string();
    assert!(
        error.starts_with("`prm.process_credit` is all_actions"),
        "{error}"
    );
    assert!(error.contains("rl.objective = \"ppo_clip\""), "{error}");
    let sampled = Layer::set("prm.process_credit=sampled").unwrap();
    assert!(resolve(&[layers[0].clone(), sampled]).is_ok());
}

#[test]
fn kl_estimators_have_the_names_of_verl() {
    use prime_advantage::KlEstimator as RewardKl;

    for (names, expected, reward) in [
        (["k1", "kl"], KlEstimator::K1, RewardKl::K1),
        (["k2", "mse"], KlEstimator::K2, RewardKl::K2),
        (["k3", "low_var_kl"], KlEstimator::K3, RewardKl::K3),
        (["k1+", "kl+"], KlEstimator::K1Plus, RewardKl::K1),
        (["k3+", "low_var_kl+"], KlEstimator::K3Plus, RewardKl::K3),
        (["abs", "abs"], KlEstimator::Abs, RewardKl::Abs),
    ] {
        for name in names {
            let config = with(&[&format!("kl.estimator={name}")]).unwrap();
            assert_eq!(config.kl.estimator, expected, "{name}");
            assert_eq!(config.reward_kl(), reward, "{name}");
            let loss = serde_json::to_value(config.loss_kl()).unwrap();
            assert_eq!(loss, serde_json::to_value(expected).unwrap());
        }
    }
}
