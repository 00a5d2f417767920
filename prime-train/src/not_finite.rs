//! Numbers that are none, with the way out.

use prime_advantage::AdvantageError;
use prime_policy::PolicyError;
use prime_reward::RewardError;

use crate::error::TrainError;

/// Where such a number was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The warm-up on demonstrations.
    WarmUp,
    /// Sampling from the policy.
    Sampling,
    /// The process reward model.
    Prm,
    /// From rewards to advantages, and the critic's values.
    Advantages,
    /// The policy's update, and the critic's.
    Update,
}

impl Stage {
    fn way_out(self) -> &'static str {
        match self {
            Self::WarmUp => {
                "the warm-up has diverged: a smaller warmup.lr, a smaller warmup.grad_clip, or more steps of rise \
                 (warmup.lr_warmup_steps)"
            }
            Self::Sampling => {
                "the policy's weights are broken: go on from an earlier checkpoint, or begin anew, with a smaller rl.lr or a \
                 smaller rl.grad_clip; with model.compute_dtype other than f32 try f32"
            }
            Self::Prm => {
                "the process reward model has diverged: a smaller prm.lr, a smaller prm.grad_clip or a smaller prm.beta; with \
                 model.compute_dtype other than f32 try f32"
            }
            Self::Advantages => {
                "look at the rewards (rollouts/) and at what scales them: advantage.process_norm, advantage.process_coef, \
                 kl.coef, the weights of reward.parts; with a critic a smaller critic.lr or critic.grad_clip"
            }
            Self::Update => {
                "the policy has diverged: go on from the checkpoint with a smaller rl.lr, a smaller rl.grad_clip or fewer \
                 rl.epochs_per_step; with a critic also a smaller critic.lr or critic.grad_clip; critic/advantages/max says \
                 whether advantages are out of scale"
            }
        }
    }

    /// The error with the way out, if it is about a number that is none.
    pub(crate) fn explain(self, error: TrainError) -> TrainError {
        match is_about(&error) {
            true => TrainError::NotFinite {
                source: Box::new(error),
                way_out: self.way_out(),
            },
            false => error,
        }
    }
}

fn is_about(error: &TrainError) -> bool {
    match error {
        TrainError::NonFiniteMetric { .. }
        | TrainError::Policy(PolicyError::NotFinite { .. })
        | TrainError::Reward(
            RewardError::NotFinite { .. } | RewardError::Model(PolicyError::NotFinite { .. }),
        ) => true,
        TrainError::Advantage(error) => matches!(
            error,
            AdvantageError::OutcomeNotFinite { .. }
                | AdvantageError::NamedRewardNotFinite { .. }
                | AdvantageError::TokenNotFinite { .. }
                | AdvantageError::ResultNotFinite { .. }
                | AdvantageError::SliceNotFinite { .. }
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nan() -> TrainError {
        TrainError::Policy(PolicyError::NotFinite {
            what: "gradient norm",
            value: f64::NAN,
            at: String::new(),
        })
    }

    #[test]
    fn each_stage_names_its_rate_and_its_clip() {
        for (stage, keys) in [
            (Stage::WarmUp, ["warmup.lr", "warmup.grad_clip"]),
            (Stage::Sampling, ["rl.lr", "rl.grad_clip"]),
            (Stage::Prm, ["prm.lr", "prm.grad_clip"]),
            (Stage::Advantages, ["critic.lr", "advantage.process_norm"]),
            (Stage::Update, ["rl.lr", "rl.grad_clip"]),
        ] {
            let text = stage.explain(nan()).to_string();
            assert!(text.starts_with("gradient norm is not finite"), "{text}");
            for key in keys {
                assert!(text.contains(key), "{key} in {text}");
                assert!(crate::config::explain(key).is_ok(), "{key} is a key");
            }
        }
        let metric = TrainError::NonFiniteMetric {
            step: 3,
            name: "actor/pg_loss".into(),
            value: f64::NAN,
        };
        assert!(Stage::Update.explain(metric).to_string().contains("rl.lr"));
    }

    #[test]
    fn other_errors_stay_as_they_are() {
        let error = Stage::Prm.explain(TrainError::InterruptedEarly);
        assert!(matches!(error, TrainError::InterruptedEarly));
    }
}
