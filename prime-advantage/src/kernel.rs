//! Discounted suffix sums over the tokens of one response: `G_t = x_t + γ G_{t+1}`.
//!
//! Written so that no token waits for the one after it: eight tokens are summed
//! among themselves, then the sum of everything behind them is added to all eight.
//! Sums are `f64`; results are rounded to `f32` once, as they are stored.

use crate::moments::Moments;

const BLOCK: usize = 8;

/// The powers of a discount that a block needs.
#[derive(Clone, Copy)]
pub(crate) struct Decay {
    one: f64,
    two: f64,
    four: f64,
    // What the sum behind a block is worth at each of its tokens: γ⁸, γ⁷, …, γ.
    carried: [f64; BLOCK],
}

impl Decay {
    pub(crate) fn new(gamma: f64) -> Self {
        let mut carried = [gamma; BLOCK];
        for i in (0..BLOCK - 1).rev() {
            carried[i] = carried[i + 1] * gamma;
        }
        Self {
            one: gamma,
            two: gamma * gamma,
            four: (gamma * gamma) * (gamma * gamma),
            carried,
        }
    }

    /// The suffix sums of a block by itself.
    #[inline(always)]
    fn block<const UNIT: bool>(&self, x: [f64; BLOCK]) -> [f64; BLOCK] {
        // Without a discount (`UNIT`) there is nothing to multiply with.
        let times = |factor: f64, sum: f64| if UNIT { sum } else { factor * sum };
        let mut pairs = x;
        for i in 0..BLOCK - 1 {
            pairs[i] = x[i] + times(self.one, x[i + 1]);
        }
        let mut fours = pairs;
        for i in 0..BLOCK - 2 {
            fours[i] = pairs[i] + times(self.two, pairs[i + 2]);
        }
        let mut sums = fours;
        for i in 0..BLOCK - 4 {
            sums[i] = fours[i] + times(self.four, fours[i + 4]);
        }
        sums
    }

    /// What the sum that starts right behind a block is worth at its token `i`.
    #[inline(always)]
    fn carry<const UNIT: bool>(&self, i: usize, behind: f64) -> f64 {
        if UNIT {
            behind
        } else {
            self.carried[i] * behind
        }
    }
}

/// `x_t = slope · r_t + shift`, where the last token's reward is `last`.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    pub(crate) slope: f64,
    pub(crate) shift: f64,
    pub(crate) last: f64,
}

impl Line {
    /// Rewards as they are.
    pub(crate) fn identity(last: f64) -> Self {
        Self {
            slope: 1.0,
            shift: 0.0,
            last,
        }
    }
}

/// Writes `G_t + offset` for every token.
///
/// The sums are linear, so that they run over the rewards themselves:
/// `G_t = slope · Σ_{s≥t} γ^{s−t} r_s + shift · (1 + γ + … )`.
pub(crate) fn suffix_sums(
    rewards: &[f32],
    line: Line,
    decay: &Decay,
    offset: f64,
    out: &mut [f32],
) {
    if decay.one == 1.0 {
        write_sums::<true>(rewards, line, decay, offset, out);
    } else {
        write_sums::<false>(rewards, line, decay, offset, out);
    }
}

#[inline(always)]
fn write_sums<const UNIT: bool>(
    rewards: &[f32],
    line: Line,
    decay: &Decay,
    offset: f64,
    out: &mut [f32],
) {
    let Some((last, body)) = out.split_last_mut() else {
        return;
    };
    let Line { slope, shift, .. } = line;
    // The sum of the rewards behind, and the sum of the discounts from here on.
    let (mut behind, mut discounts) = (line.last, 1.0);
    *last = (slope * behind + (shift * discounts + offset)) as f32;
    let rewards = &rewards[..body.len()];
    let (blocks, rest) = rewards.as_chunks::<BLOCK>();
    let (out_blocks, out_rest) = body.as_chunks_mut::<BLOCK>();
    for (out, &reward) in out_rest.iter_mut().zip(rest).rev() {
        behind = f64::from(reward) + decay.one * behind;
        discounts = 1.0 + decay.one * discounts;
        *out = (slope * behind + (shift * discounts + offset)) as f32;
    }
    // What shift and offset add to each token of a block.
    let mut constants = [0.0; BLOCK];
    for constant in constants.iter_mut().rev() {
        discounts = 1.0 + decay.one * discounts;
        *constant = shift * discounts;
    }
    let whole = decay.carried[0];
    let step = shift * (0..BLOCK).fold(0.0, |sum, _| 1.0 + decay.one * sum);
    for (out, rewards) in out_blocks.iter_mut().zip(blocks).rev() {
        let sums = decay.block::<UNIT>(rewards.map(f64::from));
        for i in 0..BLOCK {
            let sum = sums[i] + decay.carry::<UNIT>(i, behind);
            out[i] = (slope * sum + (constants[i] + offset)) as f32;
        }
        behind = sums[0] + decay.carry::<UNIT>(0, behind);
        for constant in &mut constants {
            *constant = if UNIT { *constant } else { whole * *constant } + step;
        }
    }
}

/// What batch norm and the baselines of process rewards need to know of a response.
#[derive(Clone, Copy, Default)]
pub(crate) struct Totals {
    /// `Σ_t r_t`.
    pub(crate) sum: f64,
    /// `max_t |Σ_{s≥t} r_s|`; 0 if not asked for.
    pub(crate) peak: f64,
    /// `max_t |r_t|`.
    pub(crate) largest: f64,
}

/// Sums up a response whose last token's reward is `last`.
pub(crate) fn totals(rewards: &[f32], last: f64, with_peak: bool) -> Totals {
    let Some((_, body)) = rewards.split_last() else {
        return Totals::default();
    };
    let (sum, peak) = if with_peak {
        sum_and_peak(body, last)
    } else {
        (Moments::sum(body) + last, 0.0)
    };
    let mut largest = [0.0f32; BLOCK];
    let (blocks, rest) = body.as_chunks::<BLOCK>();
    for block in blocks {
        for (largest, reward) in largest.iter_mut().zip(block) {
            *largest = larger(*largest, reward.abs());
        }
    }
    let rest = rest.iter().map(|reward| reward.abs());
    let largest = largest.into_iter().chain(rest).fold(0.0, larger);
    Totals {
        sum,
        peak,
        largest: larger(largest.into(), last.abs()),
    }
}

/// Eight stretches side by side, each from its own end: what comes behind a stretch is the
/// same for all of its sums, so that only the highest and the lowest need to know it.
fn sum_and_peak(body: &[f32], last: f64) -> (f64, f64) {
    let length = body.len() / BLOCK;
    let (rest, even) = body.split_at(body.len() - length * BLOCK);
    let stretches: [&[f32]; BLOCK] = std::array::from_fn(|i| &even[i * length..][..length]);
    let (mut sums, mut highs, mut lows) = ([0.0; BLOCK], [0.0; BLOCK], [0.0; BLOCK]);
    for t in (0..length).rev() {
        for i in 0..BLOCK {
            sums[i] += f64::from(stretches[i][t]);
            highs[i] = larger(highs[i], sums[i]);
            lows[i] = smaller(lows[i], sums[i]);
        }
    }
    let (mut sum, mut peak) = (last, last.abs());
    for i in (0..BLOCK).rev() {
        peak = larger(peak, (sum + highs[i]).abs());
        peak = larger(peak, (sum + lows[i]).abs());
        sum += sums[i];
    }
    for &reward in rest.iter().rev() {
        sum += f64::from(reward);
        peak = larger(peak, sum.abs());
    }
    (sum, peak)
}

// `max` and `min` also sort out NaN, which cannot occur here and costs instructions.
fn larger<T: PartialOrd>(a: T, b: T) -> T {
    if b > a { b } else { a }
}

fn smaller(a: f64, b: f64) -> f64 {
    if b < a { b } else { a }
}

/// The discounts of generalised advantage estimation.
#[derive(Clone, Copy)]
pub(crate) struct GaeDecay {
    gamma: f64,
    both: Decay,
}

impl GaeDecay {
    pub(crate) fn new(gamma: f64, lam: f64) -> Self {
        Self {
            gamma,
            both: Decay::new(gamma * lam),
        }
    }
}

/// `A_t = δ_t + γλ A_{t+1}` with `δ_t = r_t + γ V_{t+1} − V_t`, and `A_t + V_t`;
/// `last` is the last token's reward. Returns the moments of the advantages.
pub(crate) fn gae(
    rewards: &[f32],
    last: f64,
    values: &[f32],
    decay: &GaeDecay,
    advantages: &mut [f32],
    returns: &mut [f32],
) -> Moments {
    let n = values.len();
    let Some(end) = n.checked_sub(1) else {
        return Moments::default();
    };
    let mut behind = last - f64::from(values[end]);
    advantages[end] = behind as f32;
    returns[end] = (behind + f64::from(values[end])) as f32;
    let delta = |reward: f32, value: f32, next: f32| {
        f64::from(reward) + decay.gamma * f64::from(next) - f64::from(value)
    };
    let blocks = end / BLOCK;
    for t in (blocks * BLOCK..end).rev() {
        behind = delta(rewards[t], values[t], values[t + 1]) + decay.both.one * behind;
        advantages[t] = behind as f32;
        returns[t] = (behind + f64::from(values[t])) as f32;
    }
    let (reward_blocks, _) = rewards[..end].as_chunks::<BLOCK>();
    let (value_blocks, _) = values[..end].as_chunks::<BLOCK>();
    let (next_blocks, _) = values[1..].as_chunks::<BLOCK>();
    let (advantage_blocks, _) = advantages[..end].as_chunks_mut::<BLOCK>();
    let (return_blocks, _) = returns[..end].as_chunks_mut::<BLOCK>();
    for b in (0..blocks).rev() {
        let (rewards, values, next) = (&reward_blocks[b], &value_blocks[b], &next_blocks[b]);
        let mut x = [0.0; BLOCK];
        for i in 0..BLOCK {
            x[i] = delta(rewards[i], values[i], next[i]);
        }
        let sums = decay.both.block::<false>(x);
        for i in 0..BLOCK {
            let advantage = sums[i] + decay.both.carry::<false>(i, behind);
            advantage_blocks[b][i] = advantage as f32;
            return_blocks[b][i] = (advantage + f64::from(values[i])) as f32;
        }
        behind = sums[0] + decay.both.carry::<false>(0, behind);
    }
    Moments::of(advantages)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(n: usize) -> Vec<f32> {
        (0..n)
            .map(|i| ((i * 2_654_435_761) % 2_001) as f32 / 1_000.0 - 1.0)
            .collect()
    }

    /// Every length around the block size, against the recursion as it is written.
    #[test]
    fn blocks_equal_the_plain_recursion() {
        for n in 0..40 {
            for gamma in [0.0, 0.3, 0.99, 1.0] {
                let (rewards, values) = (noise(n), noise(n + 7).split_off(7));
                let (slope, shift, last, offset) = (1.7, -0.2, 0.4, 0.25);
                let mut expected = vec![0.0; n];
                let mut running = 0.0;
                for t in (0..n).rev() {
                    let own = slope * f64::from(rewards[t]) + shift;
                    let end = slope * last + shift;
                    running = if t + 1 == n { end } else { own } + gamma * running;
                    expected[t] = running + offset;
                }
                let mut found = vec![0.0; n];
                let line = Line { slope, shift, last };
                suffix_sums(&rewards, line, &Decay::new(gamma), offset, &mut found);
                let moments = Moments::of(&found);
                for (found, expected) in found.iter().zip(&expected) {
                    assert!((f64::from(*found) - expected).abs() < 1e-5, "{n} {gamma}");
                }
                let mean = found.iter().map(|&x| f64::from(x)).sum::<f64>() / n.max(1) as f64;
                let squares: f64 = found.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum();
                assert_eq!(moments.count, n);
                assert!((moments.mean - mean).abs() < 1e-9);
                assert!((moments.squares - squares).abs() < 1e-9 * squares.max(1.0));

                let lam = 0.9;
                let (mut advantages, mut returns) = (vec![0.0; n], vec![0.0; n]);
                let decay = GaeDecay::new(gamma, lam);
                gae(
                    &rewards,
                    last,
                    &values,
                    &decay,
                    &mut advantages,
                    &mut returns,
                );
                let mut running = 0.0;
                for t in (0..n).rev() {
                    let end = t + 1 == n;
                    let reward = if end { last } else { f64::from(rewards[t]) };
                    let next = if end { 0.0 } else { f64::from(values[t + 1]) };
                    running = reward + gamma * next - f64::from(values[t]) + gamma * lam * running;
                    assert!((f64::from(advantages[t]) - running).abs() < 1e-5);
                    let target = running + f64::from(values[t]);
                    assert!((f64::from(returns[t]) - target).abs() < 1e-5);
                }
            }
        }
    }

    #[test]
    fn totals_by_brute_force() {
        for n in (1..40).chain([100, 1000]) {
            let rewards = noise(n);
            let mut own: Vec<f64> = rewards.iter().map(|&r| f64::from(r)).collect();
            own[n - 1] = -0.3;
            let found = totals(&rewards, -0.3, true);
            let plain = totals(&rewards, -0.3, false);
            assert!((plain.sum - found.sum).abs() < 1e-12);
            assert_eq!(plain.largest, found.largest);
            let suffix = |t: usize| own[t..].iter().sum::<f64>();
            let peak = (0..n).map(|t| suffix(t).abs()).fold(0.0, f64::max);
            let largest = own.iter().fold(0.0, |m: f64, r| m.max(r.abs()));
            assert!((found.sum - suffix(0)).abs() < 1e-12);
            assert!((found.peak - peak).abs() < 1e-12);
            assert_eq!(found.largest, largest);
        }
    }
}
