//! `rl.objective` and the keys around it.

use prime_policy::objective::{
    ImportanceLevel, ImportanceWeights, LossAggregation, ObjectiveConfig, PolicyObjective,
};

use super::*;
use crate::error::ConfigError;

const ALL: [Objective; 12] = Objective::ALL;

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
    let key = "rl.gspo.clip_ratio_low=0.01";
    for arguments in [[name, key], [key, name]] {
        let gspo = with(&arguments).unwrap().rl.gspo;
        assert_eq!((gspo.clip_ratio_low, gspo.clip_ratio_high), (0.01, 4e-4));
    }
}

#[test]
fn the_topmost_objective_counts() {
    let rl = with(&["rl.objective=gspo", "rl.objective=gmpo"])
        .unwrap()
        .rl;
    assert_eq!(
        (rl.objective, rl.gmpo.clip_ratio_low),
        (Objective::Gmpo, 0.4)
    );
    let rl = with(&["rl.objective=gspo", "rl.objective=ppo_clip"]);
    let rl = rl.unwrap().rl;
    assert_eq!(rl, with(&[]).unwrap().rl);
}

#[test]
fn keys_of_the_preset_stay_with_its_objective() {
    let named = with(&["preset=recipe", "rl.objective=vanilla"]).unwrap();
    assert_eq!(
        named.rl.ppo_clip.clip_ratio_c, 3.0,
        "the recipe's dual clip"
    );
    let other = with(&["preset=recipe", "rl.objective=sapo"]).unwrap();
    assert_eq!(other.rl.ppo_clip, PpoClipKeys::default());
    assert_eq!(other.rl.loss_agg, LossAgg::SeqMeanTokenMean);
}

#[test]
fn a_file_that_chooses_may_be_overruled() {
    let file = "[rl]\nobjective = \"gspo\"\n[rl.gspo]\nclip_ratio_low = 0.01\n\
                [advantage]\nestimator = \"grpo\"\n[advantage.grpo]\nnormalize_by_std = false";
    let file = Layer::text("f", &format!("preset = \"rloo\"\n{file}")).unwrap();
    let config = resolve(std::slice::from_ref(&file)).unwrap();
    assert!(!config.advantage.grpo.normalize_by_std);
    let over =
        ["rl.objective=sapo", "advantage.estimator=rloo"].map(|set| Layer::set(set).unwrap());
    let layers: Vec<Layer> = [file].into_iter().chain(over).collect();
    let config = resolve(&layers).unwrap();
    assert_eq!(config.rl.gspo, GspoKeys::default());
    assert_eq!(config.advantage.grpo, GrpoKeys::default());
}

#[test]
fn keys_that_were_the_sections_own_are_found() {
    for (given, now) in [
        (
            "rl.clip_ratio_low=0.1",
            "`rl.ppo_clip.clip_ratio_low`; the same with gspo, cispo",
        ),
        ("rl.tau_pos=2", "`rl.sapo.tau_pos`"),
        (
            "rl.rollout_is=token",
            "`rl.gpg.rollout_is`; the same with reinforce",
        ),
        ("advantage.lam=0.9", "`advantage.gae.lam`"),
        (
            "advantage.normalize_by_std=false",
            "`advantage.grpo.normalize_by_std`",
        ),
        ("advantage.baseline=none", "`advantage.reinforce.baseline`"),
        ("advantage.loo_scaling=code", "`advantage.rloo.loo_scaling`"),
        ("prm.replay_steps=5", "it is `prm.replay.steps` now"),
        (
            "prm.replay_batch_size=5",
            "it is `prm.replay.batch_size` now",
        ),
    ] {
        let error = message(&[given]);
        assert!(
            error.starts_with(&format!("--set {given}: unknown key")),
            "{error}"
        );
        assert!(error.contains(now), "{error}");
    }
    let error = message(&["rl.objective=gmpo", "rl.clip_ratio_low=0.1"]);
    assert!(
        error.contains("`rl.gmpo.clip_ratio_low`; the same with ppo_clip"),
        "{error}"
    );
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
        message(&["rl.sapo.tau_poss=1"]),
        "--set rl.sapo.tau_poss=1: unknown key `rl.sapo.tau_poss` (did you mean `rl.sapo.tau_pos`?)"
    );
}

#[test]
fn a_key_that_the_objective_does_not_read_is_refused() {
    assert_eq!(
        message(&["rl.sapo.tau_pos=2"]),
        "--set rl.sapo.tau_pos=2: nothing reads `rl.sapo.tau_pos` here: it is read with rl.objective = \"sapo\" only"
    );
    for (objective, key) in [
        ("sapo", "rl.ppo_clip.clip_ratio_low"),
        ("gspo", "rl.ppo_clip.clip_ratio_c"),
        ("dro", "rl.sapo.tau_neg"),
        ("gpg", "rl.dro.dro_beta"),
        ("kl_cov", "rl.clip_cov.clip_cov_ratio"),
        ("reinforce", "rl.kl_cov.ppo_kl_coef"),
        ("ppo_clip", "advantage.gae.lam"),
        ("ppo_clip", "advantage.grpo.normalize_by_std"),
        ("ppo_clip", "advantage.reinforce.baseline"),
    ] {
        let value = match key.rsplit('.').next() {
            Some("normalize_by_std") => "false",
            Some("baseline") => "batch_mean",
            _ => "0.7",
        };
        let error = message(&[
            &format!("rl.objective={objective}"),
            &format!("{key}={value}"),
        ]);
        assert!(
            error.contains(&format!("nothing reads `{key}` here")),
            "{error}"
        );
    }
}

#[test]
fn parameters_out_of_range_are_named() {
    for (objective, key, value) in [
        ("gspo", "rl.gspo.clip_ratio_low", "1.5"),
        ("cispo", "rl.cispo.clip_ratio_high", "-1"),
        ("gmpo", "rl.gmpo.clip_ratio_low", "-1"),
        ("sapo", "rl.sapo.tau_pos", "0"),
        ("sapo", "rl.sapo.tau_neg", "inf"),
        ("dro", "rl.dro.dro_beta", "0"),
        ("clip_cov", "rl.clip_cov.clip_cov_ratio", "1.5"),
        ("clip_cov", "rl.clip_cov.clip_cov_ub", "0.5"),
        ("kl_cov", "rl.kl_cov.kl_cov_ratio", "-1"),
        ("kl_cov", "rl.kl_cov.ppo_kl_coef", "-1"),
        ("dppo_tv", "rl.dppo_tv.clip_ratio_c", "1"),
        ("dppo_kl", "rl.dppo_kl.clip_ratio_low", "-1"),
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
    assert!(with(&["rl.objective=cispo", "rl.cispo.clip_ratio_low=10"]).is_ok());
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
            format!("rl.{}.rollout_is=sequence", objective.as_str()),
            format!("rl.{}.rollout_is_threshold=3", objective.as_str()),
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
                error.contains(".rollout_is`") && error.contains("rl.gpg.rollout_is"),
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
            let config = with(&["kl.placement=loss", &format!("kl.estimator={name}")]).unwrap();
            assert_eq!(config.kl.estimator, expected, "{name}");
            assert_eq!(config.reward_kl(), reward, "{name}");
            let loss = serde_json::to_value(config.loss_kl()).unwrap();
            assert_eq!(loss, serde_json::to_value(expected).unwrap());
        }
    }
}
