//! Prompts with their responses, and the padded tensors that the model reads.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::error::PolicyError;

/// One trajectory: prompt ids, then the ids that were sampled after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence<'a> {
    /// At least one token.
    pub prompt: &'a [u32],
    /// May be empty; such a row has no log-probs.
    pub response: &'a [u32],
}

/// Sequences padded on the right to one length, ready for a forward pass.
///
/// The tensors cover the positions from the shortest prompt's last token on: `window` predictions per row, of
/// which those inside a row's response count.
#[derive(Debug, Clone)]
pub struct SequenceBatch {
    /// `[rows, time]`: all tokens but each row's last.
    pub(crate) tokens: Tensor<2, Int>,
    /// `[rows·window]`: the token predicted at each position.
    pub(crate) targets: Tensor<1, Int>,
    /// First predicting position of the window.
    pub(crate) start: usize,
    /// Predictions per row.
    pub(crate) window: usize,
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
        let rows = sequences.len();
        let length = |s: &Sequence<'_>| s.prompt.len() + s.response.len();
        let time = sequences.iter().map(length).max().unwrap_or(1).max(2) - 1;
        let start = sequences
            .iter()
            .map(|s| s.prompt.len())
            .min()
            .unwrap_or(1)
            .min(time)
            - 1;
        let window = time - start;
        let mut tokens = vec![0i32; rows * time];
        let mut targets = vec![0i32; rows * window];
        let mut spans = Vec::with_capacity(rows);
        for (row, sequence) in sequences.iter().enumerate() {
            let ids = sequence
                .prompt
                .iter()
                .chain(sequence.response)
                .map(|&id| id as i32);
            for (t, id) in ids.enumerate() {
                if t < time {
                    tokens[row * time + t] = id;
                }
                if t > start && t <= time {
                    targets[row * window + t - 1 - start] = id;
                }
            }
            spans.push((sequence.prompt.len() - 1 - start, sequence.response.len()));
        }
        let device = device.clone().without_autodiff();
        Ok(Self {
            tokens: Tensor::from_data(TensorData::new(tokens, [rows, time]), &device),
            targets: Tensor::from_data(TensorData::new(targets, [rows * window]), &device),
            start,
            window,
            spans,
        })
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
