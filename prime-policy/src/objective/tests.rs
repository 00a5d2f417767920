//! Values and gradients against the reference implementations (`tests/golden/objective.json`).

use burn::tensor::{Device, Tensor, TensorData};
use serde_json::Value;

use super::*;

const GOLDEN: &str = include_str!("../../tests/golden/objective.json");

fn case(name: &str) -> Value {
    let all: Value = serde_json::from_str(GOLDEN).unwrap();
    let found = all["cases"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["name"] == name);
    found
        .unwrap_or_else(|| panic!("no golden case {name}"))
        .clone()
}

fn numbers(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().unwrap() as f32],
    }
}

fn matrix(value: &Value) -> Tensor<2> {
    let rows = value.as_array().unwrap().len();
    let values = numbers(value);
    let columns = values.len() / rows;
    Tensor::from_data(TensorData::new(values, [rows, columns]), &Device::flex())
}

fn close(name: &str, found: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    let error = (found - expected).abs() / expected.abs().max(1e-3);
    assert!(error < 1e-5, "{name}: {found} instead of {expected}");
}

fn close_all(name: &str, found: Tensor<2>, expected: &Value) {
    for (f, e) in found.into_data().iter::<f32>().zip(numbers(expected)) {
        assert!(
            (f - e).abs() <= 1e-5 * e.abs().max(1e-1),
            "{name}: {f} instead of {e}"
        );
    }
}

fn totals(mask: &Value) -> BatchTotals {
    BatchTotals::of(
        mask.as_array()
            .unwrap()
            .iter()
            .map(|row| numbers(row).iter().sum::<f32>() as usize),
    )
}

fn aggregation(inputs: &Value) -> LossAggregation {
    match inputs["loss_agg_mode"].as_str().unwrap() {
        "token-mean" => LossAggregation::TokenMean,
        "seq-mean-token-mean" => LossAggregation::SeqMeanTokenMean,
        "seq-mean-token-sum" => LossAggregation::SeqMeanTokenSum,
        "seq-mean-token-sum-norm" => LossAggregation::SeqMeanTokenSumNorm {
            scale: inputs["mask"][0].as_array().unwrap().len() as f64,
        },
        other => panic!("{other}"),
    }
}

fn ppo(name: &str, objective: &PpoClip) {
    let case = case(name);
    let inputs = &case["inputs"];
    let leaf = Tensor::from_inner(matrix(&inputs["log_prob"])).require_grad();
    let input = ObjectiveInput {
        log_probs: leaf.clone(),
        old_log_probs: Tensor::from_inner(matrix(&inputs["old_log_prob"])),
        advantages: Tensor::from_inner(matrix(&inputs["advantages"])),
        mask: Tensor::from_inner(matrix(&inputs["mask"])),
    };
    let totals = totals(&inputs["mask"]);
    let token_loss = objective.token_loss(&input);
    let loss = aggregation(inputs).aggregate(token_loss.loss, input.mask, totals);
    close(
        name,
        loss.clone().inner().into_scalar::<f32>().into(),
        &case["expected"]["loss"],
    );
    let gradient = leaf.grad(&loss.backward()).unwrap();
    close_all(name, gradient, &case["expected"]["grad_log_prob"]);
    let metrics = case["expected"]["metrics"].as_object().unwrap();
    for (metric, expected) in metrics {
        if let Some((_, sum)) = token_loss.metric_sums.iter().find(|(m, _)| m == metric) {
            close(metric, sum / totals.tokens as f64, expected);
        } else {
            assert!(
                objective.clip_ratio_c.is_none(),
                "{name}: metric {metric} is missing"
            );
        }
    }
}

#[test]
fn ppo_clip_with_dual_clip_in_every_aggregation() {
    let dual = PpoClip {
        clip_ratio_c: Some(3.0),
        ..PpoClip::default()
    };
    for mode in [
        "token-mean",
        "seq-mean-token-sum",
        "seq-mean-token-sum-norm",
        "seq-mean-token-mean",
    ] {
        ppo(&format!("policy.vanilla.eps0.2.c3.{mode}"), &dual);
    }
    let dapo = PpoClip {
        clip_ratio_low: 0.2,
        clip_ratio_high: 0.28,
        clip_ratio_c: Some(10.0),
    };
    ppo("policy.vanilla.dapo_clip_higher", &dapo);
}

#[test]
fn ppo_clip_without_dual_clip_is_the_authors_loss() {
    let case = case("policy.orig_prime_ppo");
    let inputs = &case["inputs"];
    let input = ObjectiveInput {
        log_probs: matrix(&inputs["log_prob"]),
        old_log_probs: matrix(&inputs["old_log_prob"]),
        advantages: matrix(&inputs["advantages"]),
        mask: matrix(&inputs["mask"]),
    };
    let totals = totals(&inputs["mask"]);
    let token_loss = PpoClip::default().token_loss(&input);
    let loss = LossAggregation::TokenMean.aggregate(token_loss.loss, input.mask, totals);
    close(
        "orig",
        loss.into_scalar::<f32>().into(),
        &case["expected"]["loss"],
    );
}

#[test]
fn aggregations() {
    for (mode, aggregation) in [
        ("token-mean", LossAggregation::TokenMean),
        ("seq-mean-token-sum", LossAggregation::SeqMeanTokenSum),
        ("seq-mean-token-mean", LossAggregation::SeqMeanTokenMean),
        (
            "seq-mean-token-sum-norm",
            LossAggregation::SeqMeanTokenSumNorm { scale: 4.0 },
        ),
        (
            "seq-mean-token-sum-norm.scale1000",
            LossAggregation::SeqMeanTokenSumNorm { scale: 1000.0 },
        ),
    ] {
        let name = format!("agg_loss.{mode}");
        let case = case(&name);
        let (loss, mask) = (
            matrix(&case["inputs"]["loss_mat"]),
            matrix(&case["inputs"]["mask"]),
        );
        let whole = aggregation
            .aggregate(loss.clone(), mask.clone(), totals(&case["inputs"]["mask"]))
            .into_scalar::<f32>();
        close(&name, whole.into(), &case["expected"]["loss"]);
        let parts: f32 = (0..3)
            .map(|row| {
                let (loss, mask) = (
                    loss.clone().narrow(0, row, 1),
                    mask.clone().narrow(0, row, 1),
                );
                aggregation
                    .aggregate(loss, mask, totals(&case["inputs"]["mask"]))
                    .into_scalar::<f32>()
            })
            .sum();
        close(
            &format!("{name} in micro-batches"),
            parts.into(),
            &case["expected"]["loss"],
        );
        if let Some(expected) = case["expected"].get("loss_with_empty_row") {
            let keep = Tensor::from_data([[1.0f32], [0.0], [1.0]], &Device::flex());
            let mask = mask * keep;
            let lengths = mask.clone().sum_dim(1).into_data();
            let totals = BatchTotals::of(lengths.iter::<f32>().map(|l| l as usize));
            let found = aggregation
                .aggregate(loss, mask, totals)
                .into_scalar::<f32>();
            close(&format!("{name}, empty row"), found.into(), expected);
        }
    }
}

#[test]
fn kl_estimators_and_their_gradients() {
    for (name, estimator) in [
        ("kl.k1", KlEstimator::K1),
        ("kl.k2", KlEstimator::K2),
        ("kl.k3", KlEstimator::K3),
    ] {
        let case = case(name);
        let leaf = Tensor::from_inner(matrix(&case["inputs"]["logprob"])).require_grad();
        let reference = Tensor::from_inner(matrix(&case["inputs"]["ref_logprob"]));
        let kl = estimator.per_token(leaf.clone(), reference);
        close_all(name, kl.clone().inner(), &case["expected"]["kl"]);
        let gradient = leaf.grad(&kl.sum().backward()).unwrap();
        close_all(name, gradient, &case["expected"]["grad_logprob"]);
    }
}

#[test]
fn value_loss() {
    for (name, aggregation) in [
        ("value_loss.token-mean", LossAggregation::TokenMean),
        (
            "value_loss.seq-mean-token-mean",
            LossAggregation::SeqMeanTokenMean,
        ),
    ] {
        let case = case(name);
        let inputs = &case["inputs"];
        let clip = ClippedValueLoss {
            value_clip: inputs["cliprange_value"].as_f64().unwrap() as f32,
        };
        let loss = clip.per_token(
            matrix(&inputs["vpreds"]),
            matrix(&inputs["values"]),
            matrix(&inputs["returns"]),
        );
        let total = aggregation.aggregate(loss, matrix(&inputs["mask"]), totals(&inputs["mask"]));
        close(
            name,
            total.into_scalar::<f32>().into(),
            &case["expected"]["loss"],
        );
    }
}

#[test]
fn entropy() {
    let case = case("entropy_loss");
    let logits = numbers(&case["inputs"]["logits"]);
    let logits = Tensor::<2>::from_data(TensorData::new(logits, [6, 4]), &Device::flex());
    let targets = Tensor::from_data([0i32; 6], &Device::flex());
    let both = crate::kernels::log_prob_entropy(logits, targets, 1.0);
    let entropy = both.narrow(1, 1, 1).reshape([2, 3]);
    close_all(
        "token_entropy",
        entropy.clone(),
        &case["expected"]["token_entropy"],
    );
    let loss = LossAggregation::TokenMean
        .aggregate(
            entropy,
            matrix(&case["inputs"]["mask"]),
            totals(&case["inputs"]["mask"]),
        )
        .into_scalar::<f32>();
    close("entropy_loss", loss.into(), &case["expected"]["loss"]);
}
