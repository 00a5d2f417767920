//! A model that gives what [`CausalLm`] asks for and nothing more, so that the trait's own methods do the rest.

use burn::module::Module;
use burn::tensor::{Int, Tensor};
use prime_policy::{CausalLm, Decoder, DecoderCache};

/// A decoder without its own prefill and its own head.
#[derive(Module, Debug)]
pub struct Plain {
    pub inner: Decoder,
}

impl CausalLm for Plain {
    type Cache = DecoderCache;

    fn vocab_size(&self) -> usize {
        self.inner.vocab_size()
    }

    fn hidden_size(&self) -> usize {
        self.inner.hidden_size()
    }

    fn hidden(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        self.inner.hidden(tokens)
    }

    fn logits(&self, hidden: Tensor<2>) -> Tensor<2> {
        self.inner.logits(hidden)
    }

    fn cache(&self, rows: usize, capacity: usize) -> DecoderCache {
        self.inner.cache(rows, capacity)
    }

    fn decode(&self, tokens: Tensor<1, Int>, cache: &mut DecoderCache) -> Tensor<2> {
        self.inner.decode(tokens, cache)
    }
}
