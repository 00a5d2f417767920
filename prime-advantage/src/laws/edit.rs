//! Changes to a batch that an estimator should or should not notice.

use crate::{OwnedBatch, OwnedGroup, OwnedResponse};

/// Every response, the greedy ones included.
pub(super) fn responses(batch: &mut OwnedBatch) -> impl Iterator<Item = &mut OwnedResponse> {
    batch.groups.iter_mut().flat_map(members)
}

/// The responses of a group and its greedy one.
pub(super) fn members(group: &mut OwnedGroup) -> impl Iterator<Item = &mut OwnedResponse> {
    group.responses.iter_mut().chain(&mut group.greedy)
}

/// Changes the outcome reward and the named ones.
pub(super) fn map_outcomes(response: &mut OwnedResponse, change: impl Fn(f32) -> f32) {
    response.outcome_reward = change(response.outcome_reward);
    for named in &mut response.named_rewards {
        named.value = change(named.value);
    }
}

/// Changes everything measured in units of reward.
pub(super) fn map_rewards(response: &mut OwnedResponse, change: impl Fn(f32) -> f32) {
    map_outcomes(response, &change);
    let columns = [&mut response.process_rewards, &mut response.values];
    for x in columns.into_iter().flatten().flatten() {
        *x = change(*x);
    }
}

/// Sets the process rewards to zeros, of either sign where `signed`.
pub(super) fn silence_process(response: &mut OwnedResponse, signed: bool) {
    let rewards = response.process_rewards.iter_mut().flatten();
    for (t, reward) in rewards.enumerate() {
        *reward = if signed && t % 2 == 1 { -0.0 } else { 0.0 };
    }
}

/// Which tokens are the policy's own.
pub(super) fn own(response: &OwnedResponse) -> Vec<bool> {
    match &response.mask {
        Some(mask) => mask.clone(),
        None => vec![true; response.tokens],
    }
}

/// Puts a masked token in front of the token at `at`, with numbers that are not 0 and
/// not the same everywhere.
pub(super) fn insert_masked(response: &mut OwnedResponse, at: usize) {
    let mut mask = own(response);
    mask.insert(at, false);
    response.mask = Some(mask);
    insert(response, at);
}

/// Gives a response without policy tokens one at its end.
pub(super) fn ensure_policy_token(response: &mut OwnedResponse) {
    if own(response).contains(&true) {
        return;
    }
    let end = response.tokens;
    if let Some(mask) = &mut response.mask {
        mask.push(true);
    }
    insert(response, end);
}

fn insert(response: &mut OwnedResponse, at: usize) {
    let columns = [
        (&mut response.process_rewards, 0.75 + at as f32),
        (&mut response.values, -0.5 - at as f32),
        (&mut response.old_log_probs, -0.7),
        (&mut response.ref_log_probs, -2.0),
        (&mut response.sum_pi_squared, 0.5),
        (&mut response.importance_weights, 1.5),
    ];
    for (column, number) in columns {
        if let Some(column) = column {
            column.insert(at, number);
        }
    }
    response.tokens += 1;
}

/// Replaces every number that stands at a masked token.
pub(super) fn disturb_masked(response: &mut OwnedResponse) {
    let own = own(response);
    let signed: fn(f32) -> f32 = |x| 1.0 - 3.0 * x;
    let negative: fn(f32) -> f32 = |x| x - 1.0;
    let unit: fn(f32) -> f32 = |x| (1.0 - x).clamp(0.0, 1.0);
    let positive: fn(f32) -> f32 = |x| x + 1.0;
    let columns = [
        (&mut response.process_rewards, signed),
        (&mut response.values, signed),
        (&mut response.old_log_probs, negative),
        (&mut response.ref_log_probs, negative),
        (&mut response.sum_pi_squared, unit),
        (&mut response.importance_weights, positive),
    ];
    for (column, change) in columns {
        let numbers = column.iter_mut().flatten();
        for (x, _) in numbers.zip(&own).filter(|(_, own)| !**own) {
            *x = change(*x);
        }
    }
}

/// Rounds to eighths and to ±4, so that adding and multiplying by small numbers is exact.
pub(super) fn to_eighths(x: f32) -> f32 {
    (x * 8.0).round().clamp(-32.0, 32.0) / 8.0
}
