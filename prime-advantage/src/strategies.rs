//! Random reward batches, for property tests with [proptest].
//!
//! [proptest]: https://docs.rs/proptest
//!
//! ```
//! use prime_advantage::strategies::{BatchShape, RewardKind, reward_batches};
//! use proptest::prelude::*;
//!
//! let shape = BatchShape::default()
//!     .with_group_size(4..=4)
//!     .with_rewards(RewardKind::Binary);
//! proptest!(|(batch in reward_batches(shape))| {
//!     let batch = batch.borrow()?;
//!     prop_assert!(batch.require_group_size(4).is_ok());
//! });
//! ```
//!
//! [`laws`](crate::laws) are properties ready made.

use std::ops::RangeInclusive;

use proptest::prelude::*;
use proptest::strategy::Map;

use crate::knobs::knobs;
use crate::{NamedReward, OwnedBatch, OwnedGroup, OwnedResponse};

/// What the batches of [`reward_batches`] are like: by default small, with everything
/// that an estimator may ask for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BatchShape {
    /// How many prompt groups, at least 1. Default: 1 to 3.
    pub groups: RangeInclusive<usize>,
    /// How many responses in a group, at least 1. Default: 2 to 5.
    pub group_size: RangeInclusive<usize>,
    /// How many tokens in a response, masked ones included; 0 for empty responses.
    /// Default: 0 to 10.
    pub tokens: RangeInclusive<usize>,
    /// What rewards look like. Default: [`RewardKind::Signed`].
    pub rewards: RewardKind,
    /// Names of the rewards that every response also has; none for no named rewards.
    /// Default: `accuracy` and `format`.
    pub named_rewards: Vec<String>,
    /// Whether responses have process rewards. Default: yes.
    pub process_rewards: bool,
    /// Whether responses have a critic's values. Default: yes.
    pub values: bool,
    /// Whether responses have log-probs under both models and `Σ_v π(v)²`, such as one
    /// distribution can have them. Default: yes.
    pub log_probs: bool,
    /// Whether responses have importance weights. Default: yes.
    pub importance_weights: bool,
    /// Whether some responses have a mask, and some of those masked tokens. Default: yes.
    pub masks: bool,
    /// Whether groups have a greedy response. Default: yes.
    pub greedy: bool,
    /// Whether some groups are process-only. Default: yes.
    pub process_only: bool,
}

impl Default for BatchShape {
    fn default() -> Self {
        Self {
            groups: 1..=3,
            group_size: 2..=5,
            tokens: 0..=10,
            rewards: RewardKind::Signed,
            named_rewards: vec!["accuracy".to_owned(), "format".to_owned()],
            process_rewards: true,
            values: true,
            log_probs: true,
            importance_weights: true,
            masks: true,
            greedy: true,
            process_only: true,
        }
    }
}

impl BatchShape {
    /// Outcome rewards and nothing else.
    pub fn bare() -> Self {
        Self {
            named_rewards: vec![],
            process_rewards: false,
            values: false,
            log_probs: false,
            importance_weights: false,
            masks: false,
            greedy: false,
            process_only: false,
            ..Self::default()
        }
    }
}

knobs!(BatchShape {
    with_groups(groups: RangeInclusive<usize>);
    with_group_size(group_size: RangeInclusive<usize>);
    with_tokens(tokens: RangeInclusive<usize>);
    with_rewards(rewards: RewardKind);
    with_named_rewards(named_rewards: Vec<String>);
    with_process_rewards(process_rewards: bool);
    with_values(values: bool);
    with_log_probs(log_probs: bool);
    with_importance_weights(importance_weights: bool);
    with_masks(masks: bool);
    with_greedy(greedy: bool);
    with_process_only(process_only: bool);
});

/// What rewards look like. Equal rewards in a group are frequent, except with
/// [`RewardKind::AnyFinite`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum RewardKind {
    /// 0 or 1.
    Binary,
    /// Tenths from 0 to 1, like a share of passed tests.
    Fractional,
    /// Tenths from −1 to 1.
    Signed,
    /// Any finite `f32`, each power of two as likely as any other. Process rewards,
    /// values and importance weights too, and log-probs with the sign they must have;
    /// in the other kinds these are hundredths (halves for the weights) of order 1.
    AnyFinite {
        /// The largest magnitude.
        magnitude: f32,
    },
}

/// A number as an integer that proptest shrinks towards 0, and what it stands for.
type Number = Map<RangeInclusive<i32>, fn(i32) -> f32>;

fn number(range: RangeInclusive<i32>, decode: fn(i32) -> f32) -> Number {
    range.prop_map(decode)
}

fn hundredths(i: i32) -> f32 {
    i as f32 / 100.0
}

fn tenths(i: i32) -> f32 {
    i as f32 / 10.0
}

/// The bits of a magnitude, with a sign: in order, and 0 in the middle.
fn signed_bits(i: i32) -> f32 {
    f32::from_bits(i.unsigned_abs()).copysign(i as f32)
}

fn largest_bits(magnitude: f32) -> i32 {
    // `min` also replaces NaN. Without the sign bit every pattern fits an i32.
    i32::try_from(magnitude.abs().min(f32::MAX).to_bits()).unwrap_or(0)
}

impl RewardKind {
    fn reward(self) -> Number {
        match self {
            Self::Binary => number(0..=1, |i| i as f32),
            Self::Fractional => number(0..=10, tenths),
            Self::Signed => number(-10..=10, tenths),
            Self::AnyFinite { .. } => self.token_number(),
        }
    }

    /// A process reward or value.
    fn token_number(self) -> Number {
        match self {
            Self::AnyFinite { magnitude } => {
                let largest = largest_bits(magnitude);
                number(-largest..=largest, signed_bits)
            }
            _ => number(-100..=100, hundredths),
        }
    }

    fn log_prob(self) -> Number {
        match self {
            Self::AnyFinite { magnitude } => {
                number(0..=largest_bits(magnitude), |i| 0.0 - signed_bits(i))
            }
            _ => number(1..=100, |i| hundredths(i).ln()),
        }
    }

    fn weight(self) -> Number {
        match self {
            Self::AnyFinite { magnitude } => number(0..=largest_bits(magnitude), signed_bits),
            _ => number(0..=4, |i| i as f32 / 2.0),
        }
    }
}

/// Everything that a token can have, whether or not the shape asks for it.
#[derive(Debug, Clone)]
struct Token {
    process_reward: f32,
    value: f32,
    old_log_prob: f32,
    ref_log_prob: f32,
    sum_pi_squared: f32,
    importance_weight: f32,
    masked: bool,
}

fn token(kind: RewardKind) -> impl Strategy<Value = Token> {
    (
        kind.token_number(),
        kind.token_number(),
        kind.log_prob(),
        kind.log_prob(),
        number(0..=100, hundredths),
        kind.weight(),
        prop::bool::weighted(0.25),
    )
        .prop_map(
            |(process_reward, value, old, reference, rest, weight, masked)| {
                // The rest of the probability is anything between spread out and all on
                // one other token.
                let own = f64::from(old).exp();
                let squares = own * own + f64::from(rest) * (1.0 - own).powi(2);
                Token {
                    process_reward,
                    value,
                    old_log_prob: old,
                    ref_log_prob: reference,
                    sum_pi_squared: squares as f32,
                    importance_weight: weight,
                    masked,
                }
            },
        )
}

#[derive(Debug, Clone)]
struct Draft {
    outcome: f32,
    named: Vec<f32>,
    tokens: Vec<Token>,
    has_mask: bool,
}

fn draft(shape: &BatchShape) -> impl Strategy<Value = Draft> + use<> {
    let kind = shape.rewards;
    (
        kind.reward(),
        prop::collection::vec(kind.reward(), shape.named_rewards.len()),
        prop::collection::vec(token(kind), shape.tokens.clone()),
        prop::bool::weighted(if shape.masks { 0.5 } else { 0.0 }),
    )
        .prop_map(|(outcome, named, tokens, has_mask)| Draft {
            outcome,
            named,
            tokens,
            has_mask,
        })
}

impl Draft {
    fn policy_tokens(&self) -> usize {
        let masked = |token: &&Token| self.has_mask && token.masked;
        self.tokens.len() - self.tokens.iter().filter(masked).count()
    }

    fn finish(self, shape: &BatchShape) -> OwnedResponse {
        let column = |wanted: bool, number: fn(&Token) -> f32| {
            wanted.then(|| self.tokens.iter().map(number).collect())
        };
        let named = shape.named_rewards.iter().zip(&self.named);
        let mut response = OwnedResponse::new(self.tokens.len(), self.outcome);
        response.named_rewards = named
            .map(|(name, &value)| NamedReward::new(name.clone(), value))
            .collect();
        response.process_rewards = column(shape.process_rewards, |t| t.process_reward);
        response.values = column(shape.values, |t| t.value);
        response.old_log_probs = column(shape.log_probs, |t| t.old_log_prob);
        response.ref_log_probs = column(shape.log_probs, |t| t.ref_log_prob);
        response.sum_pi_squared = column(shape.log_probs, |t| t.sum_pi_squared);
        response.importance_weights = column(shape.importance_weights, |t| t.importance_weight);
        if self.has_mask {
            response.mask = Some(self.tokens.iter().map(|token| !token.masked).collect());
        }
        response
    }
}

/// Batches of a shape. They shrink to few groups, responses and tokens first, then to
/// no masks and to numbers near 0.
///
/// Every batch has two policy tokens at least, so that it can be whitened: where
/// chance gives fewer, the first response has no mask and two tokens. Only a shape
/// without responses of two tokens has batches below that.
///
/// # Panics
/// If a range of the shape is empty, or includes a group or batch of none.
pub fn reward_batches(shape: BatchShape) -> impl Strategy<Value = OwnedBatch> {
    assert!(
        *shape.groups.start() > 0 && *shape.group_size.start() > 0,
        "a batch has at least one group and a group at least one response"
    );
    let group = (
        prop::collection::vec(draft(&shape), shape.group_size.clone()),
        draft(&shape),
        prop::bool::weighted(if shape.process_only { 0.15 } else { 0.0 }),
    );
    let groups = prop::collection::vec(group, shape.groups.clone());
    groups.prop_map(move |mut groups| {
        let members = groups.iter().flat_map(|(members, ..)| members);
        let own: usize = members.map(Draft::policy_tokens).sum();
        if own < 2 && *shape.tokens.end() >= 2 {
            let first = &mut groups[0].0[0];
            first.has_mask = false;
            first.tokens.resize(first.tokens.len().max(2), PLAIN);
        }
        let groups = groups.into_iter().map(|(members, greedy, process_only)| {
            let members = members.into_iter().map(|draft| draft.finish(&shape));
            let mut group = OwnedGroup::new(members.collect());
            group.greedy = shape.greedy.then(|| greedy.finish(&shape));
            group.process_only = process_only;
            group
        });
        OwnedBatch::new(groups.collect())
    })
}

/// Fills up a response that is too short.
const PLAIN: Token = Token {
    process_reward: 0.0,
    value: 0.0,
    old_log_prob: -1.0,
    ref_log_prob: -1.0,
    sum_pi_squared: 0.5,
    importance_weight: 1.0,
    masked: false,
};
