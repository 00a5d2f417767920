//! Knobs that cannot be: each named by its owner, before the first batch and at every
//! estimate, alone and as a half of PRIME; and helpers that refuse broken slices.

mod common;

use AdvantageError as E;
use common::{assert_words, batch, group};
use prime_advantage::{
    AdvantageError, AdvantageEstimator, EstimatorConfig, Gae, Gdpo, Gpg, Grpo, GrpoPassk,
    KlEstimator, OptimalTokenBaseline, OverlongPenalty, Prime, PromptFilter, Registry,
    ReinforcePlusPlus, Term, kl_shaped_rewards, masked_whiten, returns_to_go,
};

const NAN: f32 = f32::NAN;
const INF: f32 = f32::INFINITY;

/// What discounts must not be.
const NO_UNIT: [f64; 5] = [-1e-9, 1.0 + 1e-9, 7.0, f64::NAN, f64::INFINITY];
/// What addends must not be.
const NEGATIVE: [f64; 4] = [-1e-9, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
/// What coefficients must not be.
const INFINITE: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

#[track_caller]
fn assert_out_of_range(error: &AdvantageError, owner: &str, knob: &str) {
    let E::OutOfRange {
        owner: found_owner,
        knob: found_knob,
        range,
        ..
    } = error
    else {
        panic!("{owner}.{knob}: {error}");
    };
    assert_eq!((*found_owner, *found_knob), (owner, knob));
    let message = error.to_string();
    let start = format!("{owner}: `{knob}` is ");
    assert!(
        message.starts_with(&start) && message.ends_with(range),
        "{message}"
    );
}

/// The wrong knob is found wherever the estimator is put together or used.
#[track_caller]
fn check(term: impl Into<Term>, knob: &str) {
    let term = term.into();
    let name = term.name().to_owned();
    let two = batch(vec![group(&[1, 1], &[1.0, 0.0])]);
    let as_outcome = Prime::paper().with_outcome(term.clone());
    let as_process = Prime::paper().with_process(term.clone());
    let config: EstimatorConfig = EstimatorConfig::from(as_outcome.clone());
    let errors = [
        term.validate(),
        term.estimate(&two).map(drop),
        as_outcome.validate(),
        as_outcome.estimate(&two).map(drop),
        as_process.validate(),
        as_process.estimate(&two).map(drop),
        config.build().map(drop),
    ];
    for error in errors {
        assert_out_of_range(&error.expect_err(knob), &name, knob);
    }
    // A half that is switched off is not asked.
    let off = as_process.with_process_coef(0.0);
    assert_eq!(off.validate(), Ok(()));
}

#[test]
fn discounts_lie_between_0_and_1() {
    for value in NO_UNIT {
        check(Gae::default().with_gamma(value), "gamma");
        check(Gae::default().with_lam(value), "lam");
        check(ReinforcePlusPlus::default().with_gamma(value), "gamma");
        let prime = Prime::paper();
        for (prime, knob) in [
            (prime.clone().with_outcome_gamma(value), "outcome_gamma"),
            (prime.clone().with_process_gamma(value), "process_gamma"),
        ] {
            let error = prime.validate().expect_err(knob);
            assert_out_of_range(&error, "prime", knob);
            let error = EstimatorConfig::from(prime).build().expect_err(knob);
            assert_out_of_range(&error, "prime", knob);
        }
        let error = returns_to_go(&[1.0], value).expect_err("gamma");
        assert_out_of_range(&error, "returns_to_go", "gamma");
    }
}

#[test]
fn addends_are_not_negative() {
    for value in NEGATIVE {
        check(Grpo::default().with_epsilon(value), "epsilon");
        check(GrpoPassk::default().with_epsilon(value), "epsilon");
        check(Gdpo::default().with_epsilon(value), "epsilon");
        check(
            OptimalTokenBaseline::default().with_epsilon(value),
            "epsilon",
        );
    }
    for (zero, name) in [
        (Term::from(Grpo::default().with_epsilon(0.0)), "grpo"),
        (GrpoPassk::default().with_epsilon(0.0).into(), "grpo_passk"),
    ] {
        assert_eq!(zero.validate(), Ok(()), "{name}");
        let tied = batch(vec![group(&[1, 1, 1], &[0.1, 0.1, 0.1])]);
        assert_eq!(common::run(&zero, &tied).advantages(), [0.0; 3], "{name}");
    }
}

#[test]
fn coefficients_are_finite() {
    for value in INFINITE {
        check(Gpg::default().with_f_norm(value), "f_norm");
        let weights = [("format".to_owned(), value)];
        check(Gdpo::default().with_weights(weights.into()), "weights");
        for (prime, knob) in [
            (Prime::paper().with_outcome_coef(value), "outcome_coef"),
            (Prime::paper().with_process_coef(value), "process_coef"),
        ] {
            assert_out_of_range(&prime.validate().expect_err(knob), "prime", knob);
        }
        let error = kl_shaped_rewards(&[0.0], &[0.0], &[0.0], None, KlEstimator::K1, value);
        assert_out_of_range(&error.expect_err("coef"), "kl_shaped_rewards", "coef");
    }
    for zero in [0.0, -0.0] {
        check(Gpg::default().with_f_norm(zero), "f_norm");
    }
}

/// A config file cannot bring in what a program cannot.
#[test]
fn config_files_are_checked_too() {
    let table = [
        ("estimator = 'gae'\ngamma = 1.5", "gae", "gamma"),
        ("estimator = 'ppo'\nlam = -1", "gae", "lam"),
        ("estimator = 'grpo'\nepsilon = -1e-6", "grpo", "epsilon"),
        ("estimator = 'gpg'\nf_norm = 0", "gpg", "f_norm"),
        (
            "estimator = 'prime'\noutcome_gamma = 2",
            "prime",
            "outcome_gamma",
        ),
        (
            "estimator = 'prime'\nprocess = { estimator = 'gae', lam = 3 }",
            "gae",
            "lam",
        ),
        (
            "estimator = 'prime'\noutcome = { estimator = 'grpo', epsilon = -1 }",
            "grpo",
            "epsilon",
        ),
    ];
    for (text, owner, knob) in table {
        let config: EstimatorConfig = toml::from_str(text).expect(text);
        assert_out_of_range(&config.build().expect_err(text), owner, knob);
        let read = toml::Deserializer::parse(text).expect(text);
        let error = Registry::new().build(read).expect_err(text);
        assert_out_of_range(&error, owner, knob);
    }
    // Neither can TOML's `nan`, which is no number in between.
    let text = "estimator = 'gae'\ngamma = nan";
    let config: EstimatorConfig = toml::from_str(text).expect(text);
    assert_out_of_range(&config.build().expect_err(text), "gae", "gamma");
    let read = toml::Deserializer::parse(text).expect(text);
    assert!(Registry::new().build(read).is_err());
}

#[test]
fn filters_and_penalties_name_their_knobs() {
    let default = PromptFilter::default();
    let (low, high) = ("accuracy_lower_bound", "accuracy_upper_bound");
    let table = [
        (default.with_accuracy_lower_bound(f64::NAN), low),
        (default.with_accuracy_lower_bound(f64::NEG_INFINITY), low),
        (default.with_accuracy_upper_bound(f64::NAN), high),
        (default.with_accuracy_upper_bound(f64::INFINITY), high),
        (default.with_accuracy_lower_bound(0.9), high),
    ];
    for (filter, knob) in table {
        assert_out_of_range(&filter.validate().expect_err(knob), "filter", knob);
        assert_out_of_range(&filter.apply(&[]).expect_err(knob), "filter", knob);
    }

    let two = batch(vec![group(&[1, 1], &[1.0, 0.0])]);
    for (limit, buffer) in [(10, 0), (10, 11), (0, 0)] {
        let error = OverlongPenalty::new(limit, buffer).expect_err("buffer");
        assert_out_of_range(&error, "overlong", "buffer_tokens");
    }
    let overlong = OverlongPenalty::new(10, 5).expect("valid");
    for factor in INFINITE {
        let wrong = overlong.with_factor(factor);
        assert_out_of_range(&wrong.validate().expect_err("factor"), "overlong", "factor");
        assert_out_of_range(
            &wrong.shape(&two).expect_err("factor"),
            "overlong",
            "factor",
        );
    }
}

#[test]
fn plain_slices_are_as_long_as_each_other() {
    let short = |name, found, expected| E::SliceLength {
        name,
        found,
        expected,
    };
    let k1 = KlEstimator::K1;
    let whitened = masked_whiten(&mut [1.0, 2.0], Some(&[true]), true);
    assert_eq!(whitened, Err(short("mask", 1, 2)));
    assert_eq!(k1.penalties(&[0.0], &[]), Err(short("ref_log_probs", 0, 1)));
    let shaped = |log_probs: &[f32], reference: &[f32], mask| {
        kl_shaped_rewards(&[1.0, 1.0], log_probs, reference, mask, k1, 0.1)
    };
    let zeros = [0.0; 2];
    assert_eq!(shaped(&[0.0], &zeros, None), Err(short("log_probs", 1, 2)));
    assert_eq!(
        shaped(&zeros, &[0.0], None),
        Err(short("ref_log_probs", 1, 2))
    );
    assert_eq!(
        shaped(&zeros, &zeros, Some(&[true])),
        Err(short("mask", 1, 2))
    );
    let message = short("mask", 1, 2).to_string();
    assert_eq!(message, "`mask` has 1 entries, expected 2");
}

#[test]
fn plain_slices_are_finite() {
    let k1 = KlEstimator::K1;
    let shaped = |reward, log_prob, coef| {
        kl_shaped_rewards(
            &[0.0, reward],
            &[0.0, log_prob],
            &[0.0, 0.0],
            None,
            k1,
            coef,
        )
        .map(drop)
    };
    let table = [
        ("values", 1, masked_whiten(&mut [1.0, INF], None, true)),
        ("values", 0, masked_whiten(&mut [NAN, 1.0], None, true)),
        ("rewards", 0, returns_to_go(&[NAN], 1.0).map(drop)),
        ("rewards", 0, returns_to_go(&[f32::MAX; 2], 1.0).map(drop)),
        ("log_probs", 0, k1.penalties(&[-INF], &[0.0]).map(drop)),
        (
            "ref_log_probs",
            1,
            k1.penalties(&[0.0; 2], &[0.0, NAN]).map(drop),
        ),
        (
            "penalties",
            0,
            KlEstimator::K2.penalties(&[-1e30], &[0.0]).map(drop),
        ),
        ("rewards", 1, shaped(NAN, 0.0, 0.1)),
        ("log_probs", 1, shaped(0.0, NAN, 0.1)),
        ("rewards", 1, shaped(f32::MAX, -1.0, f64::from(f32::MAX))),
    ];
    for (slice, at, result) in table {
        let error = result.expect_err(slice);
        match error {
            E::SliceNotFinite { name, index, .. } => assert_eq!((name, index), (slice, at)),
            ref other => panic!("{slice}: {other}"),
        }
        let place = format!("`{slice}` has ");
        let message = error.to_string();
        assert!(message.starts_with(&place) && message.contains(&format!("position {at}")));
    }
    // What the mask leaves out is not read.
    let mut values = [1.0, INF, 3.0];
    masked_whiten(&mut values, Some(&[true, false, true]), true).expect("two numbers");
    assert_eq!(values[1], INF);
}

#[test]
fn whitening_needs_two_numbers() {
    let few = |found| E::TooFewToWhiten { found };
    assert_eq!(masked_whiten(&mut [], None, true), Err(few(0)));
    assert_eq!(masked_whiten(&mut [1.0], None, true), Err(few(1)));
    let masked = masked_whiten(&mut [1.0, 2.0], Some(&[true, false]), true);
    assert_eq!(masked, Err(few(1)));
    assert_words(
        &few(1),
        &["at least 2", "found 1", "switch it off or enlarge"],
    );
}
