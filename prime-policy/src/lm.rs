//! What the rest of the workspace asks of a language model.

use burn::module::{Module, ModuleDisplay};
use burn::tensor::{Int, Tensor};

use crate::logprob::token_log_probs_in_chunks;

/// The state of an incremental decoding: one row per sequence.
pub trait KvCache: Send {
    /// Tokens read so far, per row.
    fn lengths(&self) -> &[usize];

    /// The most tokens a row can hold.
    fn capacity(&self) -> usize;

    /// Keeps the rows named, in that order; a row may be named several times (one prompt, several samples).
    fn select_rows(&mut self, rows: &[usize]);
}

/// A causal language model: token ids in, logits out, one token at a time when sampling.
///
/// Implement it for a burn module of your own and that module can be the policy, the implicit PRM, or both.
/// The methods must agree: `prefill` followed by `decode` gives the hidden states that `hidden` gives at the
/// same positions.
pub trait CausalLm: Module + ModuleDisplay + Sync + 'static {
    /// The state of incremental decoding.
    type Cache: KvCache;

    /// Number of token ids.
    fn vocab_size(&self) -> usize;

    /// Width of the hidden states.
    fn hidden_size(&self) -> usize;

    /// Final hidden states of whole sequences: `[batch, time]` ids to `[batch, time, hidden]`.
    ///
    /// Rows are padded on the right; position t depends on tokens `0..=t` of its row only, so padding needs no mask.
    fn hidden(&self, tokens: Tensor<2, Int>) -> Tensor<3>;

    /// The output head: hidden states `[n, hidden]` to logits `[n, vocab]`.
    fn logits(&self, hidden: Tensor<2>) -> Tensor<2>;

    /// Log-prob of each position's target and entropy of its distribution, in nats, under
    /// `softmax(logits / temperature)`: hidden states `[n, hidden]` and targets `[n]` to `[n, 2]`.
    ///
    /// The default goes through [`Self::logits`] a few positions at a time, so inference never holds the logits of all
    /// of them; with gradients, autodiff keeps each part's logits until the backward pass. A model whose head is a
    /// plain matrix overrides it with one call of [`head_log_probs`](crate::head_log_probs), which keeps none.
    fn token_log_probs(
        &self,
        hidden: Tensor<2>,
        targets: Tensor<1, Int>,
        temperature: f32,
    ) -> Tensor<2> {
        token_log_probs_in_chunks(self, hidden, targets, temperature)
    }

    /// Reads prompts `[rows, time]`, padded on the right to `time`, of which row i has `lengths[i]` ≥ 1 tokens.
    ///
    /// Returns the hidden state at each row's last token (`[rows, hidden]`) and a cache with room for `capacity`
    /// tokens a row (`capacity ≥ time`).
    fn prefill(
        &self,
        tokens: Tensor<2, Int>,
        lengths: &[usize],
        capacity: usize,
    ) -> (Tensor<2>, Self::Cache);

    /// Reads one more token per row (`[rows]`) and returns its hidden state (`[rows, hidden]`).
    ///
    /// Every row must have room left (`lengths()[row] < capacity()`).
    fn decode(&self, tokens: Tensor<1, Int>, cache: &mut Self::Cache) -> Tensor<2>;
}
