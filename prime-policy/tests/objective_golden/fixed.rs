//! A model that predicts given logits, whatever it reads.

use burn::module::{Module, Param};
use burn::tensor::{Int, Tensor};
use prime_policy::{CausalLm, KvCache};

#[derive(Module, Debug)]
pub struct Fixed {
    /// `[rows, time, vocab]`
    logits: Param<Tensor<3>>,
}

impl Fixed {
    pub fn new(logits: Tensor<3>) -> Self {
        Self {
            logits: Param::from_tensor(logits),
        }
    }
}

pub struct NoCache;

impl KvCache for NoCache {
    fn lengths(&self) -> &[usize] {
        &[]
    }

    fn capacity(&self) -> usize {
        0
    }

    fn copy_row(&mut self, _: usize, _: &Self, _: usize) {}

    fn move_row(&mut self, _: usize, _: usize) {}
}

impl CausalLm for Fixed {
    type Cache = NoCache;

    fn vocab_size(&self) -> usize {
        self.logits.val().dims()[2]
    }

    fn hidden_size(&self) -> usize {
        self.vocab_size()
    }

    fn hidden(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        let [rows, time, _] = self.logits.val().dims();
        assert_eq!(tokens.dims(), [rows, time]);
        self.logits.val()
    }

    fn logits(&self, hidden: Tensor<2>) -> Tensor<2> {
        hidden
    }

    fn cache(&self, _: usize, _: usize) -> NoCache {
        NoCache
    }

    fn decode(&self, _: Tensor<1, Int>, _: &mut NoCache) -> Tensor<2> {
        panic!("nothing is sampled from it")
    }
}
