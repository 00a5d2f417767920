//! Which tokens move the policy's entropy most: the covariance of log-prob and advantage (arXiv 2505.22617).

use burn::tensor::{Tensor, TensorData};

use super::ObjectiveInput;

/// (A − mean A)·(log π_θ − mean log π_θ) of one token.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokenCovariance {
    /// Row · window + column.
    pub(super) position: usize,
    pub(super) value: f64,
}

/// Every token inside the mask, row by row; the means are over the mask, in f64.
pub(super) fn covariances(input: &ObjectiveInput) -> Vec<TokenCovariance> {
    let numbers = |t: &Tensor<2>| t.clone().inner().into_data();
    let (log_probs, advantages, mask) = (
        numbers(&input.log_probs),
        numbers(&input.advantages),
        numbers(&input.mask),
    );
    let tokens: Vec<(usize, f64, f64)> = mask
        .iter::<f32>()
        .zip(advantages.iter::<f32>().zip(log_probs.iter::<f32>()))
        .enumerate()
        .filter(|(_, (m, _))| *m != 0.0)
        .map(|(position, (_, (a, l)))| (position, f64::from(a), f64::from(l)))
        .collect();
    let n = tokens.len().max(1) as f64;
    let mean_advantage = tokens.iter().map(|(_, a, _)| a).sum::<f64>() / n;
    let mean_log_prob = tokens.iter().map(|(_, _, l)| l).sum::<f64>() / n;
    tokens
        .into_iter()
        .map(|(position, a, l)| TokenCovariance {
            position,
            value: (a - mean_advantage) * (l - mean_log_prob),
        })
        .collect()
}

/// How many of `tokens` a share is: rounded down, but at least one.
pub(super) fn count(share: f64, tokens: usize) -> usize {
    ((share * tokens as f64) as usize).max(1)
}

/// 1 at the chosen tokens, 0 elsewhere; shaped and placed as the input's mask.
pub(super) fn selection(input: &ObjectiveInput, chosen: &[TokenCovariance]) -> Tensor<2> {
    let [rows, window] = input.mask.dims();
    let mut out = vec![0.0f32; rows * window];
    for token in chosen {
        out[token.position] = 1.0;
    }
    let device = input.mask.device();
    Tensor::from_data(TensorData::new(out, [rows, window]), &device)
}
