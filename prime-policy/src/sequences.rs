//! Prompts with their responses, and the tensors that the model reads.

use burn::tensor::{Device, IndexingUpdateOp, Int, Tensor, TensorData};

use crate::error::PolicyError;

/// One trajectory: prompt ids, then the ids that were sampled after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence<'a> {
    /// At least one token.
    pub prompt: &'a [u32],
    /// May be empty; such a row has no log-probs.
    pub response: &'a [u32],
}

impl Sequence<'_> {
    /// Tokens of prompt and response together.
    pub fn tokens(&self) -> usize {
        self.prompt.len() + self.response.len()
    }
}

/// Tokens of a sequence that a pass reads: all but the last, which predicts nothing, and at least one.
fn read(sequence: &Sequence<'_>) -> usize {
    sequence.tokens().max(2) - 1
}

fn check(sequences: &[Sequence<'_>], vocab_size: usize) -> Result<(), PolicyError> {
    let fail = |index, reason: &str| {
        Err(PolicyError::Sequence {
            index,
            reason: reason.to_owned(),
        })
    };
    if sequences.is_empty() {
        return fail(0, "the batch is empty; give at least one sequence");
    }
    for (index, sequence) in sequences.iter().enumerate() {
        if sequence.prompt.is_empty() {
            return fail(index, "the prompt is empty; it needs at least one token");
        }
        let mut ids = sequence.prompt.iter().chain(sequence.response);
        if let Some(id) = ids.find(|&&id| id as usize >= vocab_size) {
            return fail(
                index,
                &format!("token {id} is outside the vocabulary of {vocab_size}"),
            );
        }
    }
    Ok(())
}

/// Sequences ready for a forward pass: padded on the right to one length ([`Self::new`]) or packed one after another
/// without padding ([`Self::packed`]). What a model says of them does not depend on which.
///
/// The tensors cover the positions from the shortest prompt's last token on: `window` predictions per row, of
/// which those inside a row's response count.
#[derive(Debug, Clone)]
pub struct SequenceBatch {
    /// `[rows, time]`: all tokens but each row's last; packed, `[1, tokens]`.
    pub(crate) tokens: Tensor<2, Int>,
    /// Tokens of each row where they are packed.
    pub(crate) packed: Option<Vec<usize>>,
    /// `[tokens]`: the response tokens, rows in order; one 0 where there is no response token.
    pub(crate) targets: Tensor<1, Int>,
    /// `[tokens]`: where each is predicted, as an index into the tokens in order.
    pub(crate) positions: Tensor<1, Int>,
    /// `[tokens]`: where each is in the window, as an index into `[rows·window]`.
    slots: Tensor<1, Int>,
    /// Predictions per row.
    window: usize,
    /// Per row: where its response starts inside the window, and how long it is.
    spans: Vec<(usize, usize)>,
}

impl SequenceBatch {
    /// Pads `sequences` for a model with `vocab_size` tokens.
    ///
    /// # Errors
    /// [`PolicyError::Sequence`] for an empty batch, an empty prompt or an id outside the vocabulary.
    pub fn new(
        sequences: &[Sequence<'_>],
        vocab_size: usize,
        device: &Device,
    ) -> Result<Self, PolicyError> {
        check(sequences, vocab_size)?;
        let time = sequences.iter().map(read).max().unwrap_or(1);
        let starts: Vec<usize> = (0..sequences.len()).map(|row| row * time).collect();
        Ok(Self::laid_out(
            sequences,
            &starts,
            [sequences.len(), time],
            device,
        ))
    }

    /// Lays `sequences` one after another. Each attends to itself only and has positions of its own, from 0 on, so a pass
    /// over them says what a pass over each by itself would say, and nothing is computed for padding.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    pub fn packed(
        sequences: &[Sequence<'_>],
        vocab_size: usize,
        device: &Device,
    ) -> Result<Self, PolicyError> {
        check(sequences, vocab_size)?;
        let lengths: Vec<usize> = sequences.iter().map(read).collect();
        let (mut starts, mut end) = (Vec::with_capacity(lengths.len()), 0);
        for length in &lengths {
            starts.push(end);
            end += length;
        }
        Ok(Self {
            packed: Some(lengths),
            ..Self::laid_out(sequences, &starts, [1, end], device)
        })
    }

    /// The tokens of each sequence from its start in a `[rows, time]` tensor on.
    fn laid_out(
        sequences: &[Sequence<'_>],
        starts: &[usize],
        [rows, time]: [usize; 2],
        device: &Device,
    ) -> Self {
        let longest = sequences.iter().map(read).max().unwrap_or(1);
        let prompts = sequences.iter().map(|s| s.prompt.len());
        let start = prompts.min().unwrap_or(1).min(longest) - 1;
        let window = longest - start;
        let mut tokens = vec![0i32; rows * time];
        let (mut targets, mut positions, mut slots) = (vec![], vec![], vec![]);
        let mut spans = Vec::with_capacity(sequences.len());
        for (row, (sequence, &at)) in sequences.iter().zip(starts).enumerate() {
            let ids = sequence.prompt.iter().chain(sequence.response);
            for (slot, &id) in tokens[at..at + read(sequence)].iter_mut().zip(ids) {
                *slot = id as i32;
            }
            let first = sequence.prompt.len() - 1;
            for (t, &id) in sequence.response.iter().enumerate() {
                targets.push(id as i32);
                positions.push((at + first + t) as i32);
                slots.push((row * window + first - start + t) as i32);
            }
            spans.push((first - start, sequence.response.len()));
        }
        if targets.is_empty() {
            // One prediction that no mask lets through keeps the graph whole.
            targets.push(0);
            positions.push(0);
            slots.push(0);
        }
        let device = device.clone().without_autodiff();
        let list = |values: Vec<i32>| {
            let length = values.len();
            Tensor::from_data(TensorData::new(values, [length]), &device)
        };
        Self {
            tokens: Tensor::from_data(TensorData::new(tokens, [rows, time]), &device),
            packed: None,
            targets: list(targets),
            positions: list(positions),
            slots: list(slots),
            window,
            spans,
        }
    }

    /// Number of sequences.
    pub fn rows(&self) -> usize {
        self.spans.len()
    }

    /// Number of response tokens in the whole batch.
    pub fn response_tokens(&self) -> usize {
        self.spans.iter().map(|&(_, length)| length).sum()
    }

    /// Spreads one value per response token (rows in order) over a `[rows, window]` tensor, 0 elsewhere.
    ///
    /// # Errors
    /// [`PolicyError::LengthMismatch`] when a row's slice is not as long as its response.
    pub fn scatter<'a>(
        &self,
        what: &'static str,
        values: impl IntoIterator<Item = &'a [f32]>,
    ) -> Result<Tensor<2>, PolicyError> {
        let mut out = vec![0.0f32; self.rows() * self.window];
        let mut seen = 0;
        for (row, values) in values.into_iter().enumerate() {
            let &(offset, length) = self.spans.get(row).ok_or(PolicyError::LengthMismatch {
                what,
                expected: self.rows(),
                found: row + 1,
            })?;
            if values.len() != length {
                return Err(PolicyError::LengthMismatch {
                    what,
                    expected: length,
                    found: values.len(),
                });
            }
            let at = row * self.window + offset;
            out[at..at + length].copy_from_slice(values);
            seen += 1;
        }
        if seen != self.rows() {
            return Err(PolicyError::LengthMismatch {
                what,
                expected: self.rows(),
                found: seen,
            });
        }
        let device = self.tokens.device();
        Ok(Tensor::from_data(
            TensorData::new(out, [self.rows(), self.window]),
            &device,
        ))
    }

    /// Spreads a column of one value per response token (`[tokens, 1]`, rows in order) over a `[rows, window]` tensor, 0
    /// elsewhere; gradients flow. [`Self::scatter`] for numbers.
    pub fn spread(&self, values: Tensor<2>) -> Tensor<2> {
        let shape = [self.rows(), self.window];
        let values = match self.response_tokens() {
            // The one value is of no token; it stays in the graph.
            0 => values.mul_scalar(0.0),
            tokens if tokens == self.rows() * self.window => return values.reshape(shape),
            _ => values,
        };
        Tensor::zeros([self.rows() * self.window, 1], &values.device())
            .select_assign(0, self.slots.clone(), values, IndexingUpdateOp::Add)
            .reshape(shape)
    }

    /// A column of the response tokens' entries of a `[rows, window]` tensor, rows in order: `[tokens, 1]`; gradients
    /// flow. The inverse of [`Self::spread`].
    pub fn response_entries(&self, values: Tensor<2>) -> Tensor<2> {
        values
            .reshape([self.rows() * self.window, 1])
            .select(0, self.slots.clone())
    }

    /// 1 on response tokens, 0 elsewhere: `[rows, window]`.
    pub fn mask(&self) -> Tensor<2> {
        let mut out = vec![0.0f32; self.rows() * self.window];
        for (row, &(offset, length)) in self.spans.iter().enumerate() {
            let at = row * self.window + offset;
            out[at..at + length].fill(1.0);
        }
        let device = self.tokens.device();
        Tensor::from_data(TensorData::new(out, [self.rows(), self.window]), &device)
    }

    /// The inverse of [`Self::scatter`]: the response tokens' entries of a `[rows, window]` tensor, per row.
    pub fn gather(&self, values: Tensor<2>) -> Vec<Vec<f32>> {
        let values: Vec<f32> = values.into_data().iter::<f32>().collect();
        self.spans
            .iter()
            .enumerate()
            .map(|(row, &(offset, length))| {
                let at = row * self.window + offset;
                values[at..at + length].to_vec()
            })
            .collect()
    }
}
