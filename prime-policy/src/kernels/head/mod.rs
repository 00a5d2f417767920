//! The output head, log-softmax and entropy as one operation that never holds the logits.
//!
//! The product of hidden states and head is visited in tiles of at most [`TILE_BYTES`]: blocks of the vocabulary, and
//! inside each, blocks of rows. The forward pass folds a tile into four running numbers a row (an online softmax:
//! Milakov & Gimelshein 2018); the backward pass computes the tile again from the saved log-normaliser and turns it
//! into its own gradient. Blocks of the vocabulary are the outer loop, so that the head, by far the largest operand, is
//! read once a pass and every part of its gradient is written once.

mod composed;
#[cfg(feature = "flex")]
mod fused;
mod tape;

use std::ops::Range;

use burn::tensor::{DType, Int, Tensor};

use super::{as_f32, linear};

/// Most bytes of logits that are held at a time.
pub(crate) const TILE_BYTES: usize = 16 << 20;
/// Most rows of a tile: enough to keep a matrix product busy, few enough for wide blocks of the vocabulary.
const TILE_ROWS: usize = 1024;

/// Which axis of a head's weight is the vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadLayout {
    /// `[vocab, hidden]`: an embedding that is also the head, or PyTorch's linear layer.
    VocabRows,
    /// `[hidden, vocab]`: burn's [`Linear`](burn::nn::Linear).
    VocabColumns,
}

/// Log-prob of each row's target and entropy of each row's distribution, `[n, 2]`, under a linear head without bias:
/// the columns of `softmax(hidden · head / temperature)` in nats.
///
/// `hidden`: `[n, hidden]`; `weight`: the head in the given `layout`; `targets`: `[n]` ids below the vocabulary's size
/// (another id gives NaN); `temperature` > 0. The products are in the element type of `hidden`, to which `weight` is
/// brought a block at a time; logits are read, and summed, in f32. Gradients reach `hidden` and, if it is tracked,
/// `weight`, each in its own type. On the CPU and on
/// the CubeCL backends neither pass holds more than 16 MiB of logits; on others the result is the same and
/// autodiff keeps what it keeps.
///
/// [`CausalLm::token_log_probs`](crate::CausalLm::token_log_probs) of a model of your own is one call of this.
pub fn head_log_probs(
    hidden: Tensor<2>,
    weight: Tensor<2>,
    layout: HeadLayout,
    targets: Tensor<1, Int>,
    temperature: f32,
) -> Tensor<2> {
    let work = HeadWork {
        layout,
        targets: targets.inner(),
        inverse_temperature: 1.0 / temperature,
        tiling: Tiling::default(),
        rows: RowKernels::of(&hidden),
    };
    tape::run(hidden, weight, work)
}

/// How large tiles are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tiling {
    pub bytes: usize,
    pub rows: usize,
}

impl Default for Tiling {
    fn default() -> Self {
        Self {
            bytes: TILE_BYTES,
            rows: TILE_ROWS,
        }
    }
}

impl Tiling {
    /// Rows and vocabulary entries of a tile; the last of each axis may be smaller.
    pub(crate) fn sizes(self, rows: usize, vocab: usize) -> (usize, usize) {
        let rows = rows.clamp(1, self.rows.max(1));
        (rows, (self.bytes / 4 / rows).clamp(1, vocab.max(1)))
    }
}

fn blocks(total: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..total)
        .step_by(size)
        .map(move |start| start..(start + size).min(total))
}

/// What is done with the rows of a tile of logits. Both take the tile by value, so that it can be overwritten.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowKernels {
    /// Folds a tile into the running statistics (`[rows, 4]`, see [`Column`]) of its rows.
    absorb: fn(TileOfLogits, Option<Tensor<2>>) -> Tensor<2>,
    /// The gradient of `[rows, 2]` with respect to the tile, from the kept `[rows, 3]` (see [`Kept`]).
    gradient: fn(TileOfLogits, Tensor<2>, Tensor<2>) -> Tensor<2>,
}

impl RowKernels {
    pub(super) const COMPOSED: Self = Self {
        absorb: composed::absorb,
        gradient: composed::gradient,
    };
    #[cfg(feature = "flex")]
    pub(super) const FUSED: Self = Self {
        absorb: fused::absorb,
        gradient: fused::gradient,
    };

    /// The fastest that serves tensors on the device of `probe`.
    fn of(probe: &Tensor<2>) -> Self {
        #[cfg(feature = "flex")]
        if probe.device().without_autodiff() == burn::tensor::Device::flex() {
            return Self::FUSED;
        }
        let _ = probe;
        Self::COMPOSED
    }
}

/// Columns of the running statistics, with s = logit / temperature.
pub(super) enum Column {
    /// m, the largest s so far.
    Top,
    /// Σ e^(s − m).
    Total,
    /// Σ e^(s − m)·(s − m).
    Moment,
    /// s of the target; NaN until its block has been seen.
    Chosen,
}

/// Columns of what the forward pass keeps for the backward pass. `Top` and `LogTotal` are apart because their sum would
/// lose the smaller one's digits when logits are large.
pub(super) enum Kept {
    /// m, the largest s.
    Top,
    /// ln Σ e^(s − m).
    LogTotal,
    /// The entropy.
    Entropy,
}

/// A block of f32 logits, and which targets are inside.
pub(super) struct TileOfLogits {
    /// `[rows, width]`, not yet divided by the temperature.
    logits: Tensor<2>,
    /// `[rows]`: ids in the whole vocabulary.
    targets: Tensor<1, Int>,
    /// The id of the first column.
    start: usize,
    inverse_temperature: f32,
}

/// The operation but for its two differentiable operands.
#[derive(Debug, Clone)]
pub(super) struct HeadWork {
    pub layout: HeadLayout,
    /// `[n]`, without autodiff.
    pub targets: Tensor<1, Int>,
    pub inverse_temperature: f32,
    pub tiling: Tiling,
    pub rows: RowKernels,
}

/// The gradients that were asked for.
pub(super) struct HeadGradients {
    pub hidden: Option<Tensor<2>>,
    pub weight: Option<Tensor<2>>,
}

impl HeadWork {
    fn vocab(&self, weight: &Tensor<2>) -> usize {
        let [rows, columns] = weight.dims();
        match self.layout {
            HeadLayout::VocabRows => rows,
            HeadLayout::VocabColumns => columns,
        }
    }

    /// `[hidden, block]` of the head in this element type, a view where the backend has views and the head has it.
    fn block(&self, weight: &Tensor<2>, block: &Range<usize>, dtype: DType) -> Tensor<2> {
        let part = |axis| weight.clone().narrow(axis, block.start, block.len());
        match self.layout {
            HeadLayout::VocabRows => part(0).cast(dtype).transpose(),
            HeadLayout::VocabColumns => part(1).cast(dtype),
        }
    }

    fn tile(
        &self,
        hidden: Tensor<2>,
        head: Tensor<2>,
        rows: &Range<usize>,
        block: &Range<usize>,
    ) -> TileOfLogits {
        TileOfLogits {
            logits: as_f32(linear(hidden, head, None)),
            targets: self.targets.clone().narrow(0, rows.start, rows.len()),
            start: block.start,
            inverse_temperature: self.inverse_temperature,
        }
    }

    /// The operation's output `[n, 2]` and what its backward pass needs (`[n, 3]`, see [`Kept`]). No operand has
    /// autodiff.
    pub(super) fn forward(&self, hidden: &Tensor<2>, weight: &Tensor<2>) -> [Tensor<2>; 2] {
        let (n, vocab) = (hidden.dims()[0], self.vocab(weight));
        if n == 0 {
            return [2, 3].map(|columns| Tensor::zeros([0, columns], &hidden.device()));
        }
        let (tile_rows, width) = self.tiling.sizes(n, vocab);
        let mut running: Vec<Option<Tensor<2>>> = vec![None; n.div_ceil(tile_rows)];
        for block in blocks(vocab, width) {
            let head = self.block(weight, &block, hidden.dtype());
            for (rows, slot) in blocks(n, tile_rows).zip(&mut running) {
                let hidden = hidden.clone().narrow(0, rows.start, rows.len());
                let tile = self.tile(hidden, head.clone(), &rows, &block);
                *slot = Some((self.rows.absorb)(tile, slot.take()));
            }
        }
        let running = Tensor::cat(running.into_iter().flatten().collect(), 0);
        let column = |column: Column| running.clone().narrow(1, column as usize, 1);
        let total = column(Column::Total);
        let log_total = total.clone().log();
        let log_prob = column(Column::Chosen) - column(Column::Top) - log_total.clone();
        let entropy = log_total.clone() - column(Column::Moment) / total;
        let kept = Tensor::cat(vec![column(Column::Top), log_total, entropy.clone()], 1);
        [Tensor::cat(vec![log_prob, entropy], 1), kept]
    }

    /// Gradients from the output's (`[n, 2]`) and what [`Self::forward`] kept; `wanted`: of hidden, of weight.
    pub(super) fn backward(
        &self,
        hidden: &Tensor<2>,
        weight: &Tensor<2>,
        kept: &Tensor<2>,
        gradient: &Tensor<2>,
        wanted: [bool; 2],
    ) -> HeadGradients {
        let ([n, _], vocab) = (hidden.dims(), self.vocab(weight));
        let (tile_rows, width) = self.tiling.sizes(n, vocab);
        let mut for_hidden: Vec<Option<Tensor<2>>> = vec![None; n.div_ceil(tile_rows)];
        let mut for_weight =
            wanted[1].then(|| Tensor::zeros(weight.dims(), (&weight.device(), weight.dtype())));
        for block in blocks(if n == 0 { 0 } else { vocab }, width) {
            let head = self.block(weight, &block, hidden.dtype());
            let mut for_block: Option<Tensor<2>> = None;
            for (rows, slot) in blocks(n, tile_rows).zip(&mut for_hidden) {
                let part = |of: &Tensor<2>| of.clone().narrow(0, rows.start, rows.len());
                let tile = self.tile(part(hidden), head.clone(), &rows, &block);
                let d_logits = (self.rows.gradient)(tile, part(kept), part(gradient));
                let d_logits = d_logits.cast(hidden.dtype());
                if wanted[1] {
                    let product = match self.layout {
                        HeadLayout::VocabRows => {
                            linear(d_logits.clone().transpose(), part(hidden), None)
                        }
                        HeadLayout::VocabColumns => {
                            linear(part(hidden).transpose(), d_logits.clone(), None)
                        }
                    };
                    for_block = Some(plus(for_block, as_f32(product)));
                }
                if wanted[0] {
                    let product = as_f32(linear(d_logits, head.clone().transpose(), None));
                    *slot = Some(plus(slot.take(), product));
                }
            }
            for_weight = match (for_weight, for_block) {
                (Some(whole), Some(part)) => {
                    let [rows, columns] = part.dims();
                    let place = match self.layout {
                        HeadLayout::VocabRows => [block, 0..columns],
                        HeadLayout::VocabColumns => [0..rows, block],
                    };
                    Some(whole.slice_assign(place, part.cast(weight.dtype())))
                }
                (whole, _) => whole,
            };
        }
        let parts: Vec<_> = for_hidden.into_iter().flatten().collect();
        HeadGradients {
            hidden: wanted[0].then(|| match parts.is_empty() {
                true => hidden.zeros_like(),
                false => Tensor::cat(parts, 0).cast(hidden.dtype()),
            }),
            weight: for_weight,
        }
    }
}

fn plus(sum: Option<Tensor<2>>, part: Tensor<2>) -> Tensor<2> {
    match sum {
        Some(sum) => sum + part,
        None => part,
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests;
