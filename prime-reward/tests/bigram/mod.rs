//! A language model that only looks at the last token, as a user of the crates would write one.

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};
use prime_policy::{CausalLm, KvCache};

/// log π(next | last) = log_softmax(table[last])[next].
#[derive(Module, Debug)]
pub struct Bigram {
    /// `[vocab, vocab]` logits.
    table: Param<Tensor<2>>,
    vocab: usize,
}

impl Bigram {
    pub fn new(table: &[Vec<f32>], device: &Device) -> Self {
        let vocab = table.len();
        let data = TensorData::new(table.concat(), [vocab, vocab]);
        Self {
            table: Param::from_data(data, device),
            vocab,
        }
    }

    /// The logits, row by row.
    pub fn table(&self) -> Vec<f32> {
        self.table.val().into_data().iter::<f32>().collect()
    }

    fn one_hot(&self, tokens: Tensor<1, Int>) -> Tensor<2> {
        tokens.one_hot::<2>(self.vocab).float()
    }
}

/// All that a bigram model remembers of a sequence is how long it is: `decode` gets the last token anyway.
pub struct BigramCache {
    lengths: Vec<usize>,
    capacity: usize,
}

impl KvCache for BigramCache {
    fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    fn capacity(&self) -> usize {
        self.capacity
    }

    fn copy_row(&mut self, to: usize, source: &Self, from: usize) {
        self.lengths[to] = source.lengths[from];
    }

    fn move_row(&mut self, to: usize, from: usize) {
        self.lengths[to] = self.lengths[from];
    }
}

impl CausalLm for Bigram {
    type Cache = BigramCache;

    fn vocab_size(&self) -> usize {
        self.vocab
    }

    fn hidden_size(&self) -> usize {
        self.vocab
    }

    fn hidden(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        let [rows, time] = tokens.dims();
        self.one_hot(tokens.reshape([rows * time]))
            .reshape([rows, time, self.vocab])
    }

    fn logits(&self, hidden: Tensor<2>) -> Tensor<2> {
        hidden.matmul(self.table.val())
    }

    fn cache(&self, rows: usize, capacity: usize) -> BigramCache {
        BigramCache {
            lengths: vec![0; rows],
            capacity,
        }
    }

    fn decode(&self, tokens: Tensor<1, Int>, cache: &mut BigramCache) -> Tensor<2> {
        let [rows] = tokens.dims();
        for length in &mut cache.lengths[..rows] {
            *length += 1;
        }
        self.one_hot(tokens)
    }
}
