//! Causal self-attention with rotary positions: over whole sequences, forward and backward, and one token at a time
//! over a cache.
//!
//! Rows stay in the `[tokens, heads·head_dim]` layout of the projections. A worker takes one (sequence,
//! key/value head) pair after another, copies its keys and values to padded rows and works on tiles of scores: some
//! keys by some vectors of queries, so that neither the softmax of a query nor its gradient needs a sum across a
//! vector. The `[time, time]` probabilities are never held; the backward pass computes them again (Dao et al. 2022).
//!
//! Every output is summed over its queries or keys in ascending order, one after another, whatever tile they fall
//! into: it depends neither on the number of threads nor on the other sequences nor on what comes later in its own.

mod backward;
mod chunk;
mod decode;
mod exp;
mod forward;
mod keys;
mod queries;
mod rotary;
mod share;
mod steps;
#[cfg(test)]
mod tests;
mod tile;

pub(crate) use backward::{Taped, backward};
pub(crate) use decode::decode;
pub(crate) use forward::forward;

use super::{AttentionShape, Ragged};

impl AttentionShape {
    /// Query heads that share a key/value head.
    fn group(&self) -> usize {
        self.heads / self.kv_heads
    }

    /// One past the last of `time` positions that look at `key`.
    fn end_of_queries(&self, key: usize, time: usize) -> usize {
        match self.window {
            Some(window) => time.min(key.saturating_add(window)),
            None => time,
        }
    }

    /// Multiplications of a score and of its share of the output, for all queries of whole sequences.
    fn work(&self, ragged: &Ragged) -> usize {
        let pairs = |time: usize| time * self.window.map_or(time, |window| window.min(time));
        let pairs: usize = ragged.all().map(|rows| pairs(rows.len())).sum();
        pairs * self.heads * self.head_dim
    }
}

/// What a query's scores are normalised by: the largest one and 1 / Σ exp(score − largest), `[heads, 2, length]` of each
/// sequence.
pub(crate) type Normalisers = Vec<f32>;
