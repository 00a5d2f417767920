//! PRIME: its presets, its knobs, and every estimator as either half.

use super::{Row, check, laws, row};
use prime_advantage::*;

/// What an RLOO outcome brings, beside a process half that is 0 without rewards.
const RLOO: &[&str] = &[
    "gaps",
    "shift_invariance",
    "zero_variance",
    "zero_mean",
    "pair_antisymmetry",
];
/// The same with a process half in units of reward.
const RLOO_SCALED: &[&str] = &[
    "gaps",
    "shift_invariance",
    "scale_equivariance",
    "zero_variance",
    "zero_mean",
    "pair_antisymmetry",
];
/// Process rewards of other groups move the baseline, of batch mean or whitening.
const RLOO_ACROSS: &[&str] = &["gaps", "shift_invariance", "zero_mean", "pair_antisymmetry"];

#[test]
fn presets_and_knobs() {
    let paper = Prime::paper;
    check(&[
        row(paper(), RLOO_SCALED),
        row(Prime::orig(), &["gaps", "shift_invariance"]),
        row(Prime::recipe(), &["gaps", "shift_invariance"]),
        row(Prime::orig().with_whiten(false), RLOO),
        row(
            paper()
                .with_outcome_gamma(0.5)
                .with_process_gamma(0.9)
                .with_outcome_coef(-2.0),
            RLOO_SCALED,
        ),
        row(paper().with_drop_last_token(true), RLOO_SCALED),
        row(paper().with_process_coef(0.0), RLOO_SCALED),
        row(
            paper()
                .with_outcome_coef(0.0)
                .with_process(Reinforce::default()),
            RLOO_SCALED,
        ),
    ]);
}

/// With their default knobs.
#[test]
fn every_pair_of_halves() {
    let few = laws().with_cases(16);
    let term = |name: &&str| Term::from_name(name).unwrap();
    // The value baseline reads process rewards, which an outcome half does not see.
    let outcomes = Term::NAMES.iter().filter(|name| **name != "value_baseline");
    for outcome in outcomes.map(term) {
        for process in Term::NAMES.iter().map(term) {
            let prime = Prime::paper()
                .with_process(process)
                .with_outcome(outcome.clone());
            let verdict = few.universal(&prime);
            verdict.unwrap_or_else(|broken| panic!("{prime:?}: {broken}"));
        }
    }
}

#[test]
fn every_process_half() {
    let with = |process: Term, obeys| row(Prime::paper().with_process(process), obeys);
    let baseline = |baseline| Reinforce::default().with_baseline(baseline);
    let rows: Vec<Row> = vec![
        with(baseline(Baseline::None).into(), RLOO_SCALED),
        with(
            baseline(Baseline::BatchMean).into(),
            &[
                "gaps",
                "shift_invariance",
                "scale_equivariance",
                "zero_mean",
                "pair_antisymmetry",
            ],
        ),
        with(baseline(Baseline::GroupMean).into(), RLOO_SCALED),
        with(ReinforcePlusPlus::default().into(), RLOO_ACROSS),
        with(ReinforcePlusPlusBaseline::default().into(), RLOO_ACROSS),
        with(Rloo::default().into(), RLOO_SCALED),
        with(Grpo::default().into(), RLOO),
        with(Grpo::default().with_epsilon(0.0).into(), RLOO),
        with(
            Grpo::default().with_normalize_by_std(false).into(),
            RLOO_SCALED,
        ),
        with(GrpoPassk::default().into(), RLOO),
        with(
            Gae::new(0.9, 0.7).into(),
            &["gaps", "shift_invariance", "scale_equivariance"],
        ),
        with(Remax::default().into(), RLOO_SCALED),
        with(Opo::default().into(), RLOO_SCALED),
        with(Gpg::default().into(), RLOO_SCALED),
        with(Gdpo::default().into(), RLOO_ACROSS),
        with(
            OptimalTokenBaseline::default().into(),
            &RLOO_SCALED[1..], // but for gaps
        ),
        with(ValueBaseline::default().into(), RLOO_SCALED),
    ];
    check(&rows);
}

#[test]
fn every_outcome_half() {
    let with = |outcome: Term, obeys| row(Prime::paper().with_outcome(outcome), obeys);
    let baseline = |baseline| Reinforce::default().with_baseline(baseline);
    check(&[
        with(
            baseline(Baseline::None).into(),
            &["gaps", "scale_equivariance"],
        ),
        with(
            baseline(Baseline::BatchMean).into(),
            &["gaps", "scale_equivariance"],
        ),
        with(baseline(Baseline::GroupMean).into(), RLOO_SCALED),
        with(ReinforcePlusPlus::default().into(), &["gaps"]),
        with(
            ReinforcePlusPlusBaseline::default().into(),
            &["gaps", "shift_invariance"],
        ),
        with(Grpo::default().into(), RLOO),
        with(
            GrpoPassk::default().into(),
            &["gaps", "shift_invariance", "zero_variance"],
        ),
        with(Gae::new(0.9, 0.7).into(), &["gaps", "scale_equivariance"]),
        with(
            Remax::default().into(),
            &[
                "gaps",
                "shift_invariance",
                "scale_equivariance",
                "zero_variance",
            ],
        ),
        with(
            Opo::default().into(),
            &[
                "gaps",
                "shift_invariance",
                "scale_equivariance",
                "zero_variance",
            ],
        ),
        with(
            Gpg::default().into(),
            &[
                "gaps",
                "scale_equivariance",
                "zero_variance",
                "zero_mean",
                "pair_antisymmetry",
            ],
        ),
        with(Gdpo::default().into(), &["gaps", "shift_invariance"]),
        with(
            OptimalTokenBaseline::default().into(),
            &["scale_equivariance", "zero_variance"],
        ),
        row(
            Prime::paper()
                .with_process(Gae::new(0.9, 0.7))
                .with_outcome(Gae::new(0.9, 0.7)),
            &["gaps", "scale_equivariance"],
        ),
        row(
            Prime::recipe()
                .with_process(Gae::default())
                .with_outcome(Gae::default()),
            &["gaps"],
        ),
        row(
            Prime::paper()
                .with_process(Grpo::default().with_epsilon(0.0))
                .with_outcome(Grpo::default().with_epsilon(0.0)),
            &[
                "gaps",
                "shift_invariance",
                "scale_invariance",
                "zero_variance",
                "zero_mean",
                "pair_antisymmetry",
            ],
        ),
    ]);
}
