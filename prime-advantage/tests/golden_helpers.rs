//! Whitening, KL and the prompt filter against verl's numbers.

mod common;

use common::{Case, assert_close, assert_rows, cases};
use prime_advantage::{
    GroupVerdict, KlEstimator, PromptFilter, PromptGroup, Response, kl_shaped_rewards,
    masked_whiten,
};
use serde_json::json;

fn check_whiten(case: &Case) {
    let (rows, masks) = (case.rows("values"), case.masks());
    let flat_mask = masks.concat();
    for (what, shift_mean) in [("verl", true), ("orig", true), ("verl_noshift", false)] {
        let mut flat = rows.concat();
        masked_whiten(&mut flat, Some(&flat_mask), shift_mean).expect("whitens");
        let expected = case.expected(what).concat();
        for (i, ((&found, &expected), &own)) in
            flat.iter().zip(&expected).zip(&flat_mask).enumerate()
        {
            if own {
                assert_close(case.name(), &format!("{what}[{i}]"), found, expected);
            } else {
                // The reference whitens padding too; we leave it alone.
                assert_eq!(found, rows.concat()[i]);
            }
        }
    }
}

fn check_kl(case: &Case, estimator: KlEstimator) {
    let (log_probs, reference) = (case.rows("logprob"), case.rows("ref_logprob"));
    for ((log_probs, reference), expected) in
        log_probs.iter().zip(&reference).zip(&case.expected("kl"))
    {
        let found = estimator.penalties(log_probs, reference).expect("finite");
        let all = vec![vec![true; found.len()]];
        assert_rows(
            case.name(),
            "kl",
            &[&found],
            std::slice::from_ref(expected),
            &all,
        );
    }
}

fn check_kl_in_reward(case: &Case) {
    let (scores, masks) = (case.rows("token_level_scores"), case.masks());
    let (log_probs, reference) = (case.rows("old_log_probs"), case.rows("ref_log_prob"));
    let expected = case.expected("token_level_rewards");
    for i in 0..scores.len() {
        let (kl, coef) = (KlEstimator::K1, case.number("beta"));
        let mask = Some(masks[i].as_slice());
        let found = kl_shaped_rewards(&scores[i], &log_probs[i], &reference[i], mask, kl, coef)
            .expect("finite");
        for (t, (&found, &expected)) in found.iter().zip(&expected[i]).enumerate() {
            assert_close(case.name(), &format!("reward[{i}][{t}]"), found, expected);
        }
    }
}

fn check_filter(case: &Case) {
    let (scores, lengths) = (case.row("scores"), case.row("lengths"));
    let (size, limit) = (
        case.number("n") as usize,
        case.number("max_response_length"),
    );
    // The recipe calls a response truncated from one token below the limit on.
    let responses: Vec<_> = scores
        .iter()
        .zip(&lengths)
        .map(|(&score, &len)| {
            Response::new(len as usize, score).with_truncated(f64::from(len) >= limit - 1.0)
        })
        .collect();
    let groups: Vec<_> = responses
        .chunks(size)
        .map(|r| PromptGroup::new(r.to_vec()).expect("valid"))
        .collect();
    let filter = PromptFilter {
        accuracy_lower_bound: case.number("lower"),
        accuracy_upper_bound: case.number("upper"),
        filter_truncated: true,
        ..PromptFilter::default()
    };
    let report = filter.apply(&groups).expect("valid bounds");
    let kept: Vec<_> = report.kept().collect();
    assert_eq!(
        json!(kept),
        *case.at("expected", "kept_groups_sorted"),
        "{}",
        case.name()
    );
    use GroupVerdict::*;
    let verdicts = [TooEasy, Keep, TooHard, Keep, Keep, Truncated, TooHard, Keep];
    assert_eq!(report.verdicts, verdicts, "{}", case.name());
    let counts = report.counts;
    assert_eq!((counts.kept, counts.too_hard, counts.too_easy), (4, 2, 1));
    assert_eq!((counts.zero_variance, counts.truncated), (0, 1));

    let filter = PromptFilter {
        filter_truncated: false,
        ..filter
    };
    let kept: Vec<_> = filter
        .apply(&groups)
        .expect("valid bounds")
        .kept()
        .collect();
    assert_eq!(
        kept,
        [1, 3, 4, 5, 7],
        "truncation is a reason only when asked for"
    );
}

#[test]
fn every_golden_case() {
    let cases = cases(include_str!("golden/helpers.json"));
    assert_eq!(cases.len(), 7);
    for case in &cases {
        match case.name() {
            "masked_whiten" => check_whiten(case),
            "filter.recipe" => check_filter(case),
            "kl.k1" => check_kl(case, KlEstimator::K1),
            "kl.abs" => check_kl(case, KlEstimator::Abs),
            "kl.k2" => check_kl(case, KlEstimator::K2),
            "kl.k3" => check_kl(case, KlEstimator::K3),
            "kl.in_reward" => check_kl_in_reward(case),
            name => panic!("golden case {name} is not covered"),
        }
    }
}

/// verl's clamps: −d to ±20 inside the exponential, the estimate to ±10.
#[test]
fn k3_is_clamped() {
    assert_eq!(KlEstimator::K3.penalty(-50.0, 0.0), 10.0);
    assert_eq!(KlEstimator::K3.penalty(0.0, -50.0), 10.0);
    let expected = (-5.0f64).exp() + 5.0 - 1.0;
    assert!((KlEstimator::K3.penalty(0.0, -5.0) - expected).abs() < 1e-12);
}

/// Means of f32 rewards land on either side of a bound by rounding only.
#[test]
fn bounds_are_inclusive_up_to_rounding() {
    let verdict = |rewards: &[f32]| {
        let group = PromptGroup::new(rewards.iter().map(|&r| Response::new(1, r)).collect())
            .expect("valid");
        PromptFilter::default()
            .apply(&[group])
            .expect("valid")
            .verdicts[0]
    };
    assert!(f64::from(0.8f32) > 0.8 && f64::from(0.1f32) + f64::from(0.3f32) != 0.4);
    assert_eq!(verdict(&[0.8; 4]), GroupVerdict::Keep);
    assert_eq!(verdict(&[0.2; 4]), GroupVerdict::Keep);
    assert_eq!(verdict(&[0.3, 0.1, 0.3, 0.1]), GroupVerdict::Keep);
    assert_eq!(verdict(&[0.80001; 4]), GroupVerdict::TooEasy);
    assert_eq!(verdict(&[0.19999; 4]), GroupVerdict::TooHard);
}

#[test]
fn zero_variance_is_a_reason_of_its_own() {
    let equal = PromptGroup::new(vec![Response::new(1, 0.5); 3]).expect("valid");
    let filter = PromptFilter {
        filter_zero_variance: true,
        ..PromptFilter::default()
    };
    let groups = std::slice::from_ref(&equal);
    assert_eq!(
        filter.apply(groups).expect("valid").verdicts,
        [GroupVerdict::ZeroVariance]
    );
    assert_eq!(
        PromptFilter::default()
            .apply(groups)
            .expect("valid")
            .verdicts,
        [GroupVerdict::Keep]
    );
    assert_eq!(
        filter.apply(&[]).expect("no groups are fine").counts.kept,
        0
    );
}
