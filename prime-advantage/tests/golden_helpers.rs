//! Whitening, KL and the prompt filter against verl's numbers.

mod common;

use common::golden::{Case, check_all};
use common::{assert_close, batch};
use prime_advantage::{
    AdaptiveKl, GroupVerdict, KlEstimator, KlInReward, KlPlacement, PromptFilter, PromptGroup,
    Response, kl_shaped_rewards, masked_whiten,
};

fn whiten(case: &Case) {
    let (rows, masks) = (case.rows("values").concat(), case.masks().concat());
    for (what, shift_mean) in [("verl", true), ("orig", true), ("verl_noshift", false)] {
        let mut found = rows.clone();
        masked_whiten(&mut found, Some(&masks), shift_mean).expect("whitens");
        let expected: Vec<Vec<f64>> = case.expected(what);
        for (i, expected) in expected.concat().into_iter().enumerate() {
            if masks[i] {
                assert_close(case.name(), &format!("{what}[{i}]"), found[i], expected);
            } else {
                // The reference whitens padding too; ours stays as it is.
                assert_eq!(found[i], rows[i], "{}: {what}[{i}]", case.name());
            }
        }
    }
}

fn filter(case: &Case) {
    let scores: Vec<f32> = case.input("scores");
    let lengths: Vec<usize> = case.input("lengths");
    let (size, limit): (usize, usize) = (case.input("n"), case.input("max_response_length"));
    // The recipe calls a response truncated from one token below the limit on.
    let responses = scores.iter().zip(lengths);
    let responses: Vec<_> = responses
        .map(|(&score, len)| Response::new(len, score).with_truncated(len + 1 >= limit))
        .collect();
    let groups: Vec<_> = responses
        .chunks(size)
        .map(|group| PromptGroup::new(group.to_vec()).expect("valid"))
        .collect();
    let filter = PromptFilter::default()
        .with_accuracy_lower_bound(case.number("lower"))
        .with_accuracy_upper_bound(case.number("upper"))
        .with_filter_truncated(true);
    let report = filter.apply(&groups).expect("valid bounds");
    let kept: Vec<usize> = report.kept().collect();
    let expected: Vec<usize> = case.expected("kept_groups_sorted");
    assert_eq!(kept, expected, "{}", case.name());
    use GroupVerdict::*;
    let verdicts = [TooEasy, Keep, TooHard, Keep, Keep, Truncated, TooHard, Keep];
    assert_eq!(report.verdicts, verdicts, "{}", case.name());

    let expected: Vec<usize> = case.expected("kept_rows");
    let rows: Vec<usize> = kept.iter().flat_map(|g| g * size..(g + 1) * size).collect();
    assert_eq!(rows, expected, "{}", case.name());
    let mut retained = groups.clone();
    assert_eq!(filter.retain(&mut retained), Ok(report));
    let kept: Vec<_> = kept.into_iter().map(|g| groups[g].clone()).collect();
    assert_eq!(retained, kept, "{}", case.name());
}

/// The case's name ends in verl's name of the estimator, which a config file may use.
fn kl(case: &Case) {
    let name = case.name().strip_prefix("kl.").expect("a kl case");
    let estimator: KlEstimator =
        serde_json::from_value(name.into()).unwrap_or_else(|e| panic!("{}: {e}", case.name()));
    let expected: Vec<Vec<f64>> = case.expected("kl");
    let (log_probs, references) = (case.rows("logprob"), case.rows("ref_logprob"));
    assert_eq!(log_probs.len(), expected.len(), "{}", case.name());
    for (i, expected) in expected.iter().enumerate() {
        let found = estimator.penalties(&log_probs[i], &references[i]);
        let found = found.expect("finite");
        assert_eq!(found.len(), expected.len(), "{}", case.name());
        for (t, &expected) in expected.iter().enumerate() {
            let single = estimator.penalty(log_probs[i][t], references[i][t]);
            assert_close(case.name(), &format!("kl[{i}][{t}]"), found[t], expected);
            assert_close(case.name(), "one token", single as f32, expected);
        }
    }
}

fn adaptive_controller(case: &Case) {
    let (init, target) = (case.number("init"), case.number("target"));
    let mut kl = AdaptiveKl::new(init, target, case.number("horizon")).expect("valid");
    let measured: Vec<f64> = case.input("current_kl");
    let expected: Vec<f64> = case.expected("values");
    assert_eq!(measured.len(), expected.len(), "{}", case.name());
    for (step, (measured, expected)) in measured.into_iter().zip(expected).enumerate() {
        kl.update(measured, case.input("n_steps")).expect("finite");
        let error = (kl.coef() - expected).abs();
        assert!(error <= 1e-12, "{}: step {step}: {kl:?}", case.name());
    }
}

fn in_reward(case: &Case) {
    let (scores, masks) = (case.rows("token_level_scores"), case.masks());
    let (old, reference) = (case.rows("old_log_probs"), case.rows("ref_log_prob"));
    let (coef, expected) = (case.number("beta"), case.expected("token_level_rewards"));
    let expected: Vec<Vec<f64>> = expected;
    let compare = |what: &str, i: usize, found: &[f32]| {
        assert_eq!(found.len(), expected[i].len(), "{}", case.name());
        for (t, &found) in found.iter().enumerate() {
            let at = format!("{what}[{i}][{t}]");
            assert_close(case.name(), &at, found, expected[i][t]);
        }
    };
    let rows = || 0..scores.len();
    for i in rows() {
        let mask = Some(masks[i].as_slice());
        let k1 = KlEstimator::K1;
        let found = kl_shaped_rewards(&scores[i], &old[i], &reference[i], mask, k1, coef);
        compare("kl_shaped_rewards", i, &found.expect("finite"));
    }

    let responses = rows().map(|i| {
        Response::new(scores[i].len(), scores[i].iter().sum())
            .with_mask(&masks[i])
            .with_process_rewards(&scores[i])
            .with_old_log_probs(&old[i])
            .with_ref_log_probs(&reference[i])
    });
    let plain = batch(vec![responses.collect()]);
    let kl = KlInReward::new(KlEstimator::K1, coef);
    let shaped = kl.shape(&plain).expect("finite");
    let current_kl: f64 = case.expected("current_kl");
    assert_close(
        case.name(),
        "current_kl",
        shaped.mean_kl() as f32,
        current_kl,
    );
    for (i, response) in shaped.batch().responses().enumerate() {
        compare("tokens", i, response.process_rewards().expect("given"));
    }

    // Charged to the outcome, a response pays the same in one sum.
    let kl = kl.with_placement(KlPlacement::Outcome);
    let shaped = kl.shape(&plain).expect("finite");
    assert_close(
        case.name(),
        "current_kl",
        shaped.mean_kl() as f32,
        current_kl,
    );
    for (i, response) in shaped.batch().responses().enumerate() {
        let sum = expected[i].iter().sum();
        let at = format!("outcome[{i}]");
        assert_close(case.name(), &at, response.outcome_reward(), sum);
    }
}

#[test]
fn every_golden_case() {
    check_all(
        include_str!("golden/helpers.json"),
        &[
            ("masked_whiten", whiten),
            ("filter.recipe", filter),
            ("kl.k1", kl),
            ("kl.abs", kl),
            ("kl.k2", kl),
            ("kl.k3", kl),
            ("kl.k1+", kl),
            ("kl.k3+", kl),
            ("kl.adaptive_controller", adaptive_controller),
            ("kl.in_reward", in_reward),
        ],
    );
}
