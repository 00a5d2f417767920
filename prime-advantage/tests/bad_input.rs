//! Inputs at and beyond the edge: each gets a named error or a documented number.

mod common;

use AdvantageError as E;
use common::{batch, group, run};
use prime_advantage::*;

const NAN: f32 = f32::NAN;
const INF: f32 = f32::INFINITY;

type Check = fn(&AdvantageError) -> bool;

#[test]
fn groups_refuse_broken_responses() {
    let table: [(&str, Vec<Response<'_>>, Check); 11] = [
        ("no responses", vec![], |e| *e == E::EmptyGroup),
        ("NaN outcome", group(&[1, 1], &[0.0, NAN]), |e| {
            matches!(e, E::OutcomeNotFinite { response: 1, .. })
        }),
        ("infinite outcome", group(&[0], &[-INF]), |e| {
            matches!(e, E::OutcomeNotFinite { response: 0, .. })
        }),
        (
            "NaN process reward",
            vec![Response::new(2, 0.0).with_process_rewards(&[0.0, NAN])],
            |e| {
                matches!(
                    e,
                    E::TokenNotFinite {
                        field: ResponseField::ProcessRewards,
                        token: 1,
                        ..
                    }
                )
            },
        ),
        (
            "infinite value",
            vec![Response::new(2, 0.0).with_values(&[INF, 0.0])],
            |e| {
                matches!(
                    e,
                    E::TokenNotFinite {
                        field: ResponseField::Values,
                        token: 0,
                        ..
                    }
                )
            },
        ),
        (
            "NaN under a mask",
            vec![
                Response::new(1, 0.0)
                    .with_values(&[NAN])
                    .with_mask(&[false]),
            ],
            |e| {
                matches!(
                    e,
                    E::TokenNotFinite {
                        field: ResponseField::Values,
                        ..
                    }
                )
            },
        ),
        (
            "process rewards too short",
            vec![Response::new(2, 0.0).with_process_rewards(&[0.0])],
            |e| {
                matches!(
                    e,
                    E::LengthMismatch {
                        field: ResponseField::ProcessRewards,
                        tokens: 2,
                        found: 1,
                        ..
                    }
                )
            },
        ),
        (
            "process rewards too long",
            vec![Response::new(0, 0.0).with_process_rewards(&[0.0])],
            |e| {
                matches!(
                    e,
                    E::LengthMismatch {
                        field: ResponseField::ProcessRewards,
                        tokens: 0,
                        found: 1,
                        ..
                    }
                )
            },
        ),
        (
            "values too short",
            vec![Response::new(3, 0.0).with_values(&[0.0])],
            |e| {
                matches!(
                    e,
                    E::LengthMismatch {
                        field: ResponseField::Values,
                        tokens: 3,
                        ..
                    }
                )
            },
        ),
        (
            "mask too short",
            vec![Response::new(2, 0.0).with_mask(&[true])],
            |e| {
                matches!(
                    e,
                    E::LengthMismatch {
                        field: ResponseField::Mask,
                        found: 1,
                        ..
                    }
                )
            },
        ),
        (
            "mask too long",
            vec![Response::new(1, 0.0).with_mask(&[true; 2])],
            |e| {
                matches!(
                    e,
                    E::LengthMismatch {
                        field: ResponseField::Mask,
                        found: 2,
                        ..
                    }
                )
            },
        ),
    ];
    for (what, responses, expected) in table {
        let error = PromptGroup::new(responses.clone()).expect_err(what);
        assert!(expected(&error), "{what}: {error:?}");

        let located =
            RewardBatch::from_responses(vec![group(&[1], &[1.0]), responses]).expect_err(what);
        assert!(
            located.to_string().starts_with("prompt group 1: "),
            "{what}: {located}"
        );
        assert!(
            located.to_string().ends_with(&error.to_string()),
            "{what}: {located}"
        );
    }
    assert_eq!(RewardBatch::new(vec![]), Err(E::EmptyBatch));
    assert_eq!(RewardBatch::from_responses(vec![]), Err(E::EmptyBatch));
}

#[test]
fn knobs_out_of_range_are_named() {
    let gae = |gamma, lam| {
        EstimatorConfig::Gae(Gae {
            gamma,
            lam,
            whiten: false,
        })
    };
    let prime = |change: fn(&mut Prime)| {
        let mut prime = Prime::paper();
        change(&mut prime);
        EstimatorConfig::Prime(prime)
    };
    let table: Vec<(EstimatorConfig, &str)> = vec![
        (gae(1.1, 1.0), "gamma"),
        (gae(-0.1, 1.0), "gamma"),
        (gae(f64::NAN, 1.0), "gamma"),
        (gae(1.0, 1.0001), "lam"),
        (gae(1.0, -1.0), "lam"),
        (
            EstimatorConfig::Grpo(Grpo {
                epsilon: -1e-6,
                ..Grpo::default()
            }),
            "epsilon",
        ),
        (
            EstimatorConfig::Grpo(Grpo {
                epsilon: f64::INFINITY,
                ..Grpo::default()
            }),
            "epsilon",
        ),
        (prime(|p| p.outcome_gamma = 2.0), "outcome_gamma"),
        (prime(|p| p.process_gamma = -1.0), "process_gamma"),
        (prime(|p| p.outcome_coef = f64::NAN), "outcome_coef"),
        (prime(|p| p.process_coef = f64::INFINITY), "process_coef"),
        (
            prime(|p| {
                p.outcome = OutcomeTerm::Gae(Gae {
                    lam: 3.0,
                    ..Gae::default()
                })
            }),
            "lam",
        ),
        (
            prime(|p| {
                p.outcome = OutcomeTerm::Grpo(Grpo {
                    epsilon: f64::NAN,
                    ..Grpo::default()
                })
            }),
            "epsilon",
        ),
    ];
    for (config, name) in table {
        let error = config.build().expect_err(name);
        assert!(
            matches!(error, E::OutOfRange { knob, .. } if knob == name),
            "{config:?}: {error}"
        );
    }
    // A struct built by hand is checked as well.
    let one = batch(vec![group(&[1], &[1.0])]);
    let error = Gae {
        gamma: 7.0,
        ..Gae::default()
    }
    .estimate(&one)
    .expect_err("gamma 7");
    assert!(matches!(error, E::OutOfRange { knob: "gamma", .. }));
}

#[test]
fn contradicting_knobs_are_refused() {
    let gae = OutcomeTerm::Gae(Gae::default());
    let reinforce = ProcessTerm::Reinforce;
    let table = [
        Prime {
            outcome: gae,
            ..Prime::paper()
        },
        Prime {
            outcome: gae,
            process: reinforce,
            outcome_gamma: 0.9,
            ..Prime::paper()
        },
        Prime {
            outcome: gae,
            process: reinforce,
            process_gamma: 0.9,
            ..Prime::paper()
        },
        Prime {
            process: ProcessTerm::ValueBaseline,
            process_gamma: 0.9,
            ..Prime::paper()
        },
    ];
    for prime in table {
        assert!(
            matches!(prime.validate(), Err(E::Conflict { owner: "prime", .. })),
            "{prime:?}"
        );
        assert!(EstimatorConfig::Prime(prime).build().is_err());
    }
    assert_eq!(
        Prime {
            outcome: gae,
            process: reinforce,
            ..Prime::paper()
        }
        .validate(),
        Ok(())
    );
    assert_eq!(
        Prime {
            outcome: gae,
            process_coef: 0.0,
            ..Prime::paper()
        }
        .validate(),
        Ok(())
    );
}

#[test]
fn missing_inputs_are_located() {
    let rewards = [0.5];
    let full = Response::new(1, 1.0)
        .with_process_rewards(&rewards)
        .with_values(&rewards);
    let bare = Response::new(1, 0.0);
    let mixed = batch(vec![vec![full, full], vec![full, bare]]);

    let located = |error: E, name: ResponseField| match error {
        E::MissingInput {
            field,
            group,
            response,
            ..
        } => (field, group, response) == (name, 1, 1),
        _ => false,
    };
    let error = Prime::paper()
        .estimate(&mixed)
        .expect_err("no process rewards");
    assert!(located(error, ResponseField::ProcessRewards));
    let error = Gae::default().estimate(&mixed).expect_err("no values");
    assert!(located(error, ResponseField::Values));

    // Process rewards for some responses only: lost, not left out.
    let only_values = Response::new(1, 0.0).with_values(&rewards);
    let mixed = batch(vec![vec![full, full], vec![full, only_values]]);
    let error = Gae::default()
        .estimate(&mixed)
        .expect_err("half the process rewards");
    assert!(located(error, ResponseField::ProcessRewards));

    // Nobody asks an empty response for numbers.
    let empty = batch(vec![vec![full, Response::new(0, 0.0)]]);
    assert!(Prime::paper().estimate(&empty).is_ok());
    assert!(Gae::default().estimate(&empty).is_ok());
}

#[test]
fn a_group_of_one() {
    let rewards = [0.5, 0.25];
    let one = vec![Response::new(2, 1.0).with_process_rewards(&rewards)];
    let pair = vec![one[0], Response::new(2, 0.0).with_process_rewards(&rewards)];
    let single = batch(vec![pair, one.clone()]);

    let error = Rloo {}.estimate(&single).expect_err("leave-one-out of one");
    assert_eq!(
        error,
        E::GroupTooSmall {
            estimator: "rloo",
            group: 1,
            size: 1,
            needed: 2
        }
    );
    assert!(
        error.to_string().contains("group 1 has 1 response(s)"),
        "{error}"
    );
    assert!(matches!(
        Prime::paper().estimate(&single),
        Err(E::GroupTooSmall { group: 1, .. })
    ));

    // The process half alone refuses it too, even where the outcome half is off.
    let marked = PromptGroup::new(one.clone()).expect("valid").process_only();
    let marked = RewardBatch::new(vec![marked]).expect("valid");
    assert!(matches!(
        Prime::paper().estimate(&marked),
        Err(E::GroupTooSmall { group: 0, .. })
    ));
    assert_eq!(run(&Rloo {}, &marked).advantages(), [0.0, 0.0]);

    let one = batch(vec![one]);
    assert_eq!(run(&Grpo::default(), &one).advantages(), [0.0, 0.0]);
    let grpo = Prime {
        outcome: OutcomeTerm::Grpo(Grpo::default()),
        process: ProcessTerm::Grpo,
        ..Prime::paper()
    };
    assert_eq!(run(&grpo, &one).advantages(), [0.0, 0.0]);
    assert_eq!(run(&Reinforce::default(), &one).advantages(), [1.0, 1.0]);
}

/// No tokens: no advantages, but a say in the baselines, and never NaN.
#[test]
fn an_empty_response_counts_in_its_group() {
    let rewards = [0.6f32, 0.0];
    let some = Response::new(2, 0.0).with_process_rewards(&rewards);
    let masked = Response::new(2, 1.0)
        .with_process_rewards(&rewards)
        .with_mask(&[false, false]);
    for other in [Response::new(0, 1.0), masked] {
        let two = batch(vec![vec![some, other]]);
        let result = run(&Rloo {}, &two);
        assert_eq!(
            result.response(0, 0).expect("first").advantages(),
            [-1.0, -1.0]
        );
        assert!(
            result
                .response(0, 1)
                .expect("second")
                .advantages()
                .iter()
                .all(|&a| a == 0.0)
        );

        // Its token mean is 0: rewards 0.6 and 0.0 keep their size under PRIME.
        let prime = run(
            &Prime {
                outcome_coef: 0.0,
                ..Prime::paper()
            },
            &two,
        );
        assert_eq!(
            prime.response(0, 0).expect("first").advantages(),
            [0.6, 0.0]
        );
        assert!(prime.advantages().iter().all(|a| a.is_finite()));
    }
    let nothing = batch(vec![group(&[0, 0], &[1.0, 0.0])]);
    assert!(run(&Rloo {}, &nothing).advantages().is_empty());
    assert_eq!(
        Prime::orig().estimate(&nothing),
        Err(E::TooFewToWhiten { found: 0 })
    );
}

#[test]
fn overflow_is_an_error_that_names_the_token() {
    let large = [0.0, f32::MAX, f32::MAX];
    let bad = Response::new(3, 0.0).with_process_rewards(&large);
    let fine = Response::new(2, 0.0).with_process_rewards(&[0.0, 0.0]);
    let prime = Prime {
        process: ProcessTerm::Reinforce,
        ..Prime::paper()
    };
    let error = prime
        .estimate(&batch(vec![vec![fine, fine], vec![fine, bad]]))
        .expect_err("overflow");
    assert_eq!(
        error,
        E::ResultNotFinite {
            group: 1,
            response: 1,
            token: 0
        }
    );
    let error = Rloo {}.estimate(&batch(vec![group(&[1, 1], &[f32::MAX, f32::MIN])]));
    assert_eq!(
        error,
        Err(E::ResultNotFinite {
            group: 0,
            response: 0,
            token: 0
        })
    );
}

/// Equal token means leave GRPO's process term nothing to divide by, also when
/// they are equal up to rounding only.
#[test]
fn equal_process_means_are_exactly_zero_under_grpo() {
    let (a, b) = ([1.0f32, 1e-16, 1e-16], [1e-16f32, 1e-16, 1.0]);
    let sum = |xs: [f32; 3]| xs.iter().map(|&x| f64::from(x)).sum::<f64>();
    assert_ne!(
        sum(a),
        sum(b),
        "the order of summing must show in the last bit"
    );
    let respond = |xs| Response::new(3, 1.0).with_process_rewards(xs);
    let prime = Prime {
        process: ProcessTerm::Grpo,
        ..Prime::paper()
    };
    let result = run(&prime, &batch(vec![vec![respond(&a), respond(&b)]]));
    assert_eq!(result.advantages(), [0.0; 6]);
}

#[test]
fn equal_numbers_whiten_to_exactly_zero() {
    let mut values = [0.1f32; 7];
    masked_whiten(&mut values, None, true).expect("whitens");
    assert_eq!(values, [0.0; 7]);
    let mut values = [0.1f32; 7];
    masked_whiten(&mut values, None, false).expect("whitens");
    assert_eq!(values, [0.1; 7]);
}

#[test]
fn helpers_refuse_broken_slices() {
    let short = |name, found, expected| E::SliceLength {
        name,
        found,
        expected,
    };
    assert_eq!(
        masked_whiten(&mut [1.0, 2.0], Some(&[true]), true),
        Err(short("mask", 1, 2))
    );
    assert_eq!(
        masked_whiten(&mut [1.0], None, true),
        Err(E::TooFewToWhiten { found: 1 })
    );
    assert_eq!(
        masked_whiten(&mut [1.0, 2.0], Some(&[true, false]), true),
        Err(E::TooFewToWhiten { found: 1 })
    );
    let not_finite = |e: E, at: &str| matches!(e, E::SliceNotFinite { name, .. } if name == at);
    assert!(not_finite(
        masked_whiten(&mut [1.0, INF], None, true).expect_err("inf"),
        "values"
    ));
    assert!(not_finite(
        returns_to_go(&[NAN], 1.0).expect_err("NaN"),
        "rewards"
    ));
    assert!(not_finite(
        returns_to_go(&[f32::MAX; 2], 1.0).expect_err("overflow"),
        "rewards"
    ));
    assert!(matches!(
        returns_to_go(&[], 1.5),
        Err(E::OutOfRange { knob: "gamma", .. })
    ));

    let k1 = KlEstimator::K1;
    assert_eq!(k1.penalties(&[0.0], &[]), Err(short("ref_log_probs", 0, 1)));
    assert!(not_finite(
        k1.penalties(&[-INF], &[0.0]).expect_err("inf"),
        "log_probs"
    ));
    assert!(not_finite(
        k1.penalties(&[0.0], &[NAN]).expect_err("NaN"),
        "ref_log_probs"
    ));
    let shaped = |log_probs: &[f32], mask, coef| {
        kl_shaped_rewards(&[1.0, 1.0], log_probs, &[0.0, 0.0], mask, k1, coef)
    };
    assert_eq!(shaped(&[0.0], None, 0.1), Err(short("log_probs", 1, 2)));
    assert_eq!(
        shaped(&[0.0, 0.0], Some(&[true]), 0.1),
        Err(short("mask", 1, 2))
    );
    assert!(matches!(
        shaped(&[0.0, 0.0], None, f64::NAN),
        Err(E::OutOfRange { knob: "coef", .. })
    ));

    let filter = |accuracy_lower_bound, accuracy_upper_bound| PromptFilter {
        accuracy_lower_bound,
        accuracy_upper_bound,
        ..PromptFilter::default()
    };
    for wrong in [
        filter(0.8, 0.2),
        filter(f64::NAN, 1.0),
        filter(0.0, f64::INFINITY),
    ] {
        assert!(
            matches!(
                wrong.apply(&[]),
                Err(E::OutOfRange {
                    owner: "filter",
                    ..
                })
            ),
            "{wrong:?}"
        );
    }
}
