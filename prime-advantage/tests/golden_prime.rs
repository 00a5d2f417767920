//! PRIME against the numbers of the two reference trainers and of the paper's equations.

mod common;

use common::{Case, advantages, assert_rows, cases, returns, run};
use prime_advantage::{
    Gae, OutcomeTerm, Prime, ProcessNorm, ProcessTerm, Reinforce, Response, RewardBatch,
};

const GROUP_SIZE: usize = 4;

/// The knobs under which our PRIME is the case's function. The cases start after
/// the reward model's normalisation and token dropping, so those are off.
fn knobs(case: &Case) -> Prime {
    let scored = |preset: Prime| Prime {
        process_norm: ProcessNorm::None,
        drop_last_token: false,
        ..preset
    };
    let name = case.name();
    if name.starts_with("prime_adv.recipe.") {
        return Prime {
            process_coef: case.number("reward_dpo_coef"),
            outcome_coef: case.number("reward_gt_coef"),
            ..scored(Prime::recipe())
        };
    }
    if name.starts_with("prime_adv.orig.") {
        return Prime {
            process_gamma: case.number("reward_model_gamma"),
            outcome_gamma: case.number("verifier_gamma"),
            ..scored(Prime::orig())
        };
    }
    let reinforce = OutcomeTerm::Reinforce(Reinforce::default());
    match name {
        "prime_adv.paper_eq5_token_mean" => Prime::paper(),
        "prime_adv.paper_eq7_grpo" => Prime {
            outcome: OutcomeTerm::Grpo(Default::default()),
            process: ProcessTerm::Grpo,
            ..Prime::paper()
        },
        "prime_adv.paper_eq8_reinforce" => Prime {
            outcome: reinforce,
            process: ProcessTerm::Reinforce,
            ..Prime::paper()
        },
        "prime_adv.paper_sec5.4_value_baseline" => Prime {
            outcome: reinforce,
            process: ProcessTerm::ValueBaseline,
            ..Prime::paper()
        },
        _ => panic!("golden case {name} is not covered"),
    }
}

fn outcomes(case: &Case) -> Vec<f32> {
    if case.name().starts_with("prime_adv.orig.") {
        return case
            .rows("gt_scores")
            .iter()
            .map(|row| row.iter().sum())
            .collect();
    }
    case.row("acc")
}

/// Cuts each row to its length, or keeps it padded under a mask: both must agree.
fn check(case: &Case, padded: bool) {
    let (scores, masks, outcomes) = (case.rows("rm_scores"), case.masks(), outcomes(case));
    let rows = scores.iter().zip(&masks).zip(&outcomes);
    let responses: Vec<_> = rows
        .map(|((scores, mask), &outcome)| {
            if padded {
                return Response::new(scores.len(), outcome)
                    .with_process_rewards(scores)
                    .with_mask(mask);
            }
            let len = mask.iter().filter(|&&own| own).count();
            Response::new(len, outcome).with_process_rewards(&scores[..len])
        })
        .collect();
    let groups = responses.chunks(GROUP_SIZE).map(<[_]>::to_vec).collect();
    let batch = RewardBatch::from_responses(groups).expect("golden input is valid");
    let result = run(&knobs(case), &batch);

    let name = format!(
        "{} ({})",
        case.name(),
        if padded { "padded" } else { "ragged" }
    );
    assert_rows(
        &name,
        "advantages",
        &advantages(&result),
        &case.expected("advantages"),
        &masks,
    );
    if !case.name().starts_with("prime_adv.paper_") {
        assert_rows(
            &name,
            "returns",
            &returns(&result),
            &case.expected("returns"),
            &masks,
        );
    }
}

#[test]
fn every_golden_case_ragged_and_padded() {
    let cases = cases(include_str!("golden/prime.json"));
    assert_eq!(cases.len(), 10);
    for case in &cases {
        check(case, false);
        check(case, true);
    }
}

/// The recipe's two preparations are not in the golden cases; here they are done
/// by hand on a small batch.
#[test]
fn recipe_drops_the_last_token_and_norms_over_the_batch() {
    let (a, b, c) = ([0.5f32, -0.25, 9.0], [1.0f32, 7.0], [-0.5f32, -1.5, -8.0]);
    let rows: [&[f32]; 3] = [&a, &b, &c];
    let group = vec![
        Response::new(3, 1.0).with_process_rewards(&a),
        Response::new(2, 0.0).with_process_rewards(&b),
        Response::new(3, 0.0).with_process_rewards(&c),
    ];
    let batch = common::batch(vec![group]);
    let result = run(
        &Prime {
            whiten: false,
            ..Prime::recipe()
        },
        &batch,
    );

    // Without the last tokens the largest |reverse sum| is |-0.5 - 1.5| = 2.
    let scale = 1.0 / (2.0 + 1e-6);
    let means = [0.25 / 3.0 * scale, 1.0 / 2.0 * scale, -2.0 / 3.0 * scale];
    let baseline = means.iter().sum::<f64>() / 2.0;
    let outcome = [1.0, -0.5, -0.5];
    for (i, row) in rows.iter().enumerate() {
        let mut to_go = 0.0;
        for t in (0..row.len()).rev() {
            let reward = if t + 1 == row.len() {
                0.0
            } else {
                f64::from(row[t]) * scale
            };
            to_go += reward * 1.5 - baseline;
            let expected = 5.0 * outcome[i] + 5.0 * to_go;
            let found = result.response(0, i).expect("in range").advantages()[t];
            common::assert_close("recipe", &format!("[{i}][{t}]"), found, expected);
        }
    }
}

/// GAE inside PRIME is GAE on the summed token rewards.
#[test]
fn gae_runs_on_the_combined_rewards() {
    let (process, values) = ([0.2f32, -0.4, 0.6], [0.1f32, 0.3, -0.2]);
    let gae = Gae {
        gamma: 0.9,
        lam: 0.8,
        whiten: false,
    };
    let prime = Prime {
        outcome: OutcomeTerm::Gae(gae),
        process: ProcessTerm::Reinforce,
        outcome_coef: 3.0,
        process_coef: 2.0,
        ..Prime::paper()
    };
    let summed = [0.4f32, -0.8, 1.2 + 3.0];
    let plain = Response::new(3, 1.0)
        .with_process_rewards(&process)
        .with_values(&values);
    let by_hand = Response::new(3, 0.0)
        .with_process_rewards(&summed)
        .with_values(&values);
    let found = run(&prime, &common::batch(vec![vec![plain]]));
    let expected = run(&gae, &common::batch(vec![vec![by_hand]]));
    for (f, e) in found.advantages().iter().zip(expected.advantages()) {
        common::assert_close("prime gae", "advantage", *f, f64::from(*e));
    }
    for (f, e) in found.returns().iter().zip(expected.returns()) {
        common::assert_close("prime gae", "return", *f, f64::from(*e));
    }
}

/// A discount on the outcome starts at the last policy token.
#[test]
fn the_outcome_is_discounted_backwards_over_policy_tokens() {
    let mask = [true, false, true, true];
    let zeros = [0.0; 4];
    let response = Response::new(4, 1.0)
        .with_process_rewards(&zeros)
        .with_mask(&mask);
    let prime = Prime {
        outcome: OutcomeTerm::Reinforce(Reinforce::default()),
        process: ProcessTerm::Reinforce,
        outcome_gamma: 0.5,
        ..Prime::paper()
    };
    let result = run(&prime, &common::batch(vec![vec![response]]));
    assert_eq!(result.advantages(), [0.25, 0.0, 0.5, 1.0]);
}
