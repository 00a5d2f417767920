//! What the rest of the workspace asks of a language model.

use burn::module::{Module, ModuleDisplay};
use burn::tensor::{Int, Tensor, TensorData};

use crate::kernels::Ragged;
use crate::logprob::token_log_probs_in_chunks;

/// The state of an incremental decoding: a fixed number of rows, one sequence each.
///
/// Keys and values for attention; whatever else a model has to remember for one that has none. The memory is taken
/// once ([`CausalLm::cache`]); sequences enter and leave by having their row overwritten.
pub trait KvCache: Send {
    /// Tokens read so far, per row.
    fn lengths(&self) -> &[usize];

    /// The most tokens a row can hold.
    fn capacity(&self) -> usize;

    /// Makes row `to` what row `from` of `source` is, length included. `source` comes from the same model; its
    /// capacity may differ, but its row fits.
    fn copy_row(&mut self, to: usize, source: &Self, from: usize);

    /// Makes row `to` what row `from` of the same cache is; `from` may become anything.
    fn move_row(&mut self, to: usize, from: usize);
}

/// A causal language model: token ids in, logits out, one token at a time when sampling.
///
/// Implement it for a burn module of your own and that module can be the policy, the implicit PRM, or both.
/// The methods must agree: `prefill` followed by `decode` gives the hidden states that `hidden` gives at the
/// same positions. `prime-train/examples/own_module.rs` is a recurrent network that does so.
pub trait CausalLm: Module + ModuleDisplay + Sync + 'static {
    /// The state of incremental decoding.
    type Cache: KvCache;

    /// Number of token ids.
    fn vocab_size(&self) -> usize;

    /// Width of the hidden states.
    fn hidden_size(&self) -> usize;

    /// The most tokens, prompt and response together, that a sequence may have; `None` where there is no limit.
    ///
    /// [`generate`](crate::generate) refuses prompts that leave no room and ends responses there.
    fn max_length(&self) -> Option<usize> {
        None
    }

    /// The same model, ready for many passes: what every pass would do again to parameters that no gradient reaches is
    /// done once. Its outputs and gradients are those of the model itself, and parameters that train keep their ids.
    ///
    /// It is for passes and not to be saved. Unless overridden there is nothing to do. [`generate`](crate::generate) and
    /// [`log_probs`](crate::log_probs) call it; a training loop calls it once per optimiser step, before it cuts the batch
    /// into micro-batches, and applies the gradients to the model itself.
    fn prepared(&self) -> Self {
        self.clone()
    }

    /// Final hidden states of whole sequences: `[batch, time]` ids to `[batch, time, hidden]`.
    ///
    /// Rows are padded on the right; position t depends on tokens `0..=t` of its row only, so padding needs no mask.
    fn hidden(&self, tokens: Tensor<2, Int>) -> Tensor<3>;

    /// Final hidden states of whole sequences that lie one after another in `tokens` (`[tokens]`), `lengths[i]` ≥ 1 tokens of
    /// sequence i: `[tokens, hidden]`. Each reads itself only, from position 0 on, as if it were a row of [`Self::hidden`].
    ///
    /// Unless overridden they are padded to one length for `hidden`, which is right for every model; a model that needs no
    /// padding saves its work.
    fn hidden_packed(&self, tokens: Tensor<1, Int>, lengths: &[usize]) -> Tensor<2> {
        let ragged = Ragged::new(lengths.iter().copied());
        let shape = [ragged.sequences(), ragged.longest()];
        let device = tokens.device();
        let rows = |rows: Vec<i64>| {
            let length = rows.len();
            Tensor::<1, Int>::from_data(TensorData::new(rows, [length]), &device)
        };
        self.hidden(tokens.select(0, rows(ragged.padded())).reshape(shape))
            .reshape([shape[0] * shape[1], self.hidden_size()])
            .select(0, rows(ragged.unpadded()))
    }

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

    /// An empty cache: `rows` rows of length 0 with room for `capacity` tokens each.
    fn cache(&self, rows: usize, capacity: usize) -> Self::Cache;

    /// Reads one more token into each of the first n rows of `cache` (`tokens`: `[n]`, n ≤ rows) and returns the
    /// hidden states there (`[n, hidden]`). The other rows are left alone.
    ///
    /// Each of the n rows must have room left (`lengths()[row] < capacity()`).
    fn decode(&self, tokens: Tensor<1, Int>, cache: &mut Self::Cache) -> Tensor<2>;

    /// Reads prompts `[rows, time]`, padded on the right to `time`, of which row i has `lengths[i]` ≥ 1 tokens.
    ///
    /// Returns the hidden state at each row's last token (`[rows, hidden]`) and a cache with room for `capacity`
    /// tokens a row (`capacity ≥ time`). Unless overridden it [decodes](Self::decode) one token after another, which
    /// is right for every model and slow for those that can read a prompt at once.
    fn prefill(
        &self,
        tokens: Tensor<2, Int>,
        lengths: &[usize],
        capacity: usize,
    ) -> (Tensor<2>, Self::Cache) {
        let [rows, time] = tokens.dims();
        let mut reading = self.cache(rows, time);
        let mut read = self.cache(rows, capacity);
        let mut ends = Vec::with_capacity(rows);
        let mut order = vec![0i64; rows];
        for t in 0..time {
            let column = tokens.clone().narrow(1, t, 1).reshape([rows]);
            let hidden = self.decode(column, &mut reading);
            // A row is copied at its own end, before it goes on to read padding.
            for row in (0..rows).filter(|&row| lengths[row] == t + 1) {
                read.copy_row(row, &reading, row);
                order[row] = ends.len() as i64;
                ends.push(hidden.clone().narrow(0, row, 1));
            }
        }
        let order = Tensor::<1, Int>::from_data(TensorData::new(order, [rows]), &tokens.device());
        (Tensor::cat(ends, 0).select(0, order), read)
    }
}
