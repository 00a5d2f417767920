//! Every case of `tests/golden/objective.json`: loss, gradient and metrics of the reference implementations to 1e-5.
#![cfg(feature = "flex")]

mod cases;
mod fixed;

use std::collections::BTreeSet;

use burn::tensor::{Tensor, TensorData};
use prime_advantage::{
    AdaptiveKl, KlEstimator as RewardKl, KlInReward, PromptGroup, Response, RewardBatch,
    kl_shaped_rewards,
};
use prime_policy::objective::{
    BatchTotals, Cispo, ClipCov, ClippedValueLoss, DppoKl, DppoTv, Dro, Gmpo, Gpg, Gspo, KlCov,
    KlEstimator, LossAggregation, ObjectiveConfig, ObjectiveInput, PolicyObjective, PpoClip,
    Reinforce, Sapo,
};
use prime_policy::{Sequence, SequenceBatch, token_statistics};

use cases::{Case, close, close_all, device};

/// One `#[test]` per case, and a test that no case of the file is left out.
macro_rules! golden {
    ($($test:ident: $name:literal => $check:expr;)*) => {
        $(
            #[test]
            fn $test() {
                let check: fn(&Case) = $check;
                check(&Case::named($name));
            }
        )*

        #[test]
        fn every_case_of_the_file_has_a_test() {
            let tested: BTreeSet<String> = [$($name),*].map(str::to_owned).into();
            let names = Case::all_names();
            assert_eq!(names.len(), 38);
            assert_eq!(tested, names.into_iter().collect());
        }
    };
}

golden! {
    kl_k1: "kl.k1" => |case| kl(case, KlEstimator::K1);
    kl_abs: "kl.abs" => |case| kl(case, KlEstimator::Abs);
    kl_k2: "kl.k2" => |case| kl(case, KlEstimator::K2);
    kl_k3: "kl.k3" => |case| kl(case, KlEstimator::K3);
    kl_k1_plus: "kl.k1+" => |case| kl(case, KlEstimator::K1Plus);
    kl_k3_plus: "kl.k3+" => |case| kl(case, KlEstimator::K3Plus);
    kl_adaptive_controller: "kl.adaptive_controller" => kl_controller;
    kl_in_reward: "kl.in_reward" => kl_in_rewards;
    agg_token_mean: "agg_loss.token-mean" => aggregation;
    agg_token_sum: "agg_loss.token-sum" => aggregation;
    agg_seq_mean_token_sum: "agg_loss.seq-mean-token-sum" => aggregation;
    agg_seq_mean_token_sum_norm: "agg_loss.seq-mean-token-sum-norm" => aggregation;
    agg_seq_mean_token_mean: "agg_loss.seq-mean-token-mean" => aggregation;
    agg_scale: "agg_loss.seq-mean-token-sum-norm.scale1000" => aggregation;
    agg_global_norm: "agg_loss.global_norm" => global_norm;
    vanilla_token_mean: "policy.vanilla.eps0.2.c3.token-mean" => vanilla;
    vanilla_token_sum: "policy.vanilla.eps0.2.c3.token-sum" => vanilla;
    vanilla_seq_mean_token_sum: "policy.vanilla.eps0.2.c3.seq-mean-token-sum" => vanilla;
    vanilla_seq_mean_token_sum_norm: "policy.vanilla.eps0.2.c3.seq-mean-token-sum-norm" => vanilla;
    vanilla_seq_mean_token_mean: "policy.vanilla.eps0.2.c3.seq-mean-token-mean" => vanilla;
    vanilla_dapo: "policy.vanilla.dapo_clip_higher" => vanilla;
    vanilla_importance_weights: "policy.vanilla.rollout_is_weights" => |case| policy(case, &PpoClip {
        clip_ratio_c: Some(3.0),
        ..PpoClip::default()
    });
    orig_prime_ppo: "policy.orig_prime_ppo" => |case| policy(case, &PpoClip {
        clip_ratio_low: case.number("cliprange"),
        clip_ratio_high: case.number("cliprange"),
        clip_ratio_c: None,
    });
    gspo: "policy.gspo" => |case| policy(case, &Gspo {
        clip_ratio_low: case.number("clip_ratio_low"),
        clip_ratio_high: case.number("clip_ratio_high"),
    });
    gspo_wide: "policy.gspo.wide" => |case| policy(case, &Gspo {
        clip_ratio_low: case.number("clip_ratio_low"),
        clip_ratio_high: case.number("clip_ratio_high"),
    });
    sapo: "policy.sapo" => |case| policy(case, &Sapo {
        tau_pos: case.number("tau_pos"),
        tau_neg: case.number("tau_neg"),
    });
    gpg: "policy.gpg" => |case| policy(case, &Gpg {});
    geo_mean: "policy.geo_mean" => |case| policy(case, &Gmpo {
        clip_ratio_low: case.number("clip_ratio_low"),
        clip_ratio_high: case.number("clip_ratio_high"),
    });
    cispo: "policy.cispo" => |case| policy(case, &Cispo {
        clip_ratio_low: case.number("clip_ratio_low"),
        clip_ratio_high: case.number("clip_ratio_high"),
    });
    kl_cov: "policy.kl_cov.top1" => |case| policy(case, &KlCov {
        kl_cov_ratio: case.float("kl_cov_ratio"),
        ppo_kl_coef: case.number("ppo_kl_coef"),
    });
    clip_cov: "policy.clip_cov.one_eligible" => |case| policy(case, &ClipCov {
        clip_cov_ratio: case.float("clip_cov_ratio"),
        clip_cov_lb: case.float("clip_cov_lb"),
        clip_cov_ub: case.float("clip_cov_ub"),
        ..ClipCov::default()
    });
    dppo_tv: "policy.dppo_tv" => |case| policy(case, &DppoTv {
        clip_ratio_low: case.number("clip_ratio_low"),
        clip_ratio_high: case.number("clip_ratio_high"),
        clip_ratio_c: case.number("clip_ratio_c"),
    });
    dppo_kl: "policy.dppo_kl" => |case| policy(case, &DppoKl {
        clip_ratio_low: case.number("clip_ratio_low"),
        clip_ratio_high: case.number("clip_ratio_high"),
        clip_ratio_c: case.number("clip_ratio_c"),
    });
    dro: "policy.dro" => |case| policy(case, &Dro { dro_beta: case.number("dro_beta") });
    reinforce: "policy.reinforce" => |case| policy(case, &Reinforce {});
    value_loss_token_mean: "value_loss.token-mean" => |case| value(case, LossAggregation::TokenMean);
    value_loss_seq_mean: "value_loss.seq-mean-token-mean" => |case| {
        value(case, LossAggregation::SeqMeanTokenMean);
    };
    entropy_loss: "entropy_loss" => entropy;
}

/// verl's name of a mode; the default scale is the width of the batch.
fn mode(name: &str, scale: f64) -> LossAggregation {
    match name {
        "token-mean" => LossAggregation::TokenMean,
        "token-sum" => LossAggregation::TokenSum,
        "seq-mean-token-mean" => LossAggregation::SeqMeanTokenMean,
        "seq-mean-token-sum" => LossAggregation::SeqMeanTokenSum,
        "seq-mean-token-sum-norm" => LossAggregation::SeqMeanTokenSumNorm { scale },
        other => panic!("unknown mode {other}"),
    }
}

fn totals(mask: &Tensor<2>) -> BatchTotals {
    let lengths = mask.clone().sum_dim(1).into_data();
    BatchTotals::of(lengths.iter::<f32>().map(|length| length as usize))
}

fn scalar(x: Tensor<1>) -> f64 {
    x.inner().into_scalar::<f32>().into()
}

fn vanilla(case: &Case) {
    let objective = PpoClip {
        clip_ratio_low: case.number("clip_ratio_low"),
        clip_ratio_high: case.number("clip_ratio_high"),
        clip_ratio_c: Some(case.number("clip_ratio_c")),
    };
    policy(case, &objective);
}

fn policy(case: &Case, objective: &dyn PolicyObjective) {
    objective.validate().unwrap();
    let leaf = Tensor::from_inner(case.matrix("log_prob")).require_grad();
    let given = |name| Tensor::from_inner(case.matrix(name));
    let mask = given("mask");
    let mut input = ObjectiveInput::new(
        leaf.clone(),
        given("old_log_prob"),
        given("advantages"),
        mask.clone(),
    );
    if case.has("rollout_is_weights") {
        input = input.with_importance_weights(given("rollout_is_weights"));
    }
    let window = mask.dims()[1] as f64;
    let aggregation = objective.aggregation().unwrap_or_else(|| {
        // The authors' trainer has one mode and does not name it.
        mode(case.text("loss_agg_mode").unwrap_or("token-mean"), window)
    });
    let totals = totals(&mask);
    let token_loss = objective.token_loss(&input);
    let loss = aggregation.aggregate(token_loss.loss, mask, totals);
    close("loss", scalar(loss.clone()), case.expected("loss"));
    let gradient = leaf.grad(&loss.backward()).unwrap();
    if let Some(expected) = case.expected.get("grad_log_prob") {
        close_all("gradient", gradient, expected);
    }

    let found: Vec<(&str, f64)> = token_loss
        .metric_sums
        .iter()
        .map(|(name, sum)| (*name, sum / totals.tokens as f64))
        .collect();
    let expected = case.metrics();
    let names = |metrics: &mut dyn Iterator<Item = String>| metrics.collect::<BTreeSet<String>>();
    assert_eq!(
        names(&mut found.iter().map(|(name, _)| (*name).to_owned())),
        names(&mut expected.iter().map(|(name, _)| name.clone()))
    );
    for (name, expected) in &expected {
        let (_, found) = found.iter().find(|(found, _)| found == name).unwrap();
        close(name, *found, expected);
    }
}

fn aggregation(case: &Case) {
    let (loss, mask) = (case.matrix("loss_mat"), case.matrix("mask"));
    let scale = match case.has("loss_scale_factor") {
        true => case.float("loss_scale_factor"),
        false => mask.dims()[1] as f64,
    };
    let name = case.name.strip_prefix("agg_loss.").unwrap();
    let aggregation = mode(name.split('.').next().unwrap(), scale);
    let whole = aggregation.aggregate(loss.clone(), mask.clone(), totals(&mask));
    close("loss", scalar(whole), case.expected("loss"));
    if let Some(expected) = case.expected.get("loss_with_empty_row") {
        let keep = Tensor::<2>::from_data([[1.0f32], [0.0], [1.0]], &device());
        let mask = mask * keep;
        let totals = totals(&mask);
        let found = aggregation.aggregate(loss, mask, totals);
        close("loss_with_empty_row", scalar(found), expected);
    }
}

/// Normalised by the sizes of a larger batch, of which this is one rank's part.
fn global_norm(case: &Case) {
    let (loss, mask) = (case.matrix("loss_mat"), case.matrix("mask"));
    let totals = BatchTotals {
        tokens: case.float("batch_num_tokens") as usize,
        responses: case.float("global_batch_size") as usize,
    };
    let ranks = case.float("dp_size") as usize;
    let expected = case.expected.as_object().unwrap();
    assert_eq!(expected.len(), 5);
    for (name, expected) in expected {
        let aggregation = mode(name, mask.dims()[1] as f64);
        let found = aggregation.aggregate_on_rank(loss.clone(), mask.clone(), totals, ranks);
        close(name, scalar(found), expected);
    }
}

fn kl(case: &Case, estimator: KlEstimator) {
    let named: KlEstimator =
        serde_json::from_value(case.name.strip_prefix("kl.").unwrap().into()).unwrap();
    assert_eq!(named, estimator);
    let leaf = Tensor::from_inner(case.matrix("logprob")).require_grad();
    let reference = Tensor::from_inner(case.matrix("ref_logprob"));
    let kl = estimator.per_token(leaf.clone(), reference);
    close_all("kl", kl.clone().inner(), case.expected("kl"));
    let gradient = leaf.grad(&kl.sum().backward()).unwrap();
    close_all("gradient", gradient, case.expected("grad_logprob"));
}

/// The coefficient is prime-advantage's, beside the rewards that it charges.
fn kl_controller(case: &Case) {
    let mut controller = AdaptiveKl::new(
        case.float("init"),
        case.float("target"),
        case.float("horizon"),
    )
    .unwrap();
    let measured = case.inputs["current_kl"].as_array().unwrap();
    let expected = case.expected("values").as_array().unwrap();
    assert_eq!(measured.len(), expected.len());
    for (measured, expected) in measured.iter().zip(expected) {
        let n = case.float("n_steps") as usize;
        controller.update(measured.as_f64().unwrap(), n).unwrap();
        close("coefficient", controller.coef(), expected);
    }
}

/// r − β·KL inside the mask: by this crate's estimator on tensors, and by prime-advantage's on slices.
fn kl_in_rewards(case: &Case) {
    let (rewards, mask) = (case.matrix("token_level_scores"), case.matrix("mask"));
    let (old, reference) = (case.matrix("old_log_probs"), case.matrix("ref_log_prob"));
    let beta = case.float("beta");
    let kl = KlEstimator::K1.per_token(old, reference) * mask.clone();
    let shaped = rewards - kl.clone().mul_scalar(beta);
    close_all("rewards", shaped, case.expected("token_level_rewards"));
    let current = LossAggregation::SeqMeanTokenMean.aggregate(kl, mask.clone(), totals(&mask));
    close("current_kl", scalar(current), case.expected("current_kl"));

    let rows = |name| case.rows(name);
    let (rewards, old, reference, mask) = (
        rows("token_level_scores"),
        rows("old_log_probs"),
        rows("ref_log_prob"),
        rows("mask"),
    );
    let masks: Vec<Vec<bool>> = mask
        .iter()
        .map(|row| row.iter().map(|&m| m == 1.0).collect())
        .collect();
    let expected = case.expected("token_level_rewards").as_array().unwrap();
    let mut responses = vec![];
    for i in 0..rewards.len() {
        let (old, reference, mask) = (&old[i], &reference[i], &masks[i]);
        let shaped =
            kl_shaped_rewards(&rewards[i], old, reference, Some(mask), RewardKl::K1, beta).unwrap();
        let expected = expected[i].as_array().unwrap();
        assert_eq!(shaped.len(), expected.len());
        for (found, expected) in shaped.iter().zip(expected) {
            close("rewards by slices", f64::from(*found), expected);
        }
        responses.push(
            Response::new(mask.len(), 0.0)
                .with_mask(mask)
                .with_process_rewards(&rewards[i])
                .with_old_log_probs(old)
                .with_ref_log_probs(reference),
        );
    }
    let batch = RewardBatch::new(vec![PromptGroup::new(responses).unwrap()]).unwrap();
    let shaped = KlInReward::new(RewardKl::K1, beta).shape(&batch).unwrap();
    close("mean_kl", shaped.mean_kl(), case.expected("current_kl"));
}

fn value(case: &Case, aggregation: LossAggregation) {
    let objective = ClippedValueLoss {
        value_clip: case.number("cliprange_value"),
    };
    let mask = case.matrix("mask");
    let [values, old, returns] = ["vpreds", "values", "returns"].map(|name| case.matrix(name));
    let totals = totals(&mask);
    let per_token = objective.per_token(values.clone(), old.clone(), returns.clone());
    let found = aggregation.aggregate(per_token, mask.clone(), totals);
    close("per_token", scalar(found), case.expected("loss"));
    let token_loss = objective.token_loss(values, old, returns, &mask);
    let found = aggregation.aggregate(token_loss.loss, mask, totals);
    close("loss", scalar(found), case.expected("loss"));
    let [(name, clipped)] = token_loss.metric_sums[..] else {
        panic!("one metric");
    };
    assert_eq!(name, "critic/vf_clipfrac");
    let share = clipped / totals.tokens as f64;
    close(name, share, case.expected("clipfrac"));
}

/// The entropy that the trainer's forward pass reports, of a model that predicts the case's logits.
fn entropy(case: &Case) {
    let logits = &case.inputs["logits"];
    let [rows, time] = [logits.as_array().unwrap().len(), 3];
    let values = cases::numbers(logits);
    let vocab = values.len() / (rows * time);
    let logits = Tensor::from_data(TensorData::new(values, [rows, time, vocab]), &device());
    let model = fixed::Fixed::new(logits);
    let sequence = |response| Sequence {
        prompt: &[0],
        response,
    };
    let sequences = [sequence(&[0, 0, 0]), sequence(&[0, 0])];
    let batch = SequenceBatch::new(&sequences, vocab, &device()).unwrap();
    let mask = batch.mask();
    close_all("mask", mask.clone(), &case.inputs["mask"]);
    let entropy = token_statistics(&model, &batch, 1.0).entropy;
    // The reference has entropies of padding too; here those are 0.
    let expected = cases::numbers(case.expected("token_entropy"));
    let expected = Tensor::<2>::from_data(TensorData::new(expected, mask.dims()), &device());
    let difference = (entropy.clone() - expected * mask.clone()).abs().max();
    close("largest difference", scalar(difference), &0.0.into());
    let totals = totals(&mask);
    let loss = LossAggregation::TokenMean.aggregate(entropy, mask, totals);
    close("loss", scalar(loss), case.expected("loss"));
}

#[test]
fn an_objective_by_name_is_the_reference_too() {
    for (name, config) in [
        (
            "policy.vanilla.dapo_clip_higher",
            r#"{"objective": "vanilla", "clip_ratio_low": 0.2, "clip_ratio_high": 0.28, "clip_ratio_c": 10.0}"#,
        ),
        ("policy.gspo", r#"{"objective": "gspo"}"#),
        ("policy.sapo", r#"{"objective": "sapo"}"#),
        ("policy.geo_mean", r#"{"objective": "geo_mean"}"#),
        (
            "policy.cispo",
            r#"{"objective": "cispo", "clip_ratio_high": 0.28}"#,
        ),
        ("policy.kl_cov.top1", r#"{"objective": "kl_cov"}"#),
        ("policy.dppo_tv", r#"{"objective": "dppo_tv"}"#),
        ("policy.dppo_kl", r#"{"objective": "dppo_kl"}"#),
        ("policy.dro", r#"{"objective": "dro"}"#),
        ("policy.gpg", r#"{"objective": "gpg"}"#),
        ("policy.reinforce", r#"{"objective": "reinforce"}"#),
    ] {
        let config: ObjectiveConfig = serde_json::from_str(config).unwrap();
        policy(&Case::named(name), &*config.build().unwrap());
    }
}
