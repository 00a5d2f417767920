//! Rewards to go, whitening, DAPO's overlong penalty and the prompt filter.

mod common;

use common::random::Random;
use common::{assert_close, batch, group};
use prime_advantage::{
    AdvantageError, FilterCounts, GroupVerdict, OverlongPenalty, PromptFilter, PromptGroup,
    Response, masked_whiten, returns_to_go,
};

fn noise(seed: u64, n: usize) -> Vec<f32> {
    let mut random = Random::new(seed);
    (0..n).map(|_| random.between(-2.0, 2.0)).collect()
}

#[test]
fn returns_to_go_by_hand() {
    let rewards = [1.0, 0.0, -2.0, 4.0];
    let table = [
        (1.0, [3.0, 2.0, 2.0, 4.0]),
        (0.5, [1.0, 0.0, 0.0, 4.0]),
        (0.0, [1.0, 0.0, -2.0, 4.0]),
    ];
    for (gamma, expected) in table {
        assert_eq!(returns_to_go(&rewards, gamma).expect("finite"), expected);
    }
    assert_eq!(returns_to_go(&[], 0.9), Ok(vec![]));
}

#[test]
fn returns_to_go_are_double_sums() {
    for (seed, n) in [(1, 1), (2, 7), (3, 8), (4, 65)] {
        for gamma in [1.0, 0.97, 0.3] {
            let rewards = noise(seed, n);
            let found = returns_to_go(&rewards, gamma).expect("finite");
            for t in 0..n {
                let later = rewards[t..].iter().enumerate();
                let sum = later.map(|(d, &r)| gamma.powi(d as i32) * f64::from(r));
                let what = format!("n {n}, gamma {gamma}, [{t}]");
                assert_close("returns_to_go", &what, found[t], sum.sum());
            }
        }
    }
}

#[test]
fn masked_whiten_is_mean_0_and_variance_1() {
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let values = noise(seed + 100, random.count(2, 50));
        let mask: Vec<bool> = values.iter().map(|_| random.chance(0.7)).collect();
        let own: Vec<f64> = values
            .iter()
            .zip(&mask)
            .filter(|&(_, &own)| own)
            .map(|(&x, _)| f64::from(x))
            .collect();
        let n = own.len() as f64;
        let mean = own.iter().sum::<f64>() / n;
        let variance = own.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
        for shift_mean in [true, false] {
            let mut found = values.clone();
            if own.len() < 2 {
                let error = masked_whiten(&mut found, Some(&mask), shift_mean);
                assert_eq!(
                    error,
                    Err(AdvantageError::TooFewToWhiten { found: own.len() })
                );
                assert_eq!(found, values, "an error changes nothing");
                continue;
            }
            masked_whiten(&mut found, Some(&mask), shift_mean).expect("whitens");
            for t in 0..values.len() {
                let added = if shift_mean { 0.0 } else { mean };
                let x = f64::from(values[t]);
                let expected = match mask[t] {
                    true => (x - mean) / (variance + 1e-8).sqrt() + added,
                    false => x,
                };
                let error = (f64::from(found[t]) - expected).abs();
                assert!(error < 1e-5, "seed {seed}, [{t}]: {} {expected}", found[t]);
            }
        }
        let all = vec![true; values.len()];
        let (mut masked, mut bare) = (values.clone(), values.clone());
        masked_whiten(&mut masked, Some(&all), true).expect("whitens");
        masked_whiten(&mut bare, None, true).expect("whitens");
        assert_eq!(masked, bare);
    }
}

#[test]
fn equal_numbers_whiten_to_exactly_zero() {
    let mut values = [0.1f32; 7];
    masked_whiten(&mut values, None, true).expect("whitens");
    assert!(values.into_iter().all(common::is_plain_zero), "{values:?}");
    let mut values = [0.1f32; 7];
    masked_whiten(&mut values, None, false).expect("whitens");
    assert_eq!(values, [0.1; 7]);
}

/// DAPO, Eq. 13: 0 up to `L_max − L_cache`, then `((L_max − L_cache) − |y|) / L_cache`,
/// then −1.
#[test]
fn overlong_penalty_is_dapo_equation_13() {
    let (limit, cache) = (20usize, 8usize);
    let overlong = OverlongPenalty::new(limit, cache).expect("valid");
    for tokens in 0..30 {
        let expected = if tokens + cache <= limit {
            0.0
        } else if tokens <= limit {
            (limit as f64 - cache as f64 - tokens as f64) / cache as f64
        } else {
            -1.0
        };
        assert_eq!(overlong.penalty(tokens), expected, "{tokens}");
        let double = overlong.with_factor(2.0).penalty(tokens);
        assert_eq!(double, 2.0 * expected, "{tokens}");
    }
    let no_free_part = OverlongPenalty::new(4, 4).expect("valid");
    assert_eq!(
        [0, 1, 4, 9].map(|n| no_free_part.penalty(n)),
        [0.0, -0.25, -1.0, -1.0]
    );
}

/// By all the tokens of a response, masked ones included; greedy responses do not pay.
#[test]
fn overlong_penalty_lowers_outcomes_only() {
    let overlong = OverlongPenalty::new(4, 2).expect("valid");
    let (mask, process) = ([true, false, false, true], [0.5f32; 4]);
    let long = Response::new(4, 1.0)
        .with_mask(&mask)
        .with_process_rewards(&process);
    let groups = vec![
        PromptGroup::new(vec![long, Response::new(3, 0.25), Response::new(2, 1.0)]),
        PromptGroup::new(vec![Response::new(9, 0.0)]),
    ];
    let mut groups: Vec<_> = groups.into_iter().map(|g| g.expect("valid")).collect();
    let greedy = Response::new(9, 1.0);
    groups[1] = groups[1]
        .clone()
        .with_greedy(greedy)
        .expect("valid")
        .process_only();
    let plain = prime_advantage::RewardBatch::new(groups).expect("valid");

    let shaped = overlong.shape(&plain).expect("finite");
    let outcomes: Vec<f32> = shaped.responses().map(Response::outcome_reward).collect();
    assert_eq!(outcomes, [0.0, -0.25, 1.0, -1.0]);
    let first = shaped.groups()[0].responses()[0];
    assert_eq!(first, long.with_outcome_reward(0.0), "the rest stays");
    assert_eq!(shaped.groups()[1].greedy(), Some(&greedy));
    assert!(shaped.groups()[1].is_process_only());
}

#[test]
fn overlong_penalty_reads_its_knobs() {
    let read = |text: &str| toml::from_str::<OverlongPenalty>(text);
    let found = read("max_tokens = 20\nbuffer_tokens = 8").expect("reads");
    assert_eq!(found, OverlongPenalty::new(20, 8).expect("valid"));
    let text = toml::to_string(&found.with_factor(0.5)).expect("writes");
    assert_eq!(read(&text).expect("reads"), found.with_factor(0.5));
    assert!(read("max_tokens = 20\nbuffer_tokens = 8\nfactr = 1.0").is_err());
    assert!(read("max_tokens = 20").is_err());
}

/// Groups of four with the given outcome rewards; the last may have a truncated response.
fn judged(filter: PromptFilter, outcomes: [f32; 4], truncated: bool) -> GroupVerdict {
    let mut responses = group(&[1; 4], &outcomes);
    responses[2] = responses[2].with_truncated(truncated);
    let group = PromptGroup::new(responses).expect("valid");
    let report = filter
        .apply(std::slice::from_ref(&group))
        .expect("valid bounds");
    report.verdicts[0]
}

#[test]
fn each_verdict_has_its_reason() {
    use GroupVerdict::*;
    let recipe = PromptFilter::default();
    let strict = recipe
        .with_filter_zero_variance(true)
        .with_filter_truncated(true);
    let dapo = strict
        .with_accuracy_lower_bound(0.0)
        .with_accuracy_upper_bound(1.0)
        .with_filter_truncated(false);
    let table = [
        (recipe, [1.0, 0.0, 0.0, 0.0], false, Keep),
        (recipe, [0.0; 4], false, TooHard),
        (recipe, [1.0; 4], false, TooEasy),
        (recipe, [0.5; 4], true, Keep),
        // Bounds are inclusive, also where f32 rounds past them.
        (recipe, [0.2; 4], false, Keep),
        (recipe, [0.8; 4], false, Keep),
        (recipe, [0.199; 4], false, TooHard),
        (recipe, [0.801; 4], false, TooEasy),
        (strict, [0.5; 4], false, ZeroVariance),
        (strict, [1.0, 0.0, 0.0, 0.0], true, Truncated),
        // The first reason counts.
        (strict, [0.0; 4], true, TooHard),
        (strict, [0.5; 4], true, ZeroVariance),
        (dapo, [0.0; 4], false, ZeroVariance),
        (dapo, [1.0; 4], false, ZeroVariance),
        (dapo, [1.0, 1.0, 1.0, 0.0], true, Keep),
    ];
    for (filter, outcomes, truncated, expected) in table {
        let found = judged(filter, outcomes, truncated);
        assert_eq!(found, expected, "{filter:?} {outcomes:?} {truncated}");
    }
}

#[test]
fn retain_keeps_and_counts() {
    let outcomes = [[1.0, 1.0], [1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.5, 0.5]];
    let groups = outcomes.map(|pair| group(&[2, 3], &pair)).to_vec();
    let mut groups = batch(groups).into_groups();
    let kept = [groups[1].clone(), groups[3].clone()];
    let filter = PromptFilter::default().with_filter_zero_variance(true);
    let report = filter.retain(&mut groups).expect("valid bounds");
    assert_eq!(groups, kept);
    assert_eq!(report.kept().collect::<Vec<_>>(), [1, 3]);
    let FilterCounts {
        kept,
        too_hard,
        too_easy,
        zero_variance,
        truncated,
        ..
    } = report.counts;
    assert_eq!(
        (kept, too_hard, too_easy, zero_variance, truncated),
        (2, 1, 1, 1, 0)
    );

    // A wrong bound drops nothing.
    let wrong = filter.with_accuracy_lower_bound(0.9);
    assert!(wrong.retain(&mut groups).is_err());
    assert_eq!(groups.len(), 2);
    let nothing = filter.apply(&[]).expect("no groups are fine");
    assert_eq!((nothing.verdicts.len(), nothing.counts.kept), (0, 0));
}

#[test]
fn reports_and_filters_are_read_and_written() {
    let filter = PromptFilter::default().with_filter_truncated(true);
    let text = toml::to_string(&filter).expect("writes");
    assert_eq!(
        toml::from_str::<PromptFilter>(&text).expect("reads"),
        filter
    );
    let default: PromptFilter = toml::from_str("").expect("reads");
    assert_eq!(default, PromptFilter::default());
    let documented = (default.accuracy_lower_bound, default.accuracy_upper_bound);
    assert_eq!(documented, (0.2, 0.8));
    assert!(!default.filter_zero_variance && !default.filter_truncated);
    assert!(toml::from_str::<PromptFilter>("lower = 0.2").is_err());

    let groups = batch(vec![group(&[1, 1], &[1.0, 0.0]), group(&[1], &[1.0])]).into_groups();
    let report = filter.apply(&groups).expect("valid bounds");
    let json = serde_json::to_string(&report).expect("writes");
    assert!(json.contains(r#"["keep","too_easy"]"#), "{json}");
    let read: prime_advantage::FilterReport = serde_json::from_str(&json).expect("reads");
    assert_eq!(read, report);
}
