//! Whether rewards differ by more than rounding.

/// Multiples of an f32's relative rounding that sums of log-ratios may be off by: a log-prob is the end of a sum over a
/// vocabulary and of many layers, which machine and batch may add up in another order.
const ROUNDINGS: f32 = 256.0;

/// Whether the rewards of answers can be ranked. A reward is β times a difference of two log-probs: where the two models are
/// the same, what is left is the rounding of the log-probs, of which the order says nothing. `spread` below
/// `ROUNDINGS` · ε · β · (the largest summed log-prob of a response, at least 1) is that.
pub(super) fn can_be_ranked(
    rewards: impl Iterator<Item = f32>,
    log_probs: impl Iterator<Item = f32>,
    beta: f64,
) -> bool {
    let (least, most) = rewards.fold(
        (f32::INFINITY, f32::NEG_INFINITY),
        |(least, most), reward| (least.min(reward), most.max(reward)),
    );
    let magnitude = log_probs.map(f32::abs).fold(1.0, f32::max);
    most - least > ROUNDINGS * f32::EPSILON * beta as f32 * magnitude
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(rewards: &[f32], log_prob: f32) -> bool {
        can_be_ranked(rewards.iter().copied(), [log_prob].into_iter(), 0.05)
    }

    #[test]
    fn rounding_is_no_ranking_and_what_was_learned_is_one() {
        assert!(!ranked(&[0.0, 0.0], -30.0));
        // Last digits of log-probs of −30, times β.
        let digit = 30.0 * f32::EPSILON * 0.05;
        assert!(!ranked(&[digit, -digit, 3.0 * digit], -30.0));
        assert!(ranked(&[1e-3, -1e-3], -30.0));
        assert!(!ranked(&[], -30.0));
        // The same small spread is news where log-probs are small, and none where they are large.
        assert!(ranked(&[0.0, 1e-5], -1.0) && !ranked(&[0.0, 1e-5], -30.0));
    }
}
