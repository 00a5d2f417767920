//! PRIME against the numbers of the two reference trainers and of the paper's equations.

mod common;

use common::golden::{Case, Layout, check_all};
use common::{advantages, batch, returns, run};
use prime_advantage::{
    AdvantageEstimator, Grpo, Prime, ProcessNorm, Reinforce, Response, RewardBatch, Term,
    ValueBaseline,
};

/// The cases start after the reward model's normalisation and token dropping.
fn scored(preset: Prime) -> Prime {
    preset
        .with_process_norm(ProcessNorm::None)
        .with_drop_last_token(false)
}

fn outcomes(case: &Case) -> Vec<f32> {
    let paid = case.maybe::<Vec<Vec<f32>>>("gt_scores");
    match paid {
        Some(rows) => rows.iter().map(|row| row.iter().sum()).collect(),
        None => case.input("acc"),
    }
}

fn with_batch(case: &Case, layout: Layout, check: impl FnOnce(&RewardBatch<'_>)) {
    let (scores, masks, outcomes) = (case.rows("rm_scores"), case.masks(), outcomes(case));
    let group_size = case.maybe("n_samples").or(case.maybe("K")).unwrap_or(4);
    let rows = scores.iter().zip(&masks).zip(&outcomes);
    let responses: Vec<_> = rows
        .map(|((scores, mask), &outcome)| {
            let response = layout.respond(mask, outcome);
            response.with_process_rewards(&scores[..layout.len(mask)])
        })
        .collect();
    let groups: Vec<Vec<Response<'_>>> = responses.chunks(group_size).map(<[_]>::to_vec).collect();
    check(&batch(groups));
}

/// Cuts each row to its length, or keeps it padded under a mask: both must agree.
fn check(case: &Case, estimator: &dyn AdvantageEstimator) {
    let masks = case.masks();
    for layout in Layout::BOTH {
        with_batch(case, layout, |batch| {
            let result = run(estimator, batch);
            let compare = |what: &str, found: &[&[f32]], expected: Vec<Vec<f64>>| {
                assert_eq!(found.len(), expected.len(), "{}", case.name());
                for i in 0..found.len() {
                    let at = format!("{layout:?}: {what}[{i}]");
                    case.assert_row(&at, found[i], &expected[i], &masks[i]);
                }
            };
            let expected = case.expected("advantages");
            compare("advantages", &advantages(&result), expected);
            if case.expects("returns") {
                compare("returns", &returns(&result), case.expected("returns"));
            }
        });
    }
}

fn recipe(case: &Case) {
    let prime = scored(Prime::recipe())
        .with_process_coef(case.number("reward_dpo_coef"))
        .with_outcome_coef(case.number("reward_gt_coef"));
    assert!(case.expects("returns"), "{}", case.name());
    check(case, &prime);
}

fn orig(case: &Case) {
    let prime = scored(Prime::orig())
        .with_process_gamma(case.number("reward_model_gamma"))
        .with_outcome_gamma(case.number("verifier_gamma"));
    assert!(case.expects("returns"), "{}", case.name());
    check(case, &prime);
}

fn paper(case: &Case, both_halves: impl Into<Term>) {
    let term = both_halves.into();
    let prime = Prime::paper()
        .with_process_gamma(case.number("gamma"))
        .with_process(term.clone())
        .with_outcome(term);
    check(case, &prime);
}

#[test]
fn every_golden_case_ragged_and_padded() {
    check_all(
        include_str!("golden/prime.json"),
        &[
            ("prime_adv.recipe.dpo5_gt5", recipe),
            ("prime_adv.recipe.dpo1_gt0", recipe),
            ("prime_adv.recipe.dpo0_gt1", recipe),
            ("prime_adv.recipe.dpo2_gt5", recipe),
            ("prime_adv.orig.gamma_rm1_gt1", orig),
            ("prime_adv.orig.gamma_rm0.9_gt1", orig),
            ("prime_adv.paper_eq5_token_mean", |case| {
                paper(case, Term::default());
                check(case, &Prime::paper());
            }),
            ("prime_adv.paper_eq7_grpo", |case| {
                paper(case, Grpo::default());
            }),
            ("prime_adv.paper_eq8_reinforce", |case| {
                paper(case, Reinforce::default());
            }),
            ("prime_adv.paper_sec5.4_value_baseline", |case| {
                check(case, &ValueBaseline::default());
                // The same as a half of PRIME beside the bare outcome.
                let prime = Prime::paper()
                    .with_process(ValueBaseline::default())
                    .with_outcome(Reinforce::default());
                check(case, &prime);
            }),
        ],
    );
}

/// The recipe's two preparations are not in the golden cases; here they are done
/// by hand on a small batch.
#[test]
fn recipe_drops_the_last_token_and_norms_over_the_batch() {
    let rows: [&[f32]; 3] = [&[0.5, -0.25, 9.0], &[1.0, 7.0], &[-0.5, -1.5, -8.0]];
    let responses = rows.iter().zip([1.0, 0.0, 0.0]).map(|(row, outcome)| {
        let response = Response::new(row.len(), outcome);
        response.with_process_rewards(row)
    });
    let batch = batch(vec![responses.collect()]);
    let result = run(&Prime::recipe().with_whiten(false), &batch);

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

/// A discount on the outcome starts at the last policy token.
#[test]
fn the_outcome_is_discounted_backwards_over_policy_tokens() {
    let mask = [true, false, true, true];
    let zeros = [0.0; 4];
    let response = Response::new(4, 1.0)
        .with_process_rewards(&zeros)
        .with_mask(&mask);
    let prime = Prime::paper()
        .with_process(Reinforce::default())
        .with_outcome(Reinforce::default())
        .with_outcome_gamma(0.5);
    let result = run(&prime, &batch(vec![vec![response]]));
    assert_eq!(result.advantages(), [0.25, 0.0, 0.5, 1.0]);
}
